#include <autograd/kernels/adaptive_pooling.hpp>

#include <cmath>

#include <autograd/kernels/parallel.hpp>

namespace xtape::kernels {
namespace {

// What a window covers of an axis.
struct Part {
  std::size_t begin, end;
};
Part part(const Windows::Extents& space, const Windows::Extents& positions, std::size_t axis, std::size_t i) {
  std::size_t s = space[axis], n = positions[axis];
  return {i * s / n, ((i + 1) * s + n - 1) / n};
}

// Where the first greatest of a box of pixels stands, or as in PyTorch the last NaN.
template <class T>
std::size_t greatest(const T* image, const Windows::Extents& space, Part depth, Part height, Part width) {
  std::size_t best = (depth.begin * space[1] + height.begin) * space[2] + width.begin;
  for (std::size_t d = depth.begin; d < depth.end; ++d)
    for (std::size_t h = height.begin; h < height.end; ++h)
      for (std::size_t w = width.begin; w < width.end; ++w) {
        std::size_t pixel = (d * space[1] + h) * space[2] + w;
        if (image[pixel] > image[best] || std::isnan(image[pixel])) best = pixel;
      }
  return best;
}

}  // namespace

MaxWindows adaptive_max_windows(const Array& x, const Windows::Extents& space, const Windows::Extents& positions) {
  Shape shape{x.shape()[0], x.shape()[1], Windows::product(positions)};
  MaxWindows result{Array(shape, x.dtype()), Array(shape, DType::int64)};
  auto* all_indices = result.indices.mutable_data<std::int64_t>();
  visit_floating("adaptive_max_pool", x.dtype(), [&]<class T>(T) {
    T* all_values = result.values.mutable_data<T>();
    const std::size_t pixels = Windows::product(space);
    auto plane = [&](const T* image, T* values, std::int64_t* indices) {
      for (std::size_t d = 0; d < positions[0]; ++d)
        for (std::size_t h = 0; h < positions[1]; ++h)
          for (std::size_t w = 0; w < positions[2]; ++w) {
            std::size_t pixel = greatest(image, space, part(space, positions, 0, d), part(space, positions, 1, h),
                                         part(space, positions, 2, w));
            *indices++ = static_cast<std::int64_t>(pixel);
            *values++ = image[pixel];
          }
    };
    parallel_for(shape[0] * shape[1], worth_a_thread_of(pixels), [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i)
        plane(x.data<T>() + i * pixels, all_values + i * shape[2], all_indices + i * shape[2]);
    });
  });
  return result;
}

}  // namespace xtape::kernels
