// Convolutions of images that stand as windows read them, for each target.
#pragma once

#include <cstddef>
#include <span>

#include <autograd/kernels/target.hpp>

namespace xtape::kernels {

/// How many windows are computed at once: what belongs to them stays in the cache. No run is longer.
inline constexpr std::size_t part_windows = 448;

/// Windows that stand one after the other in memory, from number `first` on.
struct Run {
  std::size_t first, count, offset;
  std::size_t begin, end;  ///< the rows that are not zeros alone
};

/// What windows read of some images: a matrix with a row for each element of each channel, and a column for each window.
/// Element (l, p) is data[rows[l] + offset + p - first] of the run that p belongs to.
template <class T>
struct WindowMatrix {
  const T* data;
  std::span<const std::size_t> rows;
  std::span<const Run> runs;
  std::size_t together;       ///< so many rows, from a multiple of it on, are zeros for the same runs
  std::size_t first_row = 0;  ///< as runs count them

  std::size_t first() const { return runs.front().first; }
  std::size_t columns() const { return runs.back().first + runs.back().count - first(); }
  /// Some of the rows.
  WindowMatrix slice(std::size_t row, std::size_t count) const {
    return {data, rows.subspan(row, count), runs, together, first_row + row};
  }
};

/// The results of these windows, or their gradient. Runs are of one sample each.
template <class T>
struct WindowResults {
  T* data;
  std::size_t channels;
  std::size_t positions;  ///< of a sample: those of a channel stand one after the other
  std::size_t step;       ///< from sample to sample

  T* at(std::size_t channel, std::size_t p) const {
    return data + p / positions * step + channel * positions + p % positions;
  }
};

/// Whether registers hold windows rather than channels: where these would leave half of a register empty, and where it
/// is less work than to turn results around. `line` windows or more stand one after the other.
template <Target target, class T>
bool holds_windows_on(std::size_t channels, std::size_t depth, std::size_t line);

/// The weights (channels, depth) and biases in the order in which convolve_on reads them. Row places[l] of the matrix is
/// what weight l of each channel multiplies; `by_windows` is what convolve_on is given as well. The biases may be null.
/// `to` has room for packed_weights(channels, depth) numbers.
template <Target target, class T>
void pack_weights_on(const T* weights, const T* biases, std::size_t channels, std::span<const std::size_t> places,
                     bool by_windows, T* to);
inline std::size_t packed_weights(std::size_t channels, std::size_t depth) {
  constexpr std::size_t widest_register = 16;
  return (channels + widest_register) * (depth + 1) + widest_register;
}

/// The products of weights with what windows read, in all rows: y[o, p] = bias[o] + sum of w[o, l] x[l, p] over l.
template <Target target, class T>
void convolve_on(const WindowMatrix<T>& x, const T* weights, bool by_windows, const WindowResults<T>& y);

/// Adds the sum of x[l, p] g[o, p] over p to sums[l, o].
template <Target target, class T>
void convolve_weight_on(const WindowMatrix<T>& x, const WindowResults<const T>& g, T* sums);

}  // namespace xtape::kernels
