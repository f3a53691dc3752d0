// Options of windows: a number for each axis of space, and what padding is called.
#pragma once

#include <concepts>
#include <initializer_list>
#include <vector>

#include <autograd/by_name.hpp>
#include <autograd/shape.hpp>

namespace xtape {

/// A number for each axis of space: one for all of them, or a list.
class PerAxis {
 public:
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  PerAxis(I value) : values_{static_cast<std::size_t>(value)} {}
  PerAxis(std::initializer_list<Integer> values) {
    for (Integer v : values) values_.push_back(static_cast<std::size_t>(v.value));
  }
  template <IntegerRange R>
  PerAxis(const R& values) : values_(std::begin(values), std::end(values)) {}

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
    requires(!std::same_as<I, bool>)
  Padding(I value) : numbers_(value) {}
  Padding(std::initializer_list<Integer> values) : numbers_(values) {}
  template <IntegerRange R>
  Padding(const R& values) : numbers_(values) {}
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

}  // namespace xtape
