#include <autograd/ops/manipulation.hpp>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include <autograd/kernels/reduce.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/views.hpp>
#include <autograd/tape.hpp>

namespace xtape {

using detail::require_defined;

Variable reshape(const Variable& x, const Dims& shape) {
  require_defined("reshape", x);
  return record("reshape", [to = shape.shape("reshape", x.size())](const Array& v) { return v.reshaped(to); },
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
  return record("transpose", [order](const Array& v) { return kernels::transpose(v, order); },
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
  return record("broadcast_to", [shape](const Array& v) { return kernels::broadcast_to(v, shape); },
                wrt(x, [from = x.shape()](const Variable& g) { return sum_to(g, from); }));
}

namespace {

// The slice [start, stop) along one axis.
std::vector<Index> along(std::size_t axis, std::size_t start, std::size_t stop) {
  std::vector<Index> indices(axis, Index(range()));
  indices.push_back(range(static_cast<std::ptrdiff_t>(start), static_cast<std::ptrdiff_t>(stop)));
  return indices;
}

// In the dtype that they have in common.
std::vector<Variable> promoted(const char* operation, const std::vector<Variable>& xs) {
  if (xs.empty()) throw ShapeError(std::string(operation) + ": got no arrays, needs one or more");
  DType dtype = detail::common_dtype(operation, detail::pointers_to(xs));
  std::vector<Variable> result;
  for (const Variable& x : xs) result.push_back(detail::in_dtype(operation, x, dtype));
  return result;
}

}  // namespace

Variable concatenate(const std::vector<Variable>& given, std::ptrdiff_t axis) {
  const std::vector<Variable> xs = promoted("concatenate", given);
  std::size_t along_axis = normalize_axis("concatenate", axis, xs[0].rank());
  Shape shape = xs[0].shape();
  std::vector<std::size_t> starts{0};
  for (const Variable& x : xs) {
    Shape expected = shape;
    if (x.rank() == shape.size()) expected[along_axis] = x.shape()[along_axis];
    if (x.shape() != expected)
      throw ShapeError("concatenate: " + to_string(xs[0].shape()) + " and " + to_string(x.shape()) +
                       " differ in more than axis " + std::to_string(axis));
    starts.push_back(starts.back() + x.shape()[along_axis]);
  }
  shape[along_axis] = starts.back();
  auto join = [shape, starts, along_axis](std::span<const Array> parts) {
    Array result(shape, parts[0].dtype());
    kernels::Strides strides = kernels::dense_strides(shape);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      auto offset = static_cast<std::ptrdiff_t>(starts[i]) * strides[along_axis];
      kernels::assign_view(result, {parts[i].shape(), strides, offset}, parts[i]);
    }
    return result;
  };
  return record_list("concatenate", join, xs, [along_axis, starts](std::size_t i, const Variable& g) {
    return slice(g, along(along_axis, starts[i], starts[i + 1]));
  });
}

Variable stack(const std::vector<Variable>& given, std::ptrdiff_t axis) {
  detail::Calling calling("stack");
  const std::vector<Variable> xs = promoted("stack", given);
  std::vector<Variable> expanded;
  for (const Variable& x : xs) {
    if (x.shape() != xs[0].shape())
      throw ShapeError("stack: shapes " + to_string(xs[0].shape()) + " and " + to_string(x.shape()) + " differ");
    expanded.push_back(expand_dims(x, axis));
  }
  return concatenate(expanded, axis);
}

std::vector<Variable> split(const Variable& x, const Dims& given, std::ptrdiff_t axis) {
  detail::Calling calling("split");
  require_defined("split", x);
  const Shape sizes = given.shape("split");
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
  detail::Calling calling("split");
  require_defined("split", x);
  std::size_t extent = x.shape()[normalize_axis("split", axis, x.rank())];
  if (sections == 0 || sections > 0x7fffffff || extent % sections != 0)
    throw ShapeError("split: axis " + std::to_string(axis) + " of " + to_string(x.shape()) + " does not divide into " +
                     std::to_string(sections) + " equal parts");
  return split(x, std::vector<std::size_t>(sections, extent / sections), axis);
}

namespace {

// The rows of an array: one node, whose gradient is made in one piece.
class Unbind final : public ConstantOperation {
 public:
  Unbind() : ConstantOperation("unbind") {}

  void evaluate(std::span<const Array> operands, std::span<Array> results) override {
    for (std::size_t i = 0; i < results.size(); ++i) results[i] = operands[0].row(i);
  }

  void backward(const Node& node, std::span<Variable> outputs, std::span<InputGradient> inputs) const override {
    const auto& [shape, dtype] = node.result_type(0);
    std::vector<Variable> rows(outputs.begin(), outputs.end());
    for (Variable& row : rows)
      if (!row.defined()) row = zeros(shape, dtype);
    inputs[0].value = stack(rows);
  }
};

}  // namespace

std::vector<Variable> unbind(const Variable& x, std::ptrdiff_t axis) {
  detail::Calling calling("unbind");
  require_defined("unbind", x);
  if (std::size_t i = normalize_axis("unbind", axis, x.rank()); i != 0) return unbind(movedim(x, axis, 0));
  static Unbind operation;
  std::vector<Array> values(x.shape()[0]);
  std::vector<Variable> rows;
  if (values.empty()) return rows;
  NodePtr node = detail::perform(operation, std::array{&x}, values);
  for (std::uint32_t i = 0; i < values.size(); ++i) rows.push_back(detail::output_of(node, std::move(values[i]), i));
  return rows;
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
    merged.push_back(copies[i] * shape[i]);
  }
  return reshape(broadcast_to(reshape(x, apart), repeated), merged);
}

Variable repeat_interleave(const Variable& x, std::size_t copies, std::optional<std::ptrdiff_t> axis) {
  detail::Calling calling("repeat_interleave");
  if (!axis) return repeat_interleave(flatten(x), copies, 0);
  require_defined("repeat_interleave", x);
  std::size_t i = normalize_axis("repeat_interleave", *axis, x.rank());
  Variable apart = expand_dims(x, static_cast<std::ptrdiff_t>(i) + 1);
  Shape repeated = apart.shape(), merged = x.shape();
  repeated[i + 1] = copies;
  merged[i] *= copies;
  return reshape(broadcast_to(apart, repeated), merged);
}

Variable repeat_interleave(const Variable& x, const Variable& copies, std::optional<std::ptrdiff_t> axis) {
  detail::Calling calling("repeat_interleave");
  if (!axis) return repeat_interleave(flatten(x), copies, 0);
  require_defined("repeat_interleave", x);
  detail::require_integers("repeat_interleave", copies);
  std::size_t n = x.shape()[normalize_axis("repeat_interleave", *axis, x.rank())];
  bool alike = copies.size() == 1 && copies.rank() <= 1;
  if (!alike && copies.shape() != Shape{n})
    throw ShapeError("repeat_interleave: copies of shape " + to_string(copies.shape()) + " for axis " +
                     std::to_string(*axis) + " of " + to_string(x.shape()) + ": needs " + to_string(Shape{n}));
  std::vector<std::int64_t> indices;
  for (std::size_t i = 0; i < n; ++i) {
    std::int64_t count = copies.data<std::int64_t>()[alike ? 0 : i];
    if (count < 0) throw ValueError("repeat_interleave: " + std::to_string(count) + " copies, needs 0 or more");
    indices.insert(indices.end(), static_cast<std::size_t>(count), static_cast<std::int64_t>(i));
  }
  return take(x, Variable(xt::adapt(indices, {indices.size()})), *axis);
}

Variable flip(const Variable& x, const Axes& axes) {
  detail::Calling calling("flip");
  require_defined("flip", x);
  std::vector<bool> mask = axes_mask("flip", axes, x.rank());
  std::vector<Index> indices;
  for (bool flipped : mask) indices.push_back(flipped ? range(none, none, -1) : range());
  return slice(x, indices);
}

Variable roll(const Variable& x, std::ptrdiff_t shift, std::optional<std::ptrdiff_t> axis) {
  detail::Calling calling("roll");
  require_defined("roll", x);
  if (!axis) return reshape(roll(flatten(x), shift, 0), x.shape());
  if (x.rank() == 0) return detail::with_an_axis("roll", x, [&](auto& v) { return roll(v, shift, axis); });
  std::size_t i = normalize_axis("roll", *axis, x.rank()), extent = x.shape()[i];
  if (extent == 0) return detail::same_value("roll", x);
  auto n = static_cast<std::ptrdiff_t>(extent);
  auto cut = static_cast<std::size_t>(((-shift) % n + n) % n);
  if (cut == 0) return detail::same_value("roll", x);
  return concatenate({slice(x, along(i, cut, extent)), slice(x, along(i, 0, cut))}, *axis);
}

Variable roll(const Variable& x, const Axes& shifts, const Axes& axes) {
  detail::Calling calling("roll");
  if (shifts.size() != axes.size())
    throw ShapeError("roll: " + std::to_string(shifts.size()) + " shifts for " + std::to_string(axes.size()) +
                     " axes: needs one for each");
  Variable result = detail::same_value("roll", x);
  for (auto shift = shifts.begin(), axis = axes.begin(); shift != shifts.end(); ++shift, ++axis)
    result = roll(result, *shift, *axis);
  return result;
}

namespace {

Variable triangle(const char* operation, const Variable& x, std::ptrdiff_t k, bool upper) {
  require_defined(operation, x);
  if (x.rank() < 2) throw ShapeError(std::string(operation) + ": " + to_string(x.shape()) + ", needs two axes or more");
  if (x.dtype() == DType::boolean) return triangle(operation, x.to(int64), k, upper).to(boolean);
  Variable row = expand_dims(arange(x.shape(-2)), 1), column = arange(x.shape(-1));
  return where(upper ? column - row >= k : column - row <= k, x, 0);
}

}  // namespace

Variable triu(const Variable& x, std::ptrdiff_t k) {
  detail::Calling calling("triu");
  return triangle("triu", x, k, true);
}
Variable tril(const Variable& x, std::ptrdiff_t k) {
  detail::Calling calling("tril");
  return triangle("tril", x, k, false);
}

namespace {

// Diagonal k of a dense array, along two axes.
kernels::View diagonal_view(const Shape& shape, std::ptrdiff_t k, std::size_t row, std::size_t column) {
  kernels::Strides strides = kernels::dense_strides(shape);
  kernels::View view;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i == row || i == column) continue;
    view.shape.push_back(shape[i]);
    view.strides.push_back(strides[i]);
  }
  auto rows = static_cast<std::ptrdiff_t>(shape[row]), columns = static_cast<std::ptrdiff_t>(shape[column]);
  std::ptrdiff_t length = std::max<std::ptrdiff_t>(std::min(rows + std::min<std::ptrdiff_t>(k, 0),
                                                            columns - std::max<std::ptrdiff_t>(k, 0)), 0);
  if (length > 0) view.offset = k >= 0 ? k * strides[column] : -k * strides[row];
  view.shape.push_back(static_cast<std::size_t>(length));
  view.strides.push_back(strides[row] + strides[column]);
  return view;
}

}  // namespace

