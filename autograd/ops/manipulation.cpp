#include <autograd/ops/manipulation.hpp>

#include <algorithm>
#include <numeric>

#include <autograd/batch.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/views.hpp>
#include <autograd/tape.hpp>

namespace xtape {

using detail::Batch;
using detail::require_defined;

Variable reshape(const Variable& x, const Dims& shape) {
  require_defined("reshape", x);
  auto all_reshaped = [](const Batch& b, const Shape& to) { return reshape(b[0], b.with_samples(to)); };
  return record(op("reshape", attribute("shape", shape.shape("reshape", x.size()))).mapped(all_reshaped),
                [](const Array& v, const Shape& to) { return v.reshaped(to); },
                wrt(x, [from = x.shape()](const Variable& g) { return reshape(g, from); }, linear_in_operand));
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
  auto all_transposed = [](const Batch& b, const std::vector<std::size_t>& order) {
    std::vector<std::ptrdiff_t> axes{0};
    for (std::size_t axis : order) axes.push_back(static_cast<std::ptrdiff_t>(axis + 1));
    return transpose(b[0], axes);
  };
  return record(op("transpose", attribute("axes", order)).mapped(all_transposed), kernels::transpose,
                wrt(x, [back](const Variable& g) { return transpose(g, back); }, linear_in_operand));
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
  if (axes.empty()) return detail::same_value("expand_dims", x);
  std::vector<bool> is_new = axes_mask("expand_dims", axes, x.rank() + axes.size());
  Shape shape;
  auto old = x.shape().begin();
  for (bool added : is_new) shape.push_back(added ? 1 : *old++);
  return reshape(x, shape);
}

Variable broadcast_to(const Variable& x, const Dims& dims) {
  require_defined("broadcast_to", x);
  Shape shape = dims.shape("broadcast_to");
  if (x.shape() == shape) return detail::same_value("broadcast_to", x);
  if (x.rank() > shape.size() || broadcast_shapes("broadcast_to", x.shape(), shape) != shape)
    throw ShapeError("broadcast_to: " + to_string(x.shape()) + " does not broadcast to " + to_string(shape));
  auto all_broadcast = [](const Batch& b, const Shape& shape) {
    return broadcast_to(b.spread(0, shape.size()), b.with_samples(shape));
  };
  return record(op("broadcast_to", attribute("shape", shape)).mapped(all_broadcast), kernels::broadcast_to,
                wrt(x, [from = x.shape()](const Variable& g) { return sum_to(g, from); }, linear_in_operand));
}

Variable flatten(const Variable& x, std::ptrdiff_t start, std::ptrdiff_t end) {
  detail::Calling calling("flatten");
  require_defined("flatten", x);
  if (x.rank() == 0) return reshape(x, {1});
  std::size_t first = normalize_axis("flatten", start, x.rank()), last = normalize_axis("flatten", end, x.rank());
  if (first > last)
    throw ShapeError("flatten: axes " + std::to_string(start) + " to " + std::to_string(end) + " of " +
                     to_string(x.shape()) + " are not in order");
  Shape shape;
  for (std::size_t i = 0; i < x.rank(); ++i) {
    if (i <= first || i > last) shape.push_back(x.shape()[i]);
    else shape.back() *= x.shape()[i];
  }
  return reshape(x, shape);
}

Variable unflatten(const Variable& x, std::ptrdiff_t axis, const Dims& shape) {
  detail::Calling calling("unflatten");
  require_defined("unflatten", x);
  std::size_t i = normalize_axis("unflatten", axis, x.rank());
  Shape result(x.shape().begin(), x.shape().begin() + static_cast<std::ptrdiff_t>(i));
  for (std::size_t extent : shape.shape("unflatten", x.shape()[i])) result.push_back(extent);
  result.insert(result.end(), x.shape().begin() + static_cast<std::ptrdiff_t>(i) + 1, x.shape().end());
  return reshape(x, result);
}

Variable ravel(const Variable& x) {
  detail::Calling calling("ravel");
  return reshape(x, {-1});
}

Variable expand(const Variable& x, const Dims& shape) {
  detail::Calling calling("expand");
  require_defined("expand", x);
  std::vector<std::ptrdiff_t> extents = shape.extents();
  for (std::size_t i = 1; i <= std::min(extents.size(), x.rank()); ++i) {
    std::ptrdiff_t& extent = extents[extents.size() - i];
    if (extent == -1) extent = static_cast<std::ptrdiff_t>(x.shape()[x.rank() - i]);
  }
  return broadcast_to(x, extents);
}

Variable movedim(const Variable& x, const Axes& source, const Axes& destination) {
  detail::Calling calling("movedim");
  require_defined("movedim", x);
  if (source.size() != destination.size())
    throw ShapeError("movedim: " + std::to_string(source.size()) + " axes to " + std::to_string(destination.size()) +
                     " places");
  if (source.empty()) return detail::same_value("movedim", x);
  std::vector<bool> moved = axes_mask("movedim", source, x.rank());
  axes_mask("movedim", destination, x.rank());
  std::vector<std::ptrdiff_t> order(x.rank(), -1);
  for (std::size_t i = 0; i < source.size(); ++i)
    order[normalize_axis("movedim", destination.begin()[i], x.rank())] =
        static_cast<std::ptrdiff_t>(normalize_axis("movedim", source.begin()[i], x.rank()));
  std::size_t next = 0;
  for (std::ptrdiff_t& axis : order) {
    if (axis >= 0) continue;
    while (moved[next]) ++next;
    axis = static_cast<std::ptrdiff_t>(next++);
  }
  return transpose(x, order);
}

Variable swapaxes(const Variable& x, std::ptrdiff_t a, std::ptrdiff_t b) {
  detail::Calling calling("swapaxes");
  require_defined("swapaxes", x);
  std::vector<std::ptrdiff_t> order(x.rank());
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[normalize_axis("swapaxes", a, order.size())], order[normalize_axis("swapaxes", b, order.size())]);
  return transpose(x, order);
}

