#include <examples/common/plot.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <sstream>

#include <autograd/atomic_file.hpp>
#include <autograd/error.hpp>
#include <examples/common/canvas.hpp>

using namespace xtape;

namespace example {
namespace {

constexpr Color black{0, 0, 0}, gray{0.45, 0.45, 0.45}, light{0.88, 0.88, 0.88};
constexpr std::array<Color, 7> palette{{{0, 0.447, 0.698}, {0.902, 0.624, 0}, {0, 0.62, 0.451}, {0.8, 0.475, 0.655},
                                        {0.835, 0.369, 0}, {0.337, 0.706, 0.914}, {0.3, 0.3, 0.3}}};

// From blue through white to orange, pale enough to show points.
Color color_of(double part) {
  constexpr Color low{0.45, 0.66, 0.86}, middle{0.98, 0.98, 0.98}, high{0.96, 0.72, 0.38};
  const Color& end = part < 0.5 ? low : high;
  const double t = std::clamp(std::abs(2 * part - 1), 0.0, 1.0);
  return {middle.red + t * (end.red - middle.red), middle.green + t * (end.green - middle.green),
          middle.blue + t * (end.blue - middle.blue)};
}

// Of each series its own; where there are more than colours, the marks of points differ.
struct Style {
  Color color;
  std::size_t mark;

  explicit Style(std::size_t number) : color(palette[number % palette.size()]), mark(number / palette.size() % 3) {}

  // A disk, a square, a triangle.
  void add_mark(cairo_t* canvas, double x, double y, double radius) const {
    cairo_new_sub_path(canvas);
    if (mark == 0) return cairo_arc(canvas, x, y, radius, 0, 2 * std::numbers::pi);
    if (mark == 1) return cairo_rectangle(canvas, x - radius, y - radius, 2 * radius, 2 * radius);
    cairo_move_to(canvas, x, y - 1.3 * radius);
    cairo_line_to(canvas, x + 1.2 * radius, y + radius);
    cairo_line_to(canvas, x - 1.2 * radius, y + radius);
    cairo_close_path(canvas);
  }
};

std::string text_of(double value) {
  std::ostringstream out;
  out << (std::abs(value) < 1e-12 ? 0 : value);
  return out.str();
}

// One axis: what it shows, and where that stands on the page.
class Scale {
 public:
  Scale(bool log, double from, double to) : log_(log), from_(from), to_(to) {}

  void include(double value) {
    if (!std::isfinite(value) || (log_ && value <= 0)) return;
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
  void set(const std::pair<double, double>& range) { std::tie(low_, high_) = range; }
  // Leaves room beyond the values, and makes a range of what is one value, or none.
  void settle(bool room) {
    if (low_ > high_) low_ = log_ ? 0.1 : 0, high_ = 1;
    low_ = of(low_), high_ = of(high_);
    if (high_ - low_ < 1e-9 * std::max({std::abs(low_), std::abs(high_), 1e-9})) low_ -= 0.5, high_ += 0.5;
    const double more = room ? 0.05 * (high_ - low_) : 0;
    low_ -= more, high_ += more;
  }
  // Widens the range, until one unit takes `unit` on the page.
  void stretch(double unit) {
    const double extent = std::abs(to_ - from_) / unit, middle = (low_ + high_) / 2;
    low_ = middle - extent / 2, high_ = middle + extent / 2;
  }
  double unit() const { return std::abs(to_ - from_) / (high_ - low_); }

  double operator()(double value) const { return from_ + (of(value) - low_) / (high_ - low_) * (to_ - from_); }
  bool shows(double value) const { return std::isfinite(value) && (!log_ || value > 0); }

  // Round values to mark, a handful.
  std::vector<double> ticks() const {
    std::vector<double> result;
    if (log_ && high_ - low_ >= 1.5) {
      const double step = std::max(1.0, std::ceil((high_ - low_) / 8));
      for (double e = std::ceil(low_ - 1e-9); e <= high_ + 1e-9; e += step) result.push_back(std::pow(10, e));
      return result;
    }
    const double low = log_ ? std::pow(10, low_) : low_, high = log_ ? std::pow(10, high_) : high_;
    const double rough = (high - low) / 6, power = std::pow(10, std::floor(std::log10(rough)));
    const double step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
    for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) result.push_back(i * step);
    return result;
  }

