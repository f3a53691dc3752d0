// Rprop.
#pragma once

#include <optim/method.hpp>

namespace xtape::optim {

struct RpropOptions {
  double lr = 1e-2;  ///< the first step size of every element; schedules that change it later change nothing
  double eta_minus = 0.5, eta_plus = 1.2;                ///< PyTorch's `etas`
  double min_step_size = 1e-6, max_step_size = 50;       ///< PyTorch's `step_sizes`
  bool maximize = false;  ///< goes up instead of down: takes minus the gradient
};

/// Resilient backpropagation (Riedmiller and Braun, A direct adaptive method for faster backpropagation learning: the
/// RPROP algorithm, ICNN 1993), without taking back a step, as PyTorch defines it. It looks at the signs of gradients
/// alone, and is made for gradients of the whole data set. With gradient g of parameter p:
///
///     s = s eta_plus if g and the gradient before it have one sign, s eta_minus if they differ (then g = 0), else s
///     s = min(max(s, min_step_size), max_step_size)
///     p -= s sign(g)
class Rprop : public Method<Rprop, RpropOptions> {
 public:
  using Method::Method;
  static constexpr bool in_place = true;
  static const Description<RpropOptions>& description();

 protected:
  void update(const RpropOptions& options, std::size_t i, Array& parameter, const Array& gradient) override;
};

}  // namespace xtape::optim
