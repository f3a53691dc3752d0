// The matrix products of a recurrence.
#pragma once

#include <autograd/variable.hpp>

namespace xtape {

/// The sums z_t = x_t + h W + b, step by step, where the h of a step depends on the steps before:
///
///     Recurrence recurrence(x, weight, bias);
///     for (std::size_t t = 0; t < steps; ++t) h = tanh(recurrence.step(h));
///
/// Each is what x[t] + matmul(h, weight) + bias would be, but on the way back the gradients of x, the weight and the
/// bias are made for all steps at once, by one matrix product rather than one for each step.
class Recurrence {
 public:
  /// For x (steps, batch, n), a weight (k, n), and a bias (n) or none; x may be undefined where nothing is to be added.
  /// `reverse` takes the steps of x from the last to the first.
  /// @throws ShapeError for other shapes, DTypeError unless all are of one floating-point dtype.
  Recurrence(const Variable& x, const Variable& weight, const Variable& bias = {}, bool reverse = false);
  /// The same without x, for so many steps.
  Recurrence(std::size_t steps, const Variable& weight, const Variable& bias = {});

  /// The next sum, (batch, n), for h of shape (batch, k).
  /// @throws ShapeError for another shape, DTypeError for another dtype, Error when there is no step left.
  Variable step(const Variable& h);

 private:
  Recurrence(const Variable& x, std::size_t steps, const Variable& weight, const Variable& bias, bool reverse);
  void check(const Variable& h) const;
  Variable composed_step(const Variable& h);

  Variable x_, weight_, bias_;
  std::size_t steps_, next_ = 0;
  bool reverse_;
  NodePtr node_;
};

}  // namespace xtape
