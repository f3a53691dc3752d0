// Adam.
#pragma once

#include <optim/optimizer.hpp>

namespace xtape::optim {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  ///< adds this times the parameter to its gradient
};

/// Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, Algorithm 1. With gradient g of parameter p
/// in its step t:
///
///     g += weight_decay p
///     m = beta1 m + (1 - beta1) g
///     v = beta2 v + (1 - beta2) g^2
///     p -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
class Adam : public Optimizer {
 public:
  /// @throws ValueError for options that are not finite or negative, or betas of 1 or more; see Optimizer.
  explicit Adam(std::vector<Variable> parameters, const AdamOptions& options = {});

 protected:
  void update(std::size_t i, Array& parameter, const Array& gradient) override;

 private:
  AdamOptions options_;
};

}  // namespace xtape::optim
