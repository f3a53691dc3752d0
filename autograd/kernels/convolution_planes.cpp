#include <autograd/kernels/convolution_planes.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <autograd/kernels/functions.hpp>
#include <autograd/kernels/map.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/targets/convolve_planes.hpp>
#include <autograd/kernels/targets/map.hpp>

namespace xtape::kernels {
namespace {

// The kernels of this processor.
template <class T>
void take_plane_apart_here(const PlaneCopy& copy, const T* x, std::size_t rows, T* to) {
  static const auto take = with_target([]<Target target> { return &take_plane_apart_on<target, T>; });
  take(copy, x, rows, to);
}
template <class T>
void join_plane_here(const PlaneCopy& copy, const T* from, T* y, T* end) {
  static const auto join = with_target([]<Target target> { return &join_plane_on<target, T>; });
  join(copy, from, y, end);
}
template <class T>
void convolve_plane_here(const T* x, std::span<const std::size_t> places, const T* weights, T bias,
                         const PlaneLines& lines, T* y, T* end) {
  static const auto convolve = with_target([]<Target target> { return &convolve_plane_on<target, T>; });
  convolve(x, places, weights, bias, lines, y, end);
}
template <class T>
void convolve_plane_weight_here(const T* x, std::span<const std::size_t> places, const PlaneLines& lines, const T* y,
                                T* sums) {
  static const auto add = with_target([]<Target target> { return &convolve_plane_weight_on<target, T>; });
  add(x, places, lines, y, sums);
}

constexpr std::size_t height = 1, width = 2;  // axes of windows

// How far the last element of a window is from the first.
std::size_t reach(const Windows& w, std::size_t axis) { return (w.extent[axis] - 1) * w.dilation[axis]; }

std::size_t parts_of(std::size_t n, std::size_t each) { return (n + each - 1) / each; }

template <class T>
constexpr std::size_t widest = register_bytes / sizeof(T);  // register

// The pixels of rows of `row` pixels, with some before, and up to `end` at least, in `stride` pieces.
template <class T>
PlaneCopy copy_of(std::size_t row, std::size_t before, std::size_t end, std::size_t stride) {
  const std::size_t piece = parts_of(std::max(end, before + row), stride) + widest<T>;
  return {row, stride, before, piece, stride * piece};
}

// Some rows of a plane at a time, such that what they are computed from stays in the cache.
struct Bands {
  std::size_t rows, each;

  // As many rows as have `numbers` of T, each.
  template <class T>
  static Bands of(std::size_t rows, std::size_t numbers) {
    constexpr std::size_t bytes = 48 * 1024, least = 8;
    const std::size_t most = std::max(bytes / (numbers * sizeof(T)), least);
    return {rows, parts_of(rows, parts_of(rows, most))};
  }
  std::size_t count() const { return parts_of(rows, each); }
  std::size_t first(std::size_t band) const { return band * each; }
  std::size_t size(std::size_t band) const { return std::min(each, rows - first(band)); }
};

// Calls f(plane, band, own) for all bands of so many planes, in several threads, each of which has a copy of `own`.
template <class Own, class F>
void for_each_band(std::size_t planes, const Bands& bands, std::size_t numbers, const Own& own, F f) {
  const std::size_t count = bands.count();
  parallel_for(planes * count, worth_a_thread_of(bands.each * numbers), [&](std::size_t begin, std::size_t end) {
    Own mine = own;
    for (std::size_t i = begin; i < end; ++i) f(i / count, i % count, mine);
  });
}

// Rows of planes with zeros around them, taken apart.
template <class T>
class PlaneRows {
 public:
  PlaneRows(const PlaneCopy& copy, std::size_t plane_rows, std::size_t most)
      : copy_(copy), plane_rows_(plane_rows), numbers_(most * copy.row + widest<T>) {}

