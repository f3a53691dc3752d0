#include <autograd/ops/activations.hpp>

#include <autograd/fused/activations.hpp>
#include <autograd/ops/define_elementwise.hpp>
#include <autograd/ops/joining.hpp>

namespace xtape {

using namespace detail;

Variable sigmoid(const Variable& x) { return fused::sigmoid_rule(x); }
Variable logsigmoid(const Variable& x) { return fused::logsigmoid_rule(x); }
Variable relu(const Variable& x) { return fused::relu_rule(x); }
Variable relu6(const Variable& x) {
  detail::Calling calling("relu6");
  return fused::relu6_of(x);
}
Variable leaky_relu(const Variable& x, const Variable& slope) { return fused::leaky_relu_rule(x, slope); }
Variable elu(const Variable& x, const Variable& alpha) { return fused::elu_rule(x, alpha); }
Variable selu(const Variable& x) {
  detail::Calling calling("selu");
  return fused::selu_of(x);
}
Variable celu(const Variable& x, const Variable& alpha) {
  return fused::celu_rule(x, alpha);
}
Variable gelu(const Variable& x) { return fused::gelu_rule(x); }

Variable gelu_tanh(const Variable& x) { return fused::gelu_tanh_rule(x); }
Variable silu(const Variable& x) { return fused::silu_rule(x); }
Variable mish(const Variable& x) { return fused::mish_rule(x); }

Variable softplus(const Variable& x, double beta, double threshold) {
  detail::Calling calling("softplus");
  if (!(beta > 0)) throw ValueError("softplus: beta is " + Scalar(beta).text() + ", needs more than 0");
  if (beta == 1) return fused::softplus_rule(x, Variable(threshold));
  return fused::softplus_rule(x * beta, Variable(threshold)) / beta;
}
Variable softsign(const Variable& x) { return fused::softsign_rule(x); }

Variable hardtanh(const Variable& x, double low, double high) {
  detail::Calling calling("hardtanh");
  if (!(low < high))
    throw ValueError("hardtanh: bounds " + Scalar(low).text() + " and " + Scalar(high).text() + " are not in order");
  return fused::hardtanh_rule(x, Variable(low), Variable(high));
}
Variable hardsigmoid(const Variable& x) {
  detail::Calling calling("hardsigmoid");
  return fused::hardsigmoid_of(x);
}
Variable hardswish(const Variable& x) { return fused::hardswish_rule(x); }

Variable softshrink(const Variable& x, double lambda) {
  if (!(lambda >= 0)) throw ValueError("softshrink: lambda is " + Scalar(lambda).text() + ", needs 0 or more");
  return fused::softshrink_rule(x, Variable(lambda));
}

Variable hardshrink(const Variable& x, double lambda) {
  return fused::hardshrink_rule(x, Variable(lambda));
}
Variable threshold(const Variable& x, const Scalar& least, const Scalar& value) {
  detail::Calling calling("threshold");
  return fused::threshold_of(x, Variable(least), Variable(value));
}
Variable tanhshrink(const Variable& x) { return fused::tanhshrink_rule(x); }

Variable glu(const Variable& x, std::ptrdiff_t axis) {
  detail::Calling calling("glu");
  if (x.defined() && x.shape()[normalize_axis("glu", axis, x.rank())] % 2)
    throw ShapeError("glu: axis " + std::to_string(axis) + " of " + to_string(x.shape()) + " is odd");
  auto halves = split(x, 2, axis);
  return halves[0] * sigmoid(halves[1]);
}

}  // namespace xtape

namespace xtape::fused {

Number sigmoid(const Number& x) { return sigmoid_rule(x); }
Number logsigmoid(const Number& x) { return logsigmoid_rule(x); }
Number relu(const Number& x) { return relu_rule(x); }
Number selu(const Number& x) { return selu_of(x); }
Number gelu(const Number& x) { return gelu_rule(x); }
Number gelu_tanh(const Number& x) { return gelu_tanh_rule(x); }
Number silu(const Number& x) { return silu_rule(x); }
Number mish(const Number& x) { return mish_rule(x); }
Number softsign(const Number& x) { return softsign_rule(x); }
Number hardswish(const Number& x) { return hardswish_rule(x); }
Number hardtanh(const Number& x, double low, double high) { return hardtanh_rule(x, low, high); }
Number relu6(const Number& x) { return relu6_of(x); }
Number hardsigmoid(const Number& x) { return hardsigmoid_of(x); }
Number softshrink(const Number& x, double lambda) { return softshrink_rule(x, lambda); }
Number hardshrink(const Number& x, double lambda) { return hardshrink_rule(x, lambda); }
Number threshold(const Number& x, double least, double value) { return threshold_of(x, least, value); }
Number tanhshrink(const Number& x) { return tanhshrink_rule(x); }
Number leaky_relu(const Number& x, const Number& slope) { return leaky_relu_rule(x, slope); }
Number elu(const Number& x, const Number& alpha) { return elu_rule(x, alpha); }
Number celu(const Number& x, const Number& alpha) { return celu_rule(x, alpha); }
Number softplus(const Number& x, double beta, double threshold) {
  return softplus_rule(x * beta, threshold) / beta;
}

}  // namespace xtape::fused