Variable diagonal(const Variable& x, std::ptrdiff_t k, std::ptrdiff_t axis1, std::ptrdiff_t axis2) {
  require_defined("diagonal", x);
  std::size_t row = normalize_axis("diagonal", axis1, x.rank()), column = normalize_axis("diagonal", axis2, x.rank());
  if (row == column) throw ShapeError("diagonal: axis " + std::to_string(axis1) + " is named twice");
  return detail::read_view("diagonal", x, diagonal_view(x.shape(), k, row, column));
}

Variable diag(const Variable& x, std::ptrdiff_t k) {
  detail::Calling calling("diag");
  require_defined("diag", x);
  if (x.rank() == 2) return diagonal(x, k);
  if (x.rank() != 1) throw ShapeError("diag: " + to_string(x.shape()) + ", needs one or two axes");
  return diag_embed(x, k);
}

Variable diag_embed(const Variable& x, std::ptrdiff_t k) {
  require_defined("diag_embed", x);
  std::size_t last = normalize_axis("diag_embed", -1, x.rank());
  Shape shape = x.shape();
  std::size_t n = shape[last] + static_cast<std::size_t>(std::abs(k));
  shape[last] = n;
  shape.push_back(n);
  return detail::write_view("diag_embed", x, shape, diagonal_view(shape, k, last, last + 1));
}

