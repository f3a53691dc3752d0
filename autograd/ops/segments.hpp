// Reductions of elements that indices put into groups.
#pragma once

#include <optional>
#include <string>

#include <autograd/variable.hpp>

namespace xtape {

/// x with the elements of `source` combined with those at the places along an axis that `indices` names, as scatter_add
/// does by their sum: `reduce` is "sum", "prod", "mean", "amax" or "amin". Without `include_self`, the elements of x that
/// are named do not take part. The axes are those of scatter. Of equal greatest (or least) elements each gets an equal
/// share of the gradient; NaN wins. The mean of int64 is rounded down.
/// @throws ValueError for another text or an index out of range, ShapeError for shapes that do not fit.
Variable scatter_reduce(const Variable& x, std::ptrdiff_t axis, const Variable& indices, const Variable& source,
                        const std::string& reduce, bool include_self = true);

/// The sums of the slices of x along the first axis that have one number in `segments` (int64, one for each slice):
/// (num_segments, ...). There is one segment more than the greatest number if `num_segments` is left out.
/// @throws ValueError for a negative number, or one that is too great.
Variable segment_sum(const Variable& x, const Variable& segments, std::optional<std::size_t> num_segments = {});

}  // namespace xtape
