// The rules of the activation functions.
#pragma once

#include <autograd/fused/registers.hpp>  // before the rules

#include <autograd/fused/transcendental.hpp>
#include <cmath>
#include <numbers>

namespace xtape::fused {

inline constexpr auto sigmoid_rule = elementwise(
    "sigmoid", [](auto x) { return sigmoid(x); }, with<Y>([](auto y, auto g) { return g * y * (1 - y); }));

inline constexpr auto logsigmoid_rule = elementwise(
    "logsigmoid", [](auto x) { return minimum(x, 0) - log1p(exp(-abs(x))); },
    with<A>([](auto x, auto g) { return g * sigmoids(x).second; }));

inline constexpr auto relu_rule = elementwise(
    "relu", [](auto x) { return maximum(x, 0); }, with<Y>([](auto y, auto g) { return where(y <= 0, 0, g); }));

inline constexpr auto leaky_relu_rule = elementwise(
    "leaky_relu", [](auto x, auto slope) { return where(x > 0, x, slope * x); },
    with<A, B>([](auto x, auto slope, auto g) { return where(x > 0, g, g * slope); }),
    with<A>([](auto x, auto g) { return where(x > 0, 0, g * x); }));

// By where, not by minimum, which at 0 has half a derivative: the second one there is 0, as in PyTorch.
inline constexpr auto elu_rule = elementwise(
    "elu", [](auto x, auto alpha) { return where(x > 0, x, alpha * expm1(minimum(x, 0))); },
    with<A, B>([](auto x, auto alpha, auto g) { return where(x <= 0, g * alpha * exp(where(x < 0, x, 0)), g); }),
    with<A>([](auto x, auto g) { return where(x <= 0, g * expm1(where(x < 0, x, 0)), 0); }));

inline constexpr auto selu_of = [](const auto& x) {
  return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717);
};

// Not alpha * elu(x / alpha): a negative alpha would turn the sides round.
inline constexpr auto celu_rule = elementwise(
    "celu", [](auto x, auto alpha) { return where(x > 0, x, alpha * expm1(minimum(x, 0) / alpha)); },
    with<A, B>([](auto x, auto alpha, auto g) { return where(x <= 0, g * exp(where(x < 0, x, 0) / alpha), g); }),
    with<A, B>([](auto x, auto alpha, auto g) {
      auto t = where(x < 0, x, 0) / alpha;
      return where(x <= 0, g * (expm1(t) - t * exp(t)), 0);
    }));

// The derivative of x * Phi(x) is Phi(x) + x * phi(x), with the normal distribution Phi and its density phi.
inline constexpr auto gelu_rule = elementwise(
    "gelu", [](auto x) { return x * normal_probability(x); },
    with<A>([](auto x, auto g) {
      return g * (0.5 * error_complement(x * (-std::numbers::sqrt2 / 2)) +
                  x * exp(-0.5 * x * x) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2));
    }));

// 0.5 (1 + tanh(u)) is sigmoid(2u), which keeps its digits far to the left.
namespace detail {
inline constexpr double gelu_scale = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // 2 sqrt(2 / pi)
inline constexpr double gelu_cubic = 0.044715;
}  // namespace detail
inline constexpr auto gelu_tanh_rule = elementwise(
    "gelu_tanh",
    [](auto x) { return x * sigmoid(x * (detail::gelu_scale + detail::gelu_scale * detail::gelu_cubic * (x * x))); },
    with<A>([](auto x, auto g) {
      auto t = minimum(maximum(x, -30), 30);  // beyond, the sigmoid is 0 or 1
      auto square = t * t;
      auto [s, rest] = sigmoids(t * (detail::gelu_scale + detail::gelu_scale * detail::gelu_cubic * square));
      return g * s * (1 + x * rest * (detail::gelu_scale + 3 * detail::gelu_scale * detail::gelu_cubic * square));
    }));

inline constexpr auto silu_rule = elementwise(
    "silu", [](auto x) { return x * sigmoid(x); }, with<A>([](auto x, auto g) {
      auto [s, rest] = sigmoids(x);
      return g * s * (1 + x * rest);
    }));

