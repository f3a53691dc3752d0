// Lion.
#pragma once

#include <optim/method.hpp>

namespace xtape::optim {

struct LionOptions {
  double lr = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0;  ///< times lr, the part of the parameter that each step takes off
  bool maximize = false;    ///< goes up instead of down: takes minus the gradient
};

/// Chen et al., Symbolic discovery of optimization algorithms, NeurIPS 2023, Program 1 and Algorithm 2. With gradient g
/// of parameter p:
///
///     p -= lr (sign(beta1 m + (1 - beta1) g) + weight_decay p)
///     m = beta2 m + (1 - beta2) g
class Lion : public Method<Lion, LionOptions> {
 public:
  using Method::Method;
  static constexpr bool in_place = true;
  static const Description<LionOptions>& description();

 protected:
  void update(const LionOptions& options, std::size_t i, Array& parameter, const Array& gradient) override;
};

}  // namespace xtape::optim
