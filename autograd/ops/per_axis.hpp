// Options of windows: a number for each axis of space.
#pragma once

#include <concepts>
#include <initializer_list>
#include <utility>
#include <vector>

namespace xtape {

/// A number for each axis of space: one for all of them, or a list.
class PerAxis {
 public:
  template <std::integral I>
  PerAxis(I value) : values_{static_cast<std::size_t>(value)} {}
  PerAxis(std::initializer_list<std::size_t> values) : values_(values) {}
  PerAxis(std::vector<std::size_t> values) : values_(std::move(values)) {}

  /// The numbers of so many axes. @throws ShapeError naming the operation and the option when there are others,
  /// ValueError for a negative one, or one beyond 32 bits.
  std::vector<std::size_t> of(const char* operation, const char* option, std::size_t axes) const;

 private:
  std::vector<std::size_t> values_;
};

namespace detail {
/// At the head of options, which then are given by name only: `{3, 5}` is not made options, but a window's extents.
struct ByName {};
}  // namespace detail

}  // namespace xtape