inline constexpr auto softplus_rule = elementwise(
    "softplus", [](auto x, auto threshold) { return where(x > threshold, x, softplus(x)); },
    with<A, B>([](auto x, auto threshold, auto g) { return where(x > threshold, g, g * sigmoids(x).first); }),
    constant);

// The derivative of x t with t = tanh(softplus(x)) is t + x t'. With e = exp(-|x|) and on the right d = 1 + 2e + 2e^2,
// t = 1 - 2e^2 / d and t' = 4e^2 (1 + e) / d^2; on the left d = 2 + 2e + e^2, t = e (2 + e) / d and
// t' = 4e (1 + e) / d^2.
inline constexpr auto mish_rule = elementwise(
    "mish", [](auto x) { return x * tanh(softplus(x)); }, with<A>([](auto x, auto g) {
      auto right = x > 0;
      auto e = exp(where(right, -x, x)), square = e * e;
      auto d = 2 * e + where(right, 1 + 2 * square, 2 + square);
      auto t = where(right, 1 - 2 * square / d, e * (2 + e) / d);
      return g * (t + x * (4 * (1 + e) * where(right, square, e) / (d * d)));
    }));

// The derivative at infinity is NaN, as the value is: by 0 * x.
inline constexpr auto softsign_rule = elementwise(
    "softsign", [](auto x) { return x / (1 + abs(x)); },
    with<A>([](auto x, auto g) { return where(x == x, g, x) / square(1 + abs(x)); }));

// The derivative is PyTorch's at -3, from the right, and at 3, from there on; the second one at both is 0.
inline constexpr auto hardswish_rule = elementwise(
    "hardswish", [](auto x) { return x * minimum(maximum(x + 3, 0), 6) / 6; }, with<A>([](auto x, auto g) {
      auto inside = (x > -3) && (x < 3);
      auto outside = where(x < -3, 0, where(x == -3, -0.5 * g, g));
      return where(inside, g * (where(inside, x, 0) / 3 + 0.5), outside);
    }));

inline constexpr auto hardtanh_rule = elementwise(
    "hardtanh", [](auto x, auto low, auto high) { return minimum(maximum(x, low), high); },
    with<A, B, C>([](auto x, auto low, auto high, auto g) { return where((x <= low) || (x >= high), 0, g); }), constant,
    constant);

inline constexpr auto relu6_of = [](const auto& x) { return hardtanh(x, 0, 6); };

inline constexpr auto hardsigmoid_of = [](const auto& x) { return relu6(x + 3) / 6; };

inline constexpr auto softshrink_rule = elementwise(
    "softshrink",
    [](auto x, auto lambda) { return where(x > lambda, x - lambda, where(x < -lambda, x + lambda, x * 0)); },
    with<A, B>([](auto x, auto lambda, auto g) { return where((x >= -lambda) && (x <= lambda), 0, g); }), constant);

inline constexpr auto hardshrink_rule = elementwise(
    "hardshrink", [](auto x, auto lambda) { return where((x >= -lambda) && (x <= lambda), 0, x); },
    with<A, B>([](auto x, auto lambda, auto g) { return where((x >= -lambda) && (x <= lambda), 0, g); }), constant);

inline constexpr auto threshold_of = [](const auto& x, const auto& least, const auto& value) {
  return where(x <= least, value, x);
};

// x - tanh(x), whose digits cancel near 0. With Lambert's tanh(x) = x / (1 + c), c = x^2 / (3 + x^2 / (5 + ...)), it is
// x c / (1 + c).
inline constexpr auto tanhshrink_rule = elementwise(
    "tanhshrink",
    [](auto x) {
      auto near = abs(x) < 1;
      auto square = where(near, x * x, 0), c = square * 0;
      for (int k = 19; k > 1; k -= 2) c = square / (c + k);
      return where(near, x * c / (1 + c), x - tanh(x));
    },
    with<A>([](auto x, auto g) {
      auto t = tanh(x);
      return g * t * t;
    }));

}  // namespace xtape::fused
