#include <nn/data/input_file.hpp>

#include <cerrno>
#include <cstring>

#include <autograd/error.hpp>

namespace xtape::nn {
namespace fs = std::filesystem;

InputFile::InputFile(const std::string& operation, const fs::path& path) : name_(operation + ": " + path.string()) {
  std::error_code error;
  if (!fs::exists(path, error)) fail("cannot be opened: " + std::string(std::strerror(error ? error.value() : ENOENT)));
  if (!fs::is_regular_file(path, error)) fail("is no regular file");
  size_ = left_ = fs::file_size(path, error);
  errno = 0;
  file_.open(path, std::ios::binary);
  if (error || !file_) fail(std::string("cannot be opened: ") + std::strerror(errno));
}

void InputFile::fail(const std::string& what) const { throw FileError(name_ + ": " + what); }

void InputFile::read(void* out, std::size_t bytes) {
  if (bytes > left_ || !file_.read(static_cast<char*>(out), static_cast<std::streamsize>(bytes))) fail("is cut short");
  left_ -= bytes;
}

void InputFile::seek(std::uint64_t position) {
  if (position > size_ || !file_.seekg(static_cast<std::streamoff>(position))) fail("is cut short");
  left_ = size_ - position;
}

std::string shown(std::string_view text) {
  constexpr std::size_t most = 100;
  return "\"" + std::string(text.substr(0, most)) + (text.size() > most ? "...\"" : "\"");
}

}  // namespace xtape::nn
