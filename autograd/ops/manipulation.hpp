// Shapes: the same elements arranged otherwise.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape {

/// The same elements, in row-major order, under another shape; one extent may be -1. Copies nothing.
Variable reshape(const Variable& x, const Dims& shape);
/// The axes in another order: reversed if left out.
Variable transpose(const Variable& x, const Axes& axes = {});
/// The axes in another order.
inline Variable permute(const Variable& x, const Axes& axes) {
  detail::Calling calling("permute");
  return transpose(x, axes);
}
/// Without the axes of extent 1, or without those named. Copies nothing. @throws ShapeError for other extents.
Variable squeeze(const Variable& x, const Axes& axes = {});
/// With new axes of extent 1, which in the result have these places. Copies nothing.
Variable expand_dims(const Variable& x, const Axes& axes);
/// Repeated along axes of extent 1, and along new leading ones, to `shape`.
Variable broadcast_to(const Variable& x, const Dims& shape);

/// The axes from `start` to `end`, both included, made one. Copies nothing.
Variable flatten(const Variable& x, std::ptrdiff_t start = 0, std::ptrdiff_t end = -1);
/// One axis as several, whose extents are `shape`; one of them may be -1.
Variable unflatten(const Variable& x, std::ptrdiff_t axis, const Dims& shape);
/// All elements in row-major order, with one axis. Copies nothing.
Variable ravel(const Variable& x);
/// broadcast_to under PyTorch's name, where -1 stands for an extent that x has already.
Variable expand(const Variable& x, const Dims& shape);
/// The axes `source` moved to the places `destination`; the others keep their order.
Variable movedim(const Variable& x, const Axes& source, const Axes& destination);
Variable swapaxes(const Variable& x, std::ptrdiff_t a, std::ptrdiff_t b);
/// Copies side by side, so many along each axis; fewer numbers than axes are for the last ones.
Variable tile(const Variable& x, const Dims& copies);
/// tile under PyTorch's name.
inline Variable repeat(const Variable& x, const Dims& copies) {
  detail::Calling calling("repeat");
  return tile(x, copies);
}
/// Coordinate arrays of the grid that 1-d arrays span. "ij": the first of them varies along the first axis; "xy": along
/// the second one, and the second along the first. @throws ValueError for another text.
std::vector<Variable> meshgrid(const std::vector<Variable>& xs, const std::string& indexing = "ij");

/// Windows of `size` along an axis, `step` apart: the axis counts the windows, a new last one their elements. What is
/// 0-d has one window, (1,).
Variable windows(const Variable& x, std::ptrdiff_t axis, std::size_t size, std::size_t step = 1);

}  // namespace xtape
