#include <autograd/ops/gathering.hpp>

#include <algorithm>

#include <autograd/batch.hpp>
#include <autograd/kernels/indexed.hpp>
#include <autograd/kernels/positions.hpp>
#include <autograd/ops/checked_indices.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/define_elementwise.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/views.hpp>
#include <autograd/tape.hpp>

namespace xtape {

using detail::require_defined;
using detail::require_integers;

namespace {

// take by elements rather than by slices: for indices that differ from sample to sample.
Variable taken_one_by_one(const Variable& x, const Variable& indices, std::size_t axis) {
  const auto at = static_cast<std::ptrdiff_t>(axis);
  Shape outer(x.shape().begin(), x.shape().begin() + at), inner(x.shape().begin() + at + 1, x.shape().end());
  const std::size_t before = element_count(outer), behind = element_count(inner), n = indices.size();
  const Variable places = broadcast_to(reshape(indices, {1, n, 1}), {before, n, behind});
  const Variable elements = detail::take_along(reshape(x, {before, x.shape()[axis], behind}), places, 1);
  Shape shape = outer;
  shape.insert(shape.end(), indices.shape().begin(), indices.shape().end());
  shape.insert(shape.end(), inner.begin(), inner.end());
  return reshape(elements, shape);
}

}  // namespace

Variable take(const Variable& x, const Variable& indices, std::ptrdiff_t axis) {
  require_defined("take", x);
  std::size_t i = normalize_axis("take", axis, x.rank());
  const Variable checked = detail::checked_indices("take", indices, x.shape()[i], x.shape());
  if (detail::any_mapped(checked)) return taken_one_by_one(x, checked, i);
  return detail::read_part("take", x, kernels::slices_along(x.shape(), checked.value(), i));
}

Variable take_along_axis(const Variable& x, const Variable& indices, std::ptrdiff_t axis) {
  detail::Calling calling("take_along_axis");
  require_defined("take_along_axis", x);
  require_integers("take_along_axis", indices);
  if (x.rank() == 0 && indices.rank() == 0)
    return take_along_axis(x.reshape(Shape{1}), indices.reshape(Shape{1}), axis).reshape(Shape{});
  std::size_t i = normalize_axis("take_along_axis", axis, x.rank());
  if (indices.rank() != x.rank())
    throw ShapeError("take_along_axis: indices of " + to_string(indices.shape()) + " for " + to_string(x.shape()) +
                     ": needs as many axes");
  Shape from = x.shape(), to = indices.shape();
  from[i] = to[i] = 1;
  Shape from_all = broadcast_shapes("take_along_axis", from, to), to_all = from_all;
  from_all[i] = x.shape()[i];
  to_all[i] = indices.shape()[i];
  const Variable checked = detail::checked_indices("take_along_axis", broadcast_to(indices, to_all), x.shape()[i], x.shape());
  return detail::take_along(broadcast_to(x, from_all), checked, i);
}
Variable take_along_axis(const Variable& x, const Variable& indices) {
  detail::Calling calling("take_along_axis");
  return take_along_axis(flatten(x), flatten(indices), 0);
}

Variable index_select(const Variable& x, std::ptrdiff_t axis, const Variable& indices) {
  detail::Calling calling("index_select");
  if (indices.defined() && indices.rank() == 0) return index_select(x, axis, reshape(indices, {1}));
  if (indices.defined() && indices.rank() > 1)
    throw ShapeError("index_select: indices of " + to_string(indices.shape()) + ", needs one axis");
  if (x.defined() && x.rank() == 0)
    return detail::with_an_axis("index_select", x, [&](auto& v) { return take(v, indices, axis); });
  return take(x, indices, axis);
}

namespace {

// The part of x within which `indices` name places along `axis`: as long as they in the other axes.
kernels::View reach(const char* operation, const Variable& x, std::size_t axis, const Variable& indices) {
  kernels::View part{x.shape(), kernels::dense_strides(x.shape()), 0};
  bool fits = indices.rank() == x.rank();
  for (std::size_t i = 0; fits && i < x.rank(); ++i) {
    if (i == axis) continue;
    part.shape[i] = indices.shape()[i];
    fits = part.shape[i] <= x.shape()[i];
  }
  if (!fits)
    throw ShapeError(std::string(operation) + ": indices of " + to_string(indices.shape()) + " for " +
                     to_string(x.shape()) + ": needs as many axes, and none longer but for axis " + std::to_string(axis));
  return part;
}

Variable scatter_zeros(const char* operation, const Variable& x, std::ptrdiff_t axis, const Variable& indices,
                       const Variable& source) {
  require_defined(operation, x);
  require_integers(operation, indices);
  require_defined(operation, source);
  if (x.rank() == 0) {
    Variable places = indices.rank() == 0 ? reshape(indices, {1}) : indices;
    Variable given = source.rank() == 0 && !source.impl()->weak ? reshape(source, {1}) : source;
    return reshape(scatter_zeros(operation, reshape(x, {1}), axis, places, given), Shape{});
  }
  std::size_t i = normalize_axis(operation, axis, x.rank());
  kernels::View part = reach(operation, x, i, indices);
  const Variable elements = detail::as_element(operation, source, x.dtype());
  Variable values = source.impl()->weak
                        ? broadcast_to(elements, indices.shape())
                        : detail::read_part("slice", elements, reach(operation, source, source.rank(), indices));
  if (values.shape() != indices.shape())
    throw ShapeError(std::string(operation) + ": a source of " + to_string(source.shape()) + " for indices of " +
                     to_string(indices.shape()) + ": needs that shape");
  Shape within = indices.shape();
  within[i] = x.shape()[i];
  const Variable checked = detail::checked_indices(operation, indices, x.shape()[i], x.shape());
  return detail::write_part("unslice", detail::take_along_adjoint(values, checked, i, within), x.shape(), part);
}

}  // namespace

Variable gather(const Variable& x, std::ptrdiff_t axis, const Variable& indices) {
  detail::Calling calling("gather");
  require_defined("gather", x);
  require_integers("gather", indices);
  if (x.rank() == 0) {
    Variable places = indices.rank() == 0 ? reshape(indices, {1}) : indices;
    return reshape(gather(reshape(x, {1}), axis, places), indices.shape());
  }
  std::size_t i = normalize_axis("gather", axis, x.rank());
  Variable part = detail::read_part("slice", x, reach("gather", x, i, indices));
  return detail::take_along(part, detail::checked_indices("gather", indices, x.shape()[i], x.shape()), i);
}

Variable scatter_add(const Variable& x, std::ptrdiff_t axis, const Variable& indices, const Variable& source) {
  detail::Calling calling("scatter_add");
  return x + scatter_zeros("scatter_add", x, axis, indices, source);
}

Variable scatter(const Variable& x, std::ptrdiff_t axis, const Variable& indices, const Variable& source) {
  detail::Calling calling("scatter");
  Variable placed = scatter_zeros("scatter", x, axis, indices, source);
  Variable count = scatter_zeros("scatter", zeros(x.shape(), int64), axis, indices, 1);
  if (detail::any_nonzero(count > 1))
    throw ValueError("scatter: the indices name a place of " + to_string(x.shape()) + " twice; use scatter_add");
  return where(count > 0, placed, x);
}

namespace {

// Indices of slices as those of all their elements, which have the shape of `source`.
Variable for_each_element(const char* operation, const Variable& x, std::ptrdiff_t axis, const Variable& indices,
                          const Variable& source) {
  require_defined(operation, x);
  require_integers(operation, indices);
  require_defined(operation, source);
  std::size_t i = normalize_axis(operation, axis, x.rank());
  Shape expected = x.shape();
  expected[i] = indices.size();
  if (indices.rank() > 1 || source.shape() != expected)
    throw ShapeError(std::string(operation) + ": a source of " + to_string(source.shape()) + " and indices of " +
                     to_string(indices.shape()) + " along axis " + std::to_string(axis) + " of " + to_string(x.shape()) +
                     ": needs one axis of indices, and a source of " + to_string(expected));
  Shape along(x.rank() - i, 1);
  along[0] = indices.size();
  return broadcast_to(reshape(indices, along), expected);
}

}  // namespace

Variable index_add(const Variable& x, std::ptrdiff_t axis, const Variable& indices, const Variable& source,
                   const Scalar& alpha) {
  detail::Calling calling("index_add");
  return scatter_add(x, axis, for_each_element("index_add", x, axis, indices, source),
                     alpha.as_double() == 1 ? source : source * Variable(alpha));
}

Variable index_copy(const Variable& x, std::ptrdiff_t axis, const Variable& indices, const Variable& source) {
  detail::Calling calling("index_copy");
  return scatter(x, axis, for_each_element("index_copy", x, axis, indices, source), source);
}

Variable index_fill(const Variable& x, std::ptrdiff_t axis, const Variable& indices, const Variable& value) {
  detail::Calling calling("index_fill");
  require_defined("index_fill", x);
  require_integers("index_fill", indices);
  require_defined("index_fill", value);
  if (value.rank() > 0) throw ShapeError("index_fill: a value of " + to_string(value.shape()) + ", needs a number");
  std::size_t i = normalize_axis("index_fill", axis, x.rank());
  const Array checked = detail::checked_indices("index_fill", indices, x.shape()[i], x.shape()).value();
  Shape along(x.rank() - i, 1);
  along[0] = x.shape()[i];
  Variable mask(kernels::mask_of(checked, x.shape()[i]));
  return where(reshape(mask, along), detail::as_element("index_fill", value, x.dtype()), x);
}

Variable one_hot(const Variable& indices, std::optional<std::size_t> given, DType dtype) {
  detail::Calling calling("one_hot");
  require_integers("one_hot", indices);
  if (!given && indices.size() == 0) throw ValueError("one_hot: no indices, needs a number of classes");
  std::size_t classes = given ? *given : static_cast<std::size_t>(std::max(max(indices).item(), 0.0)) + 1;
  const Variable checked = detail::checked_indices("one_hot", indices, classes, {classes});
  if (detail::any_nonzero(indices < 0)) throw ValueError("one_hot: a negative class");
  if (detail::any_mapped(checked)) return (expand_dims(checked, -1) == arange(classes)).to(dtype);
  return Variable(kernels::one_hot(checked.value(), classes, dtype));
}

}  // namespace xtape
