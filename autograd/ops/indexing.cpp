#include <autograd/ops/indexing.hpp>

#include <algorithm>
#include <numeric>

#include <autograd/kernels/indexed.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/define_elementwise.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/views.hpp>
#include <autograd/tape.hpp>

namespace xtape {

namespace detail {

namespace {

// The elements of x where nobody else has this handle, so that they can be written in place.
Array taken(Variable& x) { return x.impl()->references == 1 ? std::move(x.impl()->value) : x.value(); }

class ReadView final : public OperationOf<ReadView> {
 public:
  ReadView(const char* name, const kernels::View& view, Shape shape)
      : OperationOf(name), view_(view), shape_(std::move(shape)) {}

  void evaluate(std::span<const Array> operands, std::span<Array> results) override {
    results[0] = kernels::copy_view(operands[0], view_);
  }

  // Many parts of one array add up in one gradient: to read all elements one by one takes time in proportion to them.
  bool adds_to_gradients() const override { return true; }

  void backward(const Node&, std::span<Variable> gradients, std::span<InputGradient> inputs) const override {
    Variable sum = std::move(inputs[0].value);
    if (!sum.defined()) sum = Variable(Array::full(shape_, 0, gradients[0].dtype()));
    inputs[0].value = add_to_view(name(), std::move(sum), view_, gradients[0]);
  }

 private:
  kernels::View view_;
  Shape shape_;
};

// Operands: the whole, of which only the place in the graph counts, and the part that is written into its elements.
class WriteView final : public OperationOf<WriteView> {
 public:
  WriteView(const char* name, const kernels::View& view, bool adds, Array elements)
      : OperationOf(name), view_(view), adds_(adds), elements_(std::move(elements)) {}

  bool mixes_dtypes() const override { return true; }

  void evaluate(std::span<const Array> operands, std::span<Array> results) override {
    if (adds_) kernels::add_view(elements_, view_, operands[1]);
    else kernels::assign_view(elements_, view_, operands[1]);
    results[0] = std::move(elements_);
  }

  void backward(const Node&, std::span<Variable> gradients, std::span<InputGradient> inputs) const override {
    if (inputs[1].wanted) inputs[1].value = read_view(name(), gradients[0], view_);
    if (!inputs[0].wanted) return;
    Variable g = std::move(gradients[0]);
    if (adds_) inputs[0].value = std::move(g);
    else inputs[0].value = assign_to_view(name(), std::move(g), view_, zeros(view_.shape, g.dtype()));
  }

 private:
  kernels::View view_;
  bool adds_;
  Array elements_;  // until they are handed over
};

}  // namespace

Variable read_view(const char* operation, const Variable& x, const kernels::View& view) {
  ReadView read(operation, view, x.shape());
  return perform(read, std::array{&x});
}

Variable add_to_view(const char* operation, Variable x, const kernels::View& view, const Variable& part) {
  WriteView write(operation, view, true, taken(x));
  return perform(write, std::array<const Variable*, 2>{&x, &part});
}

Variable assign_to_view(const char* operation, Variable x, const kernels::View& view, const Variable& part) {
  WriteView write(operation, view, false, taken(x));
  return perform(write, std::array<const Variable*, 2>{&x, &part});
}

Variable write_view(const char* operation, const Variable& x, const Shape& shape, const kernels::View& view) {
  return add_to_view(operation, Variable(Array::full(shape, 0, x.dtype())), view, x);
}

}  // namespace detail

namespace {

using detail::require_defined;
using detail::require_integers;

// Where in the flattened mask it is true.
Variable true_positions(const Variable& mask) {
  std::vector<std::int64_t> found;
  const bool* chosen = mask.data<bool>();
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (chosen[i]) found.push_back(static_cast<std::int64_t>(i));
  Array result({found.size()}, DType::int64);
  std::copy(found.begin(), found.end(), result.mutable_data<std::int64_t>());
  return Variable(std::move(result));
}

// Turns each index into an offset or an axis of the result.
class ViewBuilder {
 public:
  ViewBuilder(const char* operation, const Shape& shape, const std::vector<Index>& indices)
      : operation_(operation), shape_(shape), strides_(kernels::dense_strides(shape)) {
    std::size_t named = 0, ellipses = 0;
    for (const Index& index : indices) {
      named += index.kind == Index::Kind::position || index.kind == Index::Kind::range;
      ellipses += index.kind == Index::Kind::ellipsis;
    }
    if (named > shape.size())
      throw ShapeError(prefix() + std::to_string(named) + " indices for shape " + to_string(shape));
    if (ellipses > 1) throw ShapeError(prefix() + "more than one ellipsis");
    for (const Index& index : indices) {
      switch (index.kind) {
        case Index::Kind::position: add(position(*index.range.start)); break;
        case Index::Kind::range: add(index.range); break;
        case Index::Kind::new_axis: push(1, 0); break;
        case Index::Kind::ellipsis: rest(shape.size() - named); break;
        case Index::Kind::array: throw ValueError(prefix() + "an array of indices; use scatter");
      }
    }
    rest(shape.size() - axis_);
  }

