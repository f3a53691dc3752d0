#include <autograd/kernels/convolution.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <autograd/kernels/convolution_planes.hpp>
#include <autograd/kernels/functions.hpp>
#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/map.hpp>
#include <autograd/kernels/matmul.hpp>
#include <autograd/kernels/padded_images.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/strided.hpp>
#include <autograd/kernels/targets/convolve.hpp>

namespace xtape::kernels {
namespace {

constexpr std::size_t cache_bytes = 768 * 1024;     // what columns may take, where they are written
constexpr std::size_t far_bytes = 6 * 1024 * 1024;  // and would take of several samples, where images are small
constexpr std::size_t wide = 512;                   // positions that are enough for an efficient product

// How many tasks are worth a thread, of so many products each.
std::size_t worth_a_thread_of_products(std::size_t products) {
  return (1 << 20) / std::max<std::size_t>(products, 1) + 1;
}

template <class T>
void convolve_here(const WindowMatrix<T>& x, const T* weights, bool by_windows, const WindowResults<T>& y) {
  static const auto convolve = with_target([]<Target target> { return &convolve_on<target, T>; });
  convolve(x, weights, by_windows, y);
}
template <class T>
void convolve_weight_here(const WindowMatrix<T>& x, const WindowResults<const T>& g, T* sums) {
  static const auto add = with_target([]<Target target> { return &convolve_weight_on<target, T>; });
  add(x, g, sums);
}

// The matrices that make up a convolution, of a group and several samples, which are more where images are small: what
// windows read (depth, samples * positions), and results (out, samples * positions). The depth counts input channels and
// elements. Only the adjoint with strides writes such a matrix down: its columns.
template <class T>
class Convolution {
 public:
  using Use = typename PaddedImages<T>::Use;

  // Channels are those of one group.
  Convolution(std::size_t batch, std::size_t groups, std::size_t in, std::size_t out, const Windows& windows)
      : batch_(batch), groups_(groups), in_(in), out_(out), w_(windows) {
    const std::size_t sample = std::max<std::size_t>(depth() * w_.windows() * sizeof(T), 1);
    const std::size_t enough = wide / std::max<std::size_t>(w_.windows(), 1);
    samples_ = std::clamp<std::size_t>(std::min(enough, far_bytes / sample), 1, std::max<std::size_t>(batch, 1));
    const std::size_t pieces = samples_ == 1 ? (sample + cache_bytes - 1) / cache_bytes : 1;
    lines_ = std::max<std::size_t>((lines() + pieces - 1) / pieces, 1);
  }

  std::size_t depth() const { return in_ * w_.elements(); }
  std::size_t width(const Samples& samples, const Lines& lines) const {
    return samples.count * lines.count * w_.positions[2];
  }
  Lines all_lines() const { return {0, lines()}; }

  PaddedImages<T> images(Use use) const { return {w_, groups_, in_, samples_, use}; }

  // Samples that are computed together: those of the batch in a row, for each group.
  std::size_t blocks() const {
    bool empty = groups_ * in_ * out_ * w_.elements() * w_.windows() == 0;
    return empty ? 0 : (batch_ + samples_ - 1) / samples_;
  }
  std::size_t groups() const { return groups_; }
  std::size_t out() const { return out_; }
  std::size_t most_windows() const { return samples_ * w_.windows(); }
  // How many blocks of a group are worth a thread.
  std::size_t enough() const { return worth_a_thread_of_products(depth() * out_ * most_windows()); }
  Samples samples(std::size_t group, std::size_t block) const {
    return {group, block * samples_, std::min(samples_, batch_ - block * samples_)};
  }
  // Calls f(lines) for all, such that their columns fit into the cache.
  template <class F>
  void for_each_lines(F&& f) const {
    for (std::size_t line = 0; line < lines(); line += lines_) f(Lines{line, std::min(lines_, lines() - line)});
  }

