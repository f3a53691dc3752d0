// Plots, drawn by cairo.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <autograd/variable.hpp>

namespace example {

/// The elements of a Variable, in row-major order.
std::vector<double> numbers(const xtape::Variable& x);

struct PlotOptions {
  bool log_x = false, log_y = false;
  bool equal = false;  ///< one unit is as long on both axes
  std::optional<std::pair<double, double>> x_range = {}, y_range = {};
  int width = 720, height = 480;  ///< in pixels, or points of SVG
};

/// Curves, points, bands and a map of colours over one pair of axes. The colours are those of Okabe and Ito
/// (https://jfly.uni-koeln.de/color/), which colour-blind readers tell apart as well.
///
///     Plot plot("Learning", "epoch", "loss", {.log_y = true});
///     plot.line("training", epochs, losses);
///     plot.save(program.file("learning"));  // learning.svg, learning.png and learning.csv
class Plot {
 public:
  Plot(std::string title, std::string x_label, std::string y_label, const PlotOptions& options = {});

  // Each returns the plot. A name that is empty stands in no legend.

  /// @throws xtape::ShapeError, as the others do, unless there are as many xs as ys.
  Plot& line(const std::string& name, std::vector<double> xs, std::vector<double> ys);
  Plot& dashed(const std::string& name, std::vector<double> xs, std::vector<double> ys);
  Plot& points(const std::string& name, std::vector<double> xs, std::vector<double> ys);
  /// Points with texts beside them, one for each. A text that would lie over one that was given before is left out.
  /// @throws xtape::ShapeError also unless there are as many texts.
  Plot& labels(const std::string& name, std::vector<double> xs, std::vector<double> ys, std::vector<std::string> texts);
  /// What lies between two curves.
  Plot& band(const std::string& name, std::vector<double> xs, std::vector<double> low, std::vector<double> high);
  /// A map of values (rows, columns) over these ranges, the first row at the bottom; from blue, the least, through white to
  /// orange, the greatest. It lies below all else.
  Plot& map(const xtape::Variable& values, std::pair<double, double> xs, std::pair<double, double> ys);

  /// Writes `name`.svg, `name`.png, and the numbers in `name`.csv: series, x, y, and for bands y_high; for labels, the
  /// text stands in place of the series.
  /// @throws xtape::FileError
  void save(const std::filesystem::path& name) const;

 private:
  enum class Kind { line, dashed, points, band, labels };
  struct Series {
    Kind kind;
    std::string name;
    std::vector<double> xs, ys, high;
    std::vector<std::string> texts = {};
  };
  struct Map {
    xtape::Variable values;
    std::pair<double, double> xs, ys;
  };
  class Drawing;

  Plot& add(Kind kind, const std::string& name, std::vector<double> xs, std::vector<double> ys, std::vector<double> high);
  std::string csv() const;

  std::string title_, x_label_, y_label_;
  PlotOptions options_;
  std::vector<Series> series_;
  std::optional<Map> map_;
};

}  // namespace example
