// Adamax.
#pragma once

#include <optim/method.hpp>

namespace xtape::optim {

struct AdamaxOptions {
  double lr = 2e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  ///< adds this times the parameter to its gradient
  bool maximize = false;    ///< goes up instead of down: takes minus the gradient
};

/// Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, Algorithm 2, with PyTorch's epsilon. With
/// gradient g of parameter p in its step t:
///
///     g += weight_decay p
///     m = beta1 m + (1 - beta1) g
///     u = max(beta2 u, |g| + epsilon)
///     p -= lr / (1 - beta1^t) m / u
class Adamax : public Method<Adamax, AdamaxOptions> {
 public:
  using Method::Method;
  static constexpr bool in_place = true;
  static const Description<AdamaxOptions>& description();

 protected:
  void update(const AdamaxOptions& options, std::size_t i, Array& parameter, const Array& gradient) override;
};

}  // namespace xtape::optim
