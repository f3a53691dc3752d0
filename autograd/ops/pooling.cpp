#include <autograd/ops/pooling.hpp>

#include <algorithm>
#include <memory>
#include <string>

#include <autograd/batch.hpp>
#include <autograd/kernels/adaptive_pooling.hpp>
#include <autograd/kernels/pooling.hpp>
#include <autograd/ops/checked_indices.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/space.hpp>
#include <autograd/tape.hpp>

namespace xtape {

using namespace detail;
using kernels::Windows;

namespace {

// The windows of a pooling over so many axes.
struct Pooling {
  std::size_t axes;
  bool ceil_mode;
  Windows windows;

  Attributes attributes() const {
    return {{"window", last_of(windows.extent, axes)},
            {"stride", last_of(windows.stride, axes)},
            {"padding", last_of(windows.padding, axes)},
            {"ceil_mode", ceil_mode}};
  }
};

// A pair of maps that are each other's adjoint.
Variable spread_windows(const char* name, const Variable& g, const Pooling& p, const Shape& shape);
Variable sum_windows(const char* name, const Variable& x, const Pooling& p, const Shape& shape) {
  auto in_each = [name, shape](const Batch& b, const Pooling& p) {
    return b.apart(sum_windows(name, b.joined(0), p, b.joined(shape)), shape[0]);
  };
  return record(op(name, p).mapped(in_each),
                [shape](const Array& v, const Pooling& p) { return kernels::sum_windows(v, p.windows, shape); },
                wrt(x, [=, images = x.shape()](const Variable& g) { return spread_windows(name, g, p, images); },
                    linear_in_operand));
}
Variable spread_windows(const char* name, const Variable& g, const Pooling& p, const Shape& shape) {
  auto in_each = [name, shape](const Batch& b, const Pooling& p) {
    return b.apart(spread_windows(name, b.joined(0), p, b.joined(shape)), shape[0]);
  };
  return record(op(name, p).mapped(in_each),
                [shape](const Array& v, const Pooling& p) { return kernels::spread_windows(v, p.windows, shape); },
                wrt(g, [=, positions = g.shape()](const Variable& h) { return sum_windows(name, h, p, positions); },
                    linear_in_operand));
}

Windows pooling_windows(const char* operation, std::size_t axes, const Shape& images, const PerAxis& window,
                        const PerAxis& stride, const PerAxis& padding, const PerAxis& dilation, bool ceil_mode) {
  Extents extent = window.of(operation, "window", axes), strides = stride.of(operation, "stride", axes);
  for (std::size_t i = 0; i < axes; ++i)
    if (strides[i] == 0) strides[i] = extent[i];
  require_positive(operation, "window", extent);
  Windows w = windows_of(operation, extent, strides, padding, dilation);
  for (std::size_t i = 0; i < 3; ++i)
    if (2 * w.padding[i] > w.extent[i])
      throw ValueError(std::string(operation) + ": a padding of " + std::to_string(w.padding[i]) + " for a window of " +
                       std::to_string(w.extent[i]) + ", needs at most half of it");
  lay_over(operation, w, axes, images, ceil_mode);
  return w;
}

// Widely spaced elements of a window can all lie in the padding.
void require_elements(const char* operation, const Windows& w, const Shape& images) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    std::vector<bool> met(w.positions[axis], false);
    for (const kernels::Span& span : kernels::spans(w, axis))
      std::fill(met.begin() + static_cast<std::ptrdiff_t>(span.first), met.begin() + static_cast<std::ptrdiff_t>(span.last),
                true);
    if (std::find(met.begin(), met.end(), false) != met.end())
      throw ShapeError(std::string(operation) + ": a window has no element inside of " + to_string(images));
  }
}

// for_batch where both results may do without the batch.
WithIndices for_batch_with_indices(const char* operation, std::size_t axes, const Variable& images,
                                   const std::function<WithIndices(const Variable&)>& f) {
  Variable indices;
  Variable values = for_batch(operation, axes, images, [&](const Variable& x) {
    WithIndices result = f(x);
    indices = result.indices;
    return result.values;
  });
  return {values, reshape(indices, values.shape())};
}

// The pixels of images x that the kernel, which tells its attributes, finds at so many positions. The vjp shares the
// indices.
template <class Kernel>
WithIndices choose(const char* operation, std::size_t axes, const Variable& x, const Windows::Extents& space,
                   const Windows::Extents& positions, const Kernel& kernel) {
  Variable flat = reshape(x, {x.shape(0), x.shape(1), Windows::product(space)});
  auto indices = std::make_shared<Array>();
  auto forward = [indices, images = x.shape()](const Array& pixels, const Kernel& kernel) {
    kernels::MaxWindows max = kernel(pixels.reshaped(images));
    *indices = max.indices;
    return max.values;
  };
  auto in_each = [=, images = x.shape()](const Batch& b, const Kernel& kernel) {
    Variable pixels = reshape(b[0], b.joined(images));
    auto [values, places] = choose(operation, axes, pixels, space, positions, kernel);
    auto flat_in_each = [&](const Variable& v) { return reshape(v, {b.size(), images[0], images[1], Windows::product(positions)}); };
    *indices = mapped(flat_in_each(places), b.level());
    return flat_in_each(values);
  };
  Variable y = record(op(operation, kernel).mapped(in_each), forward,
                      wrt(flat, [indices, shape = flat.shape()](const Variable& g) {
                        return take_along_adjoint(g, Variable(*indices), 2, shape);
                      }, [indices](const Variable& t) { return take_along(t, Variable(*indices), 2); }));
  Shape shape = images_shape(x.shape(0), x.shape(1), positions, axes);
  return {reshape(y, shape), reshape(Variable(*indices), shape)};
}

