// RMSProp.
#pragma once

#include <optim/method.hpp>

namespace xtape::optim {

struct RMSPropOptions {
  double lr = 1e-2;
  double alpha = 0.99;
  double epsilon = 1e-8;
  double weight_decay = 0;  ///< adds this times the parameter to its gradient
  double momentum = 0;
  bool centered = false;    ///< divides by an estimate of the standard deviation
  bool maximize = false;    ///< goes up instead of down: takes minus the gradient
};

/// Tieleman and Hinton, Lecture 6.5 - RMSProp, COURSERA: Neural networks for machine learning, 2012; centered: Graves,
/// Generating sequences with recurrent neural networks, arXiv:1308.0850, equations 38 to 41. As PyTorch defines it,
/// with gradient g of parameter p:
///
///     g += weight_decay p
///     s = alpha s + (1 - alpha) g^2
///     a = alpha a + (1 - alpha) g             (centered; else a = 0)
///     b = momentum b + g / (sqrt(s - a^2) + epsilon)
///     p -= lr b
class RMSProp : public Method<RMSProp, RMSPropOptions> {
 public:
  using Method::Method;
  static constexpr bool in_place = true;
  static const Description<RMSPropOptions>& description();

 protected:
  void update(const RMSPropOptions& options, std::size_t i, Array& parameter, const Array& gradient) override;
};

using RMSprop = RMSProp;  ///< as PyTorch spells it

}  // namespace xtape::optim
