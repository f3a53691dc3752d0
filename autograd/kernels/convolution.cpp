#include <autograd/kernels/convolution.hpp>

#include <algorithm>
#include <array>
#include <vector>

#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/padded_images.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/strided.hpp>

namespace xtape::kernels {
namespace {

constexpr std::size_t cache_bytes = 768 * 1024;     // what columns may take
constexpr std::size_t far_bytes = 6 * 1024 * 1024;  // and those of several samples, where images are small
constexpr std::size_t wide = 192;                   // positions that are enough for an efficient product
constexpr std::size_t deep = 64;                    // and numbers that are added up

// One row of the kernel, or all of it where it is not taken row by row, and the lines that it is computed for.
struct Part {
  std::size_t row;
  Lines lines;
};

// The matrices that make up a convolution. Columns are (depth, samples * positions) of some lines and a group, results
// (out, samples * positions), where the depth counts input channels and elements. There are several samples where images
// are small, and some of the lines where they are large.
//
// Where lines follow each other row by row, the columns are those of one row of the kernel: the other rows read the same
// ones some lines further on. Each row is a part then, which leaves out the lines where it sees padding only.
template <class T>
class Convolution {
 public:
  // Channels are those of one group.
  Convolution(std::size_t batch, std::size_t groups, std::size_t in, std::size_t out, const Windows& windows)
      : batch_(batch), groups_(groups), in_(in), out_(out), w_(windows), heights_(spans(windows, 1)), one_row_(windows) {
    bool plane = w_.extent[0] == 1 && w_.positions[0] == 1 && w_.windows() >= wide;
    if (plane && w_.stride[1] == 1 && in_ * w_.extent[2] >= deep) {
      parts_ = w_.extent[1];
      one_row_.extent[1] = 1;
      one_row_.positions[1] += further(parts_ - 1);
    }
    std::size_t sample = std::max<std::size_t>(depth() * w_.windows() * sizeof(T), 1);
    if (w_.windows() < wide) {
      std::size_t enough = 2 * wide / std::max<std::size_t>(w_.windows(), 1);
      samples_ = std::clamp<std::size_t>(std::min(enough, far_bytes / sample), 1, std::max<std::size_t>(batch, 1));
    }
    std::size_t pieces = samples_ == 1 ? (sample + cache_bytes - 1) / cache_bytes : 1;
    lines_ = std::max<std::size_t>((lines() + pieces - 1) / pieces, 1);
    // No fewer than are read beyond them, or most columns would be gathered many times where rows are far apart.
    lines_ = std::max(lines_, std::min(lines(), further(parts_ - 1)));
  }

  std::size_t parts() const { return parts_; }
  // Of one part.
  std::size_t depth() const { return in_ * w_.elements() / parts_; }
  std::size_t width(const Samples& samples, const Lines& lines) const { return samples.count * lines.count * line(); }

  // The weight (groups * out, in, elements) as (groups, parts, out, depth), and back from (groups, parts, depth, out).
  Array in_parts(const Array& weight) const {
    if (parts_ == 1) return weight;
    return transpose(weight.reshaped({groups_, out_, in_, parts_, w_.elements() / parts_}), {0, 3, 1, 2, 4});
  }
  Array from_parts(const Array& weight, const Shape& shape) const {
    Array parts = weight.reshaped({groups_, parts_, in_, w_.elements() / parts_, out_});
    return transpose(parts, {0, 4, 2, 1, 3}).reshaped(shape);
  }

  PaddedImages<T> images() const { return {one_row_, groups_, in_, samples_}; }

  // Samples that are computed together: those of the batch in a row, for each group.
  std::size_t blocks() const {
    bool empty = groups_ * in_ * out_ * w_.elements() * w_.windows() == 0;
    return empty ? 0 : (batch_ + samples_ - 1) / samples_;
  }
  std::size_t groups() const { return groups_; }
  std::size_t most_windows() const { return samples_ * w_.windows(); }
  // How many blocks of a group are worth a thread.
  std::size_t enough() const {
    constexpr std::size_t products = 1 << 20;
    return products / std::max<std::size_t>(in_ * w_.elements() * out_ * most_windows(), 1) + 1;
  }
  Samples samples(std::size_t group, std::size_t block) const {
    return {group, block * samples_, std::min(samples_, batch_ - block * samples_)};
  }
  // Calls f(lines) for all.
  template <class F>
  void for_each_lines(F&& f) const {
    for (std::size_t line = 0; line < lines(); line += lines_) f(Lines{line, std::min(lines_, lines() - line)});
  }
  // Calls f(part) for the parts of some lines.
  template <class F>
  void for_each_part(const Lines& lines, F&& f) const {
    if (parts_ == 1) return f(Part{0, lines});
    for (std::size_t row = 0; row < parts_; ++row) {
      std::size_t first = std::max(heights_[row].first, lines.first);
      std::size_t last = std::min(heights_[row].last, lines.first + lines.count);
      if (first < last) f(Part{row, {first, last - first}});
    }
  }

