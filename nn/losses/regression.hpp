// Losses of numbers that are predicted. Prediction and target have one shape and dtype; derivatives flow to both.
#pragma once

#include <autograd/variable.hpp>
#include <nn/losses/reduction.hpp>

namespace xtape::nn {

/// (prediction - target)^2
Variable mse_loss(const Variable& prediction, const Variable& target, const LossOptions& options = {});

/// |prediction - target|. The derivative where they are equal is 0.
Variable mae_loss(const Variable& prediction, const Variable& target, const LossOptions& options = {});
/// mae_loss under PyTorch's name.
inline Variable l1_loss(const Variable& prediction, const Variable& target, const LossOptions& options = {}) {
  return mae_loss(prediction, target, options);
}

struct HuberOptions {
  Reduction reduction = Reduction::mean;
  double delta = 1;  ///< above 0
};
/// For d = prediction - target: d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2). The gradient is delta at most,
/// for infinite d as well.
/// Huber, Robust estimation of a location parameter, 1964.
Variable huber_loss(const Variable& prediction, const Variable& target, const HuberOptions& options = {});

struct SmoothL1Options {
  Reduction reduction = Reduction::mean;
  double beta = 1;  ///< 0 makes it the absolute error
};
/// For d = prediction - target: d^2 / (2 beta) where |d| < beta, else |d| - beta / 2.
/// Girshick, Fast R-CNN, ICCV 2015, equation 3.
Variable smooth_l1_loss(const Variable& prediction, const Variable& target, const SmoothL1Options& options = {});

struct PoissonNLLOptions {
  bool log_input = true;  ///< the input is the logarithm of the rate
  bool full = false;      ///< add Stirling's approximation of log(target!), t log t - t + log(2 pi t) / 2, for t > 1
  double epsilon = 1e-8;  ///< added to a rate before its logarithm is taken
  Reduction reduction = Reduction::mean;
};
/// The negative log-likelihood of counts under Poisson distributions, less what does not depend on the rate:
/// exp(input) - target input, or input - target log(input + epsilon). A count of 0 under a rate of 0 costs nothing.
Variable poisson_nll_loss(const Variable& input, const Variable& target, const PoissonNLLOptions& options = {});

struct GaussianNLLOptions {
  bool full = false;      ///< add log(2 pi) / 2
  double epsilon = 1e-6;  ///< the least variance; that of a smaller one counts, but its gradient passes
  Reduction reduction = Reduction::mean;
};
/// The negative log-likelihood of the target under normal distributions:
/// (log(variance) + (prediction - target)^2 / variance) / 2. The variance has the prediction's shape, or 1 as its last
/// extent, or lacks that. Nix and Weigend, Estimating the mean and variance of the target probability distribution,
/// ICNN 1994. @throws ValueError for a negative variance.
Variable gaussian_nll_loss(const Variable& prediction, const Variable& target, const Variable& variance,
                           const GaussianNLLOptions& options = {});

}  // namespace xtape::nn
