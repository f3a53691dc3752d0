// Files that fuzz targets hand to readers.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

namespace xtape::fuzz {

/// A file with this content, in memory where that is possible: one path for the whole process, which is overwritten.
class File {
 public:
  explicit File(const std::string& content) : path_(folder() / "file"), size_(content.size()) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  const std::filesystem::path& path() const { return path_; }
  std::size_t size() const { return size_; }

 private:
  static const std::filesystem::path& folder() {
    static const struct Folder {
      std::filesystem::path path;
      Folder() {
        std::filesystem::path memory = "/dev/shm";
        if (::access(memory.c_str(), W_OK) != 0) memory = std::filesystem::temp_directory_path();
        path = memory / ("xtape-fuzz-" + std::to_string(::getpid()));
        std::filesystem::create_directories(path);
      }
      ~Folder() { std::filesystem::remove_all(path); }
    } folder;
    return folder.path;
  }

  std::filesystem::path path_;
  std::size_t size_;
};

}  // namespace xtape::fuzz
