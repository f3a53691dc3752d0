// Elements and slices by arrays of positions: read, replaced and added to.
#pragma once

#include <cstddef>
#include <optional>

#include <autograd/variable.hpp>

namespace xtape {

/// The slices of x along an axis that `indices` (int64, any shape) name; negative ones count from the end.
/// The result has the shape of `indices` in place of the axis. @throws ValueError for an index out of range.
Variable take(const Variable& x, const Variable& indices, std::ptrdiff_t axis = 0);
/// The element along an axis that `indices`, of the result's shape, names for each place. The other axes are as
/// long as those of x, or broadcast. @throws ValueError for an index out of range.
Variable take_along_axis(const Variable& x, const Variable& indices, std::ptrdiff_t axis);
/// The same of both flattened.
Variable take_along_axis(const Variable& x, const Variable& indices);

/// take with PyTorch's order of arguments, for indices of one axis. Here and below, what is 0-d counts as one element
/// along an axis, as in PyTorch.
Variable index_select(const Variable& x, std::ptrdiff_t axis, const Variable& indices);
/// take_along_axis with PyTorch's order of arguments; `indices` may be shorter than x along the other axes.
Variable gather(const Variable& x, std::ptrdiff_t axis, const Variable& indices);
/// x with `source` put to the places along an axis that `indices` names; `source` may be a C++ scalar, and longer
/// than `indices`. @throws ValueError for an index out of range, or a place named twice.
Variable scatter(const Variable& x, std::ptrdiff_t axis, const Variable& indices, const Variable& source);
/// The same, adding; a place may be named more than once.
Variable scatter_add(const Variable& x, std::ptrdiff_t axis, const Variable& indices, const Variable& source);

/// x with the slices of `source` along an axis added, times alpha, to those that `indices` (int64, one axis) names; one
/// may be named more than once. @throws ValueError for an index out of range.
Variable index_add(const Variable& x, std::ptrdiff_t axis, const Variable& indices, const Variable& source,
                   const Scalar& alpha = 1);
/// The same, replacing. @throws ValueError also for a place named twice.
Variable index_copy(const Variable& x, std::ptrdiff_t axis, const Variable& indices, const Variable& source);
/// x with the slices along an axis that `indices` names filled with a number.
Variable index_fill(const Variable& x, std::ptrdiff_t axis, const Variable& indices, const Variable& value);

/// Rows of an identity matrix: the shape of `indices` and a last axis of `classes`, one more than the greatest index if
/// left out.
Variable one_hot(const Variable& indices, std::optional<std::size_t> classes = {}, DType dtype = default_dtype());

}  // namespace xtape