  // The matrix (out, depth) of a group and a part.
  Matrix<const T> weight(const T* in_parts, const Samples& samples, const Part& part) const {
    return {in_parts + (samples.group * parts_ + part.row) * out_ * depth(), depth()};
  }
  // The matrix (depth, out) of what is to become the weight's gradient.
  Matrix<T> gradient(T* in_parts, const Samples& samples, const Part& part) const {
    return {in_parts + (samples.group * parts_ + part.row) * out_ * depth(), out_};
  }

  // Whether the columns are images themselves: of a single sample, where each window is one pixel.
  bool pointwise(const Samples& samples) const {
    Windows::Extents ones{1, 1, 1};
    return samples.count == 1 && w_.extent == ones && w_.stride == ones && w_.positions == w_.space;
  }
  std::size_t pixel(const Samples& samples, const Lines& lines) const {
    return (samples.first * groups_ + samples.group) * in_ * w_.pixels() + lines.first * line();
  }

  // The lines that the columns of some lines are of, those that only later rows of the kernel read among them.
  Lines lines_read(const Lines& lines) const { return {lines.first, lines.count + further(parts_ - 1)}; }
  Matrix<T> unset_columns(const Samples& samples, const Lines& lines) {
    std::size_t width = this->width(samples, lines_read(lines));
    return {scratch(columns_, depth() * width), width};
  }
  // Of the images x, which `images` has loaded unless they are pointwise.
  Matrix<const T> columns(const T* x, PaddedImages<T>& images, const Samples& samples, const Lines& lines) {
    if (pointwise(samples)) return {x + pixel(samples, lines), w_.pixels()};
    Matrix<T> columns = unset_columns(samples, lines);
    images.gather(columns.data, samples, lines_read(lines));
    return {columns.data, columns.stride};
  }
  // What a part has of the columns of some lines.
  template <class Number>
  Matrix<Number> of_part(const Matrix<Number>& columns, const Lines& lines, const Part& part) const {
    return {columns.data + (part.lines.first - lines.first + further(part.row)) * line(), columns.stride};
  }

  // The results y as a matrix: themselves where they are one, else a copy.
  Matrix<const T> results(const T* y, const Samples& samples, const Lines& lines) {
    if (samples.count == 1) return {y + result(samples, 0, 0) + lines.first * line(), w_.windows()};
    T* copy = scratch(results_, out_ * width(samples, lines));
    for_each_result(samples, [&](std::size_t from, std::size_t to, std::size_t) {
      std::copy_n(y + from, w_.windows(), copy + to);
    });
    return {copy, width(samples, lines)};
  }

  // Results to be filled, and then put into y, where they may stand already, with a bias unless that is null.
  Matrix<T> unset_results(T* y, const Samples& samples, const Lines& lines) {
    if (samples.count == 1) return {y + result(samples, 0, 0) + lines.first * line(), w_.windows()};
    return {scratch(results_, out_ * width(samples, lines)), width(samples, lines)};
  }
  void put_results(T* y, const T* bias, const Samples& samples, const Lines& lines, const Matrix<T>& results) const {
    if (samples.count == 1) {
      for (std::size_t o = 0; bias && o < out_; ++o)
        for (std::size_t i = 0; i < lines.count * line(); ++i)
          results.data[o * results.stride + i] += bias[samples.group * out_ + o];
      return;
    }
    for_each_result(samples, [&](std::size_t to, std::size_t from, std::size_t channel) {
      T shift = bias ? bias[channel] : T(0);
      for (std::size_t i = 0; i < w_.windows(); ++i) y[to + i] = results.data[from + i] + shift;
    });
  }

 private:
  std::size_t line() const { return w_.positions[2]; }
  std::size_t lines() const { return w_.positions[0] * w_.positions[1]; }
  // How many lines further on a row of the kernel reads than the first.
  std::size_t further(std::size_t row) const { return row * w_.dilation[1]; }
  // Of channel o of a sample, counted from the first.
  std::size_t result(const Samples& samples, std::size_t n, std::size_t o) const {
    return (((samples.first + n) * groups_ + samples.group) * out_ + o) * w_.windows();
  }

  // With room for one register more.
  static T* scratch(Array& array, std::size_t n) {
    n += Batch<T>::size;
    if (!array.defined() || array.size() < n) array = Array({n}, dtype_of<T>());
    return array.template mutable_data<T>();
  }

  // Calls f(place in y, place in the matrix, channel) for each sample's positions in one channel.
  template <class F>
  void for_each_result(const Samples& samples, F&& f) const {
    std::size_t place = 0;
    for (std::size_t o = 0; o < out_; ++o)
      for (std::size_t n = 0; n < samples.count; ++n, place += w_.windows())
        f(result(samples, n, o), place, samples.group * out_ + o);
  }

