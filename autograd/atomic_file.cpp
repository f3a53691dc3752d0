#include <autograd/atomic_file.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <autograd/error.hpp>

namespace xtape {
namespace fs = std::filesystem;
namespace {

// Where a link leads: renaming would put the file in the place of the link.
fs::path resolved(const fs::path& path) {
  std::error_code ignored;
  fs::path target = fs::canonical(path, ignored);
  return ignored ? path : target;
}

fs::path directory_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

std::string hexadecimal(std::uint64_t number, int digits) {
  char text[17];
  std::snprintf(text, sizeof text, "%0*llx", digits, static_cast<unsigned long long>(number));
  return text;
}

// Eight digits that tell this host from others that write to the same folder. The lock of another host's file may be
// out of our sight.
std::string host() {
  utsname system{};
  ::uname(&system);
  std::string text = system.nodename, id;
  std::ifstream("/etc/machine-id") >> id;
  std::uint32_t hash = 2166136261;  // FNV-1a: it is the same in every program
  for (char c : text + "/" + id) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  return hexadecimal(hash, 8);
}

// What temporary names for a file begin with, as far as they are of this host. Long names are cut, so that there is room.
std::string temporary_prefix(const fs::path& path) {
  static const std::string this_host = host();
  std::string name = path.filename().string();
  std::size_t bytes = std::min<std::size_t>(name.size(), 180);
  auto inside_character = [&] { return (static_cast<unsigned char>(name[bytes]) & 0xc0) == 0x80; };
  while (bytes > 0 && bytes < name.size() && inside_character()) --bytes;  // of UTF-8
  return name.substr(0, bytes) + ".tmp-" + this_host + "-";
}

// A name that was never given before: neither a process nor a time alone is, as the one is used again and the other may
// be set back.
fs::path new_temporary(const fs::path& path) {
  static std::atomic<unsigned> count = 0;
  auto time = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  return directory_of(path) / (temporary_prefix(path) + std::to_string(::getpid()) + "-" + hexadecimal(time, 16) + "-" +
                               std::to_string(++count));
}

// Whether these are a process, a time and a number, as new_temporary puts them behind the prefix.
bool ends_temporary(std::string_view text) {
  auto take = [&](const char* digits, char end) {
    std::size_t count = std::min(text.find_first_not_of(digits), text.size());
    bool fits = count > 0 && (end == 0 ? count == text.size() : count < text.size() && text[count] == end);
    text.remove_prefix(std::min(count + 1, text.size()));
    return fits;
  };
  return take("0123456789", '-') && take("0123456789abcdef", '-') && take("0123456789", 0);
}

bool is_regular(int descriptor) {
  struct stat status{};
  return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

// A writer that lives has a lock on its file. No name is given twice, so that this one still is that of the file.
void remove_if_abandoned(const fs::path& file) {
  constexpr int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  int descriptor = ::open(file.c_str(), O_RDWR | flags);
  if (descriptor < 0) descriptor = ::open(file.c_str(), O_RDONLY | flags);
  if (descriptor < 0) return;
  if (is_regular(descriptor) && ::flock(descriptor, LOCK_EX | LOCK_NB) == 0) ::unlink(file.c_str());
  ::close(descriptor);
}

void remove_leftovers(const fs::path& path) {
  std::string prefix = temporary_prefix(path);
  fs::path directory = directory_of(path);
  std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), ::closedir);
  if (!entries) return;
  while (const dirent* entry = ::readdir(entries.get())) {
    std::string_view name = entry->d_name;
    if (name.starts_with(prefix) && ends_temporary(name.substr(prefix.size()))) remove_if_abandoned(directory / name);
  }
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& path) : path_(resolved(path)) {
  std::error_code ignored;
  auto status = fs::status(path_, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw FileError("cannot write " + path.string() + ": it is there, and is no regular file");
  remove_leftovers(path_);
  while (!open_temporary()) {
  }
  // A file that others may not read stays so.
  if (fs::exists(status)) ::fchmod(descriptor_, static_cast<mode_t>(status.permissions()));
}

// False where the name is taken, or somebody took the file for a leftover before it was locked.
bool AtomicFile::open_temporary() {
  temporary_ = new_temporary(path_);
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0 && errno != EEXIST) fail("open");
  if (descriptor_ < 0) return false;
  // Where the file system knows no locks, nobody takes anything for a leftover.
  bool refused = ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (!refused && ::access(temporary_.c_str(), F_OK) == 0) return true;
  close();
  return false;
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  close();
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  const char* next = static_cast<const char*>(data);
  while (bytes > 0) {
    ssize_t written = ::write(descriptor_, next, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write");
    next += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  // The bytes come to the disk before the name does, and the name before this returns.
  if (::fsync(descriptor_) != 0) fail("flush");
  // Still locked, so that nobody takes it for a leftover.
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename");
  temporary_.clear();
  close();
  descriptor_ = ::open(directory_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ >= 0) ::fsync(descriptor_);  // not every file system can; the file is in its place either way
  close();
}

void AtomicFile::fail(const char* action) const {
  throw FileError("cannot write " + path_.string() + ": " + action + ": " + std::strerror(errno));
}

void AtomicFile::close() noexcept {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

}  // namespace xtape
