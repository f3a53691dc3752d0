// Stochastic gradient descent.
#pragma once

#include <optim/method.hpp>

namespace xtape::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;  ///< adds this times the parameter to its gradient
  bool nesterov = false;    ///< needs a momentum, and no dampening
  bool maximize = false;    ///< goes up instead of down: takes minus the gradient
};

/// With gradient g of parameter p (Sutskever et al., On the importance of initialization and momentum in deep
/// learning, ICML 2013, as PyTorch defines it):
///
///     g += weight_decay p
///     b = momentum b + (1 - dampening) g      (g itself in the first step with a momentum)
///     p -= lr (g + momentum b with nesterov, else b)
class SGD : public Method<SGD, SGDOptions> {
 public:
  using Method::Method;
  static constexpr bool in_place = true;
  static const Description<SGDOptions>& description();

 protected:
  void update(const SGDOptions& options, std::size_t i, Array& parameter, const Array& gradient) override;
};

}  // namespace xtape::optim
