// Adadelta.
#pragma once

#include <optim/method.hpp>

namespace xtape::optim {

struct AdadeltaOptions {
  double lr = 1;
  double rho = 0.9;
  double epsilon = 1e-6;
  double weight_decay = 0;  ///< adds this times the parameter to its gradient
  bool maximize = false;    ///< goes up instead of down: takes minus the gradient
};

/// Zeiler, ADADELTA: an adaptive learning rate method, arXiv:1212.5701, Algorithm 1. With gradient g of parameter p:
///
///     g += weight_decay p
///     s = rho s + (1 - rho) g^2
///     d = sqrt(a + epsilon) / sqrt(s + epsilon) g
///     a = rho a + (1 - rho) d^2
///     p -= lr d
class Adadelta : public Method<Adadelta, AdadeltaOptions> {
 public:
  using Method::Method;
  static constexpr bool in_place = true;
  static const Description<AdadeltaOptions>& description();

 protected:
  void update(const AdadeltaOptions& options, std::size_t i, Array& parameter, const Array& gradient) override;
};

}  // namespace xtape::optim
