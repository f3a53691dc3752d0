// Pooling: each channel of (batch, channels, space...) summed up by windows.
#pragma once

#include <vector>

#include <autograd/ops/pooling.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

namespace detail {

/// The windows of a pooling layer over one or two axes of space.
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
 protected:
  Pooling(const char* name, const PerAxis& window, const Options& options)
      : Windowed(name, axes, window, options.stride, options.padding), options_(options) {}

  Options options_;
};

/// The result's extents of a pooling layer.
class AdaptivePooling : public Module {
 public:
  std::string description() const override;

 protected:
  AdaptivePooling(const char* name, std::size_t axes, const PerAxis& extents);

  std::vector<std::size_t> extents_;
};

}  // namespace detail

/// max_pool1d. @throws ValueError, like all of these, for a window of 0 or a padding of more than half of it.
class MaxPool1D : public detail::Pooling<1, PoolOptions> {
 public:
  explicit MaxPool1D(const PerAxis& window, const PoolOptions& options = {})
      : Pooling("MaxPool1D", window, options) {}
  Variable forward(const Variable& x) override { return max_pool1d(x, window_, options_); }
};

/// max_pool2d
class MaxPool2D : public detail::Pooling<2, PoolOptions> {
 public:
  explicit MaxPool2D(const PerAxis& window, const PoolOptions& options = {})
      : Pooling("MaxPool2D", window, options) {}
  Variable forward(const Variable& x) override { return max_pool2d(x, window_, options_); }
};

/// avg_pool1d
class AvgPool1D : public detail::Pooling<1, AvgPoolOptions> {
 public:
  explicit AvgPool1D(const PerAxis& window, const AvgPoolOptions& options = {})
      : Pooling("AvgPool1D", window, options) {}
  Variable forward(const Variable& x) override { return avg_pool1d(x, window_, options_); }
};

/// avg_pool2d
class AvgPool2D : public detail::Pooling<2, AvgPoolOptions> {
 public:
  explicit AvgPool2D(const PerAxis& window, const AvgPoolOptions& options = {})
      : Pooling("AvgPool2D", window, options) {}
  Variable forward(const Variable& x) override { return avg_pool2d(x, window_, options_); }
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

/// The mean of each channel of x (batch, channels, space...), for any number of axes of space: (batch, channels).
class GlobalAvgPool : public Module {
 public:
  Variable forward(const Variable& x) override;
};

}  // namespace xtape::nn
