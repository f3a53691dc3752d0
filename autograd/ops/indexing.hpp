// Parts of an array, by position.
#pragma once

#include <optional>
#include <vector>

#include <autograd/ops/with_indices.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// The positions start, start + step, ... before stop. Open ends reach to the end of the axis; negative positions
/// count from it.
struct Range {
  std::optional<std::ptrdiff_t> start, stop;
  std::ptrdiff_t step = 1;
};

/// An open end of a range: `range(2, none)`.
inline constexpr std::nullopt_t none = std::nullopt;

/// The whole axis.
inline Range range() { return {}; }
/// `range(1, 5)`, `range(-3, none)`, `range(none, none, -1)`; Python's `start:stop:step`.
inline Range range(std::optional<std::ptrdiff_t> start, std::optional<std::ptrdiff_t> stop, std::ptrdiff_t step = 1) {
  return {start, stop, step};
}

/// A new axis of extent 1.
struct NewAxis {};
inline constexpr NewAxis newaxis{};
/// As many whole axes as are not named.
struct Ellipsis {};
inline constexpr Ellipsis ellipsis{};

/// One item between the brackets: a position, a range, a new axis, an ellipsis, a mask or an array of positions.
class Index {
 public:
  enum class Kind { position, range, new_axis, ellipsis, array };

  template <std::integral I>
  Index(I position) : kind(Kind::position), range{static_cast<std::ptrdiff_t>(position), {}, 1} {}
  Index(Range range) : kind(Kind::range), range(range) {}
  Index(NewAxis) : kind(Kind::new_axis) {}
  Index(Ellipsis) : kind(Kind::ellipsis) {}

  /// A mask of dtype bool that covers as many axes as it has, or an array of int64 positions. Several of them broadcast,
  /// and pick element by element.
  Index(const Variable& array) : kind(Kind::array), array(array) {}

  Kind kind;
  Range range;  // of a position: its start
  Variable array;
};

/// The part that the indices name, axis by axis, as in NumPy: `slice(x, {0, range(1, 5), newaxis})`. The axes that arrays
/// pick from are replaced by those of the arrays, which come first where other axes stand between them. Single positions
/// are taken before, as in PyTorch; NumPy counts them as arrays.
/// @throws ValueError for a position out of range or a step of 0, ShapeError for too many indices.
Variable slice(const Variable& x, const std::vector<Index>& indices);
/// The transposed operation: zeros of `shape`, with g where `slice` would read.
Variable unslice(const Variable& g, const Dims& shape, const std::vector<Index>& indices);

/// x with that part replaced by `value`, which broadcasts to it; x itself stays.
/// @throws as slice, and ValueError where arrays name a place twice.
Variable slice_assign(const Variable& x, const std::vector<Index>& indices, const Variable& value);

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

/// The elements of x where the mask (bool, both broadcast) holds, in row-major order, with one axis.
Variable masked_select(const Variable& x, const Variable& mask);
/// `value` where the mask holds, x elsewhere.
Variable masked_fill(const Variable& x, const Variable& mask, const Variable& value);
/// The next element of `source`, in row-major order, where the mask (bool, broadcasts to x) holds, x elsewhere.
/// @throws ShapeError for fewer elements than the mask asks for.
Variable masked_scatter(const Variable& x, const Variable& mask, const Variable& source);
/// Rows of an identity matrix: the shape of `indices` and a last axis of `classes`, one more than the greatest index if
/// left out.
Variable one_hot(const Variable& indices, std::optional<std::size_t> classes = {}, DType dtype = default_dtype());

/// In ascending (or descending) order along an axis; equal elements keep theirs, NaN counts as the greatest.
WithIndices sort(const Variable& x, std::ptrdiff_t axis = -1, bool descending = false);
/// The indices of `sort`.
Variable argsort(const Variable& x, std::ptrdiff_t axis = -1, bool descending = false);
/// The k greatest (or least) along an axis, in order.
WithIndices topk(const Variable& x, std::size_t k, std::ptrdiff_t axis = -1, bool largest = true);

}  // namespace xtape
