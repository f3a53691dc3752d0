#include <autograd/ops/indexing.hpp>

#include <algorithm>
#include <functional>
#include <variant>

#include <autograd/kernels/positions.hpp>
#include <autograd/ops/checked_indices.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/views.hpp>

namespace xtape {

namespace {

using detail::require_defined;

// Turns each index into an offset or an axis of the result.
class ViewBuilder {
 public:
  ViewBuilder(const char* operation, const kernels::View& whole, const std::vector<Index>& indices)
      : view{{}, {}, whole.offset}, operation_(operation), shape_(whole.shape), strides_(whole.strides) {
    std::size_t named = 0, ellipses = 0;
    for (const Index& index : indices) {
      named += index.kind == Index::Kind::position || index.kind == Index::Kind::range;
      ellipses += index.kind == Index::Kind::rest;
    }
    if (named > shape_.size())
      throw ShapeError(prefix() + std::to_string(named) + " indices for shape " + to_string(shape_));
    if (ellipses > 1) throw ShapeError(prefix() + "more than one ellipsis");
    for (const Index& index : indices) {
      switch (index.kind) {
        case Index::Kind::position: add(position(*index.range.start)); break;
        case Index::Kind::range: add(index.range); break;
        case Index::Kind::new_axis: push(1, 0); break;
        case Index::Kind::rest: rest(shape_.size() - named); break;
        case Index::Kind::array: break;  // Picks put ranges in their places
      }
    }
    rest(shape_.size() - axis_);
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
    auto step = static_cast<std::size_t>(range.step);  // the least one has no positive counterpart that is signed
    std::size_t count = distance <= 0 ? 0 : 1 + static_cast<std::size_t>(distance - 1) / (forward ? step : -step);
    if (count > 0) view.offset += start * strides_[axis_];
    push(count, count > 1 ? range.step * strides_[axis_] : 1);
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
  const kernels::Strides& strides_;
  std::size_t axis_ = 0;
};

kernels::View whole_of(const Shape& shape) { return {shape, kernels::dense_strides(shape), 0}; }

bool is_array(const Index& index) { return index.kind == Index::Kind::array; }
bool is_mask(const Index& index) {
  return is_array(index) && index.array.defined() && index.array.dtype() == DType::boolean;
}

// How many axes an index names.
std::size_t axes_named(const char* operation, const Index& index) {
  if (index.kind == Index::Kind::new_axis || index.kind == Index::Kind::rest) return 0;
  if (!is_mask(index)) return 1;
  if (index.array.rank() == 0) throw ShapeError(std::string(operation) + ": a 0-d mask, needs one axis or more");
  return index.array.rank();
}

// Some neighbouring axes that an array stands for, and the positions that it names in them as if they were one.
struct Pick {
  std::size_t axis, axes, extent;
  std::ptrdiff_t stride;
  Variable positions;

  // `first` counts the axes of the part that the other indices leave; `axis_of_whole` those of the whole, of `shape`.
  Pick(const char* operation, const Shape& shape, std::size_t axis_of_whole, std::size_t first, const Index& index)
      : axis(first), axes(axes_named(operation, index)) {
    auto start = shape.begin() + static_cast<std::ptrdiff_t>(axis_of_whole);
    Shape covered(start, start + static_cast<std::ptrdiff_t>(axes));
    extent = element_count(covered);
    stride = kernels::dense_strides(shape)[axis_of_whole + axes - 1];
    const Variable& array = index.array;
    if (is_mask(index) && covered != array.shape())
      throw ShapeError(std::string(operation) + ": a mask of " + to_string(array.shape()) + " for axes of " +
                       to_string(covered));
    positions = is_mask(index) ? Variable(kernels::true_positions(array.value()))
                               : detail::checked_indices(operation, array, extent, shape);
  }
};

// What arrays of indices pick of an array of some shape. The axes that they stand for are made one, in which their
// positions, which broadcast, are taken. It stands in the place of these axes if they are neighbours, else it comes
// first, as in NumPy.
class Picks {
 public:
  Picks(const char* operation, const Shape& shape, const std::vector<Index>& indices) : shape_(shape) {
    std::vector<Index> ranges;
    std::size_t named = 0;
    for (const Index& index : indices) {
      std::size_t axes = axes_named(operation, index);
      named += axes;
      ranges.insert(ranges.end(), is_array(index) ? axes : 1, is_array(index) ? Index(range()) : index);
    }
    part_ = ViewBuilder(operation, whole_of(shape), ranges).view;

    std::size_t axis = 0, axis_of_whole = 0;
    for (const Index& index : indices) {
      std::size_t axes = index.kind == Index::Kind::rest ? shape.size() - named : axes_named(operation, index);
      if (is_array(index)) picks_.emplace_back(operation, shape, axis_of_whole, axis, index);
      axis_of_whole += axes;
      if (index.kind == Index::Kind::new_axis) ++axis;
      else if (index.kind != Index::Kind::position) axis += axes;
    }
    for (const Pick& pick : picks_) count_ += pick.axes;
    neighbours_ = picks_.back().axis + picks_.back().axes == picks_.front().axis + count_;
  }