 private:
  double of(double value) const { return log_ ? std::log10(value) : value; }

  bool log_;
  double from_, to_;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -std::numeric_limits<double>::infinity();
};

}  // namespace

std::vector<double> numbers(const Variable& x) {
  const Variable values = x.detach().to(float64);
  return {values.data<double>(), values.data<double>() + values.size()};
}

Plot::Plot(std::string title, std::string x_label, std::string y_label, const PlotOptions& options)
    : title_(std::move(title)), x_label_(std::move(x_label)), y_label_(std::move(y_label)), options_(options) {}

Plot& Plot::add(Kind kind, const std::string& name, std::vector<double> xs, std::vector<double> ys,
                std::vector<double> high) {
  if (xs.size() != ys.size() || (kind == Kind::band && high.size() != xs.size()))
    throw ShapeError("Plot: \"" + name + "\" has " + std::to_string(xs.size()) + " xs and " + std::to_string(ys.size()) +
                     " ys");
  series_.push_back({kind, name, std::move(xs), std::move(ys), std::move(high)});
  return *this;
}
Plot& Plot::line(const std::string& name, std::vector<double> xs, std::vector<double> ys) {
  return add(Kind::line, name, std::move(xs), std::move(ys), {});
}
Plot& Plot::dashed(const std::string& name, std::vector<double> xs, std::vector<double> ys) {
  return add(Kind::dashed, name, std::move(xs), std::move(ys), {});
}
Plot& Plot::points(const std::string& name, std::vector<double> xs, std::vector<double> ys) {
  return add(Kind::points, name, std::move(xs), std::move(ys), {});
}
Plot& Plot::labels(const std::string& name, std::vector<double> xs, std::vector<double> ys,
                   std::vector<std::string> texts) {
  if (texts.size() != xs.size())
    throw ShapeError("Plot: \"" + name + "\" has " + std::to_string(xs.size()) + " xs and " +
                     std::to_string(texts.size()) + " texts");
  add(Kind::labels, name, std::move(xs), std::move(ys), {});
  series_.back().texts = std::move(texts);
  return *this;
}
Plot& Plot::band(const std::string& name, std::vector<double> xs, std::vector<double> low, std::vector<double> high) {
  return add(Kind::band, name, std::move(xs), std::move(low), std::move(high));
}
Plot& Plot::map(const Variable& values, std::pair<double, double> xs, std::pair<double, double> ys) {
  if (values.rank() != 2 || values.size() == 0)
    throw ShapeError("Plot: a map is (rows, columns), not " + to_string(values.shape()));
  map_ = Map{values.detach().to(float64).copy(), xs, ys};
  return *this;
}

// One drawing of a plot: the frame, what it shows, and its labels.
class Plot::Drawing {
 public:
  Drawing(const Plot& plot, cairo_t* canvas)
      : plot_(plot), canvas_(canvas), x_(plot.options_.log_x, left, plot.options_.width - right),
        y_(plot.options_.log_y, plot.options_.height - bottom, top) {
    for (const Series& series : plot.series_) {
      if (of_points(series.kind)) points_ += series.xs.size();
      for (double x : series.xs) x_.include(x);
      for (double y : series.ys) y_.include(y);
      for (double y : series.high) y_.include(y);
    }
    if (plot.map_) {
      const auto& [values, xs, ys] = *plot.map_;
      x_.set(xs), y_.set(ys);
    }
    if (plot.options_.x_range) x_.set(*plot.options_.x_range);
    if (plot.options_.y_range) y_.set(*plot.options_.y_range);
    x_.settle(!plot.options_.x_range && !plot.map_);
    y_.settle(!plot.options_.y_range && !plot.map_);
    if (!plot.options_.equal) return;
    const double unit = std::min(x_.unit(), y_.unit());
    x_.stretch(unit), y_.stretch(unit);
  }

