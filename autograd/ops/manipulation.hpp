// Shapes: the same elements arranged otherwise.
#pragma once

#include <vector>

#include <autograd/variable.hpp>

namespace xtape {

/// The same elements, in row-major order, under another shape; one extent may be -1. Copies nothing.
Variable reshape(const Variable& x, const Dims& shape);
/// The axes in another order: reversed if left out.
Variable transpose(const Variable& x, const Axes& axes = {});
/// The axes in another order.
inline Variable permute(const Variable& x, const Axes& axes) { return transpose(x, axes); }
/// Without the axes of extent 1, or without those named. Copies nothing. @throws ShapeError for other extents.
Variable squeeze(const Variable& x, const Axes& axes = {});
/// With new axes of extent 1, which in the result have these places. Copies nothing.
Variable expand_dims(const Variable& x, const Axes& axes);
/// Repeated along axes of extent 1, and along new leading ones, to `shape`.
Variable broadcast_to(const Variable& x, const Dims& shape);

/// Joins arrays along an axis that they have.
Variable concatenate(const std::vector<Variable>& xs, std::ptrdiff_t axis = 0);
/// Joins arrays of one shape along a new axis.
Variable stack(const std::vector<Variable>& xs, std::ptrdiff_t axis = 0);
/// `sections` equal parts along an axis. @throws ShapeError when they would not be equal.
std::vector<Variable> split(const Variable& x, std::size_t sections, std::ptrdiff_t axis = 0);
/// Parts of these sizes along an axis, which they must fill.
std::vector<Variable> split(const Variable& x, const std::vector<std::size_t>& sizes, std::ptrdiff_t axis = 0);

}  // namespace xtape