  kernels::View view;

 private:
  std::string prefix() const { return std::string(operation_) + ": "; }
  std::ptrdiff_t extent() const { return static_cast<std::ptrdiff_t>(shape_[axis_]); }

  std::ptrdiff_t position(std::ptrdiff_t at) const {
    if (at < -extent() || at >= extent())
      throw ValueError(prefix() + "index " + std::to_string(at) + " is out of range for axis " + std::to_string(axis_) +
                       " of " + to_string(shape_));
    return at < 0 ? at + extent() : at;
  }

  void add(std::ptrdiff_t position) { view.offset += position * strides_[axis_++]; }

  // Python's rules: ends count from the back when negative, and beyond the axis they mean its end.
  void add(const Range& range) {
    if (range.step == 0) throw ValueError(prefix() + "a range with step 0");
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

  const char* operation_;
  const Shape& shape_;
  kernels::Strides strides_;
  std::size_t axis_ = 0;
};

// Indices that are all in [0, extent): negative ones have been turned.
Array checked_indices(const char* operation, const Variable& indices, std::size_t extent, const Shape& shape) {
  require_integers(operation, indices);
  Array result = indices.value();
  auto n = static_cast<std::int64_t>(extent);
  for (std::size_t i = 0; i < result.size(); ++i) {
    std::int64_t index = result.data<std::int64_t>()[i];
    if (index < -n || index >= n)
      throw ValueError(std::string(operation) + ": index " + std::to_string(index) + " is out of range for an axis of " +
                       std::to_string(extent) + " of " + to_string(shape));
    if (index < 0) result.mutable_data<std::int64_t>()[i] = index + n;
  }
  return result;
}

Variable take_checked(const Variable& x, const Array& indices, std::size_t axis);

Variable take_adjoint(const Variable& g, const Array& indices, std::size_t axis, const Shape& shape) {
  return record("take_adjoint", [=](const Array& v) { return kernels::take_adjoint(v, indices, axis, shape); },
                wrt(g, [indices, axis](const Variable& h) { return take_checked(h, indices, axis); }));
}

Variable take_checked(const Variable& x, const Array& indices, std::size_t axis) {
  return record("take", [=](const Array& v) { return kernels::take(v, indices, axis); },
                wrt(x, [indices, axis, shape = x.shape()](const Variable& g) {
                  return take_adjoint(g, indices, axis, shape);
                }));
}

// Some neighbouring axes of x that an array stands for, and the positions that it names in them as if they were one.
struct Pick {
  std::size_t axis, axes, extent;
  Variable positions;

