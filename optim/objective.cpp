#include <optim/objective.hpp>

#include <cmath>
#include <limits>

#include <autograd/autograd.hpp>

namespace xtape::optim::detail {

Variable Objective::checked_value(const std::vector<Variable>& inputs) {
  ++evaluations_;
  Variable y = f_(inputs, inputs_.who().c_str());
  if (!y.defined()) throw ValueError(inputs_.who() + ": the function returned an undefined Variable, needs the loss");
  if (y.size() != 1)
    throw ShapeError(inputs_.who() + ": the function's value has shape " + to_string(y.shape()) +
                     ", needs one element");
  if (!is_floating(y.dtype()))
    throw DTypeError(inputs_.who() + ": the function's value is " + describe(y) + ", needs float32 or float64");
  epsilon_ = y.dtype() == float32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  return y;
}

Point Objective::start(const Variable& x) {
  Point point = at(x);
  if (!std::isfinite(point.value))
    throw ValueError(inputs_.who() + ": the function or its gradient is not finite at the start");
  return point;
}

Point Objective::at(const Variable& x) {
  Point point;
  std::vector<Variable> parts = inputs_.parts(x);
  point.x = inputs_.flat(parts);
  point.value = INFINITY;
  if (!all(isfinite(point.x)).item<bool>()) return point;  // beyond what the dtype holds
  if (second_order_)
    for (Variable& part : parts)
      if (is_floating(part.dtype())) part = part.detach().requires_grad_();
  ValueAndGrad found;
  {
    GradMode mode(second_order_);
    found = value_and_grad([&](const std::vector<Variable>& xs) { return checked_value(xs); }, parts);
  }
  Variable gradient = inputs_.flat(found.grads);
  double value = found.value.item();
  if (!std::isfinite(value) || !all(isfinite(gradient)).item<bool>()) return point;
  point.value = value;
  point.gradient = gradient;
  if (second_order_) {
    point.inputs = std::move(parts);
    point.slopes = inputs_.floating(found.grads);
  }
  return point;
}

Variable Objective::hessian_times(const Point& point, const Variable& v) {
  ++hessian_products_;
  std::vector<Variable> weights = inputs_.floating(inputs_.parts(v)), outputs, seeds;
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (point.slopes[i].requires_grad()) outputs.push_back(point.slopes[i]), seeds.push_back(weights[i]);
  std::vector<Variable> product = point.inputs;
  std::vector<Variable> found;
  if (!outputs.empty())
    found = grad(outputs, inputs_.floating(point.inputs),
                 {.retain_graph = true, .allow_unused = true, .grad_outputs = seeds});
  for (std::size_t i = 0, next = 0; i < product.size(); ++i) {
    if (!is_floating(product[i].dtype())) continue;
    bool known = !outputs.empty() && found[next].defined();
    product[i] = known ? found[next] : zeros_like(product[i]);
    ++next;
  }
  return inputs_.flat(product);
}

}  // namespace xtape::optim::detail