  // How registers are used.
  bool holds_windows() const {
    static const auto holds_windows = with_target([]<Target target> { return &holds_windows_on<target, T>; });
    return holds_windows(out_, depth(), w_.positions[2]);
  }
  // The weights (groups * out, in, elements) of all groups, packed one after the other.
  Array packed(const Array& w, const Array& bias) const {
    static const auto pack = with_target([]<Target target> { return &pack_weights_on<target, T>; });
    const std::vector<std::size_t> places = this->places();
    Array result({groups_, packed_weights(out_, depth())}, dtype_of<T>());
    T* to = result.template mutable_data<T>();
    for (std::size_t group = 0; group < groups_; ++group, to += result.shape()[1])
      pack(w.data<T>() + group * out_ * depth(), bias.defined() ? bias.data<T>() + group * out_ : nullptr, out_, places,
           holds_windows(), to);
    return result;
  }
  // The same in the order of the rows of images, (groups * out, depth), and back from (groups, depth, out).
  Array in_order(const Array& w) const {
    return transpose(w.reshaped({groups_ * out_, in_, kernel_rows(), w_.extent[2]}), {0, 2, 1, 3});
  }
  Array from_order(const Array& weights, const Shape& shape) const {
    return transpose(weights.reshaped({groups_, kernel_rows(), in_, w_.extent[2], out_}), {0, 4, 2, 1, 3}).reshaped(shape);
  }

  // The results of a group for these samples.
  template <class Number>
  WindowResults<Number> results(Number* y, const Samples& samples) const {
    return {y + offset_of(samples, 0, 0), out_, w_.windows(), groups_ * out_ * w_.windows()};
  }

  Matrix<T> unset_columns(const Samples& samples, const Lines& lines) {
    return {scratch(columns_, depth() * width(samples, lines)), width(samples, lines)};
  }

  // The results y of some lines as a matrix: themselves where they are one, else a copy.
  Matrix<const T> matrix_of_results(const T* y, const Samples& samples, const Lines& lines) {
    if (samples.count == 1) return {y + offset_of(samples, 0, 0) + lines.first * w_.positions[2], w_.windows()};
    T* copy = scratch(results_, out_ * width(samples, lines));
    for (std::size_t o = 0, place = 0; o < out_; ++o)
      for (std::size_t n = 0; n < samples.count; ++n, place += w_.windows())
        std::copy_n(y + offset_of(samples, n, o), w_.windows(), copy + place);
    return {copy, width(samples, lines)};
  }

 private:
  std::size_t lines() const { return w_.positions[0] * w_.positions[1]; }
  std::size_t kernel_rows() const { return w_.extent[0] * w_.extent[1]; }
  // The row of the matrix that each weight belongs to.
  std::vector<std::size_t> places() const {
    std::vector<std::size_t> result;
    for (std::size_t c = 0; c < in_; ++c)
      for (std::size_t row = 0; row < kernel_rows(); ++row)
        for (std::size_t k = 0; k < w_.extent[2]; ++k) result.push_back((row * in_ + c) * w_.extent[2] + k);
    return result;
  }
  // Of channel o of a sample, counted from the first.
  std::size_t offset_of(const Samples& samples, std::size_t n, std::size_t o) const {
    return (((samples.first + n) * groups_ + samples.group) * out_ + o) * w_.windows();
  }

  static T* scratch(Array& array, std::size_t n) {
    if (!array.defined() || array.size() < n) array = Array({n}, dtype_of<T>());
    return array.template mutable_data<T>();
  }

