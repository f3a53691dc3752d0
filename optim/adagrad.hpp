// Adagrad.
#pragma once

#include <optim/method.hpp>

namespace xtape::optim {

struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;
  double weight_decay = 0;  ///< adds this times the parameter to its gradient
  double initial_accumulator_value = 0;
  double epsilon = 1e-10;
  bool maximize = false;  ///< goes up instead of down: takes minus the gradient
};

/// Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic optimization, JMLR 12,
/// 2011, with diagonal matrices. With gradient g of parameter p in its step t:
///
///     g += weight_decay p
///     s += g^2                                (initial_accumulator_value at first)
///     p -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + epsilon)
class Adagrad : public Method<Adagrad, AdagradOptions> {
 public:
  using Method::Method;
  static constexpr bool in_place = true;
  static const Description<AdagradOptions>& description();

 protected:
  void update(const AdagradOptions& options, std::size_t i, Array& parameter, const Array& gradient) override;
};

}  // namespace xtape::optim
