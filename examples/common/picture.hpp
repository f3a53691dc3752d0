// Pictures: read from files, and written side by side.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <autograd/variable.hpp>

namespace example {

/// A PNG, JPEG or BMP file as (height, width, 3), float32 from 0 to 1. @throws xtape::FileError
xtape::Variable read_picture(const std::filesystem::path& file);

/// Images beside each other, in rows, with captions below.
class Gallery {
 public:
  /// So many images in a row, each pixel `scale` pixels wide.
  explicit Gallery(std::size_t columns, int scale = 1);

  /// An image (height, width) or (height, width, 3) of floating-point numbers; what is beyond 0 and 1 is cut off.
  /// @throws xtape::ShapeError
  void add(const xtape::Variable& image, const std::string& caption = "");
  /// Writes a PNG file. @throws xtape::FileError
  void save(const std::filesystem::path& file) const;

 private:
  struct Image {
    xtape::Variable pixels;  // (height, width, 3), float64
    std::string caption;
  };
  std::size_t columns_;
  int scale_;
  std::vector<Image> images_;
};

}  // namespace example
