// The greatest numbers in the windows of a plane, for each target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <autograd/kernels/target.hpp>
#include <autograd/kernels/windows.hpp>

namespace xtape::kernels {

// What one element of the windows of a line reads: window i of the span reads pixel start + i stride.
struct Row {
  std::size_t number;
  std::ptrdiff_t start;
  Span span;
};

// A line of windows, which knows the pixels of one plane: that of the first window is before it where there is padding.
struct MaxLine {
  std::ptrdiff_t first_pixel;
  std::vector<Row> rows;
};

/// What the windows of each plane have in common.
template <class T>
struct MaxPlan {
  const std::vector<MaxLine>& lines;
  const std::vector<std::ptrdiff_t>& offsets;  ///< how far each element of a window is from the first, in pixels
  const std::vector<T>& offset_numbers;        ///< the same
  std::size_t positions, stride;               ///< of the windows of a line
  bool by_registers;                           ///< whether T can tell offsets apart
};

/// The values of the windows of a plane, and the pixels that they are from. `end` is that of all images.
template <Target target, class T>
void max_plane_on(const MaxPlan<T>& plan, const T* plane, const T* end, T* values, std::int64_t* indices);

}  // namespace xtape::kernels
