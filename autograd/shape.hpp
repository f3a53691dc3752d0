// Shapes and axes, and NumPy's rules about them.
#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

#include <autograd/xtensor.hpp>

namespace xtape {

/// The extent of each axis; empty for a scalar. The same type as xtensor's run-time shapes, so the two compare.
using Shape = xt::dynamic_shape<std::size_t>;

/// Zero or more axes; negative ones count from the end. `sum(x, 1)`, `sum(x, {0, -1})`.
class Axes {
 public:
  Axes() = default;
  Axes(std::ptrdiff_t axis) : axes_{axis} {}
  Axes(int axis) : axes_{axis} {}
  Axes(std::initializer_list<std::ptrdiff_t> axes) : axes_(axes) {}
  Axes(std::vector<std::ptrdiff_t> axes) : axes_(std::move(axes)) {}

  bool empty() const { return axes_.empty(); }
  std::size_t size() const { return axes_.size(); }
  auto begin() const { return axes_.begin(); }
  auto end() const { return axes_.end(); }

 private:
  std::vector<std::ptrdiff_t> axes_;
};

/// A shape as users write it: `{n, 3}` of any integers, or a Shape. In a reshape, one extent may be -1: the rest.
class Dims {
 public:
  struct Extent {
    template <std::integral I>
    Extent(I extent) : value(static_cast<std::ptrdiff_t>(extent)) {}
    std::ptrdiff_t value;
  };
  Dims(std::initializer_list<Extent> extents) { for (Extent e : extents) extents_.push_back(e.value); }
  Dims(const std::vector<std::ptrdiff_t>& extents) : extents_(extents) {}
  Dims(const Shape& shape) : extents_(shape.begin(), shape.end()) {}

  /// @throws ShapeError naming `operation` for a negative extent.
  Shape shape(const char* operation) const;
  /// The same for `size` elements, with -1 resolved.
  Shape shape(const char* operation, std::size_t size) const;
  /// The same for what is repeated from a shape, whose last axis becomes the last one: -1 is the extent that it has.
  Shape shape(const char* operation, const Shape& from) const;

 private:
  std::string text() const;
  std::vector<std::ptrdiff_t> extents_;
};

/// The number of elements: the product of the extents, 1 for a scalar.
/// @throws ShapeError where it does not fit into memory's address range.
std::size_t element_count(const Shape& shape);

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
