// Pixels that are not next to each other, for each target.
#pragma once

#include <cstddef>

#include <autograd/kernels/target.hpp>

namespace xtape::kernels {

/// Rows of n numbers, so far from the beginning of one to that of the next.
struct PixelRows {
  std::size_t n, rows = 1, from_row = 0, to_row = 0;
};

/// to[i] = from[i stride] in each row; or that is added to it.
template <Target target, class T>
void take_apart_on(const PixelRows& all, const T* from, std::size_t stride, T* to);
template <Target target, class T>
void add_taken_on(const PixelRows& all, const T* from, std::size_t stride, T* to);

/// to[i stride] += from[i] in each row. Those between may be written as they are.
template <Target target, class T>
void add_apart_on(const PixelRows& all, const T* from, T* to, std::size_t stride);

}  // namespace xtape::kernels
