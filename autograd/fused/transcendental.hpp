// The rules of exponentials, logarithms, trigonometric and related functions.
#pragma once

#include <autograd/fused/arithmetic.hpp>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>

namespace xtape::fused {

inline constexpr auto exp_rule = elementwise(
    "exp", [](auto x) { return exp(x); }, with<Y>([](auto y, auto g) { return g * y; }));

inline constexpr auto expm1_rule = elementwise(
    "expm1", [](auto x) { return expm1(x); }, with<A>([](auto x, auto g) { return g * exp(x); }));

inline constexpr auto log_rule = elementwise(
    "log", [](auto x) { return log(x); }, with<A>([](auto x, auto g) { return g / x; }));

inline constexpr auto log1p_rule = elementwise(
    "log1p", [](auto x) { return log1p(x); }, with<A>([](auto x, auto g) { return g / (1 + x); }));

// Where a is 0, log(a) is -inf, and 0 * -inf is NaN: such elements count 0, and so do those where b is 0. With a
// negative b, the result is infinite, and so is the derivative.
inline constexpr auto pow_rule = elementwise_any(
    "pow", [](auto a, auto b) { return power(a, b); },
    with<A, B>([](auto a, auto b, auto g) { return g * b * power(where(b == 0, 1, a), b - 1); }),
    with<A, B, Y>([](auto a, auto b, auto y, auto g) {
      auto counts_0 = (a == 0) && (b >= 0);
      return where(counts_0, 0, g * y * log(where(counts_0, 1, a)));
    }));

inline constexpr auto exp2_rule = elementwise(
    "exp2", [](auto x) { return exp2(x); }, with<Y>([](auto y, auto g) { return g * y * std::numbers::ln2; }));

inline constexpr auto log2_rule = elementwise(
    "log2", [](auto x) { return log2(x); }, with<A>([](auto x, auto g) { return g / (x * std::numbers::ln2); }));

inline constexpr auto log10_rule = elementwise(
    "log10", [](auto x) { return log10(x); }, with<A>([](auto x, auto g) { return g / (x * std::numbers::ln10); }));

/// sigmoid(x) and sigmoid(-x) from exp(-|x|), in a form whose derivatives of any order keep their digits far out, where
/// those that are computed from a sigmoid near 1 have none left.
inline constexpr auto sigmoids_from = [](const auto& x, const auto& e) {
  return std::pair(where(x > 0, 1, e) / (1 + e), where(x > 0, e, 1) / (1 + e));
};
inline constexpr auto sigmoids = [](const auto& x) { return sigmoids_from(x, exp(where(x > 0, -x, x))); };

// Equal infinities have no difference: they are their own result.
inline constexpr auto logaddexp_rule = elementwise(
    "logaddexp",
    [](auto a, auto b) { return where(a == b, a + std::numbers::ln2, maximum(a, b) + log1p(exp(-abs(a - b)))); },
    with<A, B>([](auto a, auto b, auto g) { return g * sigmoids(a - b).first; }),
    with<A, B>([](auto a, auto b, auto g) { return g * sigmoids(b - a).first; }));

namespace detail {
inline constexpr auto share_of_powers_of_2 = [](const auto& difference) {
  return sigmoids_from(difference, exp2(where(difference > 0, -difference, difference))).first;
};
}  // namespace detail

inline constexpr auto logaddexp2_rule = elementwise(
    "logaddexp2",
    [](auto a, auto b) {
      return where(a == b, a + 1, maximum(a, b) + log1p(exp2(-abs(a - b))) * std::numbers::log2e);
    },
    with<A, B>([](auto a, auto b, auto g) { return g * detail::share_of_powers_of_2(a - b); }),
    with<A, B>([](auto a, auto b, auto g) { return g * detail::share_of_powers_of_2(b - a); }));

inline constexpr auto xlog1py_rule = elementwise(
    "xlog1py", [](auto a, auto b) { return where(a == 0, where(is_nan(b), b, 0), a * log1p(b)); },
    with<A, B>([](auto a, auto b, auto g) { return where((a == 0) && (b <= -1), 0, g * log1p(b)); }),
    with<A, B>([](auto a, auto b, auto g) { return g * a / (b + 1); }));

inline constexpr auto entr_rule = elementwise(
    "entr", [](auto x) { return where(x == 0, 0, where(x < 0, -INFINITY, -x * log(x))); },
    with<A>([](auto x, auto g) { return -g * (log(x) + 1); }));

inline constexpr auto xlogy_rule = elementwise(
    "xlogy", [](auto a, auto b) { return where(a == 0, where(is_nan(b), b, 0), a * log(b)); },
    with<A, B>([](auto a, auto b, auto g) { return where((a == 0) && (b <= 0), 0, g * log(b)); }),
    with<A, B>([](auto a, auto b, auto g) { return g * a / b; }));

inline constexpr auto sin_rule = elementwise(
    "sin", [](auto x) { return sin(x); }, with<A>([](auto x, auto g) { return g * cos(x); }));

namespace detail {
/// The series of the derivative of sin(t) / t, in powers of t^2 after a t: -(-1)^k (2k + 2) / (2k + 3)!
inline constexpr auto slopes_of_sine_ratio = [] {
  std::array<double, 10> result{};
  double term = -1.0 / 6;
  for (std::size_t k = 0; k < result.size(); ++k) {
    double n = 2.0 * static_cast<double>(k) + 2;
    result[k] = n * term;
    term /= -(n + 2) * (n + 3);
  }
  return result;
}();
}  // namespace detail

/// The derivative of sin(t) / t, which is `ratio`: (cos(t) - ratio) / t, and near 0 its series.
inline constexpr auto slope_of_sine_ratio = [](const auto& t, const auto& cosine, const auto& ratio) {
  const auto& c = detail::slopes_of_sine_ratio;
  auto near = abs(t) < 1;
  auto small = where(near, t, 0), square = small * small, sum = c[9] * square + c[8];
  for (std::size_t k = 8; k-- > 0;) sum = sum * square + c[k];
  return where(near, small * sum, (cosine - ratio) / where(near, 1, t));
};

/// (-1)^n and pi (x - n) for the whole number n next to x: the sine of pi x, which rounded is no multiple of pi, is the
/// one times the sine of the other, and so is the cosine.
inline constexpr auto half_turns = [](const auto& x) {
  auto n = floor(x + 0.5);
  return std::pair(1 - 2 * (n - 2 * floor(0.5 * n)), (x - n) * std::numbers::pi);
};
inline constexpr auto sinc_rule = elementwise(
    "sinc",
    [](auto x) {
      auto [sign, rest] = half_turns(x);
      return where(x == 0, 1, sign * sin(rest) / (x * std::numbers::pi));
    },
    with<A, Y>([](auto x, auto y, auto g) {
      auto [sign, rest] = half_turns(x);
      return g * std::numbers::pi * slope_of_sine_ratio(x * std::numbers::pi, sign * cos(rest), y);
    }));

inline constexpr auto cos_rule = elementwise(
    "cos", [](auto x) { return cos(x); }, with<A>([](auto x, auto g) { return -g * sin(x); }));

inline constexpr auto tan_rule = elementwise(
    "tan", [](auto x) { return tan(x); }, with<Y>([](auto y, auto g) { return g * (1 + y * y); }));

/// 1 - x^2. By its factors, near 1 it keeps its digits, and near 0 its derivative loses them.
inline constexpr auto one_minus_square = [](const auto& x) {
  return where(abs(x) < 0.5, 1 - x * x, (1 - x) * (1 + x));
};

inline constexpr auto asin_rule = elementwise(
    "asin", [](auto x) { return asin(x); }, with<A>([](auto x, auto g) { return g / sqrt(one_minus_square(x)); }));

inline constexpr auto acos_rule = elementwise(
    "acos", [](auto x) { return acos(x); }, with<A>([](auto x, auto g) { return -g / sqrt(one_minus_square(x)); }));

inline constexpr auto atan_rule = elementwise(
    "atan", [](auto x) { return atan(x); }, with<A>([](auto x, auto g) { return g / (1 + x * x); }));

inline constexpr auto atan2_rule = elementwise(
    "atan2", [](auto y, auto x) { return atan2(y, x); },
    with<A, B>([](auto y, auto x, auto g) {
      auto r = hypot(x, y);
      return g * (x / r) / r;
    }),
    with<A, B>([](auto y, auto x, auto g) {
      auto r = hypot(x, y);
      return -g * (y / r) / r;
    }));

inline constexpr auto sinh_rule = elementwise(
    "sinh", [](auto x) { return sinh(x); }, with<A>([](auto x, auto g) { return g * cosh(x); }));

inline constexpr auto cosh_rule = elementwise(
    "cosh", [](auto x) { return cosh(x); }, with<A>([](auto x, auto g) { return g * sinh(x); }));

inline constexpr auto tanh_rule = elementwise(
    "tanh", [](auto x) { return tanh(x); }, with<Y>([](auto y, auto g) { return g * (1 - y * y); }));

inline constexpr auto asinh_rule = elementwise(
    "asinh", [](auto x) { return asinh(x); }, with<A>([](auto x, auto g) {
      auto far = abs(x) > 1e9;  // where x * x + 1 is x * x, and may overflow
      auto near = where(far, 0, x);
      return g / where(far, abs(x), sqrt(near * near + 1));
    }));

// xsimd's has values below 1, too.
inline constexpr auto acosh_rule = elementwise(
    "acosh", [](auto x) { return where(x < 1, sqrt(x - 1), acosh(x)); },
    with<A>([](auto x, auto g) { return g / (sqrt(x - 1) * sqrt(x + 1)); }));

inline constexpr auto atanh_rule = elementwise(
    "atanh", [](auto x) { return atanh(x); }, with<A>([](auto x, auto g) { return g / one_minus_square(x); }));

inline constexpr auto erf_rule = elementwise(
    "erf", [](auto x) { return error_function(x); },
    with<A>([](auto x, auto g) { return g * exp(-x * x) * (2 * std::numbers::inv_sqrtpi); }));

inline constexpr auto erfc_rule = elementwise(
    "erfc", [](auto x) { return error_complement(x); },
    with<A>([](auto x, auto g) { return -g * exp(-x * x) * (2 * std::numbers::inv_sqrtpi); }));

// In the middle, from the distance to one half, which is exact.
inline constexpr auto logit_rule = elementwise(
    "logit",
    [](auto x) {
      auto ratio = x / (1 - x), beyond = (2 * x - 1) / (1 - x);
      return where(abs(x - 0.5) < 0.25, log1p(beyond), log(ratio));
    },
    // 1 / (x (1 - x)) = 1 / x + 1 / (1 - x), whose derivatives in the middle nearly cancel; there with the same distance
    // d it is 1 / (1 / 4 - d^2).
    with<A>([](auto x, auto g) {
      auto middle = abs(x - 0.5) < 0.25;
      auto d = where(middle, x - 0.5, 0);
      return where((x < 0) || (x > 1), NAN, where(middle, g / (0.25 - d * d), g / x + g / (1 - x)));
    }));

}  // namespace xtape::fused
