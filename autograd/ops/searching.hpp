// Finding and counting elements.
#pragma once

#include <optional>
#include <utility>

#include <autograd/ops/per_axis.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// Where the elements are that are not 0: a row of positions, one for each axis, for each of them, in row-major order:
/// (count, rank), int64. Not differentiable.
Variable nonzero(const Variable& x);
/// nonzero under NumPy's name.
Variable argwhere(const Variable& x);

/// The distinct elements, ascending; which of them each element of x is (int64, of the shape of x); and how often
/// each is there (int64).
struct Unique {
  Variable values, inverse, counts;
};
/// Of all elements. Each NaN is distinct, as in PyTorch. The gradient goes to the first of equal elements.
Unique unique(const Variable& x);
/// Of the slices along an axis, in lexicographic order: `inverse` has one element for each slice.
Unique unique(const Variable& x, std::ptrdiff_t axis);

/// How often each of the numbers 0, 1, ... up to the greatest of x (int64, one axis) is there, or the sum of its weights,
/// which have the shape of x. Of int64, or of the weights' dtype; differentiable in these. As long as `minlength`, or more.
/// @throws ValueError for a negative number, ShapeError for other shapes.
Variable bincount(const Variable& x, const Variable& weights = {}, std::size_t minlength = 0);

/// How many elements, or which sum of weights, fall into each bin, and the edges of the bins, one more.
struct Histogram {
  Variable hist, bin_edges;
};
struct HistogramOptions {
  [[no_unique_address]] detail::ByName by_name = {};
  std::optional<std::pair<double, double>> range = {};  ///< the outermost edges; the least and the greatest x if left out
  Variable weights = {};                                ///< of the shape of x
  bool density = false;  ///< divides by the total and by the bins' widths: the integral is 1
};
/// Of so many bins of equal width. Each includes its left edge, and the last one its right edge, too. What is beyond them
/// is not counted, nor is NaN. Counts are int64, sums of weights of the weights' dtype, in which they are differentiable,
/// and edges of the dtype of x, float64 for int64.
/// @throws ValueError for no bins, or a range that is not finite or in order.
Histogram histogram(const Variable& x, std::size_t bins = 10, const HistogramOptions& options = {});
/// Of bins between these edges, ascending. @throws ValueError where they are not, or for a range beside them.
Histogram histogram(const Variable& x, const Variable& edges, const HistogramOptions& options = {});

/// The places at which values keep an ascending order: how many elements of `sorted` are less than each one (or, from
/// the `right`, not greater), as int64. `sorted` has one axis, or it has the leading axes of the values, and each row is
/// searched for theirs. NaN counts as the greatest. A `sorter`, such as argsort gives, says how to sort it along its last
/// axis. Not differentiable. @throws ShapeError for other shapes.
Variable searchsorted(const Variable& sorted, const Variable& values, bool right = false, const Variable& sorter = {});
/// The number of the bin between ascending boundaries (one axis) that each element of x falls into: i where
/// boundaries[i - 1] < x <= boundaries[i] (or, from the `right`, <= x <), as int64. Not differentiable.
Variable bucketize(const Variable& x, const Variable& boundaries, bool right = false);

}  // namespace xtape
