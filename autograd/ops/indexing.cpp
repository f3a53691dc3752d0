#include <autograd/ops/indexing.hpp>

#include <algorithm>
#include <numeric>

#include <autograd/kernels/positions.hpp>
#include <autograd/ops/checked_indices.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/define_elementwise.hpp>
#include <autograd/ops/gathering.hpp>
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
    positions = is_mask ? Variable(kernels::true_positions(array.value()))
                        : Variable(detail::checked_indices("slice", array, extent, x.shape()));
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

}  // namespace xtape
