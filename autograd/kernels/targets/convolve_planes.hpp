// Convolutions of single planes, for each target: those of channels by themselves are made of these.
#pragma once

#include <cstddef>
#include <span>

#include <autograd/kernels/target.hpp>

namespace xtape::kernels {

/// Rows of a plane that are taken apart: pixel c of a row stands in piece (c + padding) % stride of the copy's row, at
/// (c + padding) / stride. Where there is no pixel, zeros may be written up to a register beyond the last one.
struct PlaneCopy {
  std::size_t width, stride, padding;
  std::size_t piece, row;  ///< so far apart are pieces of a row, and rows
};

/// Lines of results, and how far apart they are in what they read and in what they are.
struct PlaneLines {
  std::size_t count, length, x_row, y_row;
};

/// The copy of so many rows that follow each other.
template <Target target, class T>
void take_plane_apart_on(const PlaneCopy& copy, const T* x, std::size_t rows, T* to);

/// The reverse, of rows up to `end`: y[row, i] is number i / stride of piece i % stride of that row.
template <Target target, class T>
void join_plane_on(const PlaneCopy& copy, const T* from, T* y, T* end);

/// y[line, i] = bias + sum of weights[e] x[places[e] + line x_row + i] over e. Up to a register beyond a line is read,
/// and written where that is before `end`: lines are written in their order.
template <Target target, class T>
void convolve_plane_on(const T* x, std::span<const std::size_t> places, const T* weights, T bias, const PlaneLines& lines,
                       T* y, T* end);

/// Adds the sum of y[line, i] x[places[e] + line x_row + i] over lines and i to sums[e].
template <Target target, class T>
void convolve_plane_weight_on(const T* x, std::span<const std::size_t> places, const PlaneLines& lines, const T* y,
                              T* sums);

}  // namespace xtape::kernels
