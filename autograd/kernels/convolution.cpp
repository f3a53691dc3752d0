#include <autograd/kernels/convolution.hpp>

#include <algorithm>
#include <vector>

#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/simd.hpp>

namespace xtape::kernels {
namespace {

constexpr std::size_t cache_bytes = 768 * 1024;  // what the columns of one tile may take
constexpr std::size_t wide = 192;                // positions that are enough for an efficient product

// What is computed at once: some samples, and of a single one perhaps only some lines of positions.
struct Tile {
  std::size_t sample, samples, line, lines;
};

// What follows writes lines in ascending order, in whole registers: what these write beyond a line, the next one overwrites.

template <class T>
void zero_line(T* out, std::size_t n) {
  for (std::size_t i = 0; i < n; i += Batch<T>::size) Batch<T>(T(0)).store_unaligned(out + i);
}

template <class T>
void copy_line(T* out, const T* in, std::size_t n, std::size_t step, const T* in_end) {
  constexpr std::size_t lanes = Batch<T>::size;
  std::size_t i = 0;
  if (step == 1)
    for (; i < n && in + i + lanes <= in_end; i += lanes) Batch<T>::load_unaligned(in + i).store_unaligned(out + i);
  for (; i < n; ++i) out[i] = in[i * step];
}

// Adds a line of columns, which are followed by one register's worth of anything.
template <class T>
void add_line(T* out, const T* in, std::size_t n, std::size_t step, const T* out_end) {
  constexpr std::size_t lanes = Batch<T>::size;
  std::size_t i = 0;
  if (step == 1) {
    for (; i + lanes <= n; i += lanes)
      (Batch<T>::load_unaligned(out + i) + Batch<T>::load_unaligned(in + i)).store_unaligned(out + i);
    if (i < n && out + i + lanes <= out_end) {
      auto rest = first_lanes<T>() < Batch<T>(static_cast<T>(n - i));
      (Batch<T>::load_unaligned(out + i) + xsimd::select(rest, Batch<T>::load_unaligned(in + i), Batch<T>(T(0))))
          .store_unaligned(out + i);
      return;
    }
  }
  for (; i < n; ++i) out[i * step] += in[i];
}

// The matrices that make up a convolution. Columns are (in * elements, samples * positions) of a tile and a group,
// results (out, samples * positions).
template <class T>
class Convolution {
 public:
  // Channels are those of one group.
  Convolution(std::size_t batch, std::size_t groups, std::size_t in, std::size_t out, const Windows& windows)
      : batch_(batch), groups_(groups), in_(in), out_(out), depth_(in * windows.elements()), w_(windows) {
    for (std::size_t axis = 0; axis < 3; ++axis) spans_[axis] = spans(windows, axis);
    std::size_t sample = std::max<std::size_t>(depth_ * w_.windows(), 1), budget = cache_bytes / sizeof(T);
    std::size_t pieces = (sample + budget - 1) / budget;
    lines_ = std::max<std::size_t>((lines() + pieces - 1) / pieces, 1);
    if (pieces == 1 && w_.windows() < wide)
      samples_ = std::clamp<std::size_t>(std::min(2 * wide / std::max<std::size_t>(w_.windows(), 1), budget / sample), 1,
                                         std::max<std::size_t>(batch, 1));
  }

  std::size_t width(const Tile& tile) const { return tile.samples * tile.lines * line(); }

  // c = a b + beta c with dimensions in the order m, n, k.
  static void multiply(const char* operation, const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c,
                       std::array<std::size_t, 3> mnk, T beta = 0) {
    auto extent = [&](std::size_t i) { return blas_int(operation, mnk[i]); };
    gemm<T>(a, b, c, extent(0), extent(1), extent(2), beta);
  }

  // Calls f(group, tile) for all of them.
  template <class F>
  void for_each_tile(F&& f) const {
    if (groups_ * in_ * out_ * w_.elements() * w_.windows() == 0) return;
    for (std::size_t group = 0; group < groups_; ++group)
      for (std::size_t n = 0; n < batch_; n += samples_)
        for (std::size_t line = 0; line < lines(); line += lines_)
          f(group, Tile{n, std::min(samples_, batch_ - n), line, std::min(lines_, lines() - line)});
  }

  // The rows of the weight (groups * out, in * elements) that belong to a group.
  Matrix<T> weight(T* w, std::size_t group) const { return {w + group * out_ * depth_, depth_}; }
  Matrix<const T> weight(const T* w, std::size_t group) const { return {w + group * out_ * depth_, depth_}; }

