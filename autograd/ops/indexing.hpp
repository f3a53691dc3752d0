// Parts of an array, by position.
#pragma once

#include <optional>
#include <vector>

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

/// One item between the brackets: a position, a range, a new axis or an ellipsis.
class Index {
 public:
  enum class Kind { position, range, new_axis, ellipsis };

  template <std::integral I>
  Index(I position) : kind(Kind::position), range{static_cast<std::ptrdiff_t>(position), {}, 1} {}
  Index(Range range) : kind(Kind::range), range(range) {}
  Index(NewAxis) : kind(Kind::new_axis) {}
  Index(Ellipsis) : kind(Kind::ellipsis) {}

  Kind kind;
  Range range;  // of a position: its start
};

/// The part that the indices name, axis by axis, as in NumPy: `slice(x, {0, range(1, 5), newaxis})`.
/// @throws ValueError for a position out of range or a step of 0, ShapeError for too many indices.
Variable slice(const Variable& x, const std::vector<Index>& indices);
/// The transposed operation: zeros of `shape`, with g where `slice` would read.
Variable unslice(const Variable& g, const Dims& shape, const std::vector<Index>& indices);

/// The slices of x along an axis that `indices` (int64, any shape) name; negative ones count from the end.
/// The result has the shape of `indices` in place of the axis. @throws ValueError for an index out of range.
Variable take(const Variable& x, const Variable& indices, std::ptrdiff_t axis = 0);
/// The element along an axis that `indices`, of the result's shape, names for each place. The other axes are as
/// long as those of x. @throws ValueError for an index out of range.
Variable take_along_axis(const Variable& x, const Variable& indices, std::ptrdiff_t axis);

}  // namespace xtape
