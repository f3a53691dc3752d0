// Layers that normalize what passes, or drop a part of it.
#pragma once

#include <autograd/random.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

/// In training, each element 0 with probability p, else divided by 1 - p; in evaluation, nothing.
class Dropout : public Module {
 public:
  /// @throws ValueError unless 0 <= p <= 1.
  explicit Dropout(double p = 0.5, Generator* generator = &default_generator());
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  double p_;
  Generator* generator_;
};

struct BatchNormOptions {
  double epsilon = 1e-5;
  double momentum = 0.1;  ///< the weight of a batch in the running statistics
  DType dtype = float32;
};

/// Normalizes each channel of (batch, channels, ...): in training by the batch's mean and variance, which go into
/// running means; in evaluation by those. Then times a weight, plus a bias (Ioffe, Szegedy 2015). As in PyTorch, the
/// running variance is of the unbiased kind.
class BatchNorm : public Module {
 public:
  /// @throws ValueError for 0 channels, an epsilon that is not positive, or a momentum outside of [0, 1].
  explicit BatchNorm(std::size_t channels, const BatchNormOptions& options = {});
  /// @throws ShapeError for other channels, ValueError in training for one element a channel, which has no variance.
  Variable forward(const Variable& x) override;
  std::string description() const override;

  Variable weight, bias, running_mean, running_var;

 private:
  BatchNormOptions options_;
};

/// Normalizes the last axis, then times a weight, plus a bias (Ba, Kiros, Hinton 2016).
class LayerNorm : public Module {
 public:
  /// @throws ValueError for a width of 0, or an epsilon that is not positive.
  explicit LayerNorm(std::size_t width, double epsilon = 1e-5, DType dtype = float32);
  Variable forward(const Variable& x) override;
  std::string description() const override;

  Variable weight, bias;

 private:
  double epsilon_;
};

}  // namespace xtape::nn