  // The columns of images x, which end at `end`.
  Matrix<const T> columns(const T* x, const T* end, std::size_t group, const Tile& tile) {
    T* columns = scratch(columns_, depth_ * width(tile));
    for_each_line(group, tile, [&](T* out, std::ptrdiff_t pixel, const Span& span) {
      if (pixel < 0) return zero_line(out, line());
      zero_line(out, span.first);
      copy_line(out + span.first, x + pixel, span.last - span.first, w_.stride[2], end);
      zero_line(out + span.last, line() - span.last);
    }, columns);
    return {columns, width(tile)};
  }

  // Columns to be filled, and then added to images x, which end at `end`.
  Matrix<T> unset_columns(const Tile& tile) { return {scratch(columns_, depth_ * width(tile)), width(tile)}; }
  void add_columns(T* x, const T* end, std::size_t group, const Tile& tile, const Matrix<T>& columns) const {
    for_each_line(group, tile, [&](const T* in, std::ptrdiff_t pixel, const Span& span) {
      if (pixel >= 0) add_line(x + pixel, in + span.first, span.last - span.first, w_.stride[2], end);
    }, columns.data);
  }

  // The results y as a matrix: themselves where they are one, else a copy.
  Matrix<const T> results(const T* y, std::size_t group, const Tile& tile) {
    if (tile.samples == 1) return {y + result(tile.sample, group, 0) + tile.line * line(), w_.windows()};
    T* copy = scratch(results_, out_ * width(tile));
    for_each_result(group, tile, [&](std::size_t from, std::size_t to, std::size_t) {
      std::copy_n(y + from, w_.windows(), copy + to);
    });
    return {copy, width(tile)};
  }

  // Results to be filled, and then put into y, where they may stand already, with a bias unless that is null.
  Matrix<T> unset_results(T* y, std::size_t group, const Tile& tile) {
    if (tile.samples == 1) return {y + result(tile.sample, group, 0) + tile.line * line(), w_.windows()};
    return {scratch(results_, out_ * width(tile)), width(tile)};
  }
  void put_results(T* y, const T* bias, std::size_t group, const Tile& tile, const Matrix<T>& results) const {
    if (tile.samples == 1) {
      for (std::size_t o = 0; bias && o < out_; ++o)
        for (std::size_t i = 0; i < width(tile); ++i) results.data[o * results.stride + i] += bias[group * out_ + o];
      return;
    }
    for_each_result(group, tile, [&](std::size_t to, std::size_t from, std::size_t channel) {
      T shift = bias ? bias[channel] : T(0);
      for (std::size_t i = 0; i < w_.windows(); ++i) y[to + i] = results.data[from + i] + shift;
    });
  }

 private:
  std::size_t line() const { return w_.positions[2]; }
  std::size_t lines() const { return w_.positions[0] * w_.positions[1]; }
  std::size_t result(std::size_t sample, std::size_t group, std::size_t o) const {
    return ((sample * groups_ + group) * out_ + o) * w_.windows();
  }

  // With room for one register more.
  static T* scratch(Array& array, std::size_t n) {
    n += Batch<T>::size;
    if (!array.defined() || array.size() < n) array = Array({n}, dtype_of<T>());
    return array.template mutable_data<T>();
  }

  // Calls f(place in y, place in the matrix, channel) for each sample's positions in one channel.
  template <class F>
  void for_each_result(std::size_t group, const Tile& tile, F&& f) const {
    std::size_t place = 0;
    for (std::size_t o = 0; o < out_; ++o)
      for (std::size_t n = 0; n < tile.samples; ++n, place += w_.windows())
        f(result(tile.sample + n, group, o), place, group * out_ + o);
  }

