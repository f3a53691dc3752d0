// Options of windows: a number for each axis of space, and what padding is called.
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

/// What a convolution adds around its input: so many zeros on both sides of each axis, or as many as "same" or "valid"
/// make it.
class Padding {
 public:
  template <std::integral I>
  Padding(I value) : numbers_(value) {}
  Padding(std::initializer_list<std::size_t> values) : numbers_(values) {}
  Padding(std::vector<std::size_t> values) : numbers_(std::move(values)) {}
  Padding(const PerAxis& values) : numbers_(values) {}
  /// "same": the result is as large as the input (times the stride, where transposed). "valid": none.
  /// @throws ValueError for another text.
  Padding(const char* kind);

  bool same() const { return same_; }
  const PerAxis& numbers() const { return numbers_; }

 private:
  PerAxis numbers_ = 0;
  bool same_ = false;
};

namespace detail {
/// At the head of options, which then are given by name only: `{3, 5}` is not made options, but a window's extents.
struct ByName {};
}  // namespace detail

}  // namespace xtape