struct MaxPooling : Pooling {
  Attributes attributes() const {
    Attributes result = Pooling::attributes();
    result.emplace_back("dilation", last_of(windows.dilation, axes));
    return result;
  }
  kernels::MaxWindows operator()(const Array& images) const { return kernels::max_windows(images, windows); }
};

WithIndices max_pool(const char* operation, std::size_t axes, const Variable& images, const PerAxis& window,
                     const PoolOptions& options) {
  return for_batch_with_indices(operation, axes, images, [&](const Variable& x) {
    Windows w = pooling_windows(operation, axes, images.shape(), window, options.stride, options.padding,
                                options.dilation, options.ceil_mode);
    require_elements(operation, w, images.shape());
    if (w.elements() > std::size_t{1} << 24)  // the kernel counts them by numbers of x's dtype
      throw ValueError(std::string(operation) + ": a window of " + std::to_string(w.elements()) +
                       " elements, needs at most 2^24");
    return choose(operation, axes, x, w.space, w.positions, MaxPooling{{axes, options.ceil_mode, w}});
  });
}

// What each window's sum is divided by, along one axis.
std::vector<double> counts(const Windows& w, std::size_t axis, bool padding_counts) {
  std::vector<double> result;
  for (std::size_t p = 0; p < w.positions[axis]; ++p) {
    std::size_t first = p * w.stride[axis], padding = w.padding[axis], end = w.space[axis] + padding;
    std::size_t last = std::min(first + w.extent[axis], padding_counts ? end + padding : end);
    result.push_back(static_cast<double>(last - (padding_counts ? first : std::max(first, padding))));
  }
  return result;
}

// The counts of all windows, as they broadcast to the result.
Variable counts(const Windows& w, std::size_t axes, bool padding_counts, DType dtype) {
  Variable product(1.0);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    Shape along(3, 1);
    along[axis] = w.positions[axis];
    product = product * Variable(xt::adapt(counts(w, axis, padding_counts), along));
  }
  return reshape(product, images_shape(1, 1, w.positions, axes)).to(dtype);
}

Variable avg_pool(const char* operation, std::size_t axes, const Variable& images, const PerAxis& window,
                  const AvgPoolOptions& options) {
  if (options.divisor_override == 0)
    throw ValueError(std::string(operation) + ": a divisor_override of 0, needs another number");
  return for_batch(operation, axes, images, [&](const Variable& x) {
    Windows w =
        pooling_windows(operation, axes, images.shape(), window, options.stride, options.padding, 1, options.ceil_mode);
    Variable sums = sum_windows(operation, x, {axes, options.ceil_mode, w},
                                images_shape(x.shape(0), x.shape(1), w.positions, axes));
    if (options.divisor_override) return sums / static_cast<double>(*options.divisor_override);
    bool all_alike = !options.ceil_mode && (options.count_include_pad || w.padding == Windows::Extents{});
    if (all_alike) return sums / static_cast<double>(w.elements());
    return sums / counts(w, axes, options.count_include_pad, x.dtype());
  });
}

// The extents of images and of results, as those of windows.
struct Adaptive {
  std::size_t axes;
  Windows::Extents space{1, 1, 1}, positions{1, 1, 1};

  Attributes attributes() const { return {{"extents", last_of(positions, axes)}}; }
  kernels::MaxWindows operator()(const Array& images) const {
    return kernels::adaptive_max_windows(images, space, positions);
  }
};
Adaptive adaptive(const char* operation, std::size_t axes, const Shape& images, const PerAxis& extents) {
  Adaptive result{axes};
  set_last(result.space, space_of(images, axes));
  set_last(result.positions, extents.of(operation, "extents", axes));
  for (std::size_t i = 3 - axes; i < 3; ++i)
    if (result.space[i] == 0 || result.positions[i] == 0)
      throw ShapeError(std::string(operation) + ": " + std::to_string(result.positions[i]) + " windows along axis " +
                       std::to_string(i + images.size() - 3) + " of " + to_string(images) + ": needs 1 or more");
  return result;
}

