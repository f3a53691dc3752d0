#include "picture.hpp"

#include <algorithm>
#include <cmath>

#include <autograd/autograd.hpp>
#include <examples/common/canvas.hpp>
#include <nn/callbacks/status_line.hpp>
#include <nn/metrics.hpp>

using namespace xtape;
using namespace example;

namespace {

constexpr Color white{1, 1, 1}, black{0.1, 0.1, 0.1}, grey{0.45, 0.45, 0.45}, blue{0, 0.45, 0.7}, red{0.84, 0.37, 0};
constexpr int margin = 30, top = 84, cell = 52, matrix_left = margin + 36;
constexpr int columns = 5, rows = 4, zoom = 4, side = 28 * zoom, pitch_x = side + 24, pitch_y = side + 34;
constexpr int mistakes_left = matrix_left + 10 * cell + 50;
constexpr int width = mistakes_left + columns * pitch_x - 24 + margin, height = top + rows * pitch_y + margin - 16;

void write(cairo_t* canvas, double x, double y, const std::string& text, double size, const Color& color,
           Align align = Align::center) {
  set_font(canvas, size);
  set_color(canvas, color);
  draw_text(canvas, x, y, text, align);
}

std::string percent(double part, int digits) { return nn::fixed(100 * part, digits) + "%"; }

// Right answers in blue, by their part of the class; mistakes in red, by the square root of their number: most are few.
void draw_confusion(cairo_t* canvas, const Variable& confusion) {
  const Variable counts = confusion.to(float64), right = diag(counts), totals = sum(counts, 1);
  const double most = std::max(1.0, max(counts - diag(right)).item());
  write(canvas, matrix_left, top - 36, percent(sum(right).item() / sum(totals).item(), 2) + " are right", 22, black,
        Align::left);
  write(canvas, matrix_left, top - 12, "rows: the digit, columns: what it was taken for", 13, grey, Align::left);
  for (int i = 0; i < 10; ++i) {
    write(canvas, matrix_left - 16, top + i * cell + 32, std::to_string(i), 17, black);
    write(canvas, matrix_left + i * cell + 25, top + 10 * cell + 22, std::to_string(i), 17, black);
    for (int j = 0; j < 10; ++j) {
      const double count = counts[{i, j}].item(), x = matrix_left + j * cell, y = top + i * cell;
      const double shade = i == j ? 0.9 * count / std::max(1.0, totals[i].item()) : 0.8 * std::sqrt(count / most);
      set_color(canvas, count > 0 ? i == j ? blue : red : grey, count > 0 ? shade : 0.1);
      cairo_rectangle(canvas, x, y, cell - 2, cell - 2);
      cairo_fill(canvas);
      if (count > 0) write(canvas, x + 25, y + 31, nn::fixed(count, 0), 15, i == j && shade > 0.6 ? white : black);
    }
  }
}

void draw_mistakes(cairo_t* canvas, const Variable& probabilities, const Digits& digits) {
  const Variable labels = expand_dims(digits.labels, 1), answers = argmax(probabilities, 1);
  const Variable of_label = take_along_axis(probabilities, labels, 1)[{all, 0}];
  const Variable wrong = nonzero(answers != digits.labels)[{all, 0}], worst = take(wrong, argsort(take(of_label, wrong)));
  write(canvas, mistakes_left, top - 36, worst.size() > 0 ? "The worst mistakes" : "No mistakes", 22, black, Align::left);
  write(canvas, mistakes_left, top - 12, "the digit, what it was taken for, and how surely", 13, grey, Align::left);
  for (int k = 0; k < std::min(static_cast<int>(worst.size()), columns * rows); ++k) {
    const auto i = worst.data<std::int64_t>()[k], answer = answers.data<std::int64_t>()[i];
    const float* pixels = digits.images.data<float>() + i * 28 * 28;
    const double x = mistakes_left + k % columns * pitch_x, y = top + k / columns * pitch_y;
    auto paper = [&](int row, int column) {
      const double light = 1 - pixels[28 * row + column];
      return Color{light, light, light};
    };
    draw_pixels(canvas, paper, 28, 28, x, y, zoom, zoom);
    set_color(canvas, grey, 0.4);
    cairo_rectangle(canvas, x - 0.5, y - 0.5, side + 1, side + 1);
    cairo_stroke(canvas);
    write(canvas, x + side / 2, y + side + 18, std::to_string(digits.labels.data<std::int64_t>()[i]) + " as " +
          std::to_string(answer) + ", " + percent(probabilities[{i, answer}].item(), 0), 14, black);
  }
}

}  // namespace

void draw_results(const std::filesystem::path& file, const Variable& logits, const Digits& digits) {
  NoGrad guard;
  write_png(file, width, height, [&](cairo_t* canvas) {
    cairo_set_line_width(canvas, 1);
    draw_confusion(canvas, nn::confusion_matrix(logits, digits.labels, 10));
    draw_mistakes(canvas, softmax(logits, 1), digits);
  });
}
