// RAdam.
#pragma once

#include <optim/method.hpp>

namespace xtape::optim {

struct RAdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;              ///< adds this times the parameter to its gradient
  bool decoupled_weight_decay = false;  ///< decays the parameter as AdamW does
  bool maximize = false;                ///< goes up instead of down: takes minus the gradient
};

/// Liu et al., On the variance of the adaptive learning rate and beyond, ICLR 2020, Algorithm 2, with PyTorch's
/// epsilon and bound of 5. With gradient g of parameter p in its step t:
///
///     g += weight_decay p
///     m = beta1 m + (1 - beta1) g
///     v = beta2 v + (1 - beta2) g^2
///     n = 2 / (1 - beta2) - 1
///     n_t = n - 2 t beta2^t / (1 - beta2^t)
///     r = sqrt((n_t - 4) (n_t - 2) n / ((n - 4) (n - 2) n_t))
///     p -= lr m / (1 - beta1^t) r sqrt(1 - beta2^t) / (sqrt(v) + epsilon)      where n_t > 5
///     p -= lr m / (1 - beta1^t)                                                where it is not
class RAdam : public Method<RAdam, RAdamOptions> {
 public:
  using Method::Method;
  static constexpr bool in_place = true;
  static const Description<RAdamOptions>& description();

 protected:
  void update(const RAdamOptions& options, std::size_t i, Array& parameter, const Array& gradient) override;
};

}  // namespace xtape::optim
