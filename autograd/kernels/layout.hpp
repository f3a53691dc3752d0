// How a kernel steps through operands of different shapes and strides: axes that step alike are walked as one.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include <autograd/shape.hpp>

namespace xtape::kernels {

using Strides = std::vector<std::ptrdiff_t>;  ///< in elements, one for each axis

/// The strides of a dense row-major array.
Strides dense_strides(const Shape& shape);

/// The strides that read `shape` as if broadcast to `result`: 0 where an axis is repeated.
Strides broadcast_strides(const Shape& shape, const Shape& result);

/// A nest of loops over N operands: extents, and each operand's step in each loop. Axes of extent 1 are dropped,
/// and neighbours that every operand crosses with one step are merged. There is always at least one loop.
template <std::size_t N>
struct Loops {
  struct Loop {
    std::size_t extent;
    std::array<std::ptrdiff_t, N> step;
  };
  std::vector<Loop> loops;  // outermost first

  Loops(const Shape& shape, const std::array<Strides, N>& strides) {
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      Loop loop{shape[axis], {}};
      for (std::size_t k = 0; k < N; ++k) loop.step[k] = strides[k][axis];
      add(loop);
    }
    if (loops.empty()) loops.push_back({1, {}});
  }

  const Loop& inner() const { return loops.back(); }

  /// Calls `row(offsets)` for the start of each innermost row, in row-major order.
  template <class F>
  void for_each_row(F&& row) const {
    for (const Loop& loop : loops)
      if (loop.extent == 0) return;
    std::array<std::ptrdiff_t, N> offset{};
    std::size_t outer = loops.size() - 1;
    std::vector<std::size_t> index(outer, 0);
    while (true) {
      row(offset);
      std::size_t level = outer;
      while (level > 0) {
        const Loop& loop = loops[level - 1];
        for (std::size_t k = 0; k < N; ++k) offset[k] += loop.step[k];
        if (++index[level - 1] < loop.extent) break;
        for (std::size_t k = 0; k < N; ++k) offset[k] -= loop.step[k] * static_cast<std::ptrdiff_t>(loop.extent);
        index[--level] = 0;
      }
      if (level == 0) return;
    }
  }

 private:
  void add(const Loop& next) {
    if (next.extent == 1) return;
    if (!loops.empty() && merges(loops.back(), next)) {
      loops.back().extent *= next.extent;
      loops.back().step = next.step;
    } else {
      loops.push_back(next);
    }
  }
  static bool merges(const Loop& outer, const Loop& inner) {
    for (std::size_t k = 0; k < N; ++k)
      if (outer.step[k] != inner.step[k] * static_cast<std::ptrdiff_t>(inner.extent)) return false;
    return true;
  }
};

}  // namespace xtape::kernels