  void draw() {
    cairo_set_line_join(canvas_, CAIRO_LINE_JOIN_ROUND);
    draw_grid();
    cairo_save(canvas_);
    cairo_rectangle(canvas_, left, top, width(), height());
    cairo_clip(canvas_);
    if (plot_.map_) draw_map();
    for (std::size_t i = 0; i < plot_.series_.size(); ++i) draw_series(plot_.series_[i], Style(i));
    draw_texts();
    cairo_restore(canvas_);
    draw_frame();
    draw_legend();
  }

 private:
  static constexpr double left = 76, right = 20, top = 44, bottom = 58;

  double width() const { return plot_.options_.width - left - right; }
  double height() const { return plot_.options_.height - top - bottom; }
  static bool of_points(Kind kind) { return kind == Kind::points || kind == Kind::labels; }

  void draw_grid() {
    cairo_set_line_width(canvas_, 1);
    set_font(canvas_, 12);
    for (double value : x_.ticks()) {
      const double x = x_(value);
      if (x < left - 1 || x > left + width() + 1) continue;
      draw_segment(x, top, x, top + height());
      set_color(canvas_, gray);
      draw_text(canvas_, x, top + height() + 18, text_of(value), Align::center);
    }
    for (double value : y_.ticks()) {
      const double y = y_(value);
      if (y < top - 1 || y > top + height() + 1) continue;
      draw_segment(left, y, left + width(), y);
      set_color(canvas_, gray);
      draw_text(canvas_, left - 8, y + 4, text_of(value), Align::right);
    }
  }

  void draw_segment(double x0, double y0, double x1, double y1) {
    set_color(canvas_, light);
    cairo_move_to(canvas_, x0, y0);
    cairo_line_to(canvas_, x1, y1);
    cairo_stroke(canvas_);
  }

  void draw_map() {
    const auto& [values, xs, ys] = *plot_.map_;
    const double* data = values.data<double>();
    const auto [least, greatest] = std::minmax_element(data, data + values.size());
    const double low = *least, range = std::max(*greatest - low, 1e-300);
    const auto rows = static_cast<int>(values.shape(0)), columns = static_cast<int>(values.shape(1));
    const double x = x_(xs.first), y = y_(ys.second);
    draw_pixels(canvas_, [&](int row, int column) {
      return color_of((data[(rows - 1 - row) * columns + column] - low) / range);
    }, rows, columns, x, y, (x_(xs.second) - x) / columns, (y_(ys.first) - y) / rows);
  }

  void draw_series(const Series& series, const Style& style) {
    set_color(canvas_, style.color, series.kind == Kind::band ? 0.25 : 1);
    if (of_points(series.kind)) return draw_points(series, style);
    if (series.kind == Kind::band) return draw_band(series);
    constexpr double dashes[] = {7, 5};
    cairo_set_dash(canvas_, dashes, series.kind == Kind::dashed ? 2 : 0, 0);
    cairo_set_line_width(canvas_, 2);
    bool begun = false;
    for (std::size_t i = 0; i < series.xs.size(); ++i) {
      const bool shown = x_.shows(series.xs[i]) && y_.shows(series.ys[i]);
      if (shown) (begun ? cairo_line_to : cairo_move_to)(canvas_, x_(series.xs[i]), y_(series.ys[i]));
      begun = shown;
    }
    cairo_stroke(canvas_);
    cairo_set_dash(canvas_, nullptr, 0, 0);
  }

