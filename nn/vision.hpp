// Layers of convolutional networks. Arrays are (batch, channels, height, width).
#pragma once

#include <autograd/ops/convolution.hpp>
#include <autograd/ops/pooling.hpp>
#include <nn/initializers.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

struct Conv2dOptions {
  PerAxis stride = 1, padding = 0, dilation = 1;
  std::size_t groups = 1;
  Initializer weight_init = he_uniform();
  Initializer bias_init = zeros();
  bool bias = true;
  DType dtype = float32;
  Generator* generator = &default_generator();  ///< where the initializers take their random numbers from
};

/// conv2d with a weight (out, in / groups, height, width) and a bias (out).
class Conv2d : public Module {
 public:
  /// `window` is the kernel's height and width.
  /// @throws ValueError unless all are 1 or more and the groups divide both numbers of channels.
  Conv2d(std::size_t in, std::size_t out, const PerAxis& window, const Conv2dOptions& options = {});
  Variable forward(const Variable& x) override;
  std::string description() const override;

  Variable weight, bias;  ///< the bias is undefined without one

 private:
  ConvOptions options_;
};

/// max_pool2d
class MaxPool2d : public Module {
 public:
  explicit MaxPool2d(const PerAxis& window, const PoolOptions& options = {}) : window_(window), options_(options) {}
  Variable forward(const Variable& x) override { return max_pool2d(x, window_, options_); }

 private:
  PerAxis window_;
  PoolOptions options_;
};

/// avg_pool2d
class AvgPool2d : public Module {
 public:
  explicit AvgPool2d(const PerAxis& window, const AvgPoolOptions& options = {}) : window_(window), options_(options) {}
  Variable forward(const Variable& x) override { return avg_pool2d(x, window_, options_); }

 private:
  PerAxis window_;
  AvgPoolOptions options_;
};

/// All axes but the first made one: between convolutions and dense layers.
class Flatten : public Module {
 public:
  Variable forward(const Variable& x) override;
};

}  // namespace xtape::nn
