// Images as windows read them: with zeros around, and as the columns of a matrix.
#pragma once

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>
#include <vector>

#include <autograd/array.hpp>
#include <autograd/kernels/targets/convolve.hpp>
#include <autograd/kernels/targets/map.hpp>
#include <autograd/kernels/targets/pixels.hpp>
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

/// The images of some samples such that each line of windows reads one piece of memory per element: themselves, or copies
/// with the padding, where windows step by more than one along the width with the pixels of each row sorted by their
/// remainders.
///
/// As a matrix, they are (rows of elements, channels, elements of a row) x (samples, lines, windows of a line): rows of
/// elements come first, since at the border, all that some of them read is zeros.
template <class T>
class PaddedImages {
 public:
  enum class Use { read, add };  ///< what becomes of pixels; those that are added to are copies

  /// For up to so many samples; channels are those of one of the groups.
  PaddedImages(const Windows& windows, std::size_t groups, std::size_t channels, std::size_t samples, Use use)
      : w_(windows), groups_(groups), channels_(channels), depths_(spans(windows, 0)), heights_(spans(windows, 1)) {
    std::array<std::size_t, 3> reach;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      reach[axis] = (w_.extent[axis] - 1) * w_.dilation[axis] + 1;
      extent_[axis] = (std::max<std::size_t>(w_.positions[axis], 1) - 1) * w_.stride[axis] + reach[axis];
    }
    bool inside = true;
    for (std::size_t axis = 0; axis < 3; ++axis)
      inside = inside && w_.padding[axis] == 0 && extent_[axis] <= w_.space[axis];
    if (use == Use::read && inside && w_.stride[2] == 1) {
      extent_ = w_.space;
      row_ = w_.space[2];
      sample_ = groups_ * channels_ * image();
    } else {
      copy(std::min(w_.stride[2], reach[2]), samples, use);
    }
    for (std::size_t d = 0; d < w_.extent[0]; ++d)
      for (std::size_t h = 0; h < w_.extent[1]; ++h)
        for (std::size_t c = 0; c < channels_; ++c)
          for (std::size_t k = 0; k < w_.extent[2]; ++k)
            rows_.push_back(c * image() + row(d * w_.dilation[0], h * w_.dilation[1]) + column(k * w_.dilation[2]));
  }

  /// Takes the images of these samples from a batch of images.
  void load(const T* x, const Samples& samples) {
    if (!copy_) {
      data_ = x + (samples.first * groups_ + samples.group) * channels_ * image();
      return;
    }
    for_each_piece(samples, [&](std::size_t pixel, std::size_t place, const PixelRows& rows) {
      take_apart_({rows.n, rows.rows, w_.space[2], row_}, x + pixel, w_.stride[2], copy_ + place);
    });
  }
  void clear() { std::fill_n(copy_, images_.size(), T(0)); }
  /// Adds the images of these samples, without the padding, to those of a batch.
  void add_to(T* x, const Samples& samples) const {
    for_each_piece(samples, [&](std::size_t pixel, std::size_t place, const PixelRows& rows) {
      add_apart_({rows.n, rows.rows, row_, w_.space[2]}, copy_ + place, x + pixel, w_.stride[2]);
    });
  }

  /// The matrix, for some lines of so many samples; until the next call with others.
  WindowMatrix<T> matrix(std::size_t samples, const Lines& lines) {
    if (samples != samples_ || lines.first != lines_.first || lines.count != lines_.count) find_runs(samples, lines);
    return {data_, rows_, runs_, channels_ * w_.extent[2]};
  }
  /// Adds the columns of some lines to the pixels that they were read from.
  void scatter(const T* columns, const Samples& samples, const Lines& lines) {
    matrix(samples.count, lines);
    const auto pieces = even_runs();
    for (std::size_t row : rows_)
      for (const auto& [offset, all] : pieces) {
        add_apart_(all, columns, copy_ + row + offset, 1);
        columns += all.n * all.rows;
      }
  }

 private:
  static constexpr std::size_t lanes = register_bytes / sizeof(T);  // of the widest register

  void copy(std::size_t remainders, std::size_t samples, Use use) {
    sort_row(remainders);
    // So long that a register which is added to a line has no part in the next one: this would have to wait for it.
    std::size_t registers = (w_.positions[2] + lanes - 1) / lanes * lanes;
    if (use == Use::add) row_ = std::max(row_, (registers + w_.stride[1] - 1) / w_.stride[1]);
    sample_ = channels_ * image();
    std::size_t size = element_count({samples, channels_, extent_[0], extent_[1], row_});  // which may not overflow
    images_ = Array::full({size}, 0, dtype_of<T>());
    data_ = copy_ = images_.template mutable_data<T>();
  }

  static bool follows(const Run& before, const Run& run) {
    return before.offset + before.count == run.offset && before.begin == run.begin && before.end == run.end;
  }

  void find_runs(std::size_t samples, const Lines& lines) {
    samples_ = samples, lines_ = lines;
    runs_.clear();
    std::size_t first = 0;
    for (std::size_t n = 0; n < samples; ++n)
      for (std::size_t i = lines.first; i < lines.first + lines.count; ++i) {
        const std::size_t d = i / w_.positions[1], h = i % w_.positions[1];
        Run run{first, 0, n * sample_ + row(d * w_.stride[0], h * w_.stride[1]), 0, 0};
        std::tie(run.begin, run.end) = rows_inside(d, h);
        for (std::size_t p = 0; p < line(); p += run.count, run.first += run.count, run.offset += run.count) {
          run.count = std::min(line() - p, part_windows);
          if (i + p > lines.first && follows(runs_.back(), run) && runs_.back().count + run.count <= part_windows)
            runs_.back().count += run.count;
          else runs_.push_back(run);
        }
        first += line();
      }
  }
  // Runs of one length and distance as rows, with the offset of the first.
  std::vector<std::pair<std::size_t, PixelRows>> even_runs() const {
    std::vector<std::pair<std::size_t, PixelRows>> result;
    for (const Run& run : runs_) {
      if (!result.empty() && result.back().second.n == run.count) {
        auto& [offset, all] = result.back();
        const std::size_t distance = run.offset - (offset + (all.rows - 1) * all.to_row);
        if (all.rows == 1 || distance == all.to_row) {
          all.to_row = distance;
          ++all.rows;
          continue;
        }
      }
      result.push_back({run.offset, {run.count, 1, run.count, 0}});
    }
    return result;
  }
  // The rows of the matrix from the first to the last that read pixels of the image for a line.
  std::pair<std::size_t, std::size_t> rows_inside(std::size_t d, std::size_t h) const {
    auto inside = [](const std::vector<Span>& spans, std::size_t position) {
      auto reads = [&](const Span& span) { return position >= span.first && position < span.last; };
      auto first = std::find_if(spans.begin(), spans.end(), reads);
      auto last = std::find_if(spans.rbegin(), spans.rend(), reads).base();
      return std::pair(first - spans.begin(), last - spans.begin());
    };
    auto [first_d, last_d] = inside(depths_, d);
    auto [first_h, last_h] = inside(heights_, h);
    if (first_d >= last_d || first_h >= last_h) return {0, 0};
    const auto extent = static_cast<std::ptrdiff_t>(w_.extent[1]);
    const std::size_t size = channels_ * w_.extent[2];  // of a row of elements
    return {static_cast<std::size_t>(first_d * extent + first_h) * size,
            static_cast<std::size_t>((last_d - 1) * extent + last_h) * size};
  }

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

  // Calls f(place in x, place in the copies, rows) for pieces of rows: pixels are a whole stride apart in x, side by side
  // in the copies.
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
          for (const Span& piece : pieces_)
            f(x + d * w_.space[1] * w_.space[2] + piece.start,
              copy + row(d + w_.padding[0], w_.padding[1]) + piece.first, PixelRows{piece.last - piece.first, heights});
      }
  }

  const Windows& w_;
  std::size_t groups_, channels_, piece_ = 0, row_ = 0, sample_ = 0;
  std::array<std::size_t, 3> extent_;  // of the images with what windows read around them
  std::vector<Span> depths_, heights_;
  std::vector<Span> pieces_;           // in a row of the copy, and the pixel of the first
  std::vector<std::size_t> rows_;      // where the first window reads each of its elements
  std::size_t samples_ = 0;
  Lines lines_ = {};
  std::vector<Run> runs_;  // for these samples and lines
  Array images_;
  const T* data_ = nullptr;
  T* copy_ = nullptr;
  decltype(&take_apart_on<Target::any, T>) take_apart_ =
      with_target([]<Target target>() { return &take_apart_on<target, T>; });
  decltype(&add_apart_on<Target::any, T>) add_apart_ =
      with_target([]<Target target>() { return &add_apart_on<target, T>; });
};

}  // namespace xtape::kernels
