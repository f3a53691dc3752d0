// Shapes and axes, and NumPy's rules about them.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <autograd/xtensor.hpp>

namespace xtape {

template <class T>
class PerAxisNumbers;

}  // namespace xtape

// What xtensor makes of such a shape, to hold other numbers.
template <class U, class T>
struct xt::rebind_container<U, xtape::PerAxisNumbers<T>> {
  using type = xt::dynamic_shape<U>;
};

namespace xtape {

/// A number for each axis, as xtensor's run-time shapes hold them, with which these compare. To move one is to copy it:
/// xtensor's own needs memory to move five numbers and more, and ends the program where there is none.
template <class T>
class PerAxisNumbers : public xt::dynamic_shape<T> {
 public:
  using Base = xt::dynamic_shape<T>;
  using Base::Base;
  using Base::operator=;
  PerAxisNumbers() = default;
  PerAxisNumbers(const Base& numbers) : Base(numbers) {}
  PerAxisNumbers(const PerAxisNumbers&) = default;
  PerAxisNumbers& operator=(const PerAxisNumbers&) = default;
};

/// The extent of each axis; empty for a scalar.
using Shape = PerAxisNumbers<std::size_t>;

template <class I>
concept IntegerReference = std::integral<std::remove_cvref_t<I>> && !std::same_as<std::remove_cvref_t<I>, bool> &&
                           !std::same_as<std::remove_cvref_t<I>, char>;

/// What shapes and axes are made of beside lists: a std::vector<int>, a std::array, an xtensor's shape().
template <class R>
concept IntegerRange = requires(const R& range) {
  { *std::begin(range) } -> IntegerReference;
  std::end(range);
};

/// An axis, of any integral type.
struct Integer {
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  Integer(I integer) : value(static_cast<std::ptrdiff_t>(integer)) {}
  std::ptrdiff_t value;
};

/// Zero or more axes; negative ones count from the end. `sum(x, 1)`, `sum(x, {0, -1})`, `sum(x, x.rank() - 1)`.
class Axes {
 public:
  Axes() = default;
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  Axes(I axis) : axes_{Integer(axis).value} {}
  Axes(std::initializer_list<Integer> axes) { for (Integer axis : axes) axes_.push_back(axis.value); }
  template <IntegerRange R>
    requires(!std::same_as<R, Axes>)
  Axes(const R& axes) : axes_(std::begin(axes), std::end(axes)) {}

  bool empty() const { return axes_.empty(); }
  std::size_t size() const { return axes_.size(); }
  auto begin() const { return axes_.begin(); }
  auto end() const { return axes_.end(); }

 private:
  std::vector<std::ptrdiff_t> axes_;
};

/// A shape as users write it: `{n, 3}` or a range of any integers. In a reshape, one extent may be -1: the rest.
class Dims {
 public:
  struct Extent {
    /// @throws ShapeError for an unsigned integer so large that it would count as a negative one.
    template <std::integral I>
      requires(!std::same_as<I, bool>)
    Extent(I extent) : value(static_cast<std::ptrdiff_t>(extent)) {
      if (!std::in_range<std::ptrdiff_t>(extent)) too_large(extent);
    }
    std::ptrdiff_t value;
  };
  Dims(std::initializer_list<Extent> extents) { for (Extent extent : extents) extents_.push_back(extent.value); }
  template <IntegerRange R>
    requires(!std::same_as<R, Dims>)
  Dims(const R& extents) { for (Extent extent : extents) extents_.push_back(extent.value); }

  /// As they were given, -1 and all.
  const std::vector<std::ptrdiff_t>& extents() const { return extents_; }
  /// @throws ShapeError naming `operation` for a negative extent.
  Shape shape(const char* operation) const;
  /// The same for `size` elements, with -1 resolved.
  Shape shape(const char* operation, std::size_t size) const;

 private:
  [[noreturn]] static void too_large(std::uint64_t extent);
  std::string text() const;
  std::vector<std::ptrdiff_t> extents_;
};

/// The number of elements: the product of the extents, 1 for a scalar.
/// @throws ShapeError where it does not fit into memory's address range.
std::size_t element_count(const Shape& shape);

namespace detail {
/// Integers, written as in Python: `()`, `(3,)`, `(2, 3)`.
template <class Integers>
std::string tuple_text(const Integers& integers) {
  std::string text = "(";
  for (std::size_t i = 0; i < integers.size(); ++i) text += (i ? ", " : "") + std::to_string(integers[i]);
  return text + (integers.size() == 1 ? ",)" : ")");
}
}  // namespace detail

/// Written as in Python: `()`, `(3,)`, `(2, 3)`.
std::string to_string(const Shape& shape);

/// The shape that NumPy's broadcasting gives two operands.
/// @throws ShapeError naming `operation` when they do not fit.
Shape broadcast_shapes(const char* operation, const Shape& a, const Shape& b);

/// `axis` counted from the front, in [0, rank).
/// @throws ShapeError naming `operation` when it is out of range.
std::size_t normalize_axis(const char* operation, std::ptrdiff_t axis, std::size_t rank);

/// Which of `rank` axes are named; all of them when `axes` is empty. What is 0-d may be treated as one element: it has an
/// axis 0 or -1.
/// @throws ShapeError naming `operation` for an axis out of range or named twice.
std::vector<bool> axes_mask(const char* operation, const Axes& axes, std::size_t rank);

}  // namespace xtape

namespace xt {  // where a Shape comes from, and operators for it are looked up

/// Prints a Shape as to_string writes it.
std::ostream& operator<<(std::ostream& out, const xtape::Shape& shape);

}  // namespace xt
