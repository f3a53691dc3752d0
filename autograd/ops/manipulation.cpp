#include <autograd/ops/manipulation.hpp>

#include <algorithm>

#include <autograd/kernels/reduce.hpp>
#include <autograd/kernels/strided.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/tape.hpp>

namespace xtape {

using detail::require_defined;

Variable reshape(const Variable& x, const Dims& shape) {
  require_defined("reshape", x);
  return record("reshape", x.value().reshaped(shape.shape("reshape", x.size())),
                wrt(x, [from = x.shape()](const Variable& g) { return reshape(g, from); }));
}

Variable Variable::reshape(const Dims& shape) const { return xtape::reshape(*this, shape); }

Variable transpose(const Variable& x, const Axes& axes) {
  require_defined("transpose", x);
  std::vector<std::size_t> order;
  for (std::ptrdiff_t axis : axes) order.push_back(normalize_axis("transpose", axis, x.rank()));
  if (axes.empty())
    for (std::size_t i = x.rank(); i-- > 0;) order.push_back(i);
  axes_mask("transpose", axes, x.rank());
  if (order.size() != x.rank())
    throw ShapeError("transpose: " + std::to_string(order.size()) + " axes for shape " + to_string(x.shape()) +
                     ": needs each axis once");
  std::vector<std::ptrdiff_t> back(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) back[order[i]] = static_cast<std::ptrdiff_t>(i);
  return record("transpose", kernels::transpose(x.value(), order),
                wrt(x, [back](const Variable& g) { return transpose(g, back); }));
}

Variable squeeze(const Variable& x, const Axes& axes) {
  require_defined("squeeze", x);
  std::vector<bool> mask = axes_mask("squeeze", axes, x.rank());
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (axes.empty()) mask[i] = x.shape()[i] == 1;
    if (mask[i] && x.shape()[i] != 1)
      throw ShapeError("squeeze: axis " + std::to_string(i) + " of " + to_string(x.shape()) + " is " +
                       std::to_string(x.shape()[i]) + ", needs 1");
  }
  return reshape(x, kernels::drop_dims(x.shape(), mask));
}

Variable expand_dims(const Variable& x, const Axes& axes) {
  require_defined("expand_dims", x);
  if (axes.empty()) return x;
  std::vector<bool> is_new = axes_mask("expand_dims", axes, x.rank() + axes.size());
  Shape shape;
  auto old = x.shape().begin();
  for (bool added : is_new) shape.push_back(added ? 1 : *old++);
  return reshape(x, shape);
}

Variable broadcast_to(const Variable& x, const Dims& dims) {
  require_defined("broadcast_to", x);
  Shape shape = dims.shape("broadcast_to");
  if (x.shape() == shape) return x;
  if (x.rank() > shape.size() || broadcast_shapes("broadcast_to", x.shape(), shape) != shape)
    throw ShapeError("broadcast_to: " + to_string(x.shape()) + " does not broadcast to " + to_string(shape));
  return record("broadcast_to", kernels::broadcast_to(x.value(), shape),
                wrt(x, [from = x.shape()](const Variable& g) { return sum_to(g, from); }));
}

namespace {

// The slice [start, stop) along one axis.
std::vector<Index> along(std::size_t axis, std::size_t start, std::size_t stop) {
  std::vector<Index> indices(axis, Index(range()));
  indices.push_back(range(static_cast<std::ptrdiff_t>(start), static_cast<std::ptrdiff_t>(stop)));
  return indices;
}

}  // namespace

Variable concatenate(const std::vector<Variable>& xs, std::ptrdiff_t axis) {
  if (xs.empty()) throw ShapeError("concatenate: got no arrays, needs one or more");
  for (const Variable& x : xs) require_defined("concatenate", x);
  std::size_t along_axis = normalize_axis("concatenate", axis, xs[0].rank());
  Shape shape = xs[0].shape();
  std::vector<std::size_t> starts{0};
  for (const Variable& x : xs) {
    Shape expected = shape;
    if (x.rank() == shape.size()) expected[along_axis] = x.shape()[along_axis];
    if (x.shape() != expected)
      throw ShapeError("concatenate: " + to_string(xs[0].shape()) + " and " + to_string(x.shape()) +
                       " differ in more than axis " + std::to_string(axis));
    if (x.dtype() != xs[0].dtype())
      throw DTypeError(std::string("concatenate: ") + to_string(xs[0].dtype()) + " and " + to_string(x.dtype()) +
                       ": dtypes differ; convert with .to()");
    starts.push_back(starts.back() + x.shape()[along_axis]);
  }
  shape[along_axis] = starts.back();
  Array result(shape, xs[0].dtype());
  kernels::Strides strides = kernels::dense_strides(shape);
  for (std::size_t i = 0; i < xs.size(); ++i)
    kernels::assign_view(result, {xs[i].shape(), strides, static_cast<std::ptrdiff_t>(starts[i]) * strides[along_axis]},
                         xs[i].value());
  return record_list("concatenate", std::move(result), xs, [along_axis, starts](std::size_t i, const Variable& g) {
    return slice(g, along(along_axis, starts[i], starts[i + 1]));
  });
}

Variable stack(const std::vector<Variable>& xs, std::ptrdiff_t axis) {
  if (xs.empty()) throw ShapeError("stack: got no arrays, needs one or more");
  std::vector<Variable> expanded;
  for (const Variable& x : xs) {
    require_defined("stack", x);
    if (x.shape() != xs[0].shape())
      throw ShapeError("stack: shapes " + to_string(xs[0].shape()) + " and " + to_string(x.shape()) + " differ");
    expanded.push_back(expand_dims(x, axis));
  }
  return concatenate(expanded, axis);
}

std::vector<Variable> split(const Variable& x, const std::vector<std::size_t>& sizes, std::ptrdiff_t axis) {
  require_defined("split", x);
  std::size_t i = normalize_axis("split", axis, x.rank());
  std::size_t total = 0;
  for (std::size_t size : sizes) total += size;
  if (total != x.shape()[i])
    throw ShapeError("split: parts of " + std::to_string(total) + " in all, axis " + std::to_string(axis) + " of " +
                     to_string(x.shape()) + " is " + std::to_string(x.shape()[i]));
  std::vector<Variable> parts;
  std::size_t start = 0;
  for (std::size_t size : sizes) {
    parts.push_back(slice(x, along(i, start, start + size)));
    start += size;
  }
  return parts;
}

std::vector<Variable> split(const Variable& x, std::size_t sections, std::ptrdiff_t axis) {
  require_defined("split", x);
  std::size_t extent = x.shape()[normalize_axis("split", axis, x.rank())];
  if (sections == 0 || extent % sections != 0)
    throw ShapeError("split: axis " + std::to_string(axis) + " of " + to_string(x.shape()) + " does not divide into " +
                     std::to_string(sections) + " equal parts");
  return split(x, std::vector<std::size_t>(sections, extent / sections), axis);
}

}  // namespace xtape
