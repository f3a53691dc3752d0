// The rules of the activation functions.
#pragma once

#include <autograd/fused/transcendental.hpp>
#include <cmath>
#include <numbers>
#include <utility>

namespace xtape::fused {

inline constexpr auto sigmoid_rule = elementwise(
    "sigmoid", [](auto x) { return sigmoid(x); }, with<Y>([](auto y, auto g) { return g * y * (1 - y); }));
auto sigmoid(const Number auto& x) { return chain(sigmoid_rule, x); }

/// sigmoid(x) and sigmoid(-x), in a form whose derivatives of any order keep their digits far out, where those that are
/// computed from a sigmoid near 1 have none left.
inline constexpr auto sigmoids = [](const auto& x) {
  auto e = exp(where(x > 0, -x, x));
  return std::pair(where(x > 0, 1, e) / (1 + e), where(x > 0, e, 1) / (1 + e));
};

inline constexpr auto logsigmoid_rule = elementwise(
    "logsigmoid", [](auto x) { return minimum(x, 0) - log1p(exp(-abs(x))); },
    with<A>([](auto x, auto g) { return g * sigmoids(x).second; }));
auto logsigmoid(const Number auto& x) { return chain(logsigmoid_rule, x); }

inline constexpr auto relu_rule = elementwise(
    "relu", [](auto x) { return maximum(x, 0); }, with<Y>([](auto y, auto g) { return where(y <= 0, 0, g); }));
auto relu(const Number auto& x) { return chain(relu_rule, x); }

inline constexpr auto leaky_relu_rule = elementwise(
    "leaky_relu", [](auto x, auto slope) { return where(x > 0, x, slope * x); },
    with<A, B>([](auto x, auto slope, auto g) { return where(x > 0, g, g * slope); }),
    with<A>([](auto x, auto g) { return where(x > 0, 0, g * x); }));
template <class P, class Q = double>
  requires AnyNumber<P, Q>
auto leaky_relu(const P& x, const Q& slope = 0.01) {
  return chain(leaky_relu_rule, x, slope);
}

// By where, not by minimum, which at 0 has half a derivative: the second one there is 0, as in PyTorch.
inline constexpr auto elu_rule = elementwise(
    "elu", [](auto x, auto alpha) { return where(x > 0, x, alpha * expm1(minimum(x, 0))); },
    with<A, B>([](auto x, auto alpha, auto g) { return where(x <= 0, g * alpha * exp(where(x < 0, x, 0)), g); }),
    with<A>([](auto x, auto g) { return where(x <= 0, g * expm1(where(x < 0, x, 0)), 0); }));
template <class P, class Q = double>
  requires AnyNumber<P, Q>
auto elu(const P& x, const Q& alpha = 1) {
  return chain(elu_rule, x, alpha);
}

inline constexpr auto selu_of = [](const auto& x) {
  return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717);
};
auto selu(const Number auto& x) { return selu_of(x); }

// Not alpha * elu(x / alpha): a negative alpha would turn the sides round.
inline constexpr auto celu_rule = elementwise(
    "celu", [](auto x, auto alpha) { return where(x > 0, x, alpha * expm1(minimum(x, 0) / alpha)); },
    with<A, B>([](auto x, auto alpha, auto g) { return where(x <= 0, g * exp(where(x < 0, x, 0) / alpha), g); }),
    with<A, B>([](auto x, auto alpha, auto g) {
      auto t = where(x < 0, x, 0) / alpha;
      return where(x <= 0, g * (expm1(t) - t * exp(t)), 0);
    }));
template <class P, class Q = int>
  requires AnyNumber<P, Q>
auto celu(const P& x, const Q& alpha = 1) {
  return chain(celu_rule, x, alpha);
}

// The derivative of x * Phi(x) is Phi(x) + x * phi(x), with the normal distribution Phi and its density phi.
inline constexpr auto gelu_rule = elementwise(
    "gelu", [](auto x) { return 0.5 * x * error_complement(x * (-std::numbers::sqrt2 / 2)); },
    with<A>([](auto x, auto g) {
      return g * (0.5 * error_complement(x * (-std::numbers::sqrt2 / 2)) +
                  x * exp(-0.5 * x * x) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2));
    }));
auto gelu(const Number auto& x) { return chain(gelu_rule, x); }

inline constexpr double gelu_scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // sqrt(2 / pi)
inline constexpr auto gelu_tanh_rule = elementwise(
    "gelu_tanh", [](auto x) { return 0.5 * x * (1 + tanh(gelu_scale * (x + 0.044715 * x * x * x))); },
    with<A>([](auto x, auto g) {
      auto t = tanh(gelu_scale * (x + 0.044715 * x * x * x));
      return g * 0.5 * ((1 + t) + x * (1 - t * t) * gelu_scale * (1 + 3 * 0.044715 * x * x));
    }));
