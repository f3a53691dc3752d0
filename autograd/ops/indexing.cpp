#include <autograd/ops/indexing.hpp>

#include <algorithm>

#include <autograd/kernels/indexed.hpp>
#include <autograd/kernels/strided.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/tape.hpp>

namespace xtape {
namespace {

using detail::require_defined;
using detail::require_integers;

// Turns each index into an offset or an axis of the result.
class ViewBuilder {
 public:
  ViewBuilder(const Shape& shape, const std::vector<Index>& indices)
      : shape_(shape), strides_(kernels::dense_strides(shape)) {
    std::size_t named = 0, ellipses = 0;
    for (const Index& index : indices) {
      named += index.kind == Index::Kind::position || index.kind == Index::Kind::range;
      ellipses += index.kind == Index::Kind::ellipsis;
    }
    if (named > shape.size())
      throw ShapeError("slice: " + std::to_string(named) + " indices for shape " + to_string(shape));
    if (ellipses > 1) throw ShapeError("slice: more than one ellipsis");
    for (const Index& index : indices) {
      switch (index.kind) {
        case Index::Kind::position: add(position(*index.range.start)); break;
        case Index::Kind::range: add(index.range); break;
        case Index::Kind::new_axis: push(1, 0); break;
        case Index::Kind::ellipsis: rest(shape.size() - named);
      }
    }
    rest(shape.size() - axis_);
  }

  kernels::View view;

 private:
  std::ptrdiff_t extent() const { return static_cast<std::ptrdiff_t>(shape_[axis_]); }

  std::ptrdiff_t position(std::ptrdiff_t at) const {
    if (at < -extent() || at >= extent())
      throw ValueError("slice: index " + std::to_string(at) + " is out of range for axis " + std::to_string(axis_) +
                       " of " + to_string(shape_));
    return at < 0 ? at + extent() : at;
  }

  void add(std::ptrdiff_t position) { view.offset += position * strides_[axis_++]; }

  // Python's rules: ends count from the back when negative, and beyond the axis they mean its end.
  void add(const Range& range) {
    if (range.step == 0) throw ValueError("slice: a range with step 0");
    bool forward = range.step > 0;
    std::ptrdiff_t low = forward ? 0 : -1, high = forward ? extent() : extent() - 1;
    auto clamp = [&](std::optional<std::ptrdiff_t> end, std::ptrdiff_t otherwise) {
      if (!end) return otherwise;
      return std::clamp(*end < 0 ? *end + extent() : *end, low, high);
    };
    std::ptrdiff_t start = clamp(range.start, forward ? low : high), stop = clamp(range.stop, forward ? high : low);
    std::ptrdiff_t distance = forward ? stop - start : start - stop;
    std::ptrdiff_t stride = forward ? range.step : -range.step;
    std::ptrdiff_t count = distance <= 0 ? 0 : 1 + (distance - 1) / stride;
    if (count > 0) view.offset += start * strides_[axis_];
    push(static_cast<std::size_t>(count), count > 1 ? range.step * strides_[axis_] : 1);
    ++axis_;
  }

  void rest(std::size_t count) {
    for (; count > 0; --count, ++axis_) push(shape_[axis_], strides_[axis_]);
  }

  void push(std::size_t extent, std::ptrdiff_t stride) {
    view.shape.push_back(extent);
    view.strides.push_back(stride);
  }