  void draw_points(const Series& series, const Style& style) {
    const double radius = points_ > 1000 ? 2 : 3.2;
    for (std::size_t i = 0; i < series.xs.size(); ++i) {
      if (!x_.shows(series.xs[i]) || !y_.shows(series.ys[i])) continue;
      style.add_mark(canvas_, x_(series.xs[i]), y_(series.ys[i]), radius);
    }
    if (!plot_.map_) return cairo_fill(canvas_);
    // On colours, a rim sets points off.
    cairo_fill_preserve(canvas_);
    cairo_set_line_width(canvas_, 0.8);
    set_color(canvas_, {1, 1, 1});
    cairo_stroke(canvas_);
  }

  // To the right of their points, or to the left where that is free alone.
  void draw_texts() {
    constexpr double size = 11, gap = 5;
    struct Box {
      double left, right, y;
    };
    std::vector<Box> taken;
    auto is_free = [&](const Box& box) {
      return box.left > left && box.right < left + width() && std::none_of(taken.begin(), taken.end(), [&](const Box& other) {
        return box.left < other.right && other.left < box.right && std::abs(box.y - other.y) < size;
      });
    };
    set_font(canvas_, size);
    for (std::size_t i = 0; i < plot_.series_.size(); ++i) {
      const Series& series = plot_.series_[i];
      set_color(canvas_, Style(i).color);
      for (std::size_t j = 0; j < series.texts.size(); ++j) {
        if (!x_.shows(series.xs[j]) || !y_.shows(series.ys[j])) continue;
        const double x = x_(series.xs[j]), y = y_(series.ys[j]), w = text_width(canvas_, series.texts[j]);
        const Box right_of{x + gap, x + gap + w, y}, left_of{x - gap - w, x - gap, y};
        const Box& box = is_free(right_of) ? right_of : left_of;
        if (!is_free(box)) continue;
        draw_text(canvas_, box.left, y + 4, series.texts[j]);
        taken.push_back(box);
      }
    }
  }

  void draw_band(const Series& series) {
    const std::size_t n = series.xs.size();
    for (std::size_t i = 0; i < n; ++i) cairo_line_to(canvas_, x_(series.xs[i]), y_(series.high[i]));
    for (std::size_t i = n; i-- > 0;) cairo_line_to(canvas_, x_(series.xs[i]), y_(series.ys[i]));
    cairo_close_path(canvas_);
    cairo_fill(canvas_);
  }

  void draw_frame() {
    set_color(canvas_, gray);
    cairo_set_line_width(canvas_, 1);
    cairo_rectangle(canvas_, left, top, width(), height());
    cairo_stroke(canvas_);
    set_color(canvas_, black);
    set_font(canvas_, 15, true);
    draw_text(canvas_, left + width() / 2, 28, plot_.title_, Align::center);
    set_font(canvas_, 13);
    draw_text(canvas_, left + width() / 2, top + height() + 44, plot_.x_label_, Align::center);
    cairo_save(canvas_);
    cairo_translate(canvas_, 20, top + height() / 2);
    cairo_rotate(canvas_, -std::numbers::pi / 2);
    draw_text(canvas_, 0, 0, plot_.y_label_, Align::center);
    cairo_restore(canvas_);
  }

  // In the corner with the fewest points below it.
  void draw_legend() {
    set_font(canvas_, 12);
    double widest = 0, rows = 0;
    for (const Series& series : plot_.series_)
      if (!series.name.empty()) widest = std::max(widest, text_width(canvas_, series.name)), ++rows;
    if (rows == 0) return;
    const double w = widest + 50, h = 18 * rows + 10;
    const auto [x, y] = emptiest_corner(w, h);
    set_color(canvas_, {1, 1, 1}, 0.85);
    cairo_rectangle(canvas_, x, y, w, h);
    cairo_fill_preserve(canvas_);
    set_color(canvas_, light);
    cairo_set_line_width(canvas_, 1);
    cairo_stroke(canvas_);
    double line = y + 5;
    for (std::size_t i = 0; i < plot_.series_.size(); ++i) {
      const Series& series = plot_.series_[i];
      if (series.name.empty()) continue;
      draw_key(series.kind, Style(i), x + 8, line + 9);
      set_color(canvas_, black);
      draw_text(canvas_, x + 42, line + 13, series.name);
      line += 18;
    }
  }

