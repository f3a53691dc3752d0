// Images with the zeros around them that windows read, and what the windows read as columns of a matrix.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include <autograd/array.hpp>
#include <autograd/kernels/simd.hpp>
#include <autograd/kernels/windows.hpp>

namespace xtape::kernels {

/// Some samples of a batch, and of their channels those of one group.
struct Samples {
  std::size_t group, first, count;
};

/// Some lines of windows.
struct Lines {
  std::size_t first, count;
};

/// Copies of the images of some samples, laid out so that each line of windows reads one piece of memory per element:
/// with the padding, and where windows step by more than one along the width, with the pixels of each row sorted by
/// their remainders.
///
/// Columns are (channels, elements, samples, lines, windows of a line), in row-major order. They are read and written in
/// whole registers, in ascending order: one register's worth of anything follows them.
template <class T>
class PaddedImages {
  static constexpr std::size_t lanes = Batch<T>::size;

 public:
  /// For up to so many samples; channels are those of one of the groups.
  PaddedImages(const Windows& windows, std::size_t groups, std::size_t channels, std::size_t samples)
      : w_(windows), groups_(groups), channels_(channels) {
    std::array<std::size_t, 3> reach;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      reach[axis] = (w_.extent[axis] - 1) * w_.dilation[axis] + 1;
      extent_[axis] = (std::max<std::size_t>(w_.positions[axis], 1) - 1) * w_.stride[axis] + reach[axis];
    }
    sort_row(std::min(w_.stride[2], reach[2]));
    // So long that a register which is added to a line has no part in the next one: this would have to wait for it.
    std::size_t registers = (w_.positions[2] + lanes - 1) / lanes * lanes;
    row_ = std::max(row_, (registers + w_.stride[1] - 1) / w_.stride[1]);
    for (std::size_t d = 0; d < w_.extent[0]; ++d)
      for (std::size_t h = 0; h < w_.extent[1]; ++h)
        for (std::size_t k = 0; k < w_.extent[2]; ++k)
          elements_.push_back(row(d * w_.dilation[0], h * w_.dilation[1]) + column(k * w_.dilation[2]));
    std::size_t size = element_count({samples, channels_, extent_[0], extent_[1], row_});  // which may not overflow
    images_ = Array::full({size + lanes}, 0, dtype_of<T>());
    data_ = images_.template mutable_data<T>();
  }

  /// Takes the images of these samples from a batch of images.
  void load(const T* x, const Samples& samples) {
    for_each_piece(samples, [&](std::size_t pixel, std::size_t place, std::size_t n) {
      with_step(w_.stride[2], [&, to = data_ + place, from = x + pixel](auto step) {
        for (std::size_t i = 0; i < n; ++i) to[i] = from[i * step];
      });
    });
  }
  void clear() { std::fill_n(data_, images_.size(), T(0)); }
  /// Adds the images of these samples, without the padding, to those of a batch.
  void add_to(T* x, const Samples& samples) const {
    for_each_piece(samples, [&](std::size_t pixel, std::size_t place, std::size_t n) {
      with_step(w_.stride[2], [&, to = x + pixel, from = data_ + place](auto step) {
        for (std::size_t i = 0; i < n; ++i) to[i * step] += from[i];
      });
    });
  }

  /// Fills the columns of some lines.
  void gather(T* columns, const Samples& samples, const Lines& lines) {
    for_each_run(samples, lines, [&](std::size_t place, std::size_t count) {
      const T* from = data_ + place;
      for (; count > 0; --count, columns += line(), from += w_.stride[1] * row_)
        for (std::size_t i = 0; i < line(); i += lanes) R::load_unaligned(from + i).store_unaligned(columns + i);
    });
  }
  /// Adds the columns of some lines to the pixels that they were read from.
  void scatter(const T* columns, const Samples& samples, const Lines& lines) {
    const auto inside = first_lanes<T>() < R(static_cast<T>(line() % lanes));
    for_each_run(samples, lines, [&](std::size_t place, std::size_t count) {
      T* to = data_ + place;
      for (; count > 0; --count, columns += line(), to += w_.stride[1] * row_) {
        std::size_t i = 0;
        for (; i + lanes <= line(); i += lanes)
          (R::load_unaligned(to + i) + R::load_unaligned(columns + i)).store_unaligned(to + i);
        if (i == line()) continue;
        R rest = xsimd::select(inside, R::load_unaligned(columns + i), R(T(0)));
        (R::load_unaligned(to + i) + rest).store_unaligned(to + i);
      }
    });
  }

