// The rules of the beta function, and of the differences of polygamma functions that its derivatives are made of.
#pragma once

#include <autograd/fused/special.hpp>

namespace xtape::fused {

struct Beta {
  static double value(double a, double b);
  /// The n-th derivative of digamma at a + b minus that at a.
  static double polygamma_difference(double n, double a, double b);
};

namespace detail {

template <class... Xs>
auto polygamma_difference(const Xs&... xs);

inline constexpr auto polygamma_difference_rule = elementwise(
    "polygamma_difference",
    [](auto n, auto a, auto b) { return kernels::lanewise(Beta::polygamma_difference, n, a, b); }, constant,
    with<A, B, C>([](auto n, auto a, auto b, auto g) { return g * polygamma_difference(n + 1, a, b); }),
    with<A, B, C>([](auto n, auto a, auto b, auto g) { return g * WithDerivatives<Polygamma>()(n + 1, a + b); }));

template <class... Xs>
auto polygamma_difference(const Xs&... xs) {
  return RuleOf<polygamma_difference_rule>()(xs...);
}

template <class X, class Z>
auto digamma_difference(const X& a, const Z& b) {
  return polygamma_difference(X(0), a, b);
}

}  // namespace detail

inline constexpr auto beta_rule = elementwise(
    "beta", [](auto a, auto b) { return kernels::lanewise(Beta::value, a, b); },
    with<A, B, Y>([](auto a, auto b, auto y, auto g) { return -g * y * detail::digamma_difference(a, b); }),
    with<A, B, Y>([](auto a, auto b, auto y, auto g) { return -g * y * detail::digamma_difference(b, a); }));

}  // namespace xtape::fused
