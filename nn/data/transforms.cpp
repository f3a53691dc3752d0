#include <nn/data/transforms.hpp>

#include <algorithm>
#include <cmath>
#include <string>

#include <autograd/error.hpp>
#include <autograd/kernels/parallel.hpp>

namespace xtape::nn {
namespace {

void require_images(const char* name, const Variable& x) {
  if (!x.defined() || x.rank() != 4 || !is_floating(x.dtype()))
    throw ShapeError(std::string(name) + ": x is " +
                     (x.defined() ? to_string(x.dtype()) + to_string(x.shape()) : "an undefined Variable") +
                     ", needs floating-point images of shape (N, channels, height, width)");
}

// Calls f(first element of the image, its number) for each image.
template <class F>
Batch each_image(const char* name, Batch batch, F&& f) {
  require_images(name, batch.x);
  const Shape& shape = batch.x.shape();
  std::size_t size = shape[1] * shape[2] * shape[3];
  bool nobody_else_has_it = batch.x.impl()->references == 1 && batch.x.value().unique();
  Array x = nobody_else_has_it ? batch.x.value() : batch.x.value().copy();
  visit_floating(name, x.dtype(), [&]<class T>(T) {
    T* first = x.mutable_data<T>();
    kernels::parallel_for(shape[0], kernels::worth_a_thread_of(size), [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) f(first + i * size, i);
    });
  });
  batch.x = Variable(std::move(x));
  return batch;
}

}  // namespace

Transform normalize(std::vector<double> mean, std::vector<double> std) {
  auto finite = [](double v) { return std::isfinite(v); };
  if (mean.empty() || mean.size() != std.size() || !std::all_of(mean.begin(), mean.end(), finite) ||
      !std::all_of(std.begin(), std.end(), [](double v) { return v > 0 && std::isfinite(v); }))
    throw ValueError("normalize: " + std::to_string(mean.size()) + " means and " + std::to_string(std.size()) +
                     " standard deviations: needs as many of both, finite, and the deviations positive");
  return [mean = std::move(mean), std = std::move(std)](Batch batch, Generator&) {
    require_images("normalize", batch.x);
    std::size_t channels = batch.x.shape()[1], plane = batch.x.shape()[2] * batch.x.shape()[3];
    if (mean.size() != 1 && mean.size() != channels)
      throw ShapeError("normalize: x is " + to_string(batch.x.shape()) + ", needs " + std::to_string(mean.size()) +
                       " channels");
    return each_image("normalize", std::move(batch), [&](auto* pixel, std::size_t) {
      using T = std::remove_reference_t<decltype(*pixel)>;
      for (std::size_t c = 0; c < channels; ++c) {
        std::size_t k = mean.size() == 1 ? 0 : c;
        T scale = static_cast<T>(1 / std[k]), shift = static_cast<T>(-mean[k] / std[k]);
        for (T* end = pixel + plane; pixel != end; ++pixel) *pixel = *pixel * scale + shift;
      }
    });
  };
}

Transform random_horizontal_flip(double p) {
  if (!(p >= 0 && p <= 1))
    throw ValueError("random_horizontal_flip: a probability of " + Scalar(p).text() + ", needs 0 to 1");
  return [p](Batch batch, Generator& generator) {
    require_images("random_horizontal_flip", batch.x);
    const Shape shape = batch.x.shape();
    Array chance = generator.uniform({shape[0]}, 0, 1, float64);
    return each_image("random_horizontal_flip", std::move(batch), [&](auto* row, std::size_t i) {
      if (chance.at(i) >= p) return;
      for (std::size_t k = 0; k < shape[1] * shape[2]; ++k, row += shape[3]) std::reverse(row, row + shape[3]);
    });
  };
}

Transform random_crop(std::size_t padding) {
  return [padding](Batch batch, Generator& generator) {
    require_images("random_crop", batch.x);
    const Shape shape = batch.x.shape();
    auto height = static_cast<std::ptrdiff_t>(shape[2]), width = static_cast<std::ptrdiff_t>(shape[3]);
    auto most = static_cast<double>(padding);
    Array moves = generator.uniform({shape[0], 2}, -most, most + 1, float64);
    return each_image("random_crop", std::move(batch), [&](auto* image, std::size_t i) {
      using T = std::remove_reference_t<decltype(*image)>;
      auto dy = static_cast<std::ptrdiff_t>(std::floor(moves.at(2 * i)));
      auto dx = static_cast<std::ptrdiff_t>(std::floor(moves.at(2 * i + 1)));
      std::vector<T> before(static_cast<std::size_t>(height * width));
      for (std::size_t c = 0; c < shape[1]; ++c, image += height * width) {
        std::copy(image, image + height * width, before.begin());
        for (std::ptrdiff_t y = 0; y < height; ++y)
          for (std::ptrdiff_t x = 0; x < width; ++x) {
            bool inside = y + dy >= 0 && y + dy < height && x + dx >= 0 && x + dx < width;
            image[y * width + x] = inside ? before[static_cast<std::size_t>((y + dy) * width + x + dx)] : T{0};
          }
      }
    });
  };
}

}  // namespace xtape::nn