 private:
  using R = Batch<T>;

  // Windows of one line that are read one after the other, and how many such lines.
  struct Run {
    std::size_t place, lines;
  };

  std::size_t line() const { return w_.positions[2]; }
  std::size_t image() const { return extent_[0] * extent_[1] * row_; }
  std::size_t row(std::size_t d, std::size_t h) const { return (d * extent_[1] + h) * row_; }
  std::size_t column(std::size_t k) const { return k % w_.stride[2] * piece_ + k / w_.stride[2]; }

  // Where the pixels of each remainder stand that windows read at all.
  void sort_row(std::size_t remainders) {
    std::size_t stride = w_.stride[2], padding = w_.padding[2];
    piece_ = (extent_[2] + stride - 1) / stride;
    row_ = remainders * piece_;
    for (std::size_t remainder = 0; remainder < remainders; ++remainder) {
      auto beyond = [&](std::size_t k) { return k > remainder ? (k - remainder + stride - 1) / stride : 0; };
      std::size_t first = beyond(padding), last = std::min(piece_, beyond(padding + w_.space[2]));
      if (first < last) pieces_.push_back({remainder * piece_ + first, remainder * piece_ + last,
                                           first * stride + remainder - padding});
    }
  }

  // Calls f(place in x, place in the copies, n) for n pixels: a whole stride apart in x, side by side in the copies.
  template <class F>
  void for_each_piece(const Samples& samples, F&& f) const {
    auto ends = [&](std::size_t axis) {
      std::size_t room = extent_[axis] - std::min(extent_[axis], w_.padding[axis]);
      return std::min(w_.space[axis], room);
    };
    std::size_t depths = ends(0), heights = ends(1);
    for (std::size_t n = 0; n < samples.count; ++n)
      for (std::size_t c = 0; c < channels_; ++c) {
        std::size_t x = (((samples.first + n) * groups_ + samples.group) * channels_ + c) * w_.pixels();
        std::size_t copy = (n * channels_ + c) * image();
        for (std::size_t d = 0; d < depths; ++d)
          for (std::size_t h = 0; h < heights; ++h)
            for (const Span& piece : pieces_)
              f(x + (d * w_.space[1] + h) * w_.space[2] + piece.start,
                copy + row(d + w_.padding[0], h + w_.padding[1]) + piece.first, piece.last - piece.first);
      }
  }

  // Calls f(place, lines) for runs of lines that are equally far apart, in the order of the columns.
  template <class F>
  void for_each_run(const Samples& samples, const Lines& lines, F&& f) {
    runs_.clear();
    for (std::size_t line = lines.first, end = lines.first + lines.count; line < end; line += runs_.back().lines) {
      std::size_t d = line / w_.positions[1], h = line % w_.positions[1];
      runs_.push_back({row(d * w_.stride[0], h * w_.stride[1]), std::min(w_.positions[1] - h, end - line)});
    }
    for (std::size_t c = 0; c < channels_; ++c)
      for (std::size_t element : elements_)
        for (std::size_t n = 0; n < samples.count; ++n)
          for (const Run& run : runs_) f((n * channels_ + c) * image() + element + run.place, run.lines);
  }

  const Windows& w_;
  std::size_t groups_, channels_, piece_, row_;
  std::array<std::size_t, 3> extent_;  // of the images with what windows read around them
  std::vector<Span> pieces_;           // in a row of the copy, and the pixel of the first
  std::vector<std::size_t> elements_;  // where the first window reads each of its elements
  std::vector<Run> runs_;
  Array images_;
  T* data_;
};

}  // namespace xtape::kernels
