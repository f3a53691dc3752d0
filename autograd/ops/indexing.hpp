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

}  // namespace xtape
