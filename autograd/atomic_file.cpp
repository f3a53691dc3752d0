#include <autograd/atomic_file.hpp>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
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

}  // namespace

AtomicFile::AtomicFile(const fs::path& path) : path_(resolved(path)) {
  std::error_code ignored;
  auto status = fs::status(path_, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw FileError("cannot write " + path.string() + ": it is there, and is no regular file");
  static std::atomic<unsigned> count = 0;
  do {
    temporary_ = path_;
    temporary_ += ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) fail("open");
  // A file that others may not read stays so.
  if (fs::exists(status)) ::fchmod(descriptor_, static_cast<mode_t>(status.permissions()));
}

AtomicFile::~AtomicFile() {
  close();
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
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
  close();
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename");
  temporary_.clear();
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
