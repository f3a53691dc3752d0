// NAdam.
#pragma once

#include <optim/method.hpp>

namespace xtape::optim {

struct NAdamOptions {
  double lr = 2e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  ///< adds this times the parameter to its gradient
  double momentum_decay = 4e-3;
  bool decoupled_weight_decay = false;  ///< decays the parameter as AdamW does
  bool maximize = false;                ///< goes up instead of down: takes minus the gradient
};

/// Dozat, Incorporating Nesterov momentum into Adam, ICLR 2016 workshop, Algorithm 2 with its schedule of the
/// momentum. With gradient g of parameter p in its step t:
///
///     g += weight_decay p
///     mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)
///     m = beta1 m + (1 - beta1) g
///     v = beta2 v + (1 - beta2) g^2
///     d = (1 - mu_t) g / (1 - mu_1 ... mu_t) + mu_(t+1) m / (1 - mu_1 ... mu_(t+1))
///     p -= lr d / (sqrt(v / (1 - beta2^t)) + epsilon)
class NAdam : public Method<NAdam, NAdamOptions> {
 public:
  using Method::Method;
  static constexpr bool in_place = true;
  static const Description<NAdamOptions>& description();

 protected:
  void update(const NAdamOptions& options, std::size_t i, Array& parameter, const Array& gradient) override;
};

}  // namespace xtape::optim