  std::size_t batch_, groups_, in_, out_, samples_ = 1, lines_ = 1;
  const Windows& w_;
  Array columns_, results_;
};

template <class T>
Convolution<T> convolution(const Array& w, std::size_t batch, std::size_t groups, const Windows& windows) {
  return {batch, groups, w.shape()[1], w.shape()[0] / groups, windows};
}

// Calls f(i, convolution, images) for i < n, in several threads of `least` or more, each of which has its own.
template <class T, class F>
void in_threads(const Convolution<T>& convolution, typename PaddedImages<T>::Use use, std::size_t n, std::size_t least,
                F f) {
  parallel_for(n, least, [&](std::size_t begin, std::size_t end) {
    Convolution<T> own = convolution;
    auto images = own.images(use);
    for (std::size_t i = begin; i < end; ++i) f(i, own, images);
  });
}

// Calls f(samples, convolution, images) for all samples.
template <class T, class F>
void for_each_samples(const Convolution<T>& convolution, typename PaddedImages<T>::Use use, F f) {
  const std::size_t blocks = convolution.blocks();
  in_threads(convolution, use, blocks * convolution.groups(), convolution.enough(),
             [&](std::size_t i, auto& own, auto& images) { f(own.samples(i / blocks, i % blocks), own, images); });
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

// Parts of the windows that x is of, such that what belongs to one stays in the cache.
template <class T>
std::vector<WindowMatrix<T>> in_parts(const WindowMatrix<T>& x) {
  std::vector<WindowMatrix<T>> result;
  for (std::size_t first = 0, last; first < x.runs.size(); first = last) {
    std::size_t count = 0;
    for (last = first; last < x.runs.size() && (count += x.runs[last].count) <= part_windows;) ++last;
    result.push_back({x.data, x.rows, x.runs.subspan(first, last - first), x.together});
  }
  return result;
}

// The relu of the results of these windows, in their place.
template <class T>
void relu_in_place(const WindowMatrix<T>& x, const WindowResults<T>& y) {
  static const auto row = map_row_of<T, Relu, 1>();
  const std::size_t end = x.first() + x.columns();
  for (std::size_t p = x.first(), n; p < end; p += n) {
    n = std::min(end - p, y.positions - p % y.positions);  // of one sample
    for (std::size_t channel = 0; channel < y.channels; ++channel) {
      T* at = y.at(channel, p);
      const T* in = at;
      row(&in, step_one, n, at);
    }
  }
}

// Whether each sample has one window, which is all of it: a convolution is a product of matrices then.
bool one_window(const Windows& w, std::size_t groups) {
  return groups == 1 && w.windows() == 1 && w.extent == w.space && w.padding == Windows::Extents{0, 0, 0};
}
Array as_matrix(const Array& x) {
  return x.reshaped({x.shape()[0], element_count(Shape(x.shape().begin() + 1, x.shape().end()))});
}

// The adjoint of a convolution with strides of 1 is one itself: with these windows of the results, unless they would
// leave out pixels at the border, or read zeros most of the time.
std::optional<Windows> adjoint(const Windows& w) {
  if (w.space[2] > 2 * w.positions[2]) return std::nullopt;
  Windows result = w;
  std::swap(result.space, result.positions);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const std::size_t reach = (w.extent[axis] - 1) * w.dilation[axis];
    if (w.stride[axis] != 1 || w.padding[axis] > reach) return std::nullopt;
    result.padding[axis] = reach - w.padding[axis];
  }
  return result;
}

// And with these weights: (groups * in, out, elements in reverse) of (groups * out, in, elements).
template <class T>
Array adjoint_weights(const Array& w, std::size_t groups, std::size_t elements) {
  const std::size_t out = w.shape()[0] / groups, in = w.shape()[1];
  Array result({groups * in, out, elements}, w.dtype());
  const T* from = w.data<T>();
  T* to = result.mutable_data<T>();
  for (std::size_t group = 0; group < groups; ++group, from += out * in * elements)
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t o = 0; o < out; ++o, to += elements)
        std::reverse_copy(from + (o * in + i) * elements, from + (o * in + i + 1) * elements, to);
  return result;
}

}  // namespace

Array convolve(const Array& x, const Array& w, const Array& bias, std::size_t groups, const Windows& windows,
               const Shape& shape, bool relu) {
  if (one_window(windows, groups)) {
    Array y = linear(as_matrix(x), as_matrix(w), bias).reshaped(shape);
    if (relu) visit_floating("convolution", y.dtype(), [&]<class T>(T) { map<T>(Relu(), y, y); });
    return y;
  }
  if (are_planes(w.shape(), groups, windows)) return convolve_planes(x, w, bias, windows, shape, relu);
  Array y(shape, x.dtype());
  visit_floating("convolution", x.dtype(), [&]<class T>(T) {
    const auto c = convolution<T>(w, shape[0], groups, windows);
    const Array weights = c.packed(w, bias);
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    for_each_samples(c, PaddedImages<T>::Use::read, [&](const Samples& samples, auto& c, auto& images) {
      images.load(from, samples);
      const auto parts = in_parts(images.matrix(samples.count, c.all_lines()));
      const std::size_t least = worth_a_thread_of_products(c.depth() * c.out() * part_windows);
      parallel_for(parts.size(), least, [&](std::size_t begin, std::size_t end) {
        const WindowResults<T> results = c.results(to, samples);
        for (std::size_t i = begin; i < end; ++i) {
          convolve_here<T>(parts[i], weights.data<T>() + samples.group * weights.shape()[1], c.holds_windows(), results);
          if (relu) relu_in_place(parts[i], results);
        }
      });
    });
  });
  return y;
}