  Pick(const Variable& x, std::size_t first, const Variable& array) : axis(first) {
    bool is_mask = array.defined() && array.dtype() == DType::boolean;
    axes = is_mask ? array.rank() : 1;
    auto start = x.shape().begin() + static_cast<std::ptrdiff_t>(axis);
    Shape covered(start, start + static_cast<std::ptrdiff_t>(axes));
    extent = element_count(covered);
    if (is_mask && covered != array.shape())
      throw ShapeError("slice: a mask of " + to_string(array.shape()) + " for axes of " + to_string(covered));
    positions = is_mask ? true_positions(array) : Variable(checked_indices("slice", array, extent, x.shape()));
  }
};

bool has_arrays(const std::vector<Index>& indices) {
  return std::any_of(indices.begin(), indices.end(), [](auto& i) { return i.kind == Index::Kind::array; });
}

// How many axes an index names.
std::size_t axes_named(const Index& index) {
  if (index.kind == Index::Kind::new_axis || index.kind == Index::Kind::ellipsis) return 0;
  bool is_mask = index.kind == Index::Kind::array && index.array.defined() && index.array.dtype() == DType::boolean;
  if (is_mask && index.array.rank() == 0) throw ShapeError("slice: a 0-d mask, needs one axis or more");
  return is_mask ? index.array.rank() : 1;
}

// The axes that arrays stand for are made one, in which their positions, which broadcast, are taken. It stands in the
// place of these axes if they are neighbours, else it comes first, as in NumPy.
Variable slice_by_arrays(const Variable& x, const std::vector<Index>& indices) {
  detail::Calling calling("slice");
  std::vector<Index> ranges;
  std::size_t named = 0;
  for (const Index& index : indices) {
    bool is_array = index.kind == Index::Kind::array;
    named += axes_named(index);
    ranges.insert(ranges.end(), is_array ? axes_named(index) : 1, is_array ? Index(range()) : index);
  }
  Variable part = slice(x, ranges);

  std::vector<Pick> picks;
  std::size_t axis = 0;
  for (const Index& index : indices) {
    if (index.kind == Index::Kind::ellipsis) axis += x.rank() - named;
    else if (index.kind == Index::Kind::array) axis += picks.emplace_back(part, axis, index.array).axes;
    else if (index.kind != Index::Kind::position) ++axis;
  }

  std::vector<std::ptrdiff_t> places;
  Variable positions;
  for (const Pick& pick : picks) {
    for (std::size_t i = 0; i < pick.axes; ++i) places.push_back(static_cast<std::ptrdiff_t>(pick.axis + i));
    positions = positions.defined() ? positions * pick.extent + pick.positions : pick.positions;
  }
  auto count = static_cast<std::ptrdiff_t>(places.size()), first = places.front();
  if (places.back() != first + count - 1) {
    std::vector<std::ptrdiff_t> front(places.size());
    std::iota(front.begin(), front.end(), first = 0);
    part = movedim(part, places, front);
  }
  return take(flatten(part, first, first + count - 1), positions, first);
}

}  // namespace

Variable detail::take_along_adjoint(const Variable& g, const Array& indices, std::size_t axis, const Shape& shape) {
  return record("take_along_axis_adjoint",
                [=](const Array& v) { return kernels::take_along_axis_adjoint(v, indices, axis, shape); },
                wrt(g, [indices, axis](const Variable& h) { return detail::take_along(h, indices, axis); }));
}

Variable detail::take_along(const Variable& x, const Array& indices, std::size_t axis) {
  return record("take_along_axis", [=](const Array& v) { return kernels::take_along_axis(v, indices, axis); },
                wrt(x, [indices, axis, shape = x.shape()](const Variable& g) {
                  return take_along_adjoint(g, indices, axis, shape);
                }));
}

Variable slice(const Variable& x, const std::vector<Index>& indices) {
  require_defined("slice", x);
  if (has_arrays(indices)) return slice_by_arrays(x, indices);
  return detail::read_view("slice", x, ViewBuilder("slice", x.shape(), indices).view);
}

Variable unslice(const Variable& g, const Dims& dims, const std::vector<Index>& indices) {
  detail::Calling calling("unslice");
  require_defined("unslice", g);
  Shape shape = dims.shape("unslice");
  ViewBuilder builder("unslice", shape, indices);
  if (builder.view.shape != g.shape())
    throw ShapeError("unslice: " + to_string(g.shape()) + " for a slice of shape " + to_string(builder.view.shape));
  return detail::write_view("unslice", g, shape, builder.view);
}

Variable slice_assign(const Variable& x, const std::vector<Index>& indices, const Variable& value) {
  detail::Calling calling("slice_assign");
  require_defined("slice_assign", x);
  require_defined("slice_assign", value);
  const Variable elements = detail::as_element("slice_assign", value, x.dtype());
  if (has_arrays(indices)) {
    // Of the numbers of all elements, the same part says where the values go.
    Variable places = slice(reshape(arange(static_cast<std::int64_t>(x.size())), x.shape()), indices);
    Variable values = broadcast_to(elements, places.shape());
    return reshape(scatter(reshape(x, {-1}), 0, reshape(places, {-1}), reshape(values, {-1})), x.shape());
  }
  kernels::View view = ViewBuilder("slice_assign", x.shape(), indices).view;
  Variable part = broadcast_to(elements, view.shape);
  return detail::assign_to_view("slice_assign", x, view, part);
}

Variable Variable::operator[](const Index& index) const { return slice(*this, {index}); }
Variable Variable::operator[](std::initializer_list<Index> indices) const { return slice(*this, indices); }

Variable take(const Variable& x, const Variable& indices, std::ptrdiff_t axis) {
  require_defined("take", x);
  std::size_t i = normalize_axis("take", axis, x.rank());
  return take_checked(x, checked_indices("take", indices, x.shape()[i], x.shape()), i);
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
  Array checked = checked_indices("take_along_axis", broadcast_to(indices, to_all), x.shape()[i], x.shape());
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
std::vector<Index> reach(const char* operation, const Variable& x, std::size_t axis, const Variable& indices) {
  std::vector<Index> part;
  bool fits = indices.rank() == x.rank();
  for (std::size_t i = 0; fits && i < x.rank(); ++i) {
    fits = i == axis || indices.shape()[i] <= x.shape()[i];
    part.push_back(range(0, static_cast<std::ptrdiff_t>(i == axis ? x.shape()[i] : indices.shape()[i])));
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
  std::vector<Index> part = reach(operation, x, i, indices);
  const Variable elements = detail::as_element(operation, source, x.dtype());
  Variable values = source.impl()->weak ? broadcast_to(elements, indices.shape())
                                        : slice(elements, reach(operation, source, source.rank(), indices));
  if (values.shape() != indices.shape())
    throw ShapeError(std::string(operation) + ": a source of " + to_string(source.shape()) + " for indices of " +
                     to_string(indices.shape()) + ": needs that shape");
  Shape within = indices.shape();
  within[i] = x.shape()[i];
  Array checked = checked_indices(operation, indices, x.shape()[i], x.shape());
  return unslice(detail::take_along_adjoint(values, checked, i, within), x.shape(), part);
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
  Variable part = slice(x, reach("gather", x, i, indices));
  return detail::take_along(part, checked_indices("gather", indices, x.shape()[i], x.shape()), i);
}

Variable scatter_add(const Variable& x, std::ptrdiff_t axis, const Variable& indices, const Variable& source) {
  detail::Calling calling("scatter_add");
  return x + scatter_zeros("scatter_add", x, axis, indices, source);
}

Variable scatter(const Variable& x, std::ptrdiff_t axis, const Variable& indices, const Variable& source) {
  detail::Calling calling("scatter");
  Variable placed = scatter_zeros("scatter", x, axis, indices, source);
  Variable count = scatter_zeros("scatter", zeros(x.shape(), int64), axis, indices, 1);
  if (sum(count > 1).item() > 0)
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
  Array checked = checked_indices("index_fill", indices, x.shape()[i], x.shape());
  Shape along(x.rank() - i, 1);
  along[0] = x.shape()[i];
  Array mask = Array::full(along, 0, DType::boolean);
  for (std::size_t k = 0; k < checked.size(); ++k) mask.mutable_data<bool>()[checked.data<std::int64_t>()[k]] = true;
  return where(Variable(std::move(mask)), detail::as_element("index_fill", value, x.dtype()), x);
}

Variable masked_scatter(const Variable& x, const Variable& mask, const Variable& source) {
  detail::Calling calling("masked_scatter");
  require_defined("masked_scatter", x);
  require_defined("masked_scatter", mask);
  require_defined("masked_scatter", source);
  if (mask.dtype() != DType::boolean)
    throw DTypeError(std::string("masked_scatter: a mask of ") + to_string(mask.dtype()) + ", needs bool");
  Variable chosen = broadcast_to(mask, x.shape()), order = cumsum(reshape(chosen, {-1}).to(int64), 0);
  std::size_t count = static_cast<std::size_t>(sum(chosen).item());
  if (count > source.size())
    throw ShapeError("masked_scatter: a source of " + to_string(source.shape()) + " for a mask that holds in " +
                     std::to_string(count) + " places");
  if (count == 0) return positive(x);
  Variable next = take(reshape(source, {-1}), reshape(maximum(order - 1, 0), x.shape()));
  return where(chosen, next, x);
}

Variable masked_select(const Variable& x, const Variable& mask) {
  detail::Calling calling("masked_select");
  require_defined("masked_select", x);
  require_defined("masked_select", mask);
  if (mask.dtype() != DType::boolean)
    throw DTypeError(std::string("masked_select: a mask of ") + to_string(mask.dtype()) + ", needs bool");
  Shape shape = broadcast_shapes("masked_select", x.shape(), mask.shape());
  return take(reshape(broadcast_to(x, shape), {-1}), true_positions(broadcast_to(mask, shape)));
}

Variable masked_fill(const Variable& x, const Variable& mask, const Variable& value) {
  detail::Calling calling("masked_fill");
  require_defined("masked_fill", x);
  return where(mask, detail::as_element("masked_fill", value, x.dtype()), x);
}

Variable one_hot(const Variable& indices, std::optional<std::size_t> given, DType dtype) {
  detail::Calling calling("one_hot");
  require_integers("one_hot", indices);
  if (!given && indices.size() == 0) throw ValueError("one_hot: no indices, needs a number of classes");
  std::size_t classes = given ? *given : static_cast<std::size_t>(std::max(max(indices).item(), 0.0)) + 1;
  Array checked = checked_indices("one_hot", indices, classes, {classes});
  if (sum(indices < 0).item() > 0) throw ValueError("one_hot: a negative class");
  Shape shape = indices.shape();
  shape.push_back(classes);
  Array result = Array::full(shape, 0, dtype);
  visit(dtype, [&]<class T>(T) {
    T* row = result.mutable_data<T>();
    for (std::size_t i = 0; i < checked.size(); ++i, row += classes) row[checked.data<std::int64_t>()[i]] = T(1);
  });
  return Variable(std::move(result));
}

WithIndices sort(const Variable& x, std::ptrdiff_t axis, bool descending) {
  detail::Calling calling("sort");
  Variable order = argsort(x, axis, descending);
  return {take_along_axis(x, order, axis), order};
}

Variable argsort(const Variable& x, std::ptrdiff_t axis, bool descending) {
  detail::Calling calling("argsort");
  return detail::with_an_axis("sort", x, [&](auto& v) {
    return Variable(kernels::argsort(v.value(), normalize_axis("sort", axis, v.rank()), descending));
  });
}

WithIndices topk(const Variable& x, std::size_t k, std::ptrdiff_t axis, bool largest) {
  detail::Calling calling("topk");
  require_defined("topk", x);
  if (x.rank() == 0 && k == 1) return sort(x, axis);
  std::size_t i = normalize_axis("topk", axis, x.rank());
  if (k > x.shape()[i])
    throw ValueError("topk: the " + std::to_string(k) + " first of an axis of " + std::to_string(x.shape()[i]) + " of " +
                     to_string(x.shape()));
  std::vector<Index> first(i, Index(range()));
  first.push_back(range(0, static_cast<std::ptrdiff_t>(k)));
  Variable order = slice(argsort(x, axis, largest), first);
  return {take_along_axis(x, order, axis), order};
}

}  // namespace xtape
