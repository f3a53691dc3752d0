// Shapes: the same elements arranged otherwise.
#pragma once

#include <optional>
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

/// Joins arrays along an axis that they have.
Variable concatenate(const std::vector<Variable>& xs, std::ptrdiff_t axis = 0);
/// Joins arrays of one shape along a new axis.
Variable stack(const std::vector<Variable>& xs, std::ptrdiff_t axis = 0);
/// `sections` equal parts along an axis. @throws ShapeError when they would not be equal.
std::vector<Variable> split(const Variable& x, std::size_t sections, std::ptrdiff_t axis = 0);
/// Parts of these sizes along an axis, which they must fill.
std::vector<Variable> split(const Variable& x, const Dims& sizes, std::ptrdiff_t axis = 0);
/// The slices along an axis, without that axis. Along the first one, copies nothing.
std::vector<Variable> unbind(const Variable& x, std::ptrdiff_t axis = 0);

/// The axes from `start` to `end`, both included, made one. Copies nothing.
Variable flatten(const Variable& x, std::ptrdiff_t start = 0, std::ptrdiff_t end = -1);
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
/// Each slice along an axis, or each element of the flattened array, so many times in a row.
Variable repeat_interleave(const Variable& x, std::size_t copies, std::optional<std::ptrdiff_t> axis = {});
/// The same with a number of copies (int64) for each slice, or one for all.
Variable repeat_interleave(const Variable& x, const Variable& copies, std::optional<std::ptrdiff_t> axis = {});
/// Backwards along these axes, or all.
Variable flip(const Variable& x, const Axes& axes = {});
/// Shifted along an axis, or as if flattened; what goes over the end comes back at the front.
Variable roll(const Variable& x, std::ptrdiff_t shift, std::optional<std::ptrdiff_t> axis = {});
/// The same along several axes, a shift for each.
Variable roll(const Variable& x, const Axes& shifts, const Axes& axes);

/// The last two axes with zeros below diagonal k, or above it.
Variable triu(const Variable& x, std::ptrdiff_t k = 0);
Variable tril(const Variable& x, std::ptrdiff_t k = 0);
/// Diagonal k of the planes of two axes, as a new last axis.
Variable diagonal(const Variable& x, std::ptrdiff_t k = 0, std::ptrdiff_t axis1 = 0, std::ptrdiff_t axis2 = 1);
/// A matrix with x on diagonal k if x has one axis; diagonal k of x if it has two.
Variable diag(const Variable& x, std::ptrdiff_t k = 0);
/// The last axis as diagonal k of matrices, zeros elsewhere.
Variable diag_embed(const Variable& x, std::ptrdiff_t k = 0);
/// The sum of the diagonal of a matrix.
Variable trace(const Variable& x);

/// What lies outside an array: a value, its elements mirrored at the edge, the edge itself, or its other end.
enum class PadMode { constant, reflect, replicate, circular };
/// x with (before, after) more elements along each axis, given for the first axes on; the others get none. Negative
/// numbers take elements away, before any are added.
/// @throws ShapeError where x is too short to be mirrored or repeated so far, or to lose so many.
Variable pad(const Variable& x, const std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>>& widths,
             PadMode mode = PadMode::constant, const Scalar& value = 0);

/// Coordinate arrays of the grid that 1-d arrays span. "ij": the first of them varies along the first axis; "xy": along
/// the second one, and the second along the first. @throws ValueError for another text.
std::vector<Variable> meshgrid(const std::vector<Variable>& xs, const std::string& indexing = "ij");

/// Windows of `size` along an axis, `step` apart: the axis counts the windows, a new last one their elements. What is
/// 0-d has one window, (1,).
Variable windows(const Variable& x, std::ptrdiff_t axis, std::size_t size, std::size_t step = 1);

}  // namespace xtape