Array convolve_input(const Array& g, const Array& w, const Array& bias, std::size_t groups, const Windows& windows,
                     const Shape& shape) {
  if (one_window(windows, groups) && !bias.defined())
    return matmul(as_matrix(g), as_matrix(w), false, false).reshaped(shape);
  if (auto adjoint_windows = adjoint(windows))
    return visit_floating("convolution", g.dtype(), [&]<class T>(T) {
      return convolve(g, adjoint_weights<T>(w, groups, windows.elements()), bias, groups, *adjoint_windows, shape);
    });
  if (are_planes(w.shape(), groups, windows)) return convolve_planes_input(g, w, bias, windows, shape);
  Array y(shape, g.dtype());
  visit_floating("convolution", g.dtype(), [&]<class T>(T) {
    fill_channels<T>(y, bias);
    T* to = y.mutable_data<T>();
    const auto c = convolution<T>(w, shape[0], groups, windows);
    const Array weights = c.in_order(w);
    const std::size_t out = w.shape()[0] / groups;
    for_each_samples(c, PaddedImages<T>::Use::add, [&](const Samples& samples, auto& c, auto& images) {
      images.clear();
      c.for_each_lines([&](const Lines& lines) {
        Matrix<T> columns = c.unset_columns(samples, lines);
        gemm<T>({weights.data<T>() + samples.group * out * c.depth(), c.depth(), true},
                c.matrix_of_results(g.data<T>(), samples, lines), columns, c.depth(), c.width(samples, lines), out);
        images.scatter(columns.data, samples, lines);
      });
      images.add_to(to, samples);
    });
  });
  return y;
}

Array convolve_weight(const Array& x, const Array& g, std::size_t groups, const Windows& windows, const Shape& shape) {
  if (one_window(windows, groups)) return matmul(as_matrix(g), as_matrix(x), true, false).reshaped(shape);
  if (are_planes(shape, groups, windows)) return convolve_planes_weight(x, g, windows, shape);
  std::size_t out = shape[0] / groups;
  Array result;
  visit_floating("convolution", g.dtype(), [&]<class T>(T) {
    const Convolution<T> convolution(x.shape()[0], groups, shape[1], out, windows);
    const std::size_t blocks = convolution.blocks(), size = element_count(shape), depth = convolution.depth();
    const std::size_t parts = parts_of_sum(blocks, convolution.most_windows(), size);
    Array sum = Array::full({groups, depth, out}, 0, g.dtype()), more = Array::full({parts - 1, size}, 0, g.dtype());
    const T* from = x.data<T>();
    T *to = sum.mutable_data<T>(), *further = more.mutable_data<T>();
    in_threads(convolution, PaddedImages<T>::Use::read, parts * groups, convolution.enough() * parts / (blocks + 1) + 1,
               [&](std::size_t task, auto& c, auto& images) {
      const std::size_t number = task / groups, group = task % groups;
      T* part_sum = (number == 0 ? to : further + (number - 1) * size) + group * depth * out;
      for (std::size_t block = blocks * number / parts; block < blocks * (number + 1) / parts; ++block) {
        const Samples samples = c.samples(group, block);
        images.load(from, samples);
        for (const WindowMatrix<T>& part : in_parts(images.matrix(samples.count, c.all_lines()))) {
          parallel_for(depth, worth_a_thread_of_products(out * part_windows), [&](std::size_t begin, std::size_t end) {
            convolve_weight_here<T>(part.slice(begin, end - begin), c.results(g.data<T>(), samples), part_sum + begin * out);
          });
        }
      }
    });
    for (std::size_t part = 1; part < parts; ++part, further += size)
      for (std::size_t i = 0; i < size; ++i) to[i] += further[i];
    result = convolution.from_order(sum, shape);
  });
  return result;
}

}  // namespace xtape::kernels