  // Where the picked elements are. Where the picked axes are neighbours and all others are whole, they are slices.
  kernels::Slices slices() const {
    bool whole = part_.offset == 0 && element_count(part_.shape) == element_count(shape_) &&
                 std::ranges::all_of(part_.strides, [](std::ptrdiff_t stride) { return stride >= 0; });
    return whole && neighbours_ ? rows() : elements();
  }

 private:
  std::size_t first() const { return neighbours_ ? picks_.front().axis : 0; }
  bool is_picked(std::size_t axis) const {
    return std::ranges::any_of(picks_, [&](const Pick& p) { return axis >= p.axis && axis < p.axis + p.axes; });
  }

  // In the picked axes as if they were one.
  Variable positions() const {
    Variable sum;
    for (const Pick& pick : picks_)
      sum = sum.defined() ? sum * static_cast<std::int64_t>(pick.extent) + pick.positions : pick.positions;
    return sum;
  }

  kernels::Slices rows() const {
    Variable at = positions();
    auto begin = part_.shape.begin(), picked = begin + static_cast<std::ptrdiff_t>(first()),
         rest = picked + static_cast<std::ptrdiff_t>(count_), end = part_.shape.end();
    kernels::Slices slices{Shape(begin, picked), element_count(Shape(begin, picked)), element_count(Shape(picked, rest)),
                           element_count(Shape(rest, end)), at.value()};
    for (std::size_t extent : at.shape()) slices.shape.push_back(extent);
    for (; rest != end; ++rest) slices.shape.push_back(*rest);
    return slices;
  }

  // Each element by its number in row-major order: the sum of what the axes and the arrays add to it.
  kernels::Slices elements() const {
    Variable picked;
    for (const Pick& pick : picks_) {
      Variable places = pick.positions * static_cast<std::int64_t>(pick.stride);
      picked = picked.defined() ? picked + places : places;
    }
    std::size_t after = 0;  // axes that follow those of the arrays
    for (std::size_t axis = first(); axis < part_.shape.size(); ++axis) after += !is_picked(axis);
    Shape shape = picked.shape();
    for (; after > 0; --after) shape.push_back(1);
    Variable numbers = reshape(picked, shape) + std::int64_t{part_.offset};

    std::size_t rank = shape.size() + (neighbours_ ? first() : 0), place = 0;
    for (std::size_t axis = 0; axis < part_.shape.size(); ++axis) {
      if (is_picked(axis)) continue;
      if (place == first()) place += picked.rank();
      Shape along(rank - place++, 1);
      along[0] = part_.shape[axis];
      numbers = numbers + reshape(arange(static_cast<std::int64_t>(along[0])), along) * std::int64_t{part_.strides[axis]};
    }
    return {numbers.shape(), 1, element_count(shape_), 1, numbers.value()};
  }

