// A file that is read, and named in every error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace xtape::nn {

/// A regular file, read from front to back or from where `seek` goes. Errors begin "OPERATION: PATH: ".
class InputFile {
 public:
  /// @throws FileError when there is no such file, it is no regular file, or it cannot be opened.
  InputFile(const std::string& operation, const std::filesystem::path& path);

  /// What errors begin with.
  const std::string& name() const { return name_; }
  [[noreturn]] void fail(const std::string& what) const;

  std::uint64_t size() const { return size_; }
  /// How many bytes follow where it stands.
  std::uint64_t left() const { return left_; }
  /// @throws FileError when there are not so many bytes left.
  void read(void* out, std::size_t bytes);
  void seek(std::uint64_t position);
  /// The same file as a stream, for readers that want one; `left` does not follow what they read.
  std::istream& stream() { return file_; }

 private:
  std::string name_;
  std::ifstream file_;
  std::uint64_t size_ = 0, left_ = 0;
};

/// A text of a file in quotes, for a message; cut where it is long.
std::string shown(std::string_view text);

}  // namespace xtape::nn