  // `count` rows from number `first` on; those before 0 and beyond the plane are zeros.
  const T* load(const T* plane, std::ptrdiff_t first, std::size_t count) {
    const auto all = static_cast<std::ptrdiff_t>(count), rows = static_cast<std::ptrdiff_t>(plane_rows_);
    const auto begin = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(-first, 0, all));
    const auto end = std::max(begin, static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(rows - first, 0, all)));
    std::fill_n(numbers_.data(), begin * copy_.row, T(0));
    if (begin < end)
      take_plane_apart_here<T>(copy_, plane + (first + static_cast<std::ptrdiff_t>(begin)) *
                                                  static_cast<std::ptrdiff_t>(copy_.width),
                               end - begin, numbers_.data() + begin * copy_.row);
    std::fill_n(numbers_.data() + end * copy_.row, (count - end) * copy_.row, T(0));
    return numbers_.data();
  }

 private:
  PlaneCopy copy_;
  std::size_t plane_rows_;
  std::vector<T> numbers_;
};

// How windows read planes: a line of them is what stands at `places` in the rows that it reads.
template <class T>
class Reader {
 public:
  explicit Reader(const Windows& w)
      : w_(w), copy_(copy_of<T>(w.space[width], w.padding[width],
                                (w.positions[width] - 1) * w.stride[width] + reach(w, width) + 1, w.stride[width])),
        bands_(Bands::of<T>(w.positions[height], copy_.row * w.stride[height])) {
    for (std::size_t i = 0; i < w.extent[height]; ++i)
      for (std::size_t j = 0; j < w.extent[width]; ++j) {
        const std::size_t column = j * w.dilation[width], stride = w.stride[width];
        places_.push_back(i * w.dilation[height] * copy_.row + column % stride * copy_.piece + column / stride);
      }
  }

  const Bands& bands() const { return bands_; }
  std::span<const std::size_t> places() const { return places_; }
  PlaneRows<T> rows() const { return {copy_, w_.space[height], rows_of(bands_.each)}; }
  const T* load(PlaneRows<T>& rows, const T* plane, std::size_t band) const {
    const std::size_t first = bands_.first(band) * w_.stride[height];
    return rows.load(plane, static_cast<std::ptrdiff_t>(first) - static_cast<std::ptrdiff_t>(w_.padding[height]),
                     rows_of(bands_.size(band)));
  }
  PlaneLines lines(std::size_t band) const {
    return {bands_.size(band), w_.positions[width], w_.stride[height] * copy_.row, w_.positions[width]};
  }

 private:
  std::size_t rows_of(std::size_t lines) const { return (lines - 1) * w_.stride[height] + reach(w_, height) + 1; }

  const Windows& w_;
  PlaneCopy copy_;
  Bands bands_;
  std::vector<std::size_t> places_;
};

// The elements that fall on every stride-th pixel, counted from pixel `remainder` on. Along one axis, those of pixels
// remainder + q stride read results q - shift.
struct Phase {
  std::vector<std::size_t> elements, shifts;
};
std::vector<Phase> phases(const Windows& w, std::size_t axis) {
  std::vector<Phase> result(w.stride[axis]);
  for (std::size_t e = 0; e < w.extent[axis]; ++e) {
    const std::size_t shift = e * w.dilation[axis], stride = w.stride[axis];
    result[shift % stride].elements.push_back(e);
    result[shift % stride].shifts.push_back(shift / stride);
  }
  return result;
}

// How pixels read results: those of each phase of rows and columns with some of the elements, as windows without
// strides do, so that no result is multiplied by zeros.
template <class T>
class Writer {
 public:
  explicit Writer(const Windows& w)
      : w_(w), above_(reach(w, height) / w.stride[height]), before_(reach(w, width) / w.stride[width]),
        read_(copy_of<T>(w.positions[width], before_, before_ + columns_end(), 1)),
        written_(copy_of<T>(w.space[width], 0, 0, w.stride[width])),
        bands_(Bands::of<T>(w.space[height], written_.row)) {
    for (const Phase& rows : phases(w, height))
      for (const Phase& columns : phases(w, width)) {
        starts_.push_back(places_.size());
        for (std::size_t i = 0; i < rows.elements.size(); ++i)
          for (std::size_t j = 0; j < columns.elements.size(); ++j) {
            places_.push_back((above_ - rows.shifts[i]) * read_.row + before_ - columns.shifts[j]);
            order_.push_back(rows.elements[i] * w.extent[width] + columns.elements[j]);
          }
      }
    starts_.push_back(places_.size());
  }