  const Shape& shape_;
  kernels::View part_;
  std::vector<Pick> picks_;
  std::size_t count_ = 0;  // of axes picked from
  bool neighbours_ = true;
};

// Where a part lies in an array.
using Where = std::variant<kernels::View, kernels::Slices>;

Where where_of(const char* operation, const Shape& shape, const std::vector<Index>& indices) {
  detail::Calling calling(operation);
  if (std::ranges::any_of(indices, is_array)) return Picks(operation, shape, indices).slices();
  return ViewBuilder(operation, whole_of(shape), indices).view;
}

const Shape& shape_of(const Where& where) {
  return std::visit([](const auto& place) -> const Shape& { return place.shape; }, where);
}

Variable read(const Variable& x, const Where& where) {
  return std::visit([&](const auto& place) { return detail::read_part("slice", x, place); }, where);
}

// A view meets no element twice. Arrays of indices may.
void require_distinct(const char* operation, const Where& where, const Shape& shape) {
  const auto* slices = std::get_if<kernels::Slices>(&where);
  if (!slices) return;
  const auto *first = slices->indices.data<std::int64_t>(), *last = first + slices->indices.size();
  if (std::adjacent_find(first, last, std::greater_equal()) == last) return;  // as those of a mask
  std::vector<std::int64_t> places(first, last);
  std::ranges::sort(places);
  if (std::ranges::adjacent_find(places) != places.end())
    throw ValueError(std::string(operation) + ": the indices name a place of " + to_string(shape) +
                     " twice; use index_add or scatter_add to add to it twice");
}

// `value` as elements of a part of x. As in NumPy, it may have more axes than the part where they are of extent 1.
Variable as_part(const char* operation, const Variable& value, const Variable& x, const Shape& part) {
  detail::Calling calling(operation);
  require_defined(operation, value);
  Variable elements = detail::as_element(operation, value, x.dtype());
  Shape shape = elements.shape();
  auto first = shape.begin();
  while (static_cast<std::size_t>(shape.end() - first) > part.size() && *first == 1) ++first;
  if (first != shape.begin()) elements = reshape(elements, Shape(first, shape.end()));
  return broadcast_to(elements, part);
}

}  // namespace

Variable slice_assign(const Variable& x, const std::vector<Index>& indices, const Variable& value) {
  require_defined("slice_assign", x);
  Where where = where_of("slice_assign", x.shape(), indices);
  require_distinct("slice_assign", where, x.shape());
  Variable part = as_part("slice_assign", value, x, shape_of(where));
  return std::visit([&](const auto& place) { return detail::assign_to_part("slice_assign", x, place, part); }, where);
}

Variable slice(const Variable& x, const std::vector<Index>& indices) {
  require_defined("slice", x);
  return read(x, where_of("slice", x.shape(), indices));
}

Variable unslice(const Variable& g, const Dims& dims, const std::vector<Index>& indices) {
  require_defined("unslice", g);
  Shape shape = dims.shape("unslice");
  element_count(shape);  // throws where offsets would be too large
  Where where = where_of("unslice", shape, indices);
  if (shape_of(where) != g.shape())
    throw ShapeError("unslice: " + to_string(g.shape()) + " for a slice of shape " + to_string(shape_of(where)));
  return std::visit([&](const auto& place) { return detail::write_part("unslice", g, shape, place); }, where);
}

// Where a part lies: in another part, or, where there is none, in the Variable that it came from.
struct detail::Place {
  std::shared_ptr<const Place> within;
  Where where;
};

namespace {

Variable read(const Variable& origin, const detail::Place& place) {
  return read(place.within ? read(origin, *place.within) : origin, place.where);
}

void overwrite(const char* operation, const Variable& origin, const detail::Place& place, const Variable& part) {
  require_distinct(operation, place.where, origin.shape());
  std::visit(
      [&](const auto& where) {
        if (!place.within) return detail::overwrite_part("slice_assign", origin, where, part);
        Variable outer = detail::assign_to_part("slice_assign", read(origin, *place.within), where, part);
        overwrite(operation, origin, *place.within, outer);
      },
      place.where);
}

}  // namespace

Part Part::of(const Variable& whole, const Variable& origin, std::shared_ptr<const detail::Place> within,
              const std::vector<Index>& indices) {
  require_defined("slice", whole);
  Where where = where_of("slice", whole.shape(), indices);
  Variable value = read(whole, where);
  const auto* outer = within ? std::get_if<kernels::View>(&within->where) : nullptr;
  if (outer && std::holds_alternative<kernels::View>(where)) {  // a view of a view is one of what that lies in
    where = ViewBuilder("slice", *outer, indices).view;
    within = within->within;
  }
  return {std::move(value), origin, std::make_shared<detail::Place>(detail::Place{std::move(within), std::move(where)})};
}

void Part::write(const char* operation, const Variable& value) {
  detail::require_writable(operation, origin_);
  overwrite(operation, origin_, *place_, as_part(operation, value, origin_, shape()));
}

void Part::update(const char* operation, const Variable& result) {
  detail::require_fits(operation, result, *this);
  write(operation, result);
}

void Part::operator=(const Variable& value) && { write("slice_assign", value); }
void Part::operator+=(const Variable& other) && { update("+=", *this + other); }
void Part::operator-=(const Variable& other) && { update("-=", *this - other); }
void Part::operator*=(const Variable& other) && { update("*=", *this * other); }
void Part::operator/=(const Variable& other) && { update("/=", *this / other); }

Part Part::operator[](const Index& index) && { return of(*this, origin_, place_, {index}); }
Part Part::operator[](std::initializer_list<Index> indices) && { return of(*this, origin_, place_, indices); }
Part Variable::operator[](const Index& index) & { return Part::of(*this, *this, nullptr, {index}); }
Part Variable::operator[](std::initializer_list<Index> indices) & { return Part::of(*this, *this, nullptr, indices); }
Variable Variable::operator[](const Index& index) const& { return slice(*this, {index}); }
Variable Variable::operator[](std::initializer_list<Index> indices) const& { return slice(*this, indices); }

}  // namespace xtape
