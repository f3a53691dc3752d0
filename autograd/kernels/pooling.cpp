#include <autograd/kernels/pooling.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/targets/max_pool.hpp>
#include <autograd/kernels/targets/pixels.hpp>

namespace xtape::kernels {
namespace {

// The lines of windows.
class Lines {
 public:
  explicit Lines(const Windows& w) : w_(w), spans_{spans(w, 0), spans(w, 1), spans(w, 2)} {}

  // Calls begin(line), then element(line, number of the element, pixel, span) for each element of windows that reads the
  // image there, for every line of the planes from `plane` to `last`: the first position of the span reads that pixel.
  template <class Begin, class Element>
  void for_each(std::size_t plane, std::size_t last, Begin&& begin, Element&& element) const {
    std::size_t line = plane * w_.positions[0] * w_.positions[1];
    for (; plane < last; ++plane)
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
        }
  }

 private:
  const Windows& w_;
  std::array<std::vector<Span>, 3> spans_;
};

// Calls f(number of the first window, number of the first pixel, rows) for each element of the windows, in each plane of
// each image, in several threads: it reads a pixel for each of these windows, in rows that are so far apart in the image,
// and side by side in the results.
template <class F>
void for_each_element(const Windows& w, std::size_t images, const F& f) {
  const std::array all{spans(w, 0), spans(w, 1), spans(w, 2)};
  parallel_for(images, worth_a_thread_of(w.windows() * w.elements()), [&](std::size_t image, std::size_t last) {
    for (; image < last; ++image)
      for (const Span& depth : all[0])
        for (std::size_t d = depth.first; d < depth.last; ++d)
          for (const Span& height : all[1])
            for (const Span& width : all[2]) {
              if (height.first >= height.last || width.first >= width.last) continue;
              const std::size_t plane = image * w.space[0] + depth.start + (d - depth.first) * w.stride[0];
              const std::size_t pixel = (plane * w.space[1] + height.start) * w.space[2] + width.start;
              const std::size_t line = (image * w.positions[0] + d) * w.positions[1] + height.first;
              f(line * w.positions[2] + width.first, pixel,
                PixelRows{width.last - width.first, height.last - height.first, w.stride[1] * w.space[2], w.positions[2]});
            }
  });
}

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

std::vector<MaxLine> max_lines(const Windows& w) {
  std::vector<MaxLine> lines;
  auto begin = [&](std::size_t line) { lines.push_back({first_pixel(w, line), {}}); };
  auto element = [&](std::size_t, std::size_t number, std::size_t pixel, const Span& span) {
    lines.back().rows.push_back({number, static_cast<std::ptrdiff_t>(pixel - span.first * w.stride[2]), span});
  };
  Lines(w).for_each(0, 1, begin, element);
  return lines;
}

}  // namespace

MaxWindows max_windows(const Array& x, const Windows& w) {
  Shape shape{x.shape()[0], x.shape()[1], w.windows()};
  MaxWindows result{Array(shape, x.dtype()), Array(shape, DType::int64)};
  auto* all_indices = result.indices.mutable_data<std::int64_t>();
  const std::size_t n = w.positions[2], planes = shape[0] * shape[1];
  const auto shift = offsets(w);
  const auto lines = max_lines(w);
  visit_floating("max_pool", x.dtype(), [&]<class T>(T) {
    constexpr std::ptrdiff_t countable = std::ptrdiff_t{1} << std::numeric_limits<float>::digits;  // by T
    const std::vector<T> shifts(shift.begin(), shift.end());
    const MaxPlan<T> plan{lines, shift, shifts, n, w.stride[2], shift.empty() || shift.back() < countable};
    const auto of_plane = with_target([]<Target target>() { return &max_plane_on<target, T>; });
    const T *images = x.data<T>(), *end = images + x.size();
    T* all_values = result.values.mutable_data<T>();
    parallel_for(planes, worth_a_thread_of(w.windows() * w.elements()), [&](std::size_t plane, std::size_t last) {
      for (; plane < last; ++plane)
        of_plane(plan, images + plane * w.pixels(), end, all_values + plane * w.windows(),
                 all_indices + plane * w.windows());
    });
  });
  return result;
}

Array sum_windows(const Array& x, const Windows& w, const Shape& shape) {
  Array result = Array::full(shape, 0, x.dtype());
  visit_floating("avg_pool", x.dtype(), [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = result.mutable_data<T>();
    const auto add_taken = with_target([]<Target target>() { return &add_taken_on<target, T>; });
    for_each_element(w, shape[0] * shape[1], [&](std::size_t window, std::size_t pixel, const PixelRows& rows) {
      add_taken(rows, in + pixel, w.stride[2], out + window);
    });
  });
  return result;
}

Array spread_windows(const Array& g, const Windows& w, const Shape& shape) {
  Array result = Array::full(shape, 0, g.dtype());
  visit_floating("avg_pool", g.dtype(), [&]<class T>(T) {
    const T* in = g.data<T>();
    T* out = result.mutable_data<T>();
    const auto add_apart = with_target([]<Target target>() { return &add_apart_on<target, T>; });
    for_each_element(w, shape[0] * shape[1], [&](std::size_t window, std::size_t pixel, const PixelRows& rows) {
      add_apart({rows.n, rows.rows, rows.to_row, rows.from_row}, in + window, out + pixel, w.stride[2]);
    });
  });
  return result;
}

}  // namespace xtape::kernels
