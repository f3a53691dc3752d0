// The rules of elementwise operations, as scalars use them: see fused/rule.hpp.
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>

#include <autograd/fused/arithmetic.hpp>
#include <autograd/fused/transcendental.hpp>
#include <autograd/scalar/plain.hpp>
#include <autograd/scalar/polygamma.hpp>

namespace xtape::scalar {

inline Plain polygamma(int n, Plain x) { return polygamma(n, x.value); }
inline Plain polygamma(Plain n, Plain x) { return polygamma(static_cast<int>(n.value), x.value); }

/// The one of two that a condition chooses.
template <class X, class Y>
  requires(std::is_class_v<X> || std::is_class_v<Y>)
auto where(bool condition, const X& x, const Y& y) {
  using R = std::conditional_t<std::is_class_v<X>, X, Y>;
  return condition ? R(x) : R(y);
}
template <class X, class Y>
  requires(std::is_class_v<X> || std::is_class_v<Y>)
auto maximum(const X& x, const Y& y) {
  return where((x >= y) || is_nan(x), x, y);
}
template <class X, class Y>
  requires(std::is_class_v<X> || std::is_class_v<Y>)
auto minimum(const X& x, const Y& y) {
  return where((x <= y) || is_nan(x), x, y);
}

// Of C's functions, those that Variables do not have under these names.
namespace rules {

using fused::A, fused::B, fused::C, fused::Y, fused::constant, fused::elementwise, fused::pass, fused::with;

inline constexpr auto cbrt_rule = elementwise("cbrt", [](auto x) { return cbrt(x); },
                                         with<Y>([](auto y, auto g) { return g / (3 * y * y); }));
// The quotient as a whole number: a / b may have been rounded to another one.
inline constexpr auto fmod_rule =
    elementwise("fmod", [](auto a, auto b) { return fmod(a, b); }, pass,
                with<A, B, Y>([](auto a, auto b, auto y, auto g) { return -g * nearbyint((a - y) / b); }));
inline constexpr auto remainder_rule =
    elementwise("remainder", [](auto a, auto b) { return remainder(a, b); }, pass,
                with<A, B, Y>([](auto a, auto b, auto y, auto g) { return -g * nearbyint((a - y) / b); }));
inline constexpr auto hypot3_rule =
    elementwise("hypot", [](auto a, auto b, auto c) { return hypot(a, b, c); },
                with<A, Y>([](auto a, auto y, auto g) { return g * (a / y); }),
                with<B, Y>([](auto b, auto y, auto g) { return g * (b / y); }),
                with<C, Y>([](auto c, auto y, auto g) { return g * (c / y); }));
inline constexpr auto fma_rule = elementwise("fma", [](auto a, auto b, auto c) { return fma(a, b, c); },
                                        with<B>([](auto b, auto g) { return g * b; }),
                                        with<A>([](auto a, auto g) { return g * a; }), pass);
inline constexpr auto round_rule = elementwise("round", [](auto x) { return round(x); }, constant);
inline constexpr auto polygamma_rule =
    elementwise("polygamma", [](auto n, auto x) { return polygamma(n, x); }, constant,
                with<A, B>([](auto n, auto x, auto g) { return g * polygamma(n + 1, x); }));
inline constexpr auto lgamma_rule = elementwise("lgamma", [](auto x) { return lgamma(x); },
                                           with<A>([](auto x, auto g) { return g * polygamma(0, x); }));
inline constexpr auto tgamma_rule = elementwise("tgamma", [](auto x) { return tgamma(x); },
                                           with<A, Y>([](auto x, auto y, auto g) { return g * y * polygamma(0, x); }));

}  // namespace rules

/// Some rules, in an order.
template <const auto&... rules>
struct RuleList {
  static constexpr std::size_t size = sizeof...(rules);

  template <const auto& rule>
  static constexpr std::size_t index() {
    std::size_t result = 0;
    bool found = ((std::is_same_v<decltype(rules), decltype(rule)> || (++result, false)) || ...);
    return found ? result : throw "the rule is not in the list";
  }
};

/// Those of all operations on scalars.
using Rules = RuleList<
    fused::add_rule, fused::sub_rule, fused::mul_rule, fused::div_rule, fused::neg_rule, fused::sqrt_rule,
    rules::cbrt_rule, fused::hypot_rule, rules::hypot3_rule, fused::lerp_rule, fused::abs_rule, fused::copysign_rule,
    fused::floor_rule, fused::ceil_rule, rules::round_rule, fused::round_rule, fused::trunc_rule, fused::fmax_rule,
    fused::fmin_rule, rules::fmod_rule, rules::remainder_rule, rules::fma_rule, fused::exp_rule, fused::exp2_rule,
    fused::expm1_rule, fused::log_rule, fused::log1p_rule, fused::log2_rule, fused::log10_rule, fused::pow_rule,
    fused::sin_rule, fused::cos_rule, fused::tan_rule, fused::asin_rule, fused::acos_rule, fused::atan_rule,
    fused::atan2_rule, fused::sinh_rule, fused::cosh_rule, fused::tanh_rule, fused::asinh_rule, fused::acosh_rule,
    fused::atanh_rule, fused::erf_rule, fused::erfc_rule, rules::lgamma_rule, rules::tgamma_rule,
    rules::polygamma_rule>;

/// A rule of numbers: for doubles its function, for numbers that know a derivative their own way.
template <const auto& rule, class X, class... Xs>
auto call(const X& x, const Xs&... xs) {
  if constexpr (requires { X::template apply<rule>(x, xs...); }) return X::template apply<rule>(x, xs...);
  else return rule.forward(x, xs...);
}

/// What a partial derivative is, where it is always the same.
struct Zero {};
struct One {};

namespace detail {

template <class F, std::size_t... Which, class T, class... Xs>
auto slope_of(const fused::With<F, Which...>&, const T& y, const Xs&... xs) {
  [[maybe_unused]] const std::tuple<const Xs&...> all(xs...);
  [[maybe_unused]] auto operand = [&]<std::size_t K>(std::integral_constant<std::size_t, K>) -> const auto& {
    if constexpr (K == fused::Y) return y;
    else return std::get<K>(all);
  };
  return F()(operand(std::integral_constant<std::size_t, Which>())..., T(1.0));
}
template <class T, class... Xs>
Zero slope_of(const fused::Constant&, const T&, const Xs&...) {
  return {};
}
template <class T, class... Xs>
One slope_of(const fused::Pass&, const T&, const Xs&...) {
  return {};
}

}  // namespace detail

/// The partial derivative of y = rule(xs...) by the K-th of them. All are what `wrapped` makes.
template <std::size_t K, const auto& rule, class T, class... Xs>
auto slope(const T& y, const Xs&... xs) {
  return detail::slope_of(std::get<K>(rule.partials), y, xs...);
}

}  // namespace xtape::scalar
