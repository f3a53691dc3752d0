#include <examples/common/picture.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_GIF
#define STBI_NO_HDR
#define STBI_NO_PIC
#define STBI_NO_PNM
#define STBI_NO_PSD
#define STBI_NO_TGA
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

#include <autograd/error.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/manipulation.hpp>
#include <examples/common/canvas.hpp>

using namespace xtape;

namespace example {

Variable read_picture(const std::filesystem::path& file) {
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, decltype(&stbi_image_free)> bytes(
      stbi_load(file.c_str(), &width, &height, &channels, 3), stbi_image_free);
  if (!bytes) throw FileError(file.string() + ": " + stbi_failure_reason());
  Array pixels({static_cast<std::size_t>(height), static_cast<std::size_t>(width), std::size_t{3}}, DType::float32);
  std::transform(bytes.get(), bytes.get() + pixels.size(), pixels.mutable_data<float>(),
                 [](stbi_uc byte) { return static_cast<float>(byte) / 255; });
  return Variable(pixels);
}

Gallery::Gallery(std::size_t columns, int scale) : columns_(columns), scale_(scale) {
  if (columns == 0 || scale < 1) throw ValueError("Gallery: needs a column, and a scale of at least 1");
}

void Gallery::add(const Variable& image, const std::string& caption) {
  const bool gray = image.rank() == 2;
  if (!(gray || (image.rank() == 3 && image.shape(2) == 3)) || image.size() == 0)
    throw ShapeError("Gallery: an image is (height, width) or (height, width, 3), not " + to_string(image.shape()));
  Variable pixels = image.detach().to(float64);
  if (gray) pixels = broadcast_to(expand_dims(pixels, 2), {image.shape(0), image.shape(1), std::size_t{3}});
  images_.push_back({pixels.copy(), caption});
}

void Gallery::save(const std::filesystem::path& file) const {
  constexpr int gap = 8, text_height = 18;
  if (images_.empty()) throw ValueError("Gallery: there is no image to save");
  std::size_t most_rows = 0, most_columns = 0;
  bool captions = false;
  for (const Image& image : images_) {
    most_rows = std::max(most_rows, image.pixels.shape(0));
    most_columns = std::max(most_columns, image.pixels.shape(1));
    captions = captions || !image.caption.empty();
  }
  const int width = static_cast<int>(most_columns) * scale_, height = static_cast<int>(most_rows) * scale_;
  const int below = captions ? text_height : 0;
  const std::size_t across = std::min(columns_, images_.size()), down = (images_.size() + across - 1) / across;
  auto draw = [&](cairo_t* canvas) {
    set_font(canvas, 11);
    for (std::size_t i = 0; i < images_.size(); ++i) {
      const int x = gap + static_cast<int>(i % across) * (width + gap);
      const int y = gap + static_cast<int>(i / across) * (height + below + gap);
      const Variable& pixels = images_[i].pixels;
      const double* data = pixels.data<double>();
      const auto columns = static_cast<int>(pixels.shape(1));
      draw_pixels(canvas, [&](int row, int column) {
        const double* pixel = data + (row * columns + column) * 3;
        return Color{pixel[0], pixel[1], pixel[2]};
      }, static_cast<int>(pixels.shape(0)), columns, x, y, scale_, scale_);
      set_color(canvas, {0.2, 0.2, 0.2});
      // A caption that is wider than its image begins where that begins.
      const std::string& caption = images_[i].caption;
      if (text_width(canvas, caption) > width) draw_text(canvas, x, y + height + 13, caption);
      else draw_text(canvas, x + width / 2.0, y + height + 13, caption, Align::center);
    }
  };
  write_png(file, gap + static_cast<int>(across) * (width + gap), gap + static_cast<int>(down) * (height + below + gap), draw);
}

}  // namespace example
