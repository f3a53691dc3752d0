#include <autograd/kernels/convolution.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/simd.hpp>
#include <autograd/kernels/strided.hpp>

namespace xtape::kernels {
namespace {

constexpr std::size_t cache_bytes = 768 * 1024;  // what the columns of one tile may take
constexpr std::size_t wide = 192;                // positions that are enough for an efficient product
constexpr std::size_t deep = 128;                // and numbers that are added up

// What is computed at once: some samples, of a single one perhaps only some lines of positions, and some rows of the
// kernel.
struct Tile {
  std::size_t sample, samples, line, lines, part;
};

// Lines are written in ascending order and in whole registers: what these write beyond a line, the next one overwrites.

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

// n numbers, and zeros in the lanes beyond.
template <class T>
Batch<T> load_first(const T* in, std::size_t n) {
  Batch<T> all = Batch<T>::load_unaligned(in);
  if (n >= Batch<T>::size) return all;
  return xsimd::select(first_lanes<T>() < Batch<T>(static_cast<T>(n)), all, Batch<T>(T(0)));
}

// Adds a line of columns, which are followed by one register's worth of anything.
template <class T>
void add_line(T* out, const T* in, std::size_t n, std::size_t step, const T* out_end) {
  constexpr std::size_t lanes = Batch<T>::size;
  std::size_t i = 0, room = static_cast<std::size_t>(out_end - out);
  if (step == 1)
    for (; i < n && i + lanes <= room; i += lanes)
      (Batch<T>::load_unaligned(out + i) + load_first(in + i, n - i)).store_unaligned(out + i);
  for (; i < n; ++i) out[i * step] += in[i];
}

// What one element of all windows reads: the positions of which each axis is inside, and where it reads at the first.
struct Element {
  const Span &depth, &height, &width;

  bool nowhere() const { return width.first >= width.last || height.first >= height.last; }
};

// The matrices that make up a convolution. Columns are (depth, samples * positions) of a tile and a group, results (out,
// samples * positions), where the depth counts input channels and elements. Where the padding makes rows of the kernel see
// nothing but zeros at some lines, each row is a part of its own, which leaves out these lines.
template <class T>
class Convolution {
 public:
  // Channels are those of one group.
  Convolution(std::size_t batch, std::size_t groups, std::size_t in, std::size_t out, const Windows& windows)
      : batch_(batch), groups_(groups), in_(in), out_(out), w_(windows) {
    for (std::size_t axis = 0; axis < 3; ++axis) spans_[axis] = spans(windows, axis);
    bool plane = w_.extent[0] == 1 && w_.positions[0] == 1 && w_.windows() >= wide;
    if (plane && w_.padding[1] > 0 && in_ * w_.extent[2] >= deep) parts_ = w_.extent[1];
    std::size_t sample = std::max<std::size_t>(depth() * w_.windows(), 1), budget = cache_bytes / sizeof(T);
    std::size_t pieces = (sample + budget - 1) / budget;
    lines_ = std::max<std::size_t>((lines() + pieces - 1) / pieces, 1);
    if (pieces == 1 && w_.windows() < wide)
      samples_ = std::clamp<std::size_t>(std::min(2 * wide / std::max<std::size_t>(w_.windows(), 1), budget / sample), 1,
                                         std::max<std::size_t>(batch, 1));
  }

  std::size_t parts() const { return parts_; }
  // Of one part.
  std::size_t depth() const { return in_ * w_.elements() / parts_; }
  std::size_t width(const Tile& tile) const { return tile.samples * tile.lines * line(); }

  // The weight (groups * out, in, elements) as (groups, parts, out, depth), and back from (groups, parts, depth, out).
  Array in_parts(const Array& weight) const {
    if (parts_ == 1) return weight;
    return transpose(weight.reshaped({groups_, out_, in_, parts_, w_.elements() / parts_}), {0, 3, 1, 2, 4});
  }
  Array from_parts(const Array& weight, const Shape& shape) const {
    Array parts = weight.reshaped({groups_, parts_, in_, w_.elements() / parts_, out_});
    return transpose(parts, {0, 4, 2, 1, 3}).reshaped(shape);
  }

  // c = a b + beta c with dimensions in the order m, n, k.
  static void multiply(const char* operation, const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c,
                       std::array<std::size_t, 3> mnk, T beta = 0) {
    auto extent = [&](std::size_t i) { return blas_int(operation, mnk[i]); };
    gemm<T>(a, b, c, extent(0), extent(1), extent(2), beta);
  }