Variable trace(const Variable& x) {
  detail::Calling calling("trace");
  require_defined("trace", x);
  if (x.rank() != 2) throw ShapeError("trace: " + to_string(x.shape()) + ", needs two axes");
  return sum(diagonal(x));
}

namespace {

// Which element of an axis of n stands at place i, which may lie outside.
std::ptrdiff_t padded_index(PadMode mode, std::ptrdiff_t i, std::ptrdiff_t n) {
  switch (mode) {
    case PadMode::reflect: return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i;
    case PadMode::replicate: return std::clamp<std::ptrdiff_t>(i, 0, n - 1);
    default: return (i + n) % n;
  }
}

Variable pad_axis(const Variable& x, std::size_t axis, std::size_t before, std::size_t after, PadMode mode) {
  std::size_t n = x.shape()[axis];
  std::size_t reach = mode == PadMode::reflect ? n - 1 : mode == PadMode::circular ? n : SIZE_MAX;
  if (n == 0 || before > reach || after > reach)
    throw ShapeError("pad: (" + std::to_string(before) + ", " + std::to_string(after) + ") more than axis " +
                     std::to_string(axis) + " of " + to_string(x.shape()) + " can give");
  Array indices({before + n + after}, DType::int64);
  for (std::size_t i = 0; i < indices.size(); ++i)
    indices.mutable_data<std::int64_t>()[i] =
        padded_index(mode, static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(before),
                     static_cast<std::ptrdiff_t>(n));
  return take(x, Variable(indices), static_cast<std::ptrdiff_t>(axis));
}

// x without what negative widths take away.
Variable cut(const Variable& x, const std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>>& widths) {
  std::vector<Index> inside;
  bool any = false;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    auto n = static_cast<std::ptrdiff_t>(x.shape()[i]);
    std::ptrdiff_t start = std::max<std::ptrdiff_t>(-widths[i].first, 0);
    std::ptrdiff_t stop = n - std::max<std::ptrdiff_t>(-widths[i].second, 0);
    if (start > stop)
      throw ShapeError("pad: (" + std::to_string(widths[i].first) + ", " + std::to_string(widths[i].second) +
                       ") takes more than axis " + std::to_string(i) + " of " + to_string(x.shape()) + " has");
    inside.push_back(range(start, stop));
    any = any || stop - start < n;
  }
  return any ? slice(x, inside) : x;
}

}  // namespace

