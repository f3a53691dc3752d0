// Functions that are given by their values at points.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <autograd/ops/per_axis.hpp>
#include <autograd/variable.hpp>

namespace xtape {

struct InterpOptions {
  [[no_unique_address]] detail::ByName by_name = {};
  std::optional<double> left = {};    ///< what is before the first point: the first value if left out
  std::optional<double> right = {};   ///< what is after the last point: the last value if left out
  std::optional<double> period = {};  ///< the function repeats itself; the points may have any order
};
/// At the places x, the function that is linear between the points xp, ascending, where it has the values fp (both one
/// axis): NumPy's interp. Differentiable in all three; at a point the derivative is that of the segment after it.
/// @throws ValueError for points that are not in ascending order or a period of 0, ShapeError for no points, or shapes
/// that do not fit.
Variable interp(const Variable& x, const Variable& xp, const Variable& fp, const InterpOptions& options = {});

/// The sums of a[i] v[k - i] for two sequences of one axis: NumPy's convolve. "full": for all k, m + n - 1 of them; "same":
/// as many as the longer one has, the middle ones; "valid": those for which the shorter one lies within the longer one.
/// @throws ValueError for another mode, ShapeError for an empty sequence or other shapes.
Variable convolve(const Variable& a, const Variable& v, const std::string& mode = "full");

/// The derivatives along these axes, or all, by finite differences: central ones of second order inside, at both ends
/// one-sided ones of the order `edge_order`, 1 or 2. One array of the shape of f for each axis; the points are `spacing`
/// apart. @throws ValueError for another edge_order or a spacing of 0, ShapeError for an axis of edge_order points or fewer.
std::vector<Variable> gradient(const Variable& f, double spacing = 1, const Axes& axes = {}, int edge_order = 1);
/// The same, differentiable in the spacing as well, of which there is one for each axis: a number (0-d), or the
/// coordinates of the points (one axis).
std::vector<Variable> gradient(const Variable& f, const std::vector<Variable>& spacing, const Axes& axes = {},
                               int edge_order = 1);

}  // namespace xtape
