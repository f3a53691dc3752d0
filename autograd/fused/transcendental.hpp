// The rules of exponentials, logarithms, trigonometric and related functions.
#pragma once

#include <autograd/fused/arithmetic.hpp>
#include <cmath>
#include <numbers>

namespace xtape::fused {

inline constexpr auto exp_rule = elementwise(
    "exp", [](auto x) { return exp(x); }, with<Y>([](auto y, auto g) { return g * y; }));
template <Number X>
auto exp(const X& x) {
  return chain(exp_rule, x);
}

inline constexpr auto expm1_rule = elementwise(
    "expm1", [](auto x) { return expm1(x); }, with<Y>([](auto y, auto g) { return g * (y + 1); }));
template <Number X>
auto expm1(const X& x) {
  return chain(expm1_rule, x);
}

inline constexpr auto log_rule = elementwise(
    "log", [](auto x) { return log(x); }, with<A>([](auto x, auto g) { return g / x; }));
template <Number X>
auto log(const X& x) {
  return chain(log_rule, x);
}

inline constexpr auto log1p_rule = elementwise(
    "log1p", [](auto x) { return log1p(x); }, with<A>([](auto x, auto g) { return g / (1 + x); }));
template <Number X>
auto log1p(const X& x) {
  return chain(log1p_rule, x);
}

// Where a is 0, log(a) is -inf, and 0 * -inf is NaN: such elements count 0, and so do those where b is 0. With a
// negative b, the result is infinite, and so is the derivative.
inline constexpr auto pow_rule = elementwise_any(
    "pow", [](auto a, auto b) { return power(a, b); },
    with<A, B>([](auto a, auto b, auto g) { return g * b * power(where(b == 0, 1, a), b - 1); }),
    with<A, B, Y>([](auto a, auto b, auto y, auto g) {
      auto counts_0 = (a == 0) && (b >= 0);
      return where(counts_0, 0, g * y * log(where(counts_0, 1, a)));
    }));
template <class P, class Q>
  requires AnyNumber<P, Q>
auto pow(const P& a, const Q& b) {
  return chain(pow_rule, a, b);
}
template <class P, class Q>
  requires AnyNumber<P, Q>
auto power(const P& a, const Q& b) {
  return pow(a, b);
}

inline constexpr auto exp2_rule = elementwise(
    "exp2", [](auto x) { return exp2(x); }, with<Y>([](auto y, auto g) { return g * y * std::numbers::ln2; }));
template <Number X>
auto exp2(const X& x) {
  return chain(exp2_rule, x);
}

inline constexpr auto log2_rule = elementwise(
    "log2", [](auto x) { return log2(x); }, with<A>([](auto x, auto g) { return g / (x * std::numbers::ln2); }));
template <Number X>
auto log2(const X& x) {
  return chain(log2_rule, x);
}

inline constexpr auto log10_rule = elementwise(
    "log10", [](auto x) { return log10(x); }, with<A>([](auto x, auto g) { return g / (x * std::numbers::ln10); }));
template <Number X>
auto log10(const X& x) {
  return chain(log10_rule, x);
}

// Equal infinities have no difference: they are their own result.
inline constexpr auto logaddexp_rule = elementwise(
    "logaddexp",
    [](auto a, auto b) { return where(a == b, a + std::numbers::ln2, maximum(a, b) + log1p(exp(-abs(a - b)))); },
    with<A, B>([](auto a, auto b, auto g) { return g * sigmoid(a - b); }),
    with<A, B>([](auto a, auto b, auto g) { return g * sigmoid(b - a); }));
template <class P, class Q>
  requires AnyNumber<P, Q>
auto logaddexp(const P& a, const Q& b) {
  return chain(logaddexp_rule, a, b);
}

inline constexpr auto xlogy_rule = elementwise(
    "xlogy", [](auto a, auto b) { return where(a == 0, where(is_nan(b), b, 0), a * log(b)); },
    with<A, B>([](auto a, auto b, auto g) { return where((a == 0) && (b <= 0), 0, g * log(b)); }),
    with<A, B>([](auto a, auto b, auto g) { return g * a / b; }));
template <class P, class Q>
  requires AnyNumber<P, Q>
auto xlogy(const P& a, const Q& b) {
  return chain(xlogy_rule, a, b);
}

inline constexpr auto sin_rule = elementwise(
    "sin", [](auto x) { return sin(x); }, with<A>([](auto x, auto g) { return g * cos(x); }));
template <Number X>
auto sin(const X& x) {
  return chain(sin_rule, x);
}

inline constexpr auto cos_rule = elementwise(
    "cos", [](auto x) { return cos(x); }, with<A>([](auto x, auto g) { return -g * sin(x); }));
template <Number X>
auto cos(const X& x) {
  return chain(cos_rule, x);
}

inline constexpr auto tan_rule = elementwise(
    "tan", [](auto x) { return tan(x); }, with<Y>([](auto y, auto g) { return g * (1 + y * y); }));
template <Number X>
auto tan(const X& x) {
  return chain(tan_rule, x);
}

inline constexpr auto asin_rule = elementwise(
    "asin", [](auto x) { return asin(x); }, with<A>([](auto x, auto g) { return g / sqrt(1 - x * x); }));
template <Number X>
auto asin(const X& x) {
  return chain(asin_rule, x);
}

inline constexpr auto acos_rule = elementwise(
    "acos", [](auto x) { return acos(x); }, with<A>([](auto x, auto g) { return -g / sqrt(1 - x * x); }));
template <Number X>
auto acos(const X& x) {
  return chain(acos_rule, x);
}

inline constexpr auto atan_rule = elementwise(
    "atan", [](auto x) { return atan(x); }, with<A>([](auto x, auto g) { return g / (1 + x * x); }));
template <Number X>
auto atan(const X& x) {
  return chain(atan_rule, x);
}

// xsimd's is NaN at the origin and at infinity.
inline constexpr auto atan2_rule = elementwise(
    "atan2", [](auto y, auto x) { return kernels::lanewise([](auto y, auto x) { return std::atan2(y, x); }, y, x); },
    with<A, B>([](auto y, auto x, auto g) { return g * x / (x * x + y * y); }),
    with<A, B>([](auto y, auto x, auto g) { return -g * y / (x * x + y * y); }));
template <class P, class Q>
  requires AnyNumber<P, Q>
auto atan2(const P& y, const Q& x) {
  return chain(atan2_rule, y, x);
}

inline constexpr auto sinh_rule = elementwise(
    "sinh", [](auto x) { return sinh(x); }, with<A>([](auto x, auto g) { return g * cosh(x); }));
template <Number X>
auto sinh(const X& x) {
  return chain(sinh_rule, x);
}

inline constexpr auto cosh_rule = elementwise(
    "cosh", [](auto x) { return cosh(x); }, with<A>([](auto x, auto g) { return g * sinh(x); }));
template <Number X>
auto cosh(const X& x) {
  return chain(cosh_rule, x);
}

inline constexpr auto tanh_rule = elementwise(
    "tanh", [](auto x) { return tanh(x); }, with<Y>([](auto y, auto g) { return g * (1 - y * y); }));
template <Number X>
auto tanh(const X& x) {
  return chain(tanh_rule, x);
}

inline constexpr auto asinh_rule = elementwise(
    "asinh", [](auto x) { return asinh(x); }, with<A>([](auto x, auto g) { return g / sqrt(x * x + 1); }));
template <Number X>
auto asinh(const X& x) {
  return chain(asinh_rule, x);
}

// xsimd's has values below 1, too.
inline constexpr auto acosh_rule = elementwise(
    "acosh", [](auto x) { return where(x < 1, sqrt(x - 1), acosh(x)); },
    with<A>([](auto x, auto g) { return g / sqrt(x * x - 1); }));
template <Number X>
auto acosh(const X& x) {
  return chain(acosh_rule, x);
}

inline constexpr auto atanh_rule = elementwise(
    "atanh", [](auto x) { return atanh(x); }, with<A>([](auto x, auto g) { return g / (1 - x * x); }));
template <Number X>
auto atanh(const X& x) {
  return chain(atanh_rule, x);
}

inline constexpr auto erf_rule = elementwise(
    "erf", [](auto x) { return error_function(x); },
    with<A>([](auto x, auto g) { return g * exp(-x * x) * (2 * std::numbers::inv_sqrtpi); }));
template <Number X>
auto erf(const X& x) {
  return chain(erf_rule, x);
}
template <Number X>
auto error_function(const X& x) {
  return erf(x);
}

inline constexpr auto erfc_rule = elementwise(
    "erfc", [](auto x) { return kernels::lanewise([](auto v) { return std::erfc(v); }, x); },
    with<A>([](auto x, auto g) { return -g * exp(-x * x) * (2 * std::numbers::inv_sqrtpi); }));
template <Number X>
auto erfc(const X& x) {
  return chain(erfc_rule, x);
}

inline constexpr auto logit_rule = elementwise(
    "logit", [](auto x) { return log(x / (1 - x)); },
    with<A>([](auto x, auto g) { return where((x < 0) || (x > 1), NAN, g / (x * (1 - x))); }));
template <Number X>
auto logit(const X& x) {
  return chain(logit_rule, x);
}

}  // namespace xtape::fused
