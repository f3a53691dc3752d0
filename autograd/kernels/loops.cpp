#include <autograd/kernels/loops.hpp>

#include <algorithm>
#include <array>

namespace xtape::kernels {
namespace {

bool merges(const Loops::Loop& outer, const Loops::Loop& inner) {
  for (std::size_t k = 0; k < inner.step.size(); ++k)
    if (outer.step[k] != inner.step[k] * static_cast<std::ptrdiff_t>(inner.extent)) return false;
  return true;
}

}  // namespace

Loops::Loops(const Shape& shape, std::span<const Strides> strides) {
  loops.reserve(std::max<std::size_t>(shape.size(), 1));
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 1) continue;
    Loop loop{shape[axis], Strides(strides.size())};
    for (std::size_t k = 0; k < strides.size(); ++k) loop.step[k] = strides[k][axis];
    add(std::move(loop));
  }
  if (loops.empty()) loops.push_back({1, Strides(strides.size(), 0)});
}

void Loops::add(Loop next) {
  if (loops.empty() || !merges(loops.back(), next)) return loops.push_back(std::move(next));
  loops.back().extent *= next.extent;
  loops.back().step = std::move(next.step);
}

void Loops::for_each_row(Row row) const {
  for (const Loop& loop : loops)
    if (loop.extent == 0) return;
  Strides offset(inner().step.size(), 0);
  std::size_t outer = loops.size() - 1;
  std::vector<std::size_t> index(outer, 0);
  while (true) {
    row(offset.data(), inner().step.data(), inner().extent);
    std::size_t level = outer;
    while (level > 0) {
      const Loop& loop = loops[level - 1];
      for (std::size_t k = 0; k < offset.size(); ++k) offset[k] += loop.step[k];
      if (++index[level - 1] < loop.extent) break;
      for (std::size_t k = 0; k < offset.size(); ++k)
        offset[k] -= loop.step[k] * static_cast<std::ptrdiff_t>(loop.extent);
      index[--level] = 0;
    }
    if (level == 0) return;
  }
}

void for_each_row(std::span<const Array* const> arrays, Row row) {
  const Array& first = *arrays[0];
  auto fits = [&](const Array* x) { return x->has_shape_of(first); };
  if (arrays.size() <= std::size(no_offset) && std::all_of(arrays.begin() + 1, arrays.end(), fits)) {
    if (first.size() > 0) row(no_offset, step_one, first.size());
    return;
  }
  std::vector<Strides> strides;
  strides.reserve(arrays.size());
  for (const Array* x : arrays) strides.push_back(broadcast_strides(x->shape(), first.shape()));
  Loops(first.shape(), strides).for_each_row(row);
}

}  // namespace xtape::kernels
