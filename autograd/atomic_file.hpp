// A file that is there either as a whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace xtape {

/// Writes under a temporary name beside `path`; `commit` puts the file in the place of what was there. When the
/// program or the machine fails before that, the old file is untouched.
class AtomicFile {
 public:
  /// @throws FileError when the directory is missing or not writable, or `path` is something other than a file.
  explicit AtomicFile(const std::filesystem::path& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Removes the temporary file unless it was committed.
  ~AtomicFile();

  /// Appends bytes. @throws FileError when they can not be written.
  void write(const void* data, std::size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Flushes the bytes to the disk and renames the file. To be called once, last.
  void commit();

 private:
  [[noreturn]] void fail(const char* action) const;
  void close() noexcept;

  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

/// Puts `content` into a file, as a whole. @throws FileError as AtomicFile does.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace xtape
