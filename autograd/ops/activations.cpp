#include <autograd/ops/activations.hpp>

#include <numbers>

#include <autograd/ops/define_elementwise.hpp>
#include <autograd/ops/manipulation.hpp>

namespace xtape {

using namespace detail;

Variable sigmoid(const Variable& x) {
  static const auto op = elementwise("sigmoid", [](auto x) { return sigmoid(x); },
                                     with<Y>([](auto y, auto g) { return g * y * (1 - y); }));
  return op(x);
}

Variable logsigmoid(const Variable& x) {
  static const auto op =
      elementwise("logsigmoid", [](auto x) { return minimum(x, 0) - log1p(exp(-abs(x))); },
                  with<A>([](auto x, auto g) { return g * sigmoid(-x); }));
  return op(x);
}

Variable relu(const Variable& x) {
  static const auto op = elementwise("relu", [](auto x) { return maximum(x, 0); },
                                     with<Y>([](auto y, auto g) { return where(y > 0, g, 0); }));
  return op(x);
}

Variable relu6(const Variable& x) { return hardtanh(x, 0, 6); }

Variable leaky_relu(const Variable& x, const Variable& slope) {
  static const auto op = elementwise("leaky_relu", [](auto x, auto slope) { return where(x > 0, x, slope * x); },
                                     with<A, B>([](auto x, auto slope, auto g) { return where(x > 0, g, g * slope); }),
                                     with<A>([](auto x, auto g) { return where(x > 0, 0, g * x); }));
  return op(x, slope);
}

Variable elu(const Variable& x, const Variable& alpha) {
  static const auto op =
      elementwise("elu", [](auto x, auto alpha) { return where(x > 0, x, alpha * expm1(minimum(x, 0))); },
                  with<A, B>([](auto x, auto alpha, auto g) { return where(x > 0, g, g * alpha * exp(minimum(x, 0))); }),
                  with<A>([](auto x, auto g) { return where(x > 0, 0, g * expm1(minimum(x, 0))); }));
  return op(x, alpha);
}

Variable selu(const Variable& x) { return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717); }

Variable celu(const Variable& x, const Variable& alpha) { return alpha * elu(x / alpha); }

Variable gelu(const Variable& x) {
  // The derivative of x * Phi(x) is Phi(x) + x * phi(x), with the normal distribution Phi and its density phi.
  static const auto op = elementwise(
      "gelu", [](auto x) { return 0.5 * x * (1 + error_function(x * std::numbers::sqrt2 / 2)); },
      with<A>([](auto x, auto g) {
        return g * (0.5 * (1 + error_function(x * std::numbers::sqrt2 / 2)) +
                    x * exp(-0.5 * x * x) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2));
      }));
  return op(x);
}

namespace {
constexpr double gelu_scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // sqrt(2 / pi)
}

Variable gelu_tanh(const Variable& x) {
  static const auto op = elementwise(
      "gelu_tanh", [](auto x) { return 0.5 * x * (1 + tanh(gelu_scale * (x + 0.044715 * x * x * x))); },
      with<A>([](auto x, auto g) {
        auto t = tanh(gelu_scale * (x + 0.044715 * x * x * x));
        return g * 0.5 * ((1 + t) + x * (1 - t * t) * gelu_scale * (1 + 3 * 0.044715 * x * x));
      }));
  return op(x);
}

Variable silu(const Variable& x) {
  static const auto op = elementwise("silu", [](auto x) { return x * sigmoid(x); }, with<A>([](auto x, auto g) {
                                       auto s = sigmoid(x);
                                       return g * s * (1 + x * (1 - s));
                                     }));
  return op(x);
}

Variable mish(const Variable& x) {
  static const auto op = elementwise(
      "mish", [](auto x) { return x * tanh(softplus(x)); },
      with<A>([](auto x, auto g) {
        auto t = tanh(softplus(x));
        return g * (t + x * sigmoid(x) * (1 - t * t));
      }));
  return op(x);
}

Variable softplus(const Variable& x, double beta, double threshold) {
  if (!(beta > 0)) throw ValueError("softplus: beta is " + std::to_string(beta) + ", needs more than 0");
  static const auto op = elementwise(
      "softplus", [](auto x, auto threshold) { return where(x > threshold, x, softplus(x)); },
      with<A, B>([](auto x, auto threshold, auto g) { return where(x > threshold, g, g * sigmoid(x)); }), constant);
  return beta == 1 ? op(x, Variable(threshold)) : op(x * beta, Variable(threshold)) / beta;
}

Variable softsign(const Variable& x) {
  static const auto op = elementwise("softsign", [](auto x) { return x / (1 + abs(x)); },
                                     with<A>([](auto x, auto g) { return g / square(1 + abs(x)); }));
  return op(x);
}

Variable hardtanh(const Variable& x, double low, double high) {
  if (!(low < high))
    throw ValueError("hardtanh: bounds " + std::to_string(low) + " and " + std::to_string(high) + " are not in order");
  static const auto op = elementwise(
      "hardtanh", [](auto x, auto low, auto high) { return minimum(maximum(x, low), high); },
      with<A, B, C>([](auto x, auto low, auto high, auto g) { return where((x > low) && (x < high), g, 0); }), constant,
      constant);
  return op(x, Variable(low), Variable(high));
}

Variable hardsigmoid(const Variable& x) { return relu6(x + 3) / 6; }

Variable hardswish(const Variable& x) {
  static const auto op = elementwise(
      "hardswish", [](auto x) { return x * minimum(maximum(x + 3, 0), 6) / 6; },
      with<A>([](auto x, auto g) { return where(x < -3, 0, where(x <= 3, g * (x / 3 + 0.5), g)); }));
  return op(x);
}

Variable softshrink(const Variable& x, double lambda) {
  if (!(lambda >= 0)) throw ValueError("softshrink: lambda is " + std::to_string(lambda) + ", needs 0 or more");
  static const auto op = elementwise(
      "softshrink",
      [](auto x, auto lambda) { return where(x > lambda, x - lambda, where(x < -lambda, x + lambda, x * 0)); },
      with<A, B>([](auto x, auto lambda, auto g) { return where((x >= -lambda) && (x <= lambda), 0, g); }), constant);
  return op(x, Variable(lambda));
}

Variable hardshrink(const Variable& x, double lambda) {
  static const auto op = elementwise(
      "hardshrink", [](auto x, auto lambda) { return where((x >= -lambda) && (x <= lambda), 0, x); },
      with<A, B>([](auto x, auto lambda, auto g) { return where((x >= -lambda) && (x <= lambda), 0, g); }), constant);
  return op(x, Variable(lambda));
}

Variable tanhshrink(const Variable& x) { return x - tanh(x); }

Variable glu(const Variable& x, std::ptrdiff_t axis) {
  if (x.defined() && x.shape()[normalize_axis("glu", axis, x.rank())] % 2)
    throw ShapeError("glu: axis " + std::to_string(axis) + " of " + to_string(x.shape()) + " is odd");
  auto halves = split(x, 2, axis);
  return halves[0] * sigmoid(halves[1]);
}

}  // namespace xtape