  const Bands& bands() const { return bands_; }
  struct Rooms {
    PlaneRows<T> rows;
    std::vector<T> written;
  };
  Rooms rooms() const {
    const std::size_t rows = (bands_.each - 1) / w_.stride[height] + 2 + above_;
    return {{read_, w_.positions[height], rows}, std::vector<T>(bands_.each * written_.row)};
  }
  // The weights of all planes in the order of phases.
  std::vector<T> in_order(const Array& w) const {
    std::vector<T> result;
    result.reserve(w.size());
    for (const T *plane = w.data<T>(), *end = plane + w.size(); plane < end; plane += order_.size())
      for (std::size_t e : order_) result.push_back(plane[e]);
    return result;
  }

  // A band of the pixels y of a plane, of the results g.
  void write(Rooms& rooms, std::size_t band, const T* g, const T* weights, T bias, T* y) const {
    const std::size_t stride = w_.stride[height], first = bands_.first(band), count = bands_.size(band);
    const std::size_t begin = (first + w_.padding[height]) / stride;
    const std::size_t end = (first + count - 1 + w_.padding[height]) / stride + 1;
    const T* from = rooms.rows.load(g, static_cast<std::ptrdiff_t>(begin) - static_cast<std::ptrdiff_t>(above_),
                                    end - begin + above_);
    T* to = rooms.written.data();
    for (std::size_t i = 0; i < std::min(stride, count); ++i) {
      const std::size_t row = first + i + w_.padding[height];
      for (std::size_t j = 0; j < std::min(w_.stride[width], w_.space[width]); ++j) {
        const std::size_t column = j + w_.padding[width];
        const std::size_t phase = row % stride * w_.stride[width] + column % w_.stride[width], start = starts_[phase];
        convolve_plane_here<T>(from + (row / stride - begin) * read_.row + column / w_.stride[width],
                               {places_.data() + start, starts_[phase + 1] - start}, weights + start, bias,
                               {parts_of(count - i, stride), parts_of(w_.space[width] - j, w_.stride[width]), read_.row,
                                stride * written_.row},
                               to + i * written_.row + j * written_.piece, to + rooms.written.size());
      }
    }
    y += first * w_.space[width];
    join_plane_here<T>(written_, to, y, y + count * w_.space[width]);
  }

 private:
  // Of the results that pixels read.
  std::size_t columns_end() const { return (w_.space[width] - 1 + w_.padding[width]) / w_.stride[width] + 1; }

  const Windows& w_;
  std::size_t above_, before_;  // zeros before results
  PlaneCopy read_, written_;
  Bands bands_;
  std::vector<std::size_t> starts_, places_, order_;  // of phases; of their elements
};

// In how many parts the sums of each plane over samples are computed: enough for some threads where there are few planes.
// It depends on the extents alone, as results do.
std::size_t parts_of_sums(std::size_t batch, std::size_t planes) {
  constexpr std::size_t enough = 16;
  return std::clamp<std::size_t>(enough / planes, 1, std::max<std::size_t>(batch, 1));
}

}  // namespace

bool are_planes(const Shape& weights, std::size_t groups, const Windows& w) {
  constexpr std::size_t most_phases = 64;
  return weights[0] == groups && weights[1] == 1 && groups > 0 && w.space[0] == 1 && w.extent[0] == 1 &&
         w.positions[0] == 1 && w.padding[0] == 0 && w.elements() * w.windows() * w.pixels() > 0 &&
         w.stride[height] * w.stride[width] <= most_phases;
}

