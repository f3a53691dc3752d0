// A function to minimize, as a function of one vector.
#pragma once

#include <cstdint>
#include <vector>

#include <autograd/callable.hpp>
#include <optim/flat_inputs.hpp>

namespace xtape::optim::detail {

/// Where a function was evaluated. An infinite `value` stands for one that is not finite, or whose gradient is not:
/// such a point is out of the function's domain, and the gradient is undefined.
struct Point {
  Variable x;  ///< rounded to the inputs' dtypes
  double value = 0;
  Variable gradient = {};
  std::vector<Variable> inputs = {}, slopes = {};  ///< the inputs and the gradients, recorded, for Hessian products
};

class Objective {
 public:
  /// @throws as FlatInputs. `second_order` records gradients, so that hessian_times need not call f again.
  Objective(const FlatInputs& inputs, const Callable& f, bool second_order)
      : inputs_(inputs), f_(f), second_order_(second_order) {}

  /// The first point. @throws ValueError where the value or the gradient is not finite.
  Point start(const Variable& x);
  /// @throws ShapeError unless f's value has one element, DTypeError unless it is floating-point.
  Point at(const Variable& x);
  /// The Hessian matrix at the point, times v.
  Variable hessian_times(const Point& point, const Variable& v);

  std::int64_t evaluations() const { return evaluations_; }
  std::int64_t hessian_products() const { return hessian_products_; }
  /// Of the dtype that f computes in: how far values may be wrong, relatively.
  double epsilon() const { return epsilon_; }

 private:
  Variable checked_value(const std::vector<Variable>& inputs);

  const FlatInputs& inputs_;
  const Callable& f_;
  bool second_order_;
  std::int64_t evaluations_ = 0, hessian_products_ = 0;
  double epsilon_ = 0;
};

}  // namespace xtape::optim::detail
