#include <examples/common/synthetic_digits.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

using xtape::Array;
using xtape::Generator;

namespace example {
namespace {

constexpr std::size_t side = 28;
constexpr double box = 20;  // as in MNIST, a digit fills 20 x 20 pixels in the middle

struct Point {
  double x, y;  // y points down
};
using Stroke = std::vector<Point>;
using Glyph = std::vector<Stroke>;

// Part of an ellipse; angles in degrees, 0 to the right and 90 down.
Stroke arc(Point center, double rx, double ry, double from, double to) {
  constexpr double step = 15;
  auto pieces = static_cast<int>(std::ceil(std::abs(to - from) / step));
  Stroke stroke;
  for (int i = 0; i <= pieces; ++i) {
    double angle = (from + (to - from) * i / pieces) * std::numbers::pi / 180;
    stroke.push_back({center.x + rx * std::cos(angle), center.y + ry * std::sin(angle)});
  }
  return stroke;
}

Stroke join(Stroke first, const Stroke& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// The ways in which people write each digit, in the unit square.
const std::array<std::vector<Glyph>, 10>& glyphs() {
  static const std::array<std::vector<Glyph>, 10> all{{
      {{arc({.5, .5}, .34, .5, -90, 270)},
       {arc({.5, .5}, .25, .5, -60, 300)}},
      {{{{.5, 0}, {.5, 1}}},
       {{{.3, .22}, {.54, 0}, {.54, 1}}},
       {{{.28, .22}, {.52, 0}, {.52, 1}}, {{.25, 1}, {.8, 1}}}},
      {{join(arc({.48, .28}, .33, .28, -170, 35), {{.12, 1}, {.9, 1}})},
       {join(join(arc({.5, .27}, .3, .27, -180, 60), arc({.3, .87}, .17, .12, -60, -300)), {{.55, .9}, {.92, .98}})}},
      {{join(arc({.45, .25}, .33, .25, -160, 80), arc({.45, .74}, .38, .26, -80, 155))},
       {join({{.15, 0}, {.8, 0}, {.45, .4}}, arc({.45, .7}, .37, .3, -80, 150))}},
      {{{{.6, 0}, {.08, .66}, {.95, .66}}, {{.7, .3}, {.68, 1}}},
       {{{.2, 0}, {.14, .52}, {.8, .5}}, {{.82, 0}, {.74, 1}}},
       {{{.95, .68}, {.08, .68}, {.7, 0}, {.7, 1}}}},
      {{join({{.88, 0}, {.28, 0}, {.22, .43}}, arc({.47, .69}, .38, .31, -130, 150))},
       {join({{.3, .05}, {.24, .45}}, arc({.45, .7}, .38, .3, -120, 145)), {{.28, .04}, {.9, 0}}}},
      {{join(arc({.85, .62}, .67, .62, -100, -180), arc({.5, .7}, .32, .3, -180, 180))},
       {join({{.62, 0}, {.35, .35}}, arc({.48, .7}, .31, .3, -150, 200))}},
      {{{{.1, .03}, {.9, .03}, {.42, 1}}},
       {{{.1, .18}, {.14, .03}, {.9, .03}, {.5, 1}}},
       {{{.1, .03}, {.9, .03}, {.42, 1}}, {{.32, .5}, {.85, .5}}}},
      {{arc({.5, .25}, .27, .25, 90, 450), arc({.5, .75}, .34, .25, -90, 270)},
       {join(arc({.5, .25}, .29, .25, -30, -270), join(arc({.5, .75}, .32, .25, -90, 240), {{.78, .1}}))}},
      {{join(arc({.48, .29}, .33, .29, 0, -360), {{.8, .45}, {.74, 1}})},
       {join(arc({.5, .28}, .29, .28, -20, -360), arc({.25, .45}, .54, .55, -20, 100))}},
  }};
  return all;
}

/// The random numbers of one drawing, uniform in [-1, 1).
class Dice {
 public:
  explicit Dice(Generator& generator) : numbers_(generator.uniform({25}, -1, 1, xtape::float64)) {}

  double within(double spread) { return spread * numbers_.data<double>()[next_++]; }
  double between(double low, double high) { return (low + high) / 2 + within((high - low) / 2); }

 private:
  Array numbers_;
  std::size_t next_ = 0;
};

/// A random map from the unit square to pixels: elastic first, then affine.
class Distortion {
 public:
  explicit Distortion(Dice& dice) {
    double angle = dice.within(0.22), slant = dice.within(0.35);
    double width = box * dice.between(0.62, 1.05), height = box * dice.between(0.85, 1.05);
    a_ = {width * std::cos(angle), -height * std::sin(angle) - slant * height * std::cos(angle)};
    b_ = {width * std::sin(angle), height * std::cos(angle) - slant * height * std::sin(angle)};
    shift_ = {side / 2.0 + dice.within(1.5), side / 2.0 + dice.within(1.5)};
    for (Wave& wave : waves_)
      wave = {{dice.within(0.05), dice.within(0.05)}, {dice.within(6), dice.within(6)},
              dice.within(std::numbers::pi)};
  }

  Point operator()(Point p) const {
    Point q{p.x - 0.5, p.y - 0.5};
    for (const Wave& wave : waves_) {
      double s = std::sin(wave.frequency.x * p.x + wave.frequency.y * p.y + wave.phase);
      q.x += wave.push.x * s;
      q.y += wave.push.y * s;
    }
    return {shift_.x + a_.x * q.x + a_.y * q.y, shift_.y + b_.x * q.x + b_.y * q.y};
  }

 private:
  struct Wave {
    Point push, frequency;
    double phase;
  };
  Point a_, b_, shift_;
  std::array<Wave, 3> waves_;
};

double distance_to_segment(Point p, Point a, Point b) {
  double dx = b.x - a.x, dy = b.y - a.y;
  double length2 = dx * dx + dy * dy;
  double t = length2 > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length2, 0.0, 1.0) : 0.0;
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

/// Draws with a round pen whose edge fades over `fade` pixels.
struct Pen {
  double radius, fade, ink;

  void segment(Point a, Point b, std::uint8_t* image) const {
    double reach = radius + fade / 2;
    auto pixels = [&](double low, double high) {
      auto clamp = [](double v) { return static_cast<std::size_t>(std::clamp(v, 0.0, double{side})); };
      return std::pair(clamp(low - reach), clamp(high + reach + 1));
    };
    auto [left, right] = pixels(std::min(a.x, b.x), std::max(a.x, b.x));
    auto [top, bottom] = pixels(std::min(a.y, b.y), std::max(a.y, b.y));
    for (std::size_t y = top; y < bottom; ++y)
      for (std::size_t x = left; x < right; ++x) {
        double d = distance_to_segment({static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5}, a, b);
        double coverage = std::clamp((reach - d) / fade, 0.0, 1.0);
        auto grey = static_cast<std::uint8_t>(std::lround(255 * ink * coverage));
        image[y * side + x] = std::max(image[y * side + x], grey);
      }
  }
};

// Long lines bend under the elastic distortion as arcs do.
Stroke subdivided(const Stroke& stroke) {
  constexpr int pieces = 4;
  Stroke result{stroke.front()};
  for (std::size_t i = 1; i < stroke.size(); ++i) {
    Point a = stroke[i - 1], b = stroke[i];
    int n = std::hypot(b.x - a.x, b.y - a.y) > 0.25 ? pieces : 1;
    for (int k = 1; k <= n; ++k) result.push_back({a.x + (b.x - a.x) * k / n, a.y + (b.y - a.y) * k / n});
  }
  return result;
}

void draw(std::size_t digit, Generator& generator, std::uint8_t* image) {
  Dice dice(generator);
  const std::vector<Glyph>& ways = glyphs()[digit];
  const Glyph& glyph = ways[static_cast<std::size_t>(dice.between(0, static_cast<double>(ways.size())))];
  Distortion distort(dice);
  Pen pen{.radius = dice.between(0.8, 1.7), .fade = dice.between(1.0, 1.6), .ink = dice.between(0.85, 1)};
  for (const Stroke& stroke : glyph) {
    Stroke points = subdivided(stroke);
    std::transform(points.begin(), points.end(), points.begin(), distort);
    for (std::size_t i = 1; i < points.size(); ++i) pen.segment(points[i - 1], points[i], image);
  }
}

}  // namespace

xtape::nn::LabeledImages synthetic_digits(std::size_t count, Generator& generator) {
  xtape::nn::LabeledImages set;
  set.images = xt::xarray<std::uint8_t>(xtape::Shape{count, side, side}, std::uint8_t{0});
  set.labels = xt::xarray<std::uint8_t>::from_shape({count});
  Array order = generator.permutation(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto digit = static_cast<std::size_t>(order.data<std::int64_t>()[i]) % 10;
    set.labels.data()[i] = static_cast<std::uint8_t>(digit);
    draw(digit, generator, set.images.data() + i * side * side);
  }
  return set;
}

}  // namespace example