Array convolve_planes(const Array& x, const Array& w, const Array& bias, const Windows& windows, const Shape& shape,
                      bool relu) {
  Array y(shape, x.dtype());
  visit_floating("convolution", x.dtype(), [&]<class T>(T) {
    static const auto relu_row = map_row_of<T, Relu, 1>();
    const Reader<T> reader(windows);
    const std::size_t channels = w.shape()[0], elements = windows.elements();
    const T *from = x.data<T>(), *weights = w.data<T>(), *biases = bias.defined() ? bias.data<T>() : nullptr;
    T* to = y.mutable_data<T>();
    for_each_band(shape[0] * channels, reader.bands(), windows.positions[width], reader.rows(),
                  [&](std::size_t plane, std::size_t band, PlaneRows<T>& rows) {
      const std::size_t channel = plane % channels;
      const PlaneLines lines = reader.lines(band);
      const std::size_t n = lines.count * lines.length;
      T* at = to + plane * windows.windows() + reader.bands().first(band) * lines.length;
      convolve_plane_here<T>(reader.load(rows, from + plane * windows.pixels(), band), reader.places(),
                             weights + channel * elements, biases ? biases[channel] : T(0), lines, at, at + n);
      const T* in = at;
      if (relu) relu_row(&in, step_one, n, at);
    });
  });
  return y;
}

Array convolve_planes_input(const Array& g, const Array& w, const Array& bias, const Windows& windows,
                            const Shape& shape) {
  Array y(shape, g.dtype());
  visit_floating("convolution", g.dtype(), [&]<class T>(T) {
    const Writer<T> writer(windows);
    const std::vector<T> weights = writer.in_order(w);
    const std::size_t channels = w.shape()[0], elements = windows.elements();
    const T *from = g.data<T>(), *biases = bias.defined() ? bias.data<T>() : nullptr;
    T* to = y.mutable_data<T>();
    for_each_band(shape[0] * channels, writer.bands(), windows.space[width], writer.rooms(),
                  [&](std::size_t plane, std::size_t band, auto& rooms) {
      const std::size_t channel = plane % channels;
      writer.write(rooms, band, from + plane * windows.windows(), weights.data() + channel * elements,
                   biases ? biases[channel] : T(0), to + plane * windows.pixels());
    });
  });
  return y;
}

Array convolve_planes_weight(const Array& x, const Array& g, const Windows& windows, const Shape& shape) {
  const std::size_t batch = x.shape()[0], channels = shape[0], elements = windows.elements();
  const std::size_t parts = parts_of_sums(batch, channels);
  Array sums = Array::full(shape, 0, g.dtype()), more = Array::full({parts - 1, shape[0], elements}, 0, g.dtype());
  visit_floating("convolution", g.dtype(), [&]<class T>(T) {
    const Reader<T> reader(windows);
    const T *images = x.data<T>(), *results = g.data<T>();
    T *first_part = sums.mutable_data<T>(), *others = more.mutable_data<T>();
    // Each thread goes through memory in its order: through its planes of each sample.
    auto add = [&](PlaneRows<T>& rows, std::size_t part, std::size_t first, std::size_t last) {
      T* part_sums = part == 0 ? first_part : others + (part - 1) * channels * elements;
      for (std::size_t n = batch * part / parts; n < batch * (part + 1) / parts; ++n)
        for (std::size_t channel = first; channel < last; ++channel)
          for (std::size_t band = 0; band < reader.bands().count(); ++band) {
            const std::size_t plane = n * channels + channel;
            const PlaneLines lines = reader.lines(band);
            convolve_plane_weight_here<T>(
                reader.load(rows, images + plane * windows.pixels(), band), reader.places(), lines,
                results + plane * windows.windows() + reader.bands().first(band) * lines.length,
                part_sums + channel * elements);
          }
    };
    const std::size_t work = windows.windows() * (batch / parts + 1);
    parallel_for(parts * channels, worth_a_thread_of(work), [&](std::size_t begin, std::size_t end) {
      PlaneRows<T> rows = reader.rows();
      for (std::size_t i = begin, next; i < end; i = next) {
        const std::size_t part = i / channels;
        next = std::min(end, (part + 1) * channels);
        add(rows, part, i - part * channels, next - part * channels);
      }
    });
    for (std::size_t i = 0; i < more.size(); ++i) first_part[i % sums.size()] += others[i];
  });
  return sums;
}

}  // namespace xtape::kernels
