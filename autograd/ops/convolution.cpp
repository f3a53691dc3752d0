#include <autograd/ops/convolution.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include <autograd/kernels/layout.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/views.hpp>

namespace xtape {

std::vector<std::size_t> PerAxis::of(const char* operation, const char* option, std::size_t axes) const {
  if (values_.size() == 1) return std::vector<std::size_t>(axes, values_[0]);
  if (values_.size() != axes)
    throw ShapeError(std::string(operation) + ": " + std::to_string(values_.size()) + " numbers for " + option +
                     ", needs one, or " + std::to_string(axes));
  return values_;
}

namespace {

using Extents = std::vector<std::size_t>;

// How windows lie over the axes of space.
struct Windows {
  Extents extent, stride, dilation;

  // What one window covers of an axis.
  std::size_t reach(std::size_t i) const { return dilation[i] * (extent[i] - 1) + 1; }
};

void require_positive(const char* operation, const char* option, const Extents& values) {
  for (std::size_t value : values)
    if (value == 0) throw ValueError(std::string(operation) + ": a " + option + " of 0, needs 1 or more");
}

void require_space(const char* operation, const Variable& x, std::size_t axes) {
  detail::require_floating(operation, x);
  if (x.rank() != axes + 2)
    throw ShapeError(std::string(operation) + ": " + to_string(x.shape()) + ", needs (batch, channels" +
                     (axes == 1 ? ", length)" : axes == 2 ? ", height, width)" : ", depth, height, width)"));
}

Variable padded(const Variable& x, const Extents& padding, double value = 0) {
  std::vector<std::pair<std::size_t, std::size_t>> widths(2, {0, 0});
  bool any = false;
  for (std::size_t p : padding) widths.push_back({p, p}), any = any || p > 0;
  return any ? pad(x, widths, PadMode::constant, value) : x;
}

// The windows' elements of an array (batch, channels, space...): a view of shape (batch, channels, extents...,
// positions...), which reads what overlaps more than once.
kernels::View windows_view(const Shape& shape, const Windows& windows, const Extents& positions) {
  kernels::Strides strides = kernels::dense_strides(shape);
  kernels::View view{{shape[0], shape[1]}, {strides[0], strides[1]}, 0};
  for (std::size_t i = 0; i < positions.size(); ++i) {
    view.shape.push_back(windows.extent[i]);
    view.strides.push_back(strides[i + 2] * static_cast<std::ptrdiff_t>(windows.dilation[i]));
  }
  for (std::size_t i = 0; i < positions.size(); ++i) {
    view.shape.push_back(positions[i]);
    view.strides.push_back(strides[i + 2] * static_cast<std::ptrdiff_t>(windows.stride[i]));
  }
  return view;
}

Extents positions_of(const char* operation, const Shape& shape, const Windows& windows) {
  Extents result;
  for (std::size_t i = 0; i < windows.extent.size(); ++i) {
    if (windows.reach(i) > shape[i + 2])
      throw ShapeError(std::string(operation) + ": a window of " + std::to_string(windows.reach(i)) +
                       " along axis " + std::to_string(i + 2) + " of " + to_string(shape) + " (padded): is longer");
    result.push_back((shape[i + 2] - windows.reach(i)) / windows.stride[i] + 1);
  }
  return result;
}

std::size_t product(const Extents& extents) {
  std::size_t n = 1;
  for (std::size_t extent : extents) n *= extent;
  return n;
}

Shape joined(Shape shape, const Extents& extents) {
  shape.insert(shape.end(), extents.begin(), extents.end());
  return shape;
}

Variable with_bias(const char* operation, const Variable& y, const Variable& bias) {
  if (!bias.defined()) return y;
  if (bias.rank() != 1 || bias.shape(0) != y.shape(1))
    throw ShapeError(std::string(operation) + ": a bias " + to_string(bias.shape()) + " for " +
                     std::to_string(y.shape(1)) + " channels");
  Shape shape(y.rank() - 1, 1);
  shape[0] = bias.size();
  return y + reshape(bias, shape);
}

// The windows that a kernel (a, b, extents...) spans, after the checks that both kinds of convolution make.
Windows kernel_windows(const char* operation, std::size_t axes, const Variable& x, const Variable& kernel,
                       const PerAxis& stride, const PerAxis& dilation, std::size_t groups, std::size_t kernel_channels) {
  require_space(operation, x, axes);
  detail::require_floating(operation, kernel);
  std::string text = std::string(operation) + ": " + to_string(x.shape()) + " with a kernel " +
                     to_string(kernel.shape());
  if (groups == 0) throw ValueError(text + ": 0 groups, needs 1 or more");
  if (kernel.rank() != axes + 2)
    throw ShapeError(text + ": needs a kernel of " + std::to_string(axes + 2) + " axes");
  if (kernel_channels != x.shape(1) || x.shape(1) % groups != 0 || kernel.shape(0) % groups != 0)
    throw ShapeError(text + ": channels do not fit, in " + std::to_string(groups) + " groups");
  Windows windows{Extents(kernel.shape().begin() + 2, kernel.shape().end()), stride.of(operation, "stride", axes),
                  dilation.of(operation, "dilation", axes)};
  require_positive(operation, "stride", windows.stride);
  require_positive(operation, "dilation", windows.dilation);
  require_positive(operation, "kernel extent", windows.extent);
  return windows;
}

// A matrix product for each sample and group: the kernel's rows times the windows as columns.
Variable convolve(const char* operation, std::size_t axes, const Variable& x, const Variable& kernel,
                  const Variable& bias, const ConvOptions& options) {
  std::size_t groups = options.groups;
  Windows windows = kernel_windows(operation, axes, x, kernel, options.stride, options.dilation, groups,
                                   kernel.rank() < 2 ? 0 : kernel.shape(1) * groups);
  Variable source = padded(x, options.padding.of(operation, "padding", axes));
  Extents positions = positions_of(operation, source.shape(), windows);
  std::size_t batch = x.shape(0), out = kernel.shape(0), depth = kernel.shape(1) * product(windows.extent);
  Variable columns = detail::read_view(operation, source, windows_view(source.shape(), windows, positions));
  Variable y = matmul(reshape(kernel, {groups, out / groups, depth}),
                      reshape(columns, {batch, groups, depth, product(positions)}));
  return with_bias(operation, reshape(y, joined({batch, out}, positions)), bias);
}

// The same backwards: the transposed product gives columns, which are added up where the windows lie.
Variable convolve_transposed(const char* operation, std::size_t axes, const Variable& x, const Variable& kernel,
                             const Variable& bias, const ConvTransposeOptions& options) {
  std::size_t groups = options.groups;
  Windows windows = kernel_windows(operation, axes, x, kernel, options.stride, options.dilation, groups,
                                   kernel.rank() < 2 ? 0 : kernel.shape(0));
  Extents padding = options.padding.of(operation, "padding", axes);
  Extents more = options.output_padding.of(operation, "output_padding", axes);
  std::size_t batch = x.shape(0), in = x.shape(1), out = kernel.shape(1) * groups;
  Extents positions(x.shape().begin() + 2, x.shape().end());
  require_positive(operation, "extent", positions);
  Shape full{batch, out};
  std::vector<Index> inside{range(), range()};
  for (std::size_t i = 0; i < axes; ++i) {
    if (more[i] >= std::max(windows.stride[i], windows.dilation[i]))
      throw ValueError(std::string(operation) + ": an output_padding of " + std::to_string(more[i]) +
                       ", needs less than the stride or the dilation");
    full.push_back((positions[i] - 1) * windows.stride[i] + windows.reach(i) + more[i]);
    if (2 * padding[i] >= full.back())
      throw ShapeError(std::string(operation) + ": a padding of " + std::to_string(padding[i]) + " cuts off all " +
                       std::to_string(full.back()) + " elements of axis " + std::to_string(i + 2));
    inside.push_back(range(static_cast<std::ptrdiff_t>(padding[i]),
                           static_cast<std::ptrdiff_t>(full.back() - padding[i])));
  }
  std::size_t depth = kernel.shape(1) * product(windows.extent);
  Variable columns = matmul(swapaxes(reshape(kernel, {groups, in / groups, depth}), 1, 2),
                            reshape(x, {batch, groups, in / groups, product(positions)}));
  kernels::View view = windows_view(full, windows, positions);
  Variable y = detail::write_view(operation, reshape(columns, view.shape), full, view);
  return with_bias(operation, slice(y, inside), bias);
}

}  // namespace

Variable conv1d(const Variable& x, const Variable& kernel, const Variable& bias, const ConvOptions& options) {
  return convolve("conv1d", 1, x, kernel, bias, options);
}
Variable conv2d(const Variable& x, const Variable& kernel, const Variable& bias, const ConvOptions& options) {
  return convolve("conv2d", 2, x, kernel, bias, options);
}
Variable conv3d(const Variable& x, const Variable& kernel, const Variable& bias, const ConvOptions& options) {
  return convolve("conv3d", 3, x, kernel, bias, options);
}

Variable conv_transpose1d(const Variable& x, const Variable& kernel, const Variable& bias,
                          const ConvTransposeOptions& options) {
  return convolve_transposed("conv_transpose1d", 1, x, kernel, bias, options);
}
Variable conv_transpose2d(const Variable& x, const Variable& kernel, const Variable& bias,
                          const ConvTransposeOptions& options) {
  return convolve_transposed("conv_transpose2d", 2, x, kernel, bias, options);
}
Variable conv_transpose3d(const Variable& x, const Variable& kernel, const Variable& bias,
                          const ConvTransposeOptions& options) {
  return convolve_transposed("conv_transpose3d", 3, x, kernel, bias, options);
}

namespace {

Windows plain_windows(const char* operation, const PerAxis& window, const UnfoldOptions& options) {
  Windows windows{window.of(operation, "window", 2), options.stride.of(operation, "stride", 2),
                  options.dilation.of(operation, "dilation", 2)};
  require_positive(operation, "window", windows.extent);
  require_positive(operation, "stride", windows.stride);
  require_positive(operation, "dilation", windows.dilation);
  return windows;
}

}  // namespace

Variable unfold(const Variable& x, const PerAxis& window, const UnfoldOptions& options) {
  require_space("unfold", x, 2);
  Windows windows = plain_windows("unfold", window, options);
  Variable source = padded(x, options.padding.of("unfold", "padding", 2));
  Extents positions = positions_of("unfold", source.shape(), windows);
  Variable columns = detail::read_view("unfold", source, windows_view(source.shape(), windows, positions));
  return reshape(columns, {x.shape(0), x.shape(1) * product(windows.extent), product(positions)});
}

Variable fold(const Variable& columns, const PerAxis& extents, const PerAxis& window, const UnfoldOptions& options) {
  detail::require_floating("fold", columns);
  Windows windows = plain_windows("fold", window, options);
  Extents space = extents.of("fold", "extents", 2), padding = options.padding.of("fold", "padding", 2);
  std::size_t elements = product(windows.extent);
  if (columns.rank() != 3 || columns.shape(1) % elements != 0)
    throw ShapeError("fold: " + to_string(columns.shape()) + ", needs (batch, channels * " + std::to_string(elements) +
                     ", windows)");
  Shape full{columns.shape(0), columns.shape(1) / elements};
  std::vector<Index> inside{range(), range()};
  for (std::size_t i = 0; i < 2; ++i) {
    full.push_back(space[i] + 2 * padding[i]);
    inside.push_back(range(static_cast<std::ptrdiff_t>(padding[i]), static_cast<std::ptrdiff_t>(padding[i] + space[i])));
  }
  Extents positions = positions_of("fold", full, windows);
  if (columns.shape(2) != product(positions))
    throw ShapeError("fold: " + to_string(columns.shape()) + " has " + std::to_string(columns.shape(2)) +
                     " windows, needs the " + std::to_string(product(positions)) + " of " + to_string(full) + " (padded)");
  kernels::View view = windows_view(full, windows, positions);
  return slice(detail::write_view("fold", reshape(columns, view.shape), full, view), inside);
}

namespace {

// The windows' elements along one axis: (batch, channels, elements, positions...).
Variable window_elements(const char* operation, std::size_t axes, const Variable& x, const PerAxis& window,
                         const PoolOptions& options, double outside) {
  require_space(operation, x, axes);
  Windows windows{window.of(operation, "window", axes), options.stride.of(operation, "stride", axes), Extents(axes, 1)};
  require_positive(operation, "window", windows.extent);
  Extents padding = options.padding.of(operation, "padding", axes);
  for (std::size_t i = 0; i < axes; ++i) {
    if (windows.stride[i] == 0) windows.stride[i] = windows.extent[i];
    if (2 * padding[i] > windows.extent[i])
      throw ValueError(std::string(operation) + ": a padding of " + std::to_string(padding[i]) + " for a window of " +
                       std::to_string(windows.extent[i]) + ", needs at most half of it");
  }
  Variable source = padded(x, padding, outside);
  Extents positions = positions_of(operation, source.shape(), windows);
  Variable elements = detail::read_view(operation, source, windows_view(source.shape(), windows, positions));
  return reshape(elements, joined({x.shape(0), x.shape(1), product(windows.extent)}, positions));
}

Variable max_pool(const char* operation, std::size_t axes, const Variable& x, const PerAxis& window,
                  const PoolOptions& options) {
  constexpr double least = -std::numeric_limits<double>::infinity();
  return max_with_indices(window_elements(operation, axes, x, window, options, least), 2).values;
}

Variable avg_pool(const char* operation, std::size_t axes, const Variable& x, const PerAxis& window,
                  const PoolOptions& options) {
  return mean(window_elements(operation, axes, x, window, options, 0), 2);
}

// Axis by axis: the mean (or the greatest) of a rectangle is that of its rows' means.
Variable adaptive_pool(const char* operation, std::size_t axes, const Variable& x, const PerAxis& extents,
                       const std::function<Variable(const Variable&, std::ptrdiff_t)>& reduce) {
  require_space(operation, x, axes);
  Extents wanted = extents.of(operation, "extents", axes);
  Variable result = x;
  for (std::size_t i = 0; i < axes; ++i) {
    std::size_t n = wanted[i], length = x.shape()[i + 2];
    if (n == 0 || length == 0)
      throw ShapeError(std::string(operation) + ": " + std::to_string(n) + " windows along axis " +
                       std::to_string(i + 2) + " of " + to_string(x.shape()) + ": needs 1 or more of both");
    std::vector<Variable> parts;
    for (std::size_t k = 0; k < n; ++k) {
      std::vector<Index> window(i + 2, Index(range()));
      window.push_back(range(static_cast<std::ptrdiff_t>(k * length / n),
                             static_cast<std::ptrdiff_t>(((k + 1) * length + n - 1) / n)));
      parts.push_back(reduce(slice(result, window), static_cast<std::ptrdiff_t>(i + 2)));
    }
    result = stack(parts, static_cast<std::ptrdiff_t>(i + 2));
  }
  return result;
}

Variable greatest(const Variable& x, std::ptrdiff_t axis) { return max_with_indices(x, axis).values; }
Variable average(const Variable& x, std::ptrdiff_t axis) { return mean(x, axis); }

}  // namespace

Variable max_pool1d(const Variable& x, const PerAxis& window, const PoolOptions& options) {
  return max_pool("max_pool1d", 1, x, window, options);
}
Variable max_pool2d(const Variable& x, const PerAxis& window, const PoolOptions& options) {
  return max_pool("max_pool2d", 2, x, window, options);
}
Variable avg_pool1d(const Variable& x, const PerAxis& window, const PoolOptions& options) {
  return avg_pool("avg_pool1d", 1, x, window, options);
}
Variable avg_pool2d(const Variable& x, const PerAxis& window, const PoolOptions& options) {
  return avg_pool("avg_pool2d", 2, x, window, options);
}
Variable adaptive_max_pool1d(const Variable& x, const PerAxis& extents) {
  return adaptive_pool("adaptive_max_pool1d", 1, x, extents, greatest);
}
Variable adaptive_max_pool2d(const Variable& x, const PerAxis& extents) {
  return adaptive_pool("adaptive_max_pool2d", 2, x, extents, greatest);
}
Variable adaptive_avg_pool1d(const Variable& x, const PerAxis& extents) {
  return adaptive_pool("adaptive_avg_pool1d", 1, x, extents, average);
}
Variable adaptive_avg_pool2d(const Variable& x, const PerAxis& extents) {
  return adaptive_pool("adaptive_avg_pool2d", 2, x, extents, average);
}

}  // namespace xtape
