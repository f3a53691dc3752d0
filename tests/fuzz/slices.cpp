// x[...] and what is written to it, beside a plain loop over the positions.
#include <numeric>
#include <set>

#include <tests/fuzz/targets.hpp>

namespace xtape::fuzz {
namespace {

// The positions in x of each element of the part, or nothing where the indices do not fit.
struct Part {
  Shape shape;
  std::vector<std::size_t> places;
};

// One axis of the part before arrays are put in their place: the positions that it goes through along one axis of x.
struct Step {
  bool new_axis = false, is_array = false;
  std::size_t axis = 0;
  std::vector<std::size_t> positions = {};  // of a range, or all elements of an array
  Shape shape = {};                         // of an array
};

std::size_t axes_of(const Index& index) {
  switch (index.kind) {
    case Index::Kind::new_axis:
    case Index::Kind::rest: return 0;
    case Index::Kind::array: return index.array.dtype() == boolean ? index.array.rank() : 1;
    default: return 1;
  }
}

// As Python's slice.indices.
std::vector<std::size_t> positions_of(const Range& range, std::ptrdiff_t n) {
  auto clamp = [n](std::ptrdiff_t at, std::ptrdiff_t least, std::ptrdiff_t most) {
    if (at < 0) at = at < -n ? least : at + n;
    return std::clamp(at, least, most);
  };
  bool down = range.step < 0;
  std::ptrdiff_t least = down ? -1 : 0, most = down ? n - 1 : n;
  std::ptrdiff_t start = range.start ? clamp(*range.start, least, most) : down ? most : least;
  std::ptrdiff_t stop = range.stop ? clamp(*range.stop, least, most) : down ? least : most;
  std::vector<std::size_t> positions;
  while (down ? start > stop : start < stop) {
    positions.push_back(static_cast<std::size_t>(start));
    if (down ? range.step <= stop - start : range.step >= stop - start) break;
    start += range.step;
  }
  return positions;
}

std::optional<std::size_t> position_of(std::ptrdiff_t at, std::size_t extent) {
  auto n = static_cast<std::ptrdiff_t>(extent);
  if (at < -n || at >= n) return {};
  return static_cast<std::size_t>(at < 0 ? at + n : at);
}

std::optional<Shape> broadcast(const std::vector<Shape>& shapes) {
  Shape result;
  bool fit = allowed([&] {
    for (const Shape& shape : shapes) result = broadcast_shapes("slice", result, shape);
  });
  return fit ? std::optional(result) : std::nullopt;
}

std::optional<Part> part_of(const Variable& x, const std::vector<Index>& indices) {
  std::size_t named = 0, ellipses = 0, axis = 0;
  for (const Index& index : indices) {
    named += axes_of(index);
    ellipses += index.kind == Index::Kind::rest;
  }
  if (named > x.rank() || ellipses > 1) return {};
  std::vector<std::size_t> at(x.rank());  // of the single positions
  std::vector<Step> steps;
  auto whole = [&] {
    Step step{.axis = axis, .positions = std::vector<std::size_t>(x.shape()[axis])};
    std::iota(step.positions.begin(), step.positions.end(), 0);
    steps.push_back(step);
    ++axis;
  };
  for (const Index& index : indices) {
    if (index.kind == Index::Kind::new_axis) steps.push_back({.new_axis = true});
    else if (index.kind == Index::Kind::rest)
      for (std::size_t n = x.rank() - named; n > 0; --n) whole();
    else if (index.kind == Index::Kind::position) {
      auto position = position_of(*index.range.start, x.shape()[axis]);
      if (!position) return {};
      at[axis++] = *position;
    } else if (index.kind == Index::Kind::range) {
      if (index.range.step == 0) return {};
      steps.push_back({.axis = axis, .positions = positions_of(index.range,
          static_cast<std::ptrdiff_t>(x.shape()[axis]))});
      ++axis;
    } else if (index.array.dtype() == boolean) {
      const Shape& shape = index.array.shape();
      if (!std::equal(shape.begin(), shape.end(), x.shape().begin() + static_cast<std::ptrdiff_t>(axis))) return {};
      std::vector<Step> of_mask(shape.size());
      std::size_t count = 0;
      for (std::size_t i = 0; i < index.array.size(); ++i) {
        if (fuzz::at(index.array, i) == 0) continue;
        ++count;
        std::vector<std::size_t> place = unravel(i, shape);
        for (std::size_t k = 0; k < shape.size(); ++k) of_mask[k].positions.push_back(place[k]);
      }
      for (Step& step : of_mask) {
        step.is_array = true;
        step.axis = axis++;
        step.shape = {count};
        steps.push_back(step);
      }
    } else {
      Step step{.is_array = true, .axis = axis, .positions = {}, .shape = index.array.shape()};
      for (std::size_t i = 0; i < index.array.size(); ++i) {
        auto position = position_of(index.array.data<std::int64_t>()[i], x.shape()[axis]);
        if (!position) return {};
        step.positions.push_back(*position);
      }
      steps.push_back(step);
      ++axis;
    }
  }
  if (ellipses == 0)
    while (axis < x.rank()) whole();

  // The axes of arrays stand where the first of them does, or first of all where others are between them.
  std::vector<Shape> shapes;
  std::size_t first = steps.size(), last = 0;
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (steps[i].is_array) {
      shapes.push_back(steps[i].shape);
      first = std::min(first, i);
      last = i;
    }
  auto together = broadcast(shapes);
  if (!together) return {};
  if (!shapes.empty() && last - first + 1 != shapes.size()) first = 0;
  Part part;
  std::size_t begin = 0;  // of the arrays' axes
  std::vector<std::size_t> axis_of(steps.size());
  for (std::size_t i = 0; i <= steps.size(); ++i) {
    if (i == first && !shapes.empty()) {
      begin = part.shape.size();
      part.shape.insert(part.shape.end(), together->begin(), together->end());
    }
    if (i == steps.size() || steps[i].is_array) continue;
    axis_of[i] = part.shape.size();
    part.shape.push_back(steps[i].new_axis ? 1 : steps[i].positions.size());
  }
  for (std::size_t i = 0; i < element_count(part.shape); ++i) {
    std::vector<std::size_t> place = unravel(i, part.shape);
    for (std::size_t k = 0; k < steps.size(); ++k) {
      const Step& step = steps[k];
      if (step.new_axis) continue;
      if (!step.is_array) {
        at[step.axis] = step.positions[place[axis_of[k]]];
        continue;
      }
      std::vector<std::size_t> within(step.shape.size());
      for (std::size_t a = 0; a < within.size(); ++a)
        within[a] = step.shape[a] == 1 ? 0 : place[begin + together->size() - within.size() + a];
      at[step.axis] = step.positions[ravel_position(within, step.shape)];
    }
    part.places.push_back(ravel_position(at, x.shape()));
  }
  return part;
}

std::vector<Index> some_indices(Input& input, const Variable& x) {
  std::vector<Index> indices;
  std::size_t axis = 0;
  auto extent = [&](std::size_t a) { return a < x.rank() ? x.shape()[a] : 2; };
  for (std::size_t n = input.below(6); n > 0; --n) {
    switch (input.below(8)) {
      case 0: indices.push_back(input.between(-4, 3)); break;
      case 1: indices.push_back(input.number()); break;
      case 2: indices.push_back(newaxis); continue;
      case 3: indices.push_back(ellipsis); continue;
      case 4: indices.push_back(input.positions(input.shape(2, 3), extent(axis))); break;
      case 5: {
        Shape shape;
        for (std::size_t k = 1 + input.below(2); k > 0; --k) shape.push_back(extent(axis++));
        indices.push_back(input.integers(shape, boolean));
        continue;
      }
      default: {
        auto start = input.maybe_number(), stop = input.maybe_number();
        indices.push_back(range(start, stop, input.flag() ? input.number() : 1));
      }
    }
    ++axis;
  }
  return indices;
}

}  // namespace

void slices(Input& input) {
  Shape shape = input.shape(4, 4);
  Variable x = input.integers(shape, input.dtype());
  std::vector<Index> indices = some_indices(input, x);
  std::optional<Part> part = part_of(x, indices);

  Variable got;
  bool done = allowed([&] { got = slice(x, indices); });
  require(done == part.has_value(), done ? "read what is not there" : "refused what is there");
  if (!done) {
    require(!allowed([&] { slice_assign(x, indices, Variable(1).to(x.dtype())); }), "wrote what is not there");
    return;
  }
  require(got.shape() == part->shape && got.dtype() == x.dtype(), "a part of another shape");
  for (std::size_t i = 0; i < got.size(); ++i) require(at(got, i) == at(x, part->places[i]), "another element");

  bool once = std::set<std::size_t>(part->places.begin(), part->places.end()).size() == part->places.size();
  Variable value = input.integers(got.shape(), x.dtype()), before = x.copy(), written;
  done = allowed([&] { written = slice_assign(x, indices, value); });
  require(done == once || got.size() == 0,
      (done ? "wrote to a place twice of " : "refused to write to ") + to_string(got.shape()));
  require(fuzz::same(x, before), "wrote to x itself");
  if (done) {
    Variable expected = x.copy();
    for (std::size_t i = 0; i < part->places.size(); ++i)
      visit(x.dtype(), [&]<class T>(T) { expected.mutable_data<T>()[part->places[i]] = value.data<T>()[i]; });
    require(fuzz::same(written, expected), "wrote another element");
  }
  // What is written broadcasts, or does not fit; and it may be a part of a part.
  Variable other = input.integers(input.shape(2, 3), x.dtype());
  allowed([&] { slice_assign(x, indices, other); });
  Variable y = x.copy();
  allowed([&] {
    Index first = input.number(), second = range(input.maybe_number(), input.maybe_number(), input.number());
    y[first][second] = input.flag() ? Variable(1) : other;
  });
  if (indices.size() == 1) allowed([&] { y[indices[0]] += other; });
  if (indices.size() == 2) allowed([&] { y[{indices[0], indices[1]}] *= other; });

  Variable numbers = x.to(float64);
  differentiate(input, numbers, [&](const Variable& z) { return slice(z, indices); }, true);
  differentiate(input, value.to(float64), [&](const Variable& z) { return slice_assign(numbers * 0.0, indices, z); },
      true);
  allowed([&] { unslice(other, shape, indices); });
}

}  // namespace xtape::fuzz