  // Calls f(group, tile) for all of them, the parts of each piece one after the other.
  template <class F>
  void for_each_tile(F&& f) const {
    if (groups_ * in_ * out_ * w_.elements() * w_.windows() == 0) return;
    for (std::size_t group = 0; group < groups_; ++group)
      for (std::size_t n = 0; n < batch_; n += samples_)
        for (std::size_t line = 0; line < lines(); line += lines_)
          for (std::size_t part = 0; part < parts_; ++part) {
            Tile tile{n, std::min(samples_, batch_ - n), line, std::min(lines_, lines() - line), part};
            if (parts_ > 1) leave_out_empty_lines(tile);
            if (tile.lines > 0) f(group, tile);
          }
  }

  // The matrix (out, depth) of a group and a part.
  Matrix<const T> weight(const T* in_parts, std::size_t group, const Tile& tile) const {
    return {in_parts + (group * parts_ + tile.part) * out_ * depth(), depth()};
  }
  // The matrix (depth, out) of what is to become the weight's gradient.
  Matrix<T> gradient(T* in_parts, std::size_t group, const Tile& tile) const {
    return {in_parts + (group * parts_ + tile.part) * out_ * depth(), out_};
  }

  // The columns of images x, which end at `end`.
  Matrix<const T> columns(const T* x, const T* end, std::size_t group, const Tile& tile) {
    T* columns = scratch(columns_, depth() * width(tile));
    Images<const T> images{x, end};
    if (sorts()) {
      Images<T> copy = sorted_images(tile);
      for_each_sorted(group, tile, [&](std::size_t from, std::size_t to) { copy.first[to] = x[from]; });
      images = {copy.first, copy.end};
    }
    for_each_block(tile, columns, [&](T* out, std::size_t c, std::size_t n, const Element& element) {
      const T* image = images.first + place(group, tile, c, n);
      if (one_line(element)) return gather_block(out, image, tile, element, images.end);
      for_each_line(tile, element, [&](std::size_t line, std::ptrdiff_t pixel) {
        T* to = out + line * this->line();
        if (pixel < 0) return zero_line(to, this->line());
        zero_line(to, element.width.first);
        copy_line(to + element.width.first, image + pixel, element.width.last - element.width.first, step(), images.end);
        zero_line(to + element.width.last, this->line() - element.width.last);
      });
    });
    return {columns, width(tile)};
  }

