#include <autograd/kernels/pooling.hpp>

#include <algorithm>
#include <limits>
#include <vector>

#include <autograd/kernels/simd.hpp>

namespace xtape::kernels {
namespace {

// The windows are computed line by line, and a line element by element of its windows: so the compiler vectorizes the
// loop over the line, where the strides are known to it.
class Lines {
 public:
  explicit Lines(const Windows& w) : w_(w), spans_{spans(w, 0), spans(w, 1), spans(w, 2)} {}

  // Calls begin(line), then element(line, number of the element, pixel, span) for each element of windows that reads the
  // image there, then end(line), for every line of every plane: the first position of the span reads that pixel.
  template <class Begin, class Element, class End>
  void for_each(std::size_t planes, Begin&& begin, Element&& element, End&& end) const {
    std::size_t line = 0;
    for (std::size_t plane = 0; plane < planes; ++plane)
      for (std::size_t d = 0; d < w_.positions[0]; ++d)
        for (std::size_t h = 0; h < w_.positions[1]; ++h, ++line) {
          begin(line);
          std::size_t number = 0;
          for (const Span& depth : spans_[0])
            for (const Span& height : spans_[1]) {
              bool inside = d >= depth.first && d < depth.last && h >= height.first && h < height.last;
              std::size_t row = ((plane * w_.space[0] + depth.start + (d - depth.first) * w_.stride[0]) * w_.space[1] +
                                 height.start + (h - height.first) * w_.stride[1]) * w_.space[2];
              for (const Span& width : spans_[2]) {
                if (inside && width.first < width.last) element(line, number, row + width.start, width);
                ++number;
              }
            }
          end(line);
        }
  }

 private:
  const Windows& w_;
  std::array<std::vector<Span>, 3> spans_;
};

constexpr auto nothing = [](std::size_t) {};

// How far each element of a window is from the first, in pixels.
std::vector<std::ptrdiff_t> offsets(const Windows& w) {
  std::vector<std::ptrdiff_t> result;
  for (std::size_t a = 0; a < w.extent[0]; ++a)
    for (std::size_t b = 0; b < w.extent[1]; ++b)
      for (std::size_t c = 0; c < w.extent[2]; ++c)
        result.push_back(static_cast<std::ptrdiff_t>(
            ((a * w.dilation[0]) * w.space[1] + b * w.dilation[1]) * w.space[2] + c * w.dilation[2]));
  return result;
}

// The pixel of the first element of the first window of a line; before the image where there is padding.
std::ptrdiff_t first_pixel(const Windows& w, std::size_t line) {
  auto at = [&](std::size_t axis, std::size_t position) {
    return static_cast<std::ptrdiff_t>(position * w.stride[axis]) - static_cast<std::ptrdiff_t>(w.padding[axis]);
  };
  auto space = [&](std::size_t axis) { return static_cast<std::ptrdiff_t>(w.space[axis]); };
  std::size_t h = line % w.positions[1], d = line / w.positions[1] % w.positions[0];
  return (at(0, d) * space(1) + at(1, h)) * space(2) + at(2, 0);
}

}  // namespace

MaxWindows max_windows(const Array& x, const Windows& w) {
  Shape shape{x.shape()[0], x.shape()[1], w.windows()};
  MaxWindows result{Array(shape, x.dtype()), Array(shape, DType::int64)};
  auto* indices = result.indices.mutable_data<std::int64_t>();
  const std::size_t n = w.positions[2];
  const auto shift = offsets(w);
  visit_floating("max_pool", x.dtype(), [&]<class T>(T) {
    using R = Batch<T>;
    const T *in = x.data<T>(), *end = in + x.size();
    T* values = result.values.mutable_data<T>();
    // With room for a register more at the end. The numbers of elements are few enough for T to count.
    std::vector<T> greatest(n + R::size), best(n + R::size);
    Lines(w).for_each(
        x.shape()[0] * x.shape()[1],
        [&](std::size_t) {
          for (std::size_t i = 0; i < n; i += R::size) {
            R(T(-1)).store_unaligned(&best[i]);
            R(-std::numeric_limits<T>::infinity()).store_unaligned(&greatest[i]);
          }
        },
        [&](std::size_t, std::size_t number, std::size_t pixel, const Span& span) {
          with_step(w.stride[2], [&](auto step) {
            for (std::size_t i = span.first; i < span.last; i += R::size) {
              R value = load_strided(in + pixel + (i - span.first) * step, span.last - i, step, end);
              R max = R::load_unaligned(&greatest[i]), where = R::load_unaligned(&best[i]);
              auto greater = (value > max) | (is_nan(value) & (max == max)) | (where < R(0));
              if (span.last - i < R::size) greater = greater & (first_lanes<T>() < R(static_cast<T>(span.last - i)));
              xsimd::select(greater, value, max).store_unaligned(&greatest[i]);
              xsimd::select(greater, R(static_cast<T>(number)), where).store_unaligned(&best[i]);
            }
          });
        },
        [&](std::size_t line) {
          std::ptrdiff_t at = first_pixel(w, line);
          auto stride = static_cast<std::ptrdiff_t>(w.stride[2]);
          std::int64_t* to = indices + line * n;
          for (std::size_t i = 0; i < n; ++i, at += stride) to[i] = at + shift[static_cast<std::uint32_t>(best[i])];
          std::copy_n(greatest.data(), n, values + line * n);
        });
  });
  return result;
}

Array sum_windows(const Array& x, const Windows& w, const Shape& shape) {
  Array result = Array::full(shape, 0, x.dtype());
  visit_floating("avg_pool", x.dtype(), [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = result.mutable_data<T>();
    auto add = [&](std::size_t line, std::size_t, std::size_t pixel, const Span& span) {
      with_step(w.stride[2], [&, to = out + line * w.positions[2] + span.first, from = in + pixel](auto step) {
        for (std::size_t i = 0; i < span.last - span.first; ++i) to[i] += from[i * step];
      });
    };
    Lines(w).for_each(shape[0] * shape[1], nothing, add, nothing);
  });
  return result;
}

Array spread_windows(const Array& g, const Windows& w, const Shape& shape) {
  Array result = Array::full(shape, 0, g.dtype());
  visit_floating("avg_pool", g.dtype(), [&]<class T>(T) {
    const T* in = g.data<T>();
    T* out = result.mutable_data<T>();
    auto add = [&](std::size_t line, std::size_t, std::size_t pixel, const Span& span) {
      with_step(w.stride[2], [&, to = out + pixel, from = in + line * w.positions[2] + span.first](auto step) {
        for (std::size_t i = 0; i < span.last - span.first; ++i) to[i * step] += from[i];
      });
    };
    Lines(w).for_each(shape[0] * shape[1], nothing, add, nothing);
  });
  return result;
}

}  // namespace xtape::kernels