WithIndices adaptive_max_pool(const char* operation, std::size_t axes, const Variable& images, const PerAxis& extents) {
  return for_batch_with_indices(operation, axes, images, [&](const Variable& x) {
    Adaptive pooling = adaptive(operation, axes, images.shape(), extents);
    return choose(operation, axes, x, pooling.space, pooling.positions, pooling);
  });
}

// Axis by axis: the mean of a box is that of its rows' means.
Variable adaptive_avg_pool(const char* operation, std::size_t axes, const Variable& images, const PerAxis& extents) {
  return for_batch(operation, axes, images, [&](const Variable& x) {
    const Adaptive pooling = adaptive(operation, axes, images.shape(), extents);
    const auto &space = pooling.space, &positions = pooling.positions;
    Variable result = x;
    for (std::size_t i = 0; i < axes; ++i) {
      std::size_t n = positions[3 - axes + i], length = space[3 - axes + i];
      std::vector<Variable> parts;
      for (std::size_t k = 0; k < n; ++k) {
        std::vector<Index> window(i + 2, Index(range()));
        window.push_back(range(static_cast<std::ptrdiff_t>(k * length / n),
                               static_cast<std::ptrdiff_t>(((k + 1) * length + n - 1) / n)));
        parts.push_back(mean(slice(result, window), static_cast<std::ptrdiff_t>(i + 2)));
      }
      result = stack(parts, static_cast<std::ptrdiff_t>(i + 2));
    }
    return result;
  });
}

// The caller may change the indices.
WithIndices with_own_indices(const WithIndices& chosen) { return {chosen.values, chosen.indices.copy()}; }

}  // namespace

Variable max_pool1d(const Variable& x, const PerAxis& window, const PoolOptions& options) {
  return max_pool("max_pool1d", 1, x, window, options).values;
}
Variable max_pool2d(const Variable& x, const PerAxis& window, const PoolOptions& options) {
  return max_pool("max_pool2d", 2, x, window, options).values;
}
Variable max_pool3d(const Variable& x, const PerAxis& window, const PoolOptions& options) {
  return max_pool("max_pool3d", 3, x, window, options).values;
}
WithIndices max_pool1d_with_indices(const Variable& x, const PerAxis& window, const PoolOptions& options) {
  return with_own_indices(max_pool("max_pool1d_with_indices", 1, x, window, options));
}
WithIndices max_pool2d_with_indices(const Variable& x, const PerAxis& window, const PoolOptions& options) {
  return with_own_indices(max_pool("max_pool2d_with_indices", 2, x, window, options));
}
WithIndices max_pool3d_with_indices(const Variable& x, const PerAxis& window, const PoolOptions& options) {
  return with_own_indices(max_pool("max_pool3d_with_indices", 3, x, window, options));
}
Variable avg_pool1d(const Variable& x, const PerAxis& window, const AvgPoolOptions& options) {
  return avg_pool("avg_pool1d", 1, x, window, options);
}
Variable avg_pool2d(const Variable& x, const PerAxis& window, const AvgPoolOptions& options) {
  return avg_pool("avg_pool2d", 2, x, window, options);
}
Variable avg_pool3d(const Variable& x, const PerAxis& window, const AvgPoolOptions& options) {
  return avg_pool("avg_pool3d", 3, x, window, options);
}

Variable adaptive_max_pool1d(const Variable& x, const PerAxis& extents) {
  return adaptive_max_pool("adaptive_max_pool1d", 1, x, extents).values;
}
Variable adaptive_max_pool2d(const Variable& x, const PerAxis& extents) {
  return adaptive_max_pool("adaptive_max_pool2d", 2, x, extents).values;
}
Variable adaptive_max_pool3d(const Variable& x, const PerAxis& extents) {
  return adaptive_max_pool("adaptive_max_pool3d", 3, x, extents).values;
}
WithIndices adaptive_max_pool1d_with_indices(const Variable& x, const PerAxis& extents) {
  return with_own_indices(adaptive_max_pool("adaptive_max_pool1d_with_indices", 1, x, extents));
}
WithIndices adaptive_max_pool2d_with_indices(const Variable& x, const PerAxis& extents) {
  return with_own_indices(adaptive_max_pool("adaptive_max_pool2d_with_indices", 2, x, extents));
}
WithIndices adaptive_max_pool3d_with_indices(const Variable& x, const PerAxis& extents) {
  return with_own_indices(adaptive_max_pool("adaptive_max_pool3d_with_indices", 3, x, extents));
}
Variable adaptive_avg_pool1d(const Variable& x, const PerAxis& extents) {
  return adaptive_avg_pool("adaptive_avg_pool1d", 1, x, extents);
}
Variable adaptive_avg_pool2d(const Variable& x, const PerAxis& extents) {
  return adaptive_avg_pool("adaptive_avg_pool2d", 2, x, extents);
}
Variable adaptive_avg_pool3d(const Variable& x, const PerAxis& extents) {
  return adaptive_avg_pool("adaptive_avg_pool3d", 3, x, extents);
}

}  // namespace xtape