  // Columns to be filled, and then, for the last time that they are needed, added to images x, which end at `end`.
  Matrix<T> unset_columns(const Tile& tile) { return {scratch(columns_, depth() * width(tile)), width(tile)}; }
  void add_columns(T* x, T* end, std::size_t group, const Tile& tile, const Matrix<T>& columns) {
    Images<T> images{x, end};
    if (sorts()) {
      images = sorted_images(tile);
      std::fill_n(images.first, images.end - images.first, T(0));
    }
    for_each_block(tile, columns.data, [&](T* in, std::size_t c, std::size_t n, const Element& element) {
      T* image = images.first + place(group, tile, c, n);
      if (one_line(element)) return scatter_block(image, in, tile, element, images.end);
      for_each_line(tile, element, [&](std::size_t line, std::ptrdiff_t pixel) {
        if (pixel < 0) return;
        add_line(image + pixel, in + line * this->line() + element.width.first,
                 element.width.last - element.width.first, step(), images.end);
      });
    });
    if (sorts()) for_each_sorted(group, tile, [&](std::size_t to, std::size_t from) { x[to] += images.first[from]; });
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
  // Where windows step by more than one, the pixels of each row are sorted by their remainders first, so that what an
  // element of the windows reads is one piece. The images of a tile are copied for that, if enough elements read them.
  template <class Pixel>
  struct Images {
    Pixel *first, *end;
  };
  bool sorts() const { return w_.stride[2] > 1 && w_.elements() >= 4; }
  std::size_t step() const { return sorts() ? 1 : w_.stride[2]; }
  // A row, and in it the pixels of one remainder, with room for one more where they do not come out even.
  std::size_t sorted_piece() const { return (w_.space[2] + w_.stride[2] - 1) / w_.stride[2]; }
  std::size_t row() const { return sorts() ? sorted_piece() * w_.stride[2] : w_.space[2]; }
  std::size_t column(std::size_t pixel) const {
    return sorts() ? pixel % w_.stride[2] * sorted_piece() + pixel / w_.stride[2] : pixel;
  }
  // Where the image of a channel begins.
  std::size_t place(std::size_t group, const Tile& tile, std::size_t c, std::size_t n) const {
    if (sorts()) return ((n - tile.sample) * in_ + c) * w_.space[0] * w_.space[1] * row();
    return ((n * groups_ + group) * in_ + c) * w_.pixels();
  }
  Images<T> sorted_images(const Tile& tile) {
    std::size_t size = tile.samples * in_ * w_.space[0] * w_.space[1] * row();
    T* first = scratch(sorted_, size);
    return {first, first + size};
  }
  // Calls f(place in x, place in the sorted images) for each pixel of a tile.
  template <class F>
  void for_each_sorted(std::size_t group, const Tile& tile, F&& f) const {
    std::size_t stride = w_.stride[2], width = w_.space[2], sorted = 0;
    for (std::size_t n = tile.sample; n < tile.sample + tile.samples; ++n) {
      std::size_t x = (n * groups_ + group) * in_ * w_.pixels();
      for (std::size_t i = 0; i < in_ * w_.space[0] * w_.space[1]; ++i, x += width, sorted += row())
        for (std::size_t remainder = 0; remainder < std::min(stride, width); ++remainder)
          for (std::size_t k = 0, pixel = remainder; pixel < width; ++k, pixel += stride)
            f(x + pixel, sorted + remainder * sorted_piece() + k);
    }
  }

  void leave_out_empty_lines(Tile& tile) const {
    const Span& rows = spans_[1][tile.part];
    std::size_t first = std::max(rows.first, tile.line), last = std::min(rows.last, tile.line + tile.lines);
    tile.line = first;
    tile.lines = last > first ? last - first : 0;
  }

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

  // Calls f(block of the columns, channel, sample, element) for each, in ascending order of the blocks.
  template <class F>
  void for_each_block(const Tile& tile, T* columns, F&& f) const {
    std::size_t rows = spans_[1].size() / parts_;
    std::span heights(spans_[1].data() + tile.part * rows, rows);
    for (std::size_t c = 0; c < in_; ++c)
      for (const Span& depth : spans_[0])
        for (const Span& height : heights)
          for (const Span& width : spans_[2])
            for (std::size_t n = tile.sample; n < tile.sample + tile.samples; ++n, columns += tile.lines * line())
              f(columns, c, n, Element{depth, height, width});
  }

  // Calls f(number of the line, pixel) for each line of a block, in ascending order: the first position of the width's
  // span reads that pixel; a negative one says that the whole line is outside of the image.
  template <class F>
  void for_each_line(const Tile& tile, const Element& e, F&& f) const {
    std::size_t d = tile.line / w_.positions[1], h = tile.line % w_.positions[1], start = column(e.width.start);
    for (std::size_t i = 0; i < tile.lines; ++i) {
      bool inside = !e.nowhere() && d >= e.depth.first && d < e.depth.last && h >= e.height.first && h < e.height.last;
      std::size_t y = (e.depth.start + (d - e.depth.first) * w_.stride[0]) * w_.space[1] + e.height.start +
                      (h - e.height.first) * w_.stride[1];
      f(i, inside ? static_cast<std::ptrdiff_t>(y * row() + start) : -1);
      if (++h == w_.positions[1]) h = 0, ++d;
    }
  }

  // Where results are as wide as images and windows step by one, as with "same" padding, an element reads the image as
  // it lies in memory, but shifted: all lines are one, apart from their ends, which are outside of the image.
  bool one_line(const Element& e) const {
    return w_.positions[0] == 1 && w_.stride[1] == 1 && w_.stride[2] == 1 && line() == w_.space[2] &&
           e.depth.first < e.depth.last && !e.nowhere();
  }
  // The lines of the tile that read the image: [first, last), counted from that of the tile, and the pixel of the first.
  Span inner_lines(const Tile& tile, const Element& e) const {
    std::size_t first = std::max(e.height.first, tile.line), last = std::min(e.height.last, tile.line + tile.lines);
    if (first >= last) return {0, 0, 0};
    std::size_t row = e.depth.start * w_.space[1] + e.height.start + first - e.height.first;
    return {first - tile.line, last - tile.line, row * line() + e.width.start};
  }
  // Down the lines, as their ends are short.
  void zero_ends(T* block, const Span& lines, const Span& width) const {
    auto zero = [&](std::size_t k) {
      for (std::size_t i = lines.first; i < lines.last; ++i) block[i * line() + k] = 0;
    };
    for (std::size_t k = 0; k < width.first; ++k) zero(k);
    for (std::size_t k = width.last; k < line(); ++k) zero(k);
  }
  void gather_block(T* out, const T* image, const Tile& tile, const Element& e, const T* end) const {
    Span lines = inner_lines(tile, e);
    zero_line(out, lines.first * line());
    if (lines.first < lines.last) {
      std::size_t n = (lines.last - lines.first - 1) * line() + e.width.last - e.width.first;
      copy_line(out + lines.first * line() + e.width.first, image + lines.start, n, 1, end);
      zero_ends(out, lines, e.width);
    }
    zero_line(out + lines.last * line(), (tile.lines - lines.last) * line());
  }
  void scatter_block(T* image, T* in, const Tile& tile, const Element& e, const T* end) const {
    Span lines = inner_lines(tile, e);
    if (lines.first >= lines.last) return;
    zero_ends(in, lines, e.width);
    std::size_t n = (lines.last - lines.first - 1) * line() + e.width.last - e.width.first;
    add_line(image + lines.start, in + lines.first * line() + e.width.first, n, 1, end);
  }

  std::size_t batch_, groups_, in_, out_, parts_ = 1, samples_ = 1, lines_ = 1;
  const Windows& w_;
  std::array<std::vector<Span>, 3> spans_;
  Array columns_, results_, sorted_;
};

template <class T>
Convolution<T> convolution(const Array& w, std::size_t batch, std::size_t groups, const Windows& windows) {
  return {batch, groups, w.shape()[1], w.shape()[0] / groups, windows};
}

// The bias in each channel of images or results (batch, channels, ...), or zeros where there is none.
template <class T>
void fill_channels(Array& y, const Array& bias) {
  T* to = y.mutable_data<T>();
  if (!bias.defined()) {
    std::fill_n(to, y.size(), T(0));
    return;
  }
  std::size_t planes = y.shape()[0] * y.shape()[1], size = y.size() / std::max<std::size_t>(planes, 1);
  for (std::size_t i = 0; i < planes; ++i) std::fill_n(to + i * size, size, bias.data<T>()[i % y.shape()[1]]);
}

}  // namespace

Array convolve(const Array& x, const Array& w, const Array& bias, std::size_t groups, const Windows& windows,
               const Shape& shape) {
  Array y(shape, x.dtype());
  visit_floating("convolution", x.dtype(), [&]<class T>(T) {
    auto c = convolution<T>(w, shape[0], groups, windows);
    // Parts are added up in place, where the bias stands already.
    bool add = c.parts() > 1;
    if (add) fill_channels<T>(y, bias);
    const T* shift = !add && bias.defined() ? bias.data<T>() : nullptr;
    Array weight = c.in_parts(w);
    T* to = y.mutable_data<T>();
    const T* from = x.data<T>();
    c.for_each_tile([&](std::size_t group, const Tile& tile) {
      Matrix<T> results = c.unset_results(to, group, tile);
      c.multiply("convolution", c.weight(weight.data<T>(), group, tile), c.columns(from, from + x.size(), group, tile),
                 results, {w.shape()[0] / groups, c.width(tile), c.depth()}, T(add));
      c.put_results(to, shift, group, tile, results);
    });
  });
  return y;
}

Array convolve_input(const Array& g, const Array& w, const Array& bias, std::size_t groups, const Windows& windows,
                     const Shape& shape) {
  Array y(shape, g.dtype());
  visit_floating("convolution", g.dtype(), [&]<class T>(T) {
    auto c = convolution<T>(w, shape[0], groups, windows);
    fill_channels<T>(y, bias);
    Array parts = c.in_parts(w);
    T* to = y.mutable_data<T>();
    c.for_each_tile([&](std::size_t group, const Tile& tile) {
      Matrix<const T> weight = c.weight(parts.data<T>(), group, tile);
      Matrix<T> columns = c.unset_columns(tile);
      c.multiply("convolution", {weight.data, weight.stride, true}, c.results(g.data<T>(), group, tile), columns,
                 {c.depth(), c.width(tile), w.shape()[0] / groups});
      c.add_columns(to, to + y.size(), group, tile, columns);
    });
  });
  return y;
}

Array convolve_weight(const Array& x, const Array& g, std::size_t groups, const Windows& windows, const Shape& shape) {
  std::size_t out = shape[0] / groups;
  Array result;
  visit_floating("convolution", g.dtype(), [&]<class T>(T) {
    Convolution<T> c(x.shape()[0], groups, shape[1], out, windows);
    // Transposed, since products of many rows and few columns are the faster ones.
    Array sum = Array::full({element_count(shape)}, 0, g.dtype());
    T* to = sum.mutable_data<T>();
    const T* from = x.data<T>();
    c.for_each_tile([&](std::size_t group, const Tile& tile) {
      Matrix<const T> results = c.results(g.data<T>(), group, tile);
      c.multiply("convolution", c.columns(from, from + x.size(), group, tile), {results.data, results.stride, true},
                 c.gradient(to, group, tile), {c.depth(), out, c.width(tile)}, T(1));
    });
    result = c.from_parts(sum, shape);
  });
  return result;
}

}  // namespace xtape::kernels
