#include <autograd/kernels/loops.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

#include <autograd/kernels/dense.hpp>
#include <autograd/kernels/parallel.hpp>

namespace xtape::kernels {
namespace {

bool merges(const Loops::Loop& outer, const Loops::Loop& inner) {
  for (std::size_t k = 0; k < inner.step.size(); ++k)
    if (static_cast<std::size_t>(outer.step[k]) != static_cast<std::size_t>(inner.step[k]) * inner.extent) return false;
  return true;
}

}  // namespace

Loops::Loops(const Shape& shape, std::span<const Strides> strides) {
  if (std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end()) {
    add(0, strides.size());  // of large extents, steps would overflow
    return;
  }
  loops.reserve(std::max<std::size_t>(shape.size(), 1));
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 1) continue;
    Loop& loop = add(shape[axis], strides.size());
    for (std::size_t k = 0; k < strides.size(); ++k) loop.step[k] = strides[k][axis];
    merge_last();
  }
  if (loops.empty()) add(1, strides.size());
}

// In its place: xtensor's svector needs memory to be moved, where it says that it cannot fail.
Loops::Loop& Loops::add(std::size_t extent, std::size_t operands) {
  Loop& loop = loops.emplace_back();
  loop.extent = extent;
  loop.step.resize(operands);
  std::fill(loop.step.begin(), loop.step.end(), 0);
  return loop;
}

void Loops::merge_last() {
  if (loops.size() < 2) return;
  const Loop& inner = loops.back();
  Loop& outer = loops[loops.size() - 2];
  if (!merges(outer, inner)) return;
  outer.extent *= inner.extent;
  std::copy(inner.step.begin(), inner.step.end(), outer.step.begin());
  loops.pop_back();
}

std::size_t Loops::size() const {
  std::size_t result = 1;
  for (const Loop& loop : loops) result *= loop.extent;
  return result;
}

void Loops::for_each_row(std::size_t begin, std::size_t end, Row row) const {
  if (begin == end) return;
  Strides offset(inner().step.size(), 0);
  auto move = [&](const Loop& loop, std::ptrdiff_t times) {
    for (std::size_t k = 0; k < offset.size(); ++k) offset[k] += times * loop.step[k];
  };
  // Where the first row stands, from the innermost loop outwards.
  std::vector<std::size_t> index(loops.size(), 0);
  for (std::size_t level = loops.size(), rest = begin; level-- > 0; rest /= loops[level].extent) {
    index[level] = rest % loops[level].extent;
    move(loops[level], static_cast<std::ptrdiff_t>(index[level]));
  }
  std::size_t first = index.back();
  while (true) {
    std::size_t n = std::min(inner().extent - first, end - begin);
    row(offset.data(), inner().step.data(), n);
    begin += n;
    if (begin == end) return;
    move(inner(), -static_cast<std::ptrdiff_t>(std::exchange(first, 0)));
    std::size_t level = loops.size() - 1;
    while (true) {
      const Loop& loop = loops[--level];
      move(loop, 1);
      if (++index[level] < loop.extent) break;
      move(loop, -static_cast<std::ptrdiff_t>(std::exchange(index[level], 0)));
    }
  }
}

void for_each_row(std::span<const Array* const> arrays, Row row) {
  const Array& first = *arrays[0];
  auto fits = [&](const Array* x) { return x->has_shape_of(first); };
  if (arrays.size() <= std::size(step_one) && std::all_of(arrays.begin() + 1, arrays.end(), fits)) {
    // One row, which parallel_for cuts at whole registers.
    parallel_for(first.size(), worth_a_thread, [&](std::size_t begin, std::size_t end) {
      std::ptrdiff_t offset[std::size(step_one)];
      std::fill_n(offset, arrays.size(), static_cast<std::ptrdiff_t>(begin));
      row(offset, step_one, end - begin);
    });
    return;
  }
  std::vector<Strides> strides;
  strides.reserve(arrays.size());
  for (const Array* x : arrays) {
    const Strides own = broadcast_strides(x->shape(), first.shape());
    strides.push_back(own);  // a copy: see Loops::add
  }
  const Loops loops(first.shape(), strides);
  parallel_for(loops.size(), worth_a_thread, [&](std::size_t begin, std::size_t end) {
    loops.for_each_row(loops.cut(begin), loops.cut(end), row);
  });
}

}  // namespace xtape::kernels