  void draw_key(Kind kind, const Style& style, double x, double y) {
    set_color(canvas_, style.color, kind == Kind::band ? 0.25 : 1);
    if (of_points(kind)) {
      style.add_mark(canvas_, x + 13, y, 3.2);
      return cairo_fill(canvas_);
    }
    if (kind == Kind::band) {
      cairo_rectangle(canvas_, x, y - 5, 26, 10);
      return cairo_fill(canvas_);
    }
    constexpr double dashes[] = {7, 5};
    cairo_set_dash(canvas_, dashes, kind == Kind::dashed ? 2 : 0, 0);
    cairo_set_line_width(canvas_, 2);
    cairo_move_to(canvas_, x, y);
    cairo_line_to(canvas_, x + 26, y);
    cairo_stroke(canvas_);
    cairo_set_dash(canvas_, nullptr, 0, 0);
  }

  std::pair<double, double> emptiest_corner(double w, double h) const {
    const double near_x = left + 8, far_x = left + width() - w - 8, near_y = top + 8, far_y = top + height() - h - 8;
    const std::array<std::pair<double, double>, 4> corners{{{far_x, near_y}, {near_x, near_y}, {far_x, far_y}, {near_x, far_y}}};
    auto covered = [&](const std::pair<double, double>& corner) {
      std::size_t count = 0;
      auto inside = [&](double x, double y) {
        return x > corner.first - 4 && x < corner.first + w + 4 && y > corner.second - 4 && y < corner.second + h + 4;
      };
      for (const Series& series : plot_.series_)
        for (std::size_t i = 0; i < series.xs.size(); ++i) {
          count += inside(x_(series.xs[i]), y_(series.ys[i]));
          if (!series.high.empty()) count += inside(x_(series.xs[i]), y_(series.high[i]));
        }
      return count;
    };
    return *std::min_element(corners.begin(), corners.end(),
                             [&](const auto& a, const auto& b) { return covered(a) < covered(b); });
  }

  const Plot& plot_;
  cairo_t* canvas_;
  Scale x_, y_;
  std::size_t points_ = 0;  // of all series, that they be of one size
};

std::string Plot::csv() const {
  std::ostringstream out;
  out.precision(10);
  out << "series,x,y,y_high\n";
  for (const Series& series : series_)
    for (std::size_t i = 0; i < series.xs.size(); ++i) {
      out << '"' << (series.texts.empty() ? series.name : series.texts[i]) << "\"," << series.xs[i] << ',' << series.ys[i] << ',';
      if (!series.high.empty()) out << series.high[i];
      out << '\n';
    }
  if (!map_) return out.str();
  const double* data = map_->values.data<double>();
  const std::size_t rows = map_->values.shape(0), columns = map_->values.shape(1);
  auto middle = [](const std::pair<double, double>& range, std::size_t i, std::size_t n) {
    return range.first + (range.second - range.first) * (static_cast<double>(i) + 0.5) / static_cast<double>(n);
  };
  out << "\nx,y,value\n";
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t column = 0; column < columns; ++column)
      out << middle(map_->xs, column, columns) << ',' << middle(map_->ys, row, rows) << ','
          << data[row * columns + column] << '\n';
  return out.str();
}

void Plot::save(const std::filesystem::path& name) const {
  auto with = [&](const char* extension) { return std::filesystem::path(name.string() + extension); };
  auto draw = [this](cairo_t* canvas) { Drawing(*this, canvas).draw(); };
  write_svg(with(".svg"), options_.width, options_.height, draw);
  write_png(with(".png"), options_.width, options_.height, draw);
  write_file_atomically(with(".csv"), csv());
}

}  // namespace example
