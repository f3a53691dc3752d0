// What plots and pictures draw on: a surface of cairo, written to a file as a whole.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <cairo.h>

namespace example {

struct Color {
  double red, green, blue;
};

/// Draws into a PNG file of so many pixels. @throws xtape::FileError
void write_png(const std::filesystem::path& file, int width, int height, const std::function<void(cairo_t*)>& draw);
/// Draws into an SVG file of so many points. @throws xtape::FileError
void write_svg(const std::filesystem::path& file, int width, int height, const std::function<void(cairo_t*)>& draw);

enum class Align { left, center, right };

/// Text on a line at (x, y), which is its left end, its middle, or its right end.
void draw_text(cairo_t* canvas, double x, double y, const std::string& text, Align align = Align::left);
/// How wide it is.
double text_width(cairo_t* canvas, const std::string& text);
void set_color(cairo_t* canvas, const Color& color, double opacity = 1);
/// The typeface of all that is drawn.
void set_font(cairo_t* canvas, double size, bool bold = false);

/// An image, of so many pixels in rows, with the upper left corner at (x, y), each pixel `scale` wide and `scale_y` high.
void draw_pixels(cairo_t* canvas, const std::function<Color(int row, int column)>& pixel, int rows, int columns, double x,
                 double y, double scale, double scale_y);

}  // namespace example