auto gelu_tanh(const Number auto& x) { return chain(gelu_tanh_rule, x); }

inline constexpr auto silu_rule = elementwise(
    "silu", [](auto x) { return x * sigmoid(x); }, with<A>([](auto x, auto g) {
      auto [s, rest] = sigmoids(x);
      return g * s * (1 + x * rest);
    }));
auto silu(const Number auto& x) { return chain(silu_rule, x); }

inline constexpr auto softplus_rule = elementwise(
    "softplus", [](auto x, auto threshold) { return where(x > threshold, x, softplus(x)); },
    with<A, B>([](auto x, auto threshold, auto g) { return where(x > threshold, g, g * sigmoids(x).first); }),
    constant);
auto softplus(const Number auto& x, double beta = 1, double threshold = INFINITY) {
  return chain(softplus_rule, x * beta, threshold) / beta;
}

inline constexpr auto mish_rule = elementwise(
    "mish", [](auto x) { return x * tanh(softplus(x)); }, with<A>([](auto x, auto g) {
      auto t = tanh(softplus(x));
      return g * (t + x * sigmoid(x) * (1 - t * t));
    }));
auto mish(const Number auto& x) { return chain(mish_rule, x); }

// The derivative at infinity is NaN, as the value is: by 0 * x.
inline constexpr auto softsign_rule = elementwise(
    "softsign", [](auto x) { return x / (1 + abs(x)); },
    with<A>([](auto x, auto g) { return where(x == x, g, x) / square(1 + abs(x)); }));
auto softsign(const Number auto& x) { return chain(softsign_rule, x); }

// The derivative is PyTorch's at -3, from the right, and at 3, from there on; the second one at both is 0.
inline constexpr auto hardswish_rule = elementwise(
    "hardswish", [](auto x) { return x * minimum(maximum(x + 3, 0), 6) / 6; }, with<A>([](auto x, auto g) {
      auto inside = (x > -3) && (x < 3);
      auto outside = where(x < -3, 0, where(x == -3, -0.5 * g, g));
      return where(inside, g * (where(inside, x, 0) / 3 + 0.5), outside);
    }));
auto hardswish(const Number auto& x) { return chain(hardswish_rule, x); }

inline constexpr auto hardtanh_rule = elementwise(
    "hardtanh", [](auto x, auto low, auto high) { return minimum(maximum(x, low), high); },
    with<A, B, C>([](auto x, auto low, auto high, auto g) { return where((x <= low) || (x >= high), 0, g); }), constant,
    constant);
auto hardtanh(const Number auto& x, double low = -1, double high = 1) { return chain(hardtanh_rule, x, low, high); }

inline constexpr auto relu6_of = [](const auto& x) { return hardtanh(x, 0, 6); };
auto relu6(const Number auto& x) { return relu6_of(x); }

inline constexpr auto hardsigmoid_of = [](const auto& x) { return relu6(x + 3) / 6; };
auto hardsigmoid(const Number auto& x) { return hardsigmoid_of(x); }

inline constexpr auto softshrink_rule = elementwise(
    "softshrink",
    [](auto x, auto lambda) { return where(x > lambda, x - lambda, where(x < -lambda, x + lambda, x * 0)); },
    with<A, B>([](auto x, auto lambda, auto g) { return where((x >= -lambda) && (x <= lambda), 0, g); }), constant);
auto softshrink(const Number auto& x, double lambda = 0.5) { return chain(softshrink_rule, x, lambda); }

inline constexpr auto hardshrink_rule = elementwise(
    "hardshrink", [](auto x, auto lambda) { return where((x >= -lambda) && (x <= lambda), 0, x); },
    with<A, B>([](auto x, auto lambda, auto g) { return where((x >= -lambda) && (x <= lambda), 0, g); }), constant);
auto hardshrink(const Number auto& x, double lambda = 0.5) { return chain(hardshrink_rule, x, lambda); }

inline constexpr auto threshold_of = [](const auto& x, const auto& least, const auto& value) {
  return where(x <= least, value, x);
};
auto threshold(const Number auto& x, double least, double value) { return threshold_of(x, least, value); }

inline constexpr auto tanhshrink_of = [](const auto& x) { return x - tanh(x); };
auto tanhshrink(const Number auto& x) { return tanhshrink_of(x); }

}  // namespace xtape::fused