namespace {

Shape with_leading_ones(const Shape& shape, std::size_t rank) {
  Shape result(rank, 1);
  std::copy(shape.begin(), shape.end(), result.end() - static_cast<std::ptrdiff_t>(shape.size()));
  return result;
}

}  // namespace

// Each axis n becomes (copies, n), repeated by a broadcast and merged again.
Variable tile(const Variable& x, const Dims& dims) {
  detail::Calling calling("tile");
  require_defined("tile", x);
  Shape copies = dims.shape("tile");
  std::size_t rank = std::max(copies.size(), x.rank());
  copies = with_leading_ones(copies, rank);
  Shape shape = with_leading_ones(x.shape(), rank);
  Shape apart, repeated, merged;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    apart.push_back(1), apart.push_back(shape[i]);
    repeated.push_back(copies[i]), repeated.push_back(shape[i]);
    merged.push_back(element_count({copies[i], shape[i]}));
  }
  return reshape(broadcast_to(reshape(x, apart), repeated), merged);
}

std::vector<Variable> meshgrid(const std::vector<Variable>& xs, const std::string& indexing) {
  detail::Calling calling("meshgrid");
  if (indexing != "ij" && indexing != "xy")
    throw ValueError("meshgrid: indexing is \"" + indexing + "\", needs \"ij\" or \"xy\"");
  if (indexing == "xy" && xs.size() > 1) {
    std::vector<Variable> result = xs;
    std::swap(result[0], result[1]);
    result = meshgrid(result);
    std::swap(result[0], result[1]);
    return result;
  }
  Shape shape;
  for (const Variable& x : xs) {
    require_defined("meshgrid", x);
    if (x.rank() > 1) throw ShapeError("meshgrid: " + to_string(x.shape()) + ", needs arrays of one axis");
    shape.push_back(x.size());
  }
  std::vector<Variable> result;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    Shape own(xs.size(), 1);
    own[i] = xs[i].size();
    result.push_back(broadcast_to(reshape(xs[i], own), shape));
  }
  return result;
}

Variable windows(const Variable& x, std::ptrdiff_t axis, std::size_t size, std::size_t step) {
  detail::Calling calling("windows");
  require_defined("windows", x);
  if (x.rank() == 0) return reshape(windows(reshape(x, {1}), axis, size, step), {size});
  std::size_t i = normalize_axis("windows", axis, x.rank());
  if (step == 0 || size > x.shape()[i])
    throw ShapeError("windows: size " + std::to_string(size) + " and step " + std::to_string(step) + " for axis " +
                     std::to_string(axis) + " of " + to_string(x.shape()) + ": needs a size within it and a step > 0");
  kernels::View view{x.shape(), kernels::dense_strides(x.shape()), 0};
  view.shape[i] = (x.shape()[i] - size) / step + 1;
  view.shape.push_back(size);
  std::ptrdiff_t stride = view.strides[i];  // a copy: growing moves it
  view.strides.push_back(stride);
  if (view.shape[i] > 1) view.strides[i] *= static_cast<std::ptrdiff_t>(step);  // else it may be of any size
  return detail::read_part("windows", x, view);
}

}  // namespace xtape