Variable pad(const Variable& uncut, const std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>>& given, PadMode mode,
             const Scalar& value) {
  detail::Calling calling("pad");
  require_defined("pad", uncut);
  if (given.size() > uncut.rank())
    throw ShapeError("pad: widths for " + std::to_string(given.size()) + " axes, shape " + to_string(uncut.shape()));
  Variable x = cut(uncut, given);
  std::vector<std::pair<std::size_t, std::size_t>> widths;
  for (auto [before, after] : given)
    widths.emplace_back(std::max<std::ptrdiff_t>(before, 0), std::max<std::ptrdiff_t>(after, 0));
  if (mode != PadMode::constant) {
    Variable result = detail::same_value("pad", x);
    for (std::size_t i = 0; i < widths.size(); ++i)
      if (widths[i].first || widths[i].second) result = pad_axis(result, i, widths[i].first, widths[i].second, mode);
    return result;
  }
  Shape shape = x.shape();
  std::vector<Index> inside;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    auto start = static_cast<std::ptrdiff_t>(widths[i].first);
    inside.push_back(range(start, start + static_cast<std::ptrdiff_t>(shape[i])));
    shape[i] += widths[i].first + widths[i].second;
  }
  if (value.as_double() == 0) return unslice(x, shape, inside);
  return slice_assign(Variable(Array::full(shape, value, x.dtype(), "pad")), inside, x);
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
  view.strides[i] *= static_cast<std::ptrdiff_t>(step);
  return detail::read_view("windows", x, view);
}

}  // namespace xtape
