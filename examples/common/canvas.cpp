#include <examples/common/canvas.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include <cairo-svg.h>

#include <autograd/atomic_file.hpp>
#include <autograd/error.hpp>

namespace example {
namespace {

using Surface = std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)>;
using Canvas = std::unique_ptr<cairo_t, decltype(&cairo_destroy)>;

void check(cairo_status_t status, const std::string& what) {
  if (status != CAIRO_STATUS_SUCCESS) throw xtape::FileError(what + ": " + cairo_status_to_string(status));
}

cairo_status_t append(void* text, const unsigned char* bytes, unsigned int count) noexcept try {
  static_cast<std::string*>(text)->append(reinterpret_cast<const char*>(bytes), count);
  return CAIRO_STATUS_SUCCESS;
} catch (...) {
  return CAIRO_STATUS_NO_MEMORY;
}

void draw_on(cairo_surface_t* surface, const std::string& name, const std::function<void(cairo_t*)>& draw) {
  const Canvas canvas(cairo_create(surface), cairo_destroy);
  set_color(canvas.get(), {1, 1, 1});
  cairo_paint(canvas.get());
  draw(canvas.get());
  check(cairo_status(canvas.get()), name);
}

}  // namespace

void write_png(const std::filesystem::path& file, int width, int height, const std::function<void(cairo_t*)>& draw) {
  const Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height), cairo_surface_destroy);
  draw_on(surface.get(), file.string(), draw);
  std::string bytes;
  check(cairo_surface_write_to_png_stream(surface.get(), append, &bytes), file.string());
  xtape::write_file_atomically(file, bytes);
}

void write_svg(const std::filesystem::path& file, int width, int height, const std::function<void(cairo_t*)>& draw) {
  std::string text;
  const Surface surface(cairo_svg_surface_create_for_stream(append, &text, width, height), cairo_surface_destroy);
  draw_on(surface.get(), file.string(), draw);
  cairo_surface_finish(surface.get());
  check(cairo_surface_status(surface.get()), file.string());
  xtape::write_file_atomically(file, text);
}

double text_width(cairo_t* canvas, const std::string& text) {
  cairo_text_extents_t extents;
  cairo_text_extents(canvas, text.c_str(), &extents);
  return extents.x_advance;
}

void draw_text(cairo_t* canvas, double x, double y, const std::string& text, Align align) {
  const double width = text_width(canvas, text);
  cairo_move_to(canvas, align == Align::left ? x : align == Align::right ? x - width : x - width / 2, y);
  cairo_show_text(canvas, text.c_str());
}

void set_color(cairo_t* canvas, const Color& color, double opacity) {
  cairo_set_source_rgba(canvas, color.red, color.green, color.blue, opacity);
}

void set_font(cairo_t* canvas, double size, bool bold) {
  cairo_select_font_face(canvas, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                         bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(canvas, size);
}

void draw_pixels(cairo_t* canvas, const std::function<Color(int row, int column)>& pixel, int rows, int columns, double x,
                 double y, double scale, double scale_y) {
  const int stride = cairo_format_stride_for_width(CAIRO_FORMAT_RGB24, columns) / 4;
  std::vector<std::uint32_t> words(static_cast<std::size_t>(stride) * static_cast<std::size_t>(rows));
  auto byte = [](double part) { return static_cast<std::uint32_t>(std::lround(std::clamp(part, 0.0, 1.0) * 255)); };
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column) {
      const Color color = pixel(row, column);
      words[static_cast<std::size_t>(row * stride + column)] =
          byte(color.red) << 16 | byte(color.green) << 8 | byte(color.blue);
    }
  const Surface image(cairo_image_surface_create_for_data(reinterpret_cast<unsigned char*>(words.data()),
                                                          CAIRO_FORMAT_RGB24, columns, rows, stride * 4),
                      cairo_surface_destroy);
  cairo_save(canvas);
  cairo_translate(canvas, x, y);
  cairo_scale(canvas, scale, scale_y);
  cairo_set_source_surface(canvas, image.get(), 0, 0);
  cairo_pattern_set_filter(cairo_get_source(canvas), CAIRO_FILTER_NEAREST);
  cairo_rectangle(canvas, 0, 0, columns, rows);
  cairo_fill(canvas);
  cairo_restore(canvas);
}

}  // namespace example
