#include "picture.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#include <stb/stb_easy_font.h>
#include <stb/stb_image_write.h>

#include <autograd/atomic_file.hpp>

namespace mnist {
namespace {

struct Color {
  std::uint8_t red, green, blue;
};
constexpr Color white{255, 255, 255}, black{25, 25, 25}, grey{110, 110, 110};

// From white (0) to `full` (1).
Color shade(Color full, double amount) {
  auto mix = [&](std::uint8_t to) { return static_cast<std::uint8_t>(std::lround(255 + (to - 255) * amount)); };
  return {mix(full.red), mix(full.green), mix(full.blue)};
}

enum class Align { left, center, right };

class Canvas {
 public:
  Canvas(int width, int height) : width_(width), height_(height), pixels_(std::size_t(width) * height, white) {}

  void fill(int x, int y, int width, int height, Color color) {
    for (int row = std::max(y, 0); row < std::min(y + height, height_); ++row)
      for (int column = std::max(x, 0); column < std::min(x + width, width_); ++column)
        pixels_[std::size_t(row) * width_ + column] = color;
  }

  /// Text of one line whose upper edge is at y. Capitals are 7 pixels high, times `scale`.
  void text(int x, int y, std::string line, Color color, int scale = 2, Align align = Align::left) {
    struct Vertex {
      float x, y, z;
      std::uint8_t color[4];
    };
    constexpr std::size_t most_vertices = 4 * 20;  // the most strokes of a character
    std::vector<Vertex> vertices(line.size() * most_vertices);
    int width = stb_easy_font_width(line.data()) * scale;
    if (align == Align::center) x -= width / 2;
    if (align == Align::right) x -= width;
    int quads = stb_easy_font_print(0, 0, line.data(), nullptr, vertices.data(),
                                    static_cast<int>(vertices.size() * sizeof(Vertex)));
    for (int i = 0; i < quads; ++i) {  // upright rectangles, from the upper left to the lower right corner
      const Vertex &from = vertices[4 * i], &to = vertices[4 * i + 2];
      fill(x + int(from.x) * scale, y + int(from.y) * scale, int(to.x - from.x) * scale, int(to.y - from.y) * scale,
           color);
    }
  }

  std::string png() const {
    std::string bytes;
    auto append = [](void* out, void* data, int size) {
      static_cast<std::string*>(out)->append(static_cast<const char*>(data), std::size_t(size));
    };
    if (!stbi_write_png_to_func(append, &bytes, width_, height_, 3, pixels_.data(), width_ * 3)) throw std::bad_alloc();
    return bytes;
  }

 private:
  int width_, height_;
  std::vector<Color> pixels_;
};

std::string percent(double fraction, int decimals) {
  char text[16];
  std::snprintf(text, sizeof text, "%.*f%%", decimals, 100 * fraction);
  return text;
}

constexpr int margin = 30, title_height = 50;
constexpr int cell = 52, matrix_left = margin + 70, matrix_top = margin + title_height;
constexpr int zoom = 4, image_side = 28 * zoom, pitch_x = image_side + 40, pitch_y = image_side + 36;
constexpr int columns = 5, rows = 4, mistakes_left = matrix_left + 10 * cell + 60;
constexpr int picture_width = mistakes_left + columns * pitch_x - 40 + margin;
constexpr int picture_height = matrix_top + rows * pitch_y + margin - 6;

// The diagonal in blue by the share of its class, mistakes in red by their number (its square root: most are few).
void draw_confusion(Canvas& canvas, const Evaluation& evaluation) {
  std::size_t most_mistakes = 1;
  for (std::size_t i = 0; i < classes; ++i)
    for (std::size_t j = 0; j < classes; ++j)
      if (i != j) most_mistakes = std::max(most_mistakes, evaluation.confusion[i][j]);

  canvas.text(matrix_left, margin, "Confusion matrix: " + percent(evaluation.accuracy, 2) + " right", black, 3);
  for (std::size_t i = 0; i < classes; ++i) {
    const auto& row = evaluation.confusion[i];
    std::size_t total = 0;
    for (std::size_t count : row) total += count;
    int y = matrix_top + int(i) * cell;
    for (std::size_t j = 0; j < classes; ++j) {
      int x = matrix_left + int(j) * cell;
      double amount = i == j ? 0.9 * double(row[j]) / double(std::max<std::size_t>(total, 1))
                             : 0.8 * std::sqrt(double(row[j]) / double(most_mistakes));
      canvas.fill(x, y, cell - 2, cell - 2, i == j ? shade({20, 70, 140}, amount) : shade({210, 50, 30}, amount));
      if (row[j] == 0) canvas.fill(x, y, cell - 2, cell - 2, {244, 244, 244});
      else canvas.text(x + cell / 2, y + cell / 2 - 7, std::to_string(row[j]), amount > 0.6 ? white : black, 2,
                       Align::center);
    }
    canvas.text(matrix_left - 14, y + cell / 2 - 10, std::to_string(i), black, 3, Align::right);
    canvas.text(matrix_left + int(i) * cell + cell / 2, matrix_top + 10 * cell + 8, std::to_string(i), black, 3,
                Align::center);
  }
  canvas.text(matrix_left + 5 * cell, matrix_top + 10 * cell + 42, "rows: the digit   columns: taken for", grey, 2,
              Align::center);
}

void draw_image(Canvas& canvas, int left, int top, const std::uint8_t* image) {
  for (int y = 0; y < 28; ++y)
    for (int x = 0; x < 28; ++x) {
      std::uint8_t level = 255 - image[28 * y + x];
      canvas.fill(left + x * zoom, top + y * zoom, zoom, zoom, {level, level, level});
    }
  for (int edge : {-1, image_side}) {
    canvas.fill(left + edge, top - 1, 1, image_side + 2, {200, 200, 200});
    canvas.fill(left - 1, top + edge, image_side + 2, 1, {200, 200, 200});
  }
}

void draw_mistakes(Canvas& canvas, const Evaluation& evaluation, const xtape::nn::LabeledImages& set) {
  std::vector<std::size_t> mistakes = evaluation.worst_mistakes(columns * rows);
  canvas.text(mistakes_left, margin, mistakes.empty() ? "No mistakes" : "The worst mistakes", black, 3);
  for (std::size_t k = 0; k < mistakes.size(); ++k) {
    std::size_t i = mistakes[k];
    int left = mistakes_left + int(k % columns) * pitch_x, top = matrix_top + int(k / columns) * pitch_y;
    draw_image(canvas, left, top, set.images.data() + i * 28 * 28);
    std::string caption = std::to_string(set.labels.data()[i]) + " as " + std::to_string(evaluation.predicted[i]) +
                          ", " + percent(evaluation.confidence[i], 0);
    canvas.text(left + image_side / 2, top + image_side + 8, caption, black, 2, Align::center);
  }
}

}  // namespace

void write_picture(const std::filesystem::path& file, const Evaluation& evaluation,
                   const xtape::nn::LabeledImages& set) {
  Canvas canvas(picture_width, picture_height);
  draw_confusion(canvas, evaluation);
  draw_mistakes(canvas, evaluation, set);
  xtape::AtomicFile out(file);
  out.write(canvas.png());
  out.commit();
}

}  // namespace mnist
