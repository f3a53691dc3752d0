// A file that is there either as a whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace xtape {

/// Writes under a temporary name beside `path`; `commit` puts the file in the place of what was there. When the
/// program or the machine fails before that, the old file is untouched.
///
/// The temporary name is "NAME.tmp-HOST-PROCESS-TIME-NUMBER". Whoever writes the file holds a lock on it, which the
/// system gives up when the process ends, however it ends: that tells what is left over from what is being written.
class AtomicFile {
 public:
  /// Removes temporary files for `path` that processes of this host left behind when they were killed. Those of living
  /// processes and of other hosts stay, and so does what cannot be removed.
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
  bool open_temporary();
  [[noreturn]] void fail(const char* action) const;
  void close() noexcept;

  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

/// Puts `content` into a file, as a whole. @throws FileError as AtomicFile does.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace xtape