  // Calls f(line of the columns, pixel, span) for each line, in ascending order: the first position of the span reads
  // that pixel; a negative one says that the whole line is outside of the image.
  template <class F, class Element>
  void for_each_line(std::size_t group, const Tile& tile, F&& f, Element* columns) const {
    const std::size_t row = w_.space[2], plane = w_.space[1] * row;
    for (std::size_t c = 0; c < in_; ++c)
      for (const Span& depth : spans_[0])
        for (const Span& height : spans_[1])
          for (const Span& width : spans_[2])
            for (std::size_t n = tile.sample; n < tile.sample + tile.samples; ++n) {
              std::size_t image = ((n * groups_ + group) * in_ + c) * w_.pixels();
              std::size_t d = tile.line / w_.positions[1], h = tile.line % w_.positions[1];
              for (std::size_t i = 0; i < tile.lines; ++i, columns += line()) {
                bool inside = d >= depth.first && d < depth.last && h >= height.first && h < height.last &&
                              width.first < width.last;
                std::size_t pixel = image + (depth.start + (d - depth.first) * w_.stride[0]) * plane +
                                    (height.start + (h - height.first) * w_.stride[1]) * row + width.start;
                f(columns, inside ? static_cast<std::ptrdiff_t>(pixel) : -1, width);
                if (++h == w_.positions[1]) h = 0, ++d;
              }
            }
  }

  std::size_t batch_, groups_, in_, out_, depth_, samples_ = 1, lines_ = 1;
  const Windows& w_;
  std::array<std::vector<Span>, 3> spans_;
  Array columns_, results_;
};

template <class T>
Convolution<T> convolution(const Array& w, std::size_t batch, std::size_t groups, const Windows& windows) {
  return {batch, groups, w.shape()[1], w.shape()[0] / groups, windows};
}

}  // namespace

Array convolve(const Array& x, const Array& w, const Array& bias, std::size_t groups, const Windows& windows,
               const Shape& shape) {
  std::size_t out = w.shape()[0] / groups, depth = w.size() / std::max<std::size_t>(w.shape()[0], 1);
  Array y = depth == 0 ? Array::full(shape, 0, x.dtype()) : Array(shape, x.dtype());
  visit_floating("convolution", x.dtype(), [&]<class T>(T) {
    auto c = convolution<T>(w, shape[0], groups, windows);
    T* to = y.mutable_data<T>();
    const T* from = x.data<T>();
    c.for_each_tile([&](std::size_t group, const Tile& tile) {
      Matrix<T> results = c.unset_results(to, group, tile);
      c.multiply("convolution", c.weight(w.data<T>(), group), c.columns(from, from + x.size(), group, tile), results,
                 {out, c.width(tile), depth});
      c.put_results(to, bias.defined() ? bias.data<T>() : nullptr, group, tile, results);
    });
  });
  return y;
}

Array convolve_input(const Array& g, const Array& w, const Array& bias, std::size_t groups, const Windows& windows,
                     const Shape& shape) {
  std::size_t out = w.shape()[0] / groups, depth = w.size() / std::max<std::size_t>(w.shape()[0], 1);
  Array y = bias.defined() ? Array(shape, g.dtype()) : Array::full(shape, 0, g.dtype());
  visit_floating("convolution", g.dtype(), [&]<class T>(T) {
    auto c = convolution<T>(w, shape[0], groups, windows);
    T* to = y.mutable_data<T>();
    if (bias.defined())
      for (std::size_t i = 0; i < shape[0] * shape[1]; ++i)
        std::fill_n(to + i * windows.pixels(), windows.pixels(), bias.data<T>()[i % shape[1]]);
    c.for_each_tile([&](std::size_t group, const Tile& tile) {
      Matrix<const T> weight = c.weight(w.data<T>(), group);
      Matrix<T> columns = c.unset_columns(tile);
      c.multiply("convolution", {weight.data, weight.stride, true}, c.results(g.data<T>(), group, tile), columns,
                 {depth, c.width(tile), out});
      c.add_columns(to, to + y.size(), group, tile, columns);
    });
  });
  return y;
}

Array convolve_weight(const Array& x, const Array& g, std::size_t groups, const Windows& windows, const Shape& shape) {
  std::size_t out = shape[0] / groups, depth = shape[1] * windows.elements();
  Array y = Array::full(shape, 0, g.dtype());
  visit_floating("convolution", g.dtype(), [&]<class T>(T) {
    auto c = convolution<T>(y, x.shape()[0], groups, windows);
    T* to = y.mutable_data<T>();
    const T* from = x.data<T>();
    c.for_each_tile([&](std::size_t group, const Tile& tile) {
      Matrix<const T> columns = c.columns(from, from + x.size(), group, tile);
      c.multiply("convolution", c.results(g.data<T>(), group, tile), {columns.data, columns.stride, true},
                 c.weight(to, group), {out, depth, c.width(tile)}, T(1));
    });
  });
  return y;
}

}  // namespace xtape::kernels