  std::size_t batch_, groups_, in_, out_, parts_ = 1, samples_ = 1, lines_ = 1;
  const Windows& w_;
  std::vector<Span> heights_;
  Windows one_row_;  // what the columns are of
  Array columns_, results_;
};

template <class T>
Convolution<T> convolution(const Array& w, std::size_t batch, std::size_t groups, const Windows& windows) {
  return {batch, groups, w.shape()[1], w.shape()[0] / groups, windows};
}

// Calls f(i, convolution, images) for i < n, in several threads of `least` or more, each of which has its own.
template <class T, class F>
void in_threads(const Convolution<T>& convolution, std::size_t n, std::size_t least, F f) {
  parallel_for(n, least, [&](std::size_t begin, std::size_t end) {
    Convolution<T> own = convolution;
    auto images = own.images();
    for (std::size_t i = begin; i < end; ++i) f(i, own, images);
  });
}

// Calls f(samples, convolution, images) for all samples.
template <class T, class F>
void for_each_samples(const Convolution<T>& convolution, F f) {
  const std::size_t blocks = convolution.blocks();
  in_threads(convolution, blocks * convolution.groups(), convolution.enough(), [&](std::size_t i, auto& own, auto& images) {
    f(own.samples(i / blocks, i % blocks), own, images);
  });
}

// In how many parts sums over so many blocks of samples are computed: it depends on the extents alone, as results do. A
// part costs a few passes over its sum.
std::size_t parts_of_sum(std::size_t blocks, std::size_t block_width, std::size_t size) {
  constexpr std::size_t most = 8, most_numbers = 1 << 20, enough = 1024;
  return std::clamp<std::size_t>(std::min({blocks, most_numbers / std::max<std::size_t>(size, 1), blocks * block_width / enough}),
                                 1, most);
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
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    for_each_samples(c, [&](const Samples& samples, auto& c, auto& images) {
      if (!c.pointwise(samples)) images.load(from, samples);
      c.for_each_lines([&](const Lines& lines) {
        Matrix<const T> columns = c.columns(from, images, samples, lines);
        c.for_each_part(lines, [&](const Part& part) {
          Matrix<T> results = c.unset_results(to, samples, part.lines);
          gemm<T>(c.weight(weight.data<T>(), samples, part), c.of_part(columns, lines, part), results,
                  w.shape()[0] / groups, c.width(samples, part.lines), c.depth(), add);
          c.put_results(to, shift, samples, part.lines, results);
        });
      });
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
    bool add = c.parts() > 1;
    for_each_samples(c, [&](const Samples& samples, auto& c, auto& images) {
      bool pointwise = c.pointwise(samples);
      if (!pointwise) images.clear();
      c.for_each_lines([&](const Lines& lines) {
        Matrix<T> columns{to + c.pixel(samples, lines), windows.pixels()};
        if (!pointwise) columns = c.unset_columns(samples, lines);
        if (add) std::fill_n(columns.data, c.depth() * columns.stride, T(0));
        c.for_each_part(lines, [&](const Part& part) {
          Matrix<const T> weight = c.weight(parts.data<T>(), samples, part);
          gemm<T>({weight.data, weight.stride, true}, c.results(g.data<T>(), samples, part.lines),
                  c.of_part(columns, lines, part), c.depth(), c.width(samples, part.lines), w.shape()[0] / groups,
                  add || pointwise);
        });
        if (!pointwise) images.scatter(columns.data, samples, c.lines_read(lines));
      });
      if (!pointwise) images.add_to(to, samples);
    });
  });
  return y;
}

Array convolve_weight(const Array& x, const Array& g, std::size_t groups, const Windows& windows, const Shape& shape) {
  std::size_t out = shape[0] / groups;
  Array result;
  visit_floating("convolution", g.dtype(), [&]<class T>(T) {
    const Convolution<T> convolution(x.shape()[0], groups, shape[1], out, windows);
    const std::size_t blocks = convolution.blocks(), size = element_count(shape);
    const std::size_t parts = parts_of_sum(blocks, convolution.most_windows(), size);
    // Transposed, since products of many rows and few columns are the faster ones.
    Array sum = Array::full({size}, 0, g.dtype()), more = Array::full({parts - 1, size}, 0, g.dtype());
    const T* from = x.data<T>();
    T *to = sum.mutable_data<T>(), *further = more.mutable_data<T>();
    in_threads(convolution, parts * groups, convolution.enough() * parts / (blocks + 1) + 1,
               [&](std::size_t task, auto& c, auto& images) {
      const std::size_t number = task / groups, group = task % groups;
      T* part_sum = number == 0 ? to : further + (number - 1) * size;
      for (std::size_t block = blocks * number / parts; block < blocks * (number + 1) / parts; ++block) {
        const Samples samples = c.samples(group, block);
        if (!c.pointwise(samples)) images.load(from, samples);
        c.for_each_lines([&](const Lines& lines) {
          Matrix<const T> columns = c.columns(from, images, samples, lines);
          c.for_each_part(lines, [&](const Part& part) {
            Matrix<const T> results = c.results(g.data<T>(), samples, part.lines);
            gemm<T>(c.of_part(columns, lines, part), {results.data, results.stride, true},
                    c.gradient(part_sum, samples, part), c.depth(), out, c.width(samples, part.lines), true);
          });
        });
      }
    });
    for (std::size_t part = 1; part < parts; ++part, further += size)
      for (std::size_t i = 0; i < size; ++i) to[i] += further[i];
    result = convolution.from_parts(sum, shape);
  });
  return result;
}

}  // namespace xtape::kernels
