#include <nn/losses/regression.hpp>

#include <cmath>
#include <numbers>
#include <string>

#include <autograd/batch.hpp>
#include <autograd/fuse.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/reductions.hpp>
#include <nn/checks.hpp>
#include <nn/losses/checks.hpp>

namespace xtape::nn {
namespace {

using namespace detail;

// |x - y| where it is `bend` or more, and a parabola that goes over into it below.
Variable bent(const char* operation, const Variable& prediction, const Variable& target, double bend) {
  require_alike(operation, "prediction", prediction, "target", target);
  return fuse([bend](auto x, auto y) {
    auto d = x - y;
    auto large = abs(d) >= bend;
    auto inner = where(large, 0, d);  // a large square would be infinite, and 0 times that is NaN in the gradient
    return where(large, abs(d) - 0.5 * bend, 0.5 / bend * inner * inner);
  }, prediction, target);
}

}  // namespace

Variable mse_loss(const Variable& prediction, const Variable& target, const LossOptions& options) {
  require_alike("mse_loss", "prediction", prediction, "target", target);
  return reduce("mse_loss", square(prediction - target), options.reduction);
}

Variable mae_loss(const Variable& prediction, const Variable& target, const LossOptions& options) {
  require_alike("mae_loss", "prediction", prediction, "target", target);
  return reduce("mae_loss", abs(prediction - target), options.reduction);
}

Variable huber_loss(const Variable& prediction, const Variable& target, const HuberOptions& options) {
  require_positive("huber_loss", "delta", options.delta);
  Variable losses = options.delta * bent("huber_loss", prediction, target, options.delta);
  return reduce("huber_loss", losses, options.reduction);
}

Variable smooth_l1_loss(const Variable& prediction, const Variable& target, const SmoothL1Options& options) {
  require_zero_or_more("smooth_l1_loss", "beta", options.beta);
  if (options.beta == 0) {
    require_alike("smooth_l1_loss", "prediction", prediction, "target", target);
    return reduce("smooth_l1_loss", abs(prediction - target), options.reduction);
  }
  return reduce("smooth_l1_loss", bent("smooth_l1_loss", prediction, target, options.beta), options.reduction);
}

Variable poisson_nll_loss(const Variable& input, const Variable& target, const PoissonNLLOptions& options) {
  require_alike("poisson_nll_loss", "input", input, "target", target);
  require_zero_or_more("poisson_nll_loss", "epsilon", options.epsilon);
  auto by_log = [](auto log_rate, auto count) { return exp(log_rate) - times_log(count, log_rate); };
  auto plain = [epsilon = options.epsilon](auto rate, auto count) {
    auto lambda = rate + epsilon;
    return rate - count * log(where(maximum(abs(lambda), count) == 0, 1, lambda));  // 0 log 0 is 0
  };
  Variable losses = options.log_input ? fuse(by_log, input, target) : fuse(plain, input, target);
  if (options.full) {
    Variable large = target > 1, t = where(large, target, 1);
    losses = losses + where(large, t * log(t) - t + 0.5 * log(2 * std::numbers::pi * t), 0);
  }
  return reduce("poisson_nll_loss", losses, options.reduction);
}

Variable gaussian_nll_loss(const Variable& prediction, const Variable& target, const Variable& variance,
                           const GaussianNLLOptions& options) {
  require_alike("gaussian_nll_loss", "prediction", prediction, "target", target);
  require_positive("gaussian_nll_loss", "epsilon", options.epsilon);
  if (!variance.defined()) throw Error("gaussian_nll_loss: the variance is an undefined Variable");
  Shape shared = prediction.shape();
  if (!shared.empty()) shared.back() = 1;
  Variable spread = variance;
  if (variance.shape() != prediction.shape() && variance.rank() + 1 == prediction.rank())
    spread = expand_dims(variance, -1);
  if (spread.shape() != prediction.shape() && spread.shape() != shared)
    throw ShapeError("gaussian_nll_loss: prediction " + describe(prediction) + " with variance " + describe(variance) +
                     ": needs the prediction's shape, or 1 as its last extent, or that left out");
  if (xtape::detail::any_nonzero(variance < 0)) {
    std::size_t i = 0;
    while (!(variance.value().at(i) < 0)) ++i;
    throw ValueError("gaussian_nll_loss: variance " + text(variance.value().at(i)) + " of element " +
                     std::to_string(i) + ", needs 0 or more");
  }
  // The bound changes the value alone.
  Variable bounded = spread + where(spread < options.epsilon, options.epsilon - spread, 0).detach();
  Variable losses = 0.5 * (log(bounded) + square(prediction - target) / bounded);
  if (options.full) losses = losses + 0.5 * std::log(2 * std::numbers::pi);
  return reduce("gaussian_nll_loss", losses, options.reduction);
}

}  // namespace xtape::nn
