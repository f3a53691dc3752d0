// Activation functions as modules, with PyTorch's names and defaults; see autograd/ops/activations.hpp.
#pragma once

#include <limits>
#include <string>

#include <nn/module.hpp>

namespace xtape::nn {

/// max(x, 0)
class ReLU : public Module {
 public:
  Variable forward(const Variable& x) override;
};

/// x, or slope x where x <= 0. @throws ValueError for a slope that is not finite.
class LeakyReLU : public Module {
 public:
  explicit LeakyReLU(double slope = 0.01);
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  double slope_;
};

/// LeakyReLU whose slope is learnt (He et al. 2015): one, or one for each channel of x (batch, channels, ...).
class PReLU : public Module {
 public:
  /// @throws ValueError for 0 slopes, or an initial one that is not finite.
  explicit PReLU(std::size_t slopes = 1, double initial = 0.25, DType dtype = default_dtype());
  /// @throws ShapeError for other channels than slopes, if there are several.
  Variable forward(const Variable& x) override;
  std::string description() const override;

  Parameter weight;
};

/// x, or alpha (exp(x) - 1) where x <= 0. @throws ValueError for an alpha that is not finite.
class ELU : public Module {
 public:
  explicit ELU(double alpha = 1);
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  double alpha_;
};

/// Self-normalizing ELU (Klambauer et al. 2017)
class SELU : public Module {
 public:
  Variable forward(const Variable& x) override;
};

/// x P(Z <= x) for a standard normal Z (Hendrycks and Gimpel 2016), or its approximation by tanh.
class GELU : public Module {
 public:
  /// @throws ValueError unless `approximate` is "none" or "tanh".
  explicit GELU(const std::string& approximate = "none");
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  bool by_tanh_;
};

/// x sigmoid(x)
class SiLU : public Module {
 public:
  Variable forward(const Variable& x) override;
};

/// x tanh(softplus(x)) (Misra 2019)
class Mish : public Module {
 public:
  Variable forward(const Variable& x) override;
};

/// 1 / (1 + exp(-x))
class Sigmoid : public Module {
 public:
  Variable forward(const Variable& x) override;
};

class Tanh : public Module {
 public:
  Variable forward(const Variable& x) override;
};

/// log(1 + exp(beta x)) / beta, or x where beta x exceeds a threshold, see softplus.
/// @throws ValueError unless beta is positive and the threshold a number.
class Softplus : public Module {
 public:
  explicit Softplus(double beta = 1, double threshold = std::numeric_limits<double>::infinity());
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  double beta_, threshold_;
};

/// x / (1 + |x|)
class Softsign : public Module {
 public:
  Variable forward(const Variable& x) override;
};

/// x limited to [low, high]. @throws ValueError unless low < high.
class Hardtanh : public Module {
 public:
  explicit Hardtanh(double low = -1, double high = 1);
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  double low_, high_;
};

/// x min(max(x + 3, 0), 6) / 6
class Hardswish : public Module {
 public:
  Variable forward(const Variable& x) override;
};

/// exp(x) / sum(exp(x)) along an axis.
class Softmax : public Module {
 public:
  explicit Softmax(std::ptrdiff_t axis = -1) : axis_(axis) {}
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  std::ptrdiff_t axis_;
};

/// log(softmax(x)), exact for large differences, too.
class LogSoftmax : public Module {
 public:
  explicit LogSoftmax(std::ptrdiff_t axis = -1) : axis_(axis) {}
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  std::ptrdiff_t axis_;
};

}  // namespace xtape::nn