  const Shape& shape_;
  kernels::Strides strides_;
  std::size_t axis_ = 0;
};

// Indices that are all in [0, extent): negative ones have been turned.
Array checked_indices(const char* operation, const Variable& indices, std::size_t extent, const Shape& shape) {
  require_integers(operation, indices);
  Array result = indices.value();
  bool turned = false;
  auto n = static_cast<std::int64_t>(extent);
  for (std::size_t i = 0; i < result.size(); ++i) {
    std::int64_t index = result.data<std::int64_t>()[i];
    if (index < -n || index >= n)
      throw ValueError(std::string(operation) + ": index " + std::to_string(index) + " is out of range for an axis of " +
                       std::to_string(extent) + " of " + to_string(shape));
    if (index >= 0) continue;
    if (!std::exchange(turned, true)) result = result.copy();
    result.mutable_data<std::int64_t>()[i] = index + n;
  }
  // The vjp keeps them: a later change of the caller's array must not reach it.
  return turned ? result : result.copy();
}

Variable take_checked(const Variable& x, const Array& indices, std::size_t axis);
Variable take_along_checked(const Variable& x, const Array& indices, std::size_t axis);

Variable take_adjoint(const Variable& g, const Array& indices, std::size_t axis, const Shape& shape) {
  return record("take_adjoint", kernels::take_adjoint(g.value(), indices, axis, shape),
                wrt(g, [indices, axis](const Variable& h) { return take_checked(h, indices, axis); }));
}

Variable take_checked(const Variable& x, const Array& indices, std::size_t axis) {
  return record("take", kernels::take(x.value(), indices, axis),
                wrt(x, [indices, axis, shape = x.shape()](const Variable& g) {
                  return take_adjoint(g, indices, axis, shape);
                }));
}

Variable take_along_adjoint(const Variable& g, const Array& indices, std::size_t axis, const Shape& shape) {
  return record("take_along_axis_adjoint", kernels::take_along_axis_adjoint(g.value(), indices, axis, shape),
                wrt(g, [indices, axis](const Variable& h) { return take_along_checked(h, indices, axis); }));
}

Variable take_along_checked(const Variable& x, const Array& indices, std::size_t axis) {
  return record("take_along_axis", kernels::take_along_axis(x.value(), indices, axis),
                wrt(x, [indices, axis, shape = x.shape()](const Variable& g) {
                  return take_along_adjoint(g, indices, axis, shape);
                }));
}

}  // namespace

Variable slice(const Variable& x, const std::vector<Index>& indices) {
  require_defined("slice", x);
  ViewBuilder builder(x.shape(), indices);
  return record("slice", kernels::copy_view(x.value(), builder.view),
                wrt(x, [shape = x.shape(), indices](const Variable& g) { return unslice(g, shape, indices); }));
}

Variable unslice(const Variable& g, const Dims& dims, const std::vector<Index>& indices) {
  require_defined("unslice", g);
  Shape shape = dims.shape("unslice");
  ViewBuilder builder(shape, indices);
  if (builder.view.shape != g.shape())
    throw ShapeError("unslice: " + to_string(g.shape()) + " for a slice of shape " + to_string(builder.view.shape));
  Array result = Array::full(shape, 0, g.dtype());
  kernels::assign_view(result, builder.view, g.value());
  return record("unslice", std::move(result), wrt(g, [indices](const Variable& h) { return slice(h, indices); }));
}

Variable Variable::operator[](const Index& index) const { return slice(*this, {index}); }
Variable Variable::operator[](std::initializer_list<Index> indices) const { return slice(*this, indices); }

Variable take(const Variable& x, const Variable& indices, std::ptrdiff_t axis) {
  require_defined("take", x);
  std::size_t i = normalize_axis("take", axis, x.rank());
  return take_checked(x, checked_indices("take", indices, x.shape()[i], x.shape()), i);
}

Variable take_along_axis(const Variable& x, const Variable& indices, std::ptrdiff_t axis) {
  require_defined("take_along_axis", x);
  require_integers("take_along_axis", indices);
  std::size_t i = normalize_axis("take_along_axis", axis, x.rank());
  Shape expected = x.shape();
  if (indices.rank() == x.rank()) expected[i] = indices.shape()[i];
  if (indices.shape() != expected)
    throw ShapeError("take_along_axis: indices of " + to_string(indices.shape()) + " for " + to_string(x.shape()) +
                     ": needs the same shape but for axis " + std::to_string(axis));
  return take_along_checked(x, checked_indices("take_along_axis", indices, x.shape()[i], x.shape()), i);
}

}  // namespace xtape
