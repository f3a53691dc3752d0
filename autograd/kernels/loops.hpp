// The one driver of loops over elements: it walks arrays of different shapes and strides together, row by row.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <autograd/array.hpp>
#include <autograd/kernels/function_ref.hpp>
#include <autograd/kernels/layout.hpp>

namespace xtape::kernels {

/// What a kernel does with a row, n elements of each operand: the first is at `offset[k]`, each next one `step[k]`
/// further, in elements.
using Row = FunctionRef<void(const std::ptrdiff_t* offset, const std::ptrdiff_t* step, std::size_t n)>;

/// A multiple of the numbers that any register holds.
inline constexpr std::size_t most_lanes = 128;

/// A nest of loops over operands: extents, and each operand's step in each loop. Axes of extent 1 are dropped, and
/// neighbours that every operand crosses with one step are merged. There is always at least one loop.
struct Loops {
  struct Loop {
    std::size_t extent = 0;
    Strides step;  ///< one for each operand
  };
  std::vector<Loop> loops;  ///< outermost first

  Loops(const Shape& shape, std::span<const Strides> strides);

  const Loop& inner() const { return loops.back(); }

  /// Calls `row` for each pass through the innermost loop, in row-major order.
  void for_each_row(Row row) const { for_each_row(0, size(), row); }
  /// The same for the elements from number `begin` to `end` only: the first and the last row may be parts of one.
  void for_each_row(std::size_t begin, std::size_t end, Row row) const;

  /// The number of elements.
  std::size_t size() const;

  /// Where to cut near this element, so that rows go on in whole registers: some functions look at all of a register to
  /// choose how they compute, and results do not depend on the cuts.
  std::size_t cut(std::size_t element) const { return element - element % inner().extent % most_lanes; }

 private:
  Loop& add(std::size_t extent, std::size_t operands);
  void merge_last();
};

/// Calls `row` for the rows of arrays that are walked together, as if broadcast to the shape of the first; where they are
/// large, in several threads, and for parts of rows.
void for_each_row(std::span<const Array* const> arrays, Row row);

}  // namespace xtape::kernels
