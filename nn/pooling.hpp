// Pooling: each channel of (batch, channels, space...) summed up by windows.
#pragma once

#include <vector>

#include <autograd/ops/pooling.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

namespace detail {

/// The windows of a pooling layer over one, two or three axes of space.
class Windowed : public Module {
 public:
  std::string description() const override;

 protected:
  Windowed(const char* name, std::size_t axes, const PerAxis& window, const PerAxis& stride, const PerAxis& padding);

  std::vector<std::size_t> window_, stride_, padding_;
};

/// The same with the options of an operation.
template <std::size_t axes, class Options>
class Pooling : public Windowed {
 public:
  Pooling(const Pooling&) = default;  // moving is copying
  Pooling& operator=(const Pooling&) = default;

 protected:
  Pooling(const char* name, const PerAxis& window, const Options& options)
      : Windowed(name, axes, window, options.stride, options.padding), options_(options) {}

  Options options_;
};

/// A window that is given as `{2, 3}`. Taken as an array, so that such a list is never taken for another layer, of the
/// window 2 and the stride 3, to be copied.
template <std::size_t n>
PerAxis extents_of(const std::size_t (&window)[n]) {
  return std::vector<std::size_t>(window, window + n);
}

/// The result's extents of a pooling layer.
class AdaptivePooling : public Module {
 public:
  std::string description() const override;

 protected:
  AdaptivePooling(const char* name, std::size_t axes, const PerAxis& extents);

  std::vector<std::size_t> extents_;
};

}  // namespace detail

/// max_pool1d. Windows are given as in `MaxPool2D(2)`, `MaxPool2D({2, 3})`, `MaxPool2D(3, {.stride = 2})`, or as in
/// PyTorch with stride and padding, `MaxPool2D(3, 2, 1)`.
/// @throws ValueError, like all of these, for a window of 0 or a padding of more than half of it.
class MaxPool1D : public detail::Pooling<1, PoolOptions> {
 public:
  explicit MaxPool1D(const PerAxis& window, const PoolOptions& options = {})
      : Pooling("MaxPool1D", window, options) {}
  template <std::size_t n>
  explicit MaxPool1D(const std::size_t (&window)[n], const PoolOptions& options = {})
      : MaxPool1D(detail::extents_of(window), options) {}
  MaxPool1D(const PerAxis& window, std::size_t stride, const PerAxis& padding = 0)
      : MaxPool1D(window, {.stride = stride, .padding = padding}) {}
  Variable forward(const Variable& x) override { return max_pool1d(x, window_, options_); }
};

/// max_pool2d
class MaxPool2D : public detail::Pooling<2, PoolOptions> {
 public:
  explicit MaxPool2D(const PerAxis& window, const PoolOptions& options = {})
      : Pooling("MaxPool2D", window, options) {}
  template <std::size_t n>
  explicit MaxPool2D(const std::size_t (&window)[n], const PoolOptions& options = {})
      : MaxPool2D(detail::extents_of(window), options) {}
  MaxPool2D(const PerAxis& window, std::size_t stride, const PerAxis& padding = 0)
      : MaxPool2D(window, {.stride = stride, .padding = padding}) {}
  Variable forward(const Variable& x) override { return max_pool2d(x, window_, options_); }
};

/// max_pool3d
class MaxPool3D : public detail::Pooling<3, PoolOptions> {
 public:
  explicit MaxPool3D(const PerAxis& window, const PoolOptions& options = {})
      : Pooling("MaxPool3D", window, options) {}
  template <std::size_t n>
  explicit MaxPool3D(const std::size_t (&window)[n], const PoolOptions& options = {})
      : MaxPool3D(detail::extents_of(window), options) {}
  MaxPool3D(const PerAxis& window, std::size_t stride, const PerAxis& padding = 0)
      : MaxPool3D(window, {.stride = stride, .padding = padding}) {}
  Variable forward(const Variable& x) override { return max_pool3d(x, window_, options_); }
};

/// avg_pool1d
class AvgPool1D : public detail::Pooling<1, AvgPoolOptions> {
 public:
  explicit AvgPool1D(const PerAxis& window, const AvgPoolOptions& options = {})
      : Pooling("AvgPool1D", window, options) {}
  template <std::size_t n>
  explicit AvgPool1D(const std::size_t (&window)[n], const AvgPoolOptions& options = {})
      : AvgPool1D(detail::extents_of(window), options) {}
  AvgPool1D(const PerAxis& window, std::size_t stride, const PerAxis& padding = 0)
      : AvgPool1D(window, {.stride = stride, .padding = padding}) {}
  Variable forward(const Variable& x) override { return avg_pool1d(x, window_, options_); }
};

/// avg_pool2d
class AvgPool2D : public detail::Pooling<2, AvgPoolOptions> {
 public:
  explicit AvgPool2D(const PerAxis& window, const AvgPoolOptions& options = {})
      : Pooling("AvgPool2D", window, options) {}
  template <std::size_t n>
  explicit AvgPool2D(const std::size_t (&window)[n], const AvgPoolOptions& options = {})
      : AvgPool2D(detail::extents_of(window), options) {}
  AvgPool2D(const PerAxis& window, std::size_t stride, const PerAxis& padding = 0)
      : AvgPool2D(window, {.stride = stride, .padding = padding}) {}
  Variable forward(const Variable& x) override { return avg_pool2d(x, window_, options_); }
};

/// avg_pool3d
class AvgPool3D : public detail::Pooling<3, AvgPoolOptions> {
 public:
  explicit AvgPool3D(const PerAxis& window, const AvgPoolOptions& options = {})
      : Pooling("AvgPool3D", window, options) {}
  template <std::size_t n>
  explicit AvgPool3D(const std::size_t (&window)[n], const AvgPoolOptions& options = {})
      : AvgPool3D(detail::extents_of(window), options) {}
  AvgPool3D(const PerAxis& window, std::size_t stride, const PerAxis& padding = 0)
      : AvgPool3D(window, {.stride = stride, .padding = padding}) {}
  Variable forward(const Variable& x) override { return avg_pool3d(x, window_, options_); }
};

/// adaptive_avg_pool1d: to a result of this length.
class AdaptiveAvgPool1D : public detail::AdaptivePooling {
 public:
  explicit AdaptiveAvgPool1D(const PerAxis& extents) : AdaptivePooling("AdaptiveAvgPool1D", 1, extents) {}
  Variable forward(const Variable& x) override { return adaptive_avg_pool1d(x, extents_); }
};

/// adaptive_avg_pool2d: to a result of this height and width.
class AdaptiveAvgPool2D : public detail::AdaptivePooling {
 public:
  explicit AdaptiveAvgPool2D(const PerAxis& extents) : AdaptivePooling("AdaptiveAvgPool2D", 2, extents) {}
  Variable forward(const Variable& x) override { return adaptive_avg_pool2d(x, extents_); }
};

/// adaptive_avg_pool3d: to a result of this depth, height and width.
class AdaptiveAvgPool3D : public detail::AdaptivePooling {
 public:
  explicit AdaptiveAvgPool3D(const PerAxis& extents) : AdaptivePooling("AdaptiveAvgPool3D", 3, extents) {}
  Variable forward(const Variable& x) override { return adaptive_avg_pool3d(x, extents_); }
};

/// The mean of each channel of x (batch, channels, space...), for any number of axes of space: (batch, channels).
class GlobalAvgPool : public Module {
 public:
  /// @throws ShapeError for other axes, and where there is nothing to take the mean of.
  Variable forward(const Variable& x) override;
};

}  // namespace xtape::nn
