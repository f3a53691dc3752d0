// The rules of arithmetic and rounding, and the functions of Numbers that follow from them.
#pragma once

#include <autograd/fused/number.hpp>
#include <cmath>

namespace xtape::fused {

inline constexpr auto add_rule = elementwise_any(
    "add", [](auto a, auto b) { return a + b; }, pass, pass);
template <class P, class Q>
  requires AnyNumber<P, Q>
auto add(const P& a, const Q& b) {
  return chain(add_rule, a, b);
}

inline constexpr auto sub_rule = elementwise_any(
    "sub", [](auto a, auto b) { return a - b; }, pass, with<>([](auto g) { return -g; }));
template <class P, class Q>
  requires AnyNumber<P, Q>
auto sub(const P& a, const Q& b) {
  return chain(sub_rule, a, b);
}

inline constexpr auto mul_rule = elementwise_any(
    "mul", [](auto a, auto b) { return a * b; }, with<B>([](auto b, auto g) { return g * b; }),
    with<A>([](auto a, auto g) { return g * a; }));
template <class P, class Q>
  requires AnyNumber<P, Q>
auto mul(const P& a, const Q& b) {
  return chain(mul_rule, a, b);
}

inline constexpr auto div_rule = elementwise(
    "div", [](auto a, auto b) { return a / b; }, with<B>([](auto b, auto g) { return g / b; }),
    with<B, Y>([](auto b, auto y, auto g) { return -g * y / b; }));
template <class P, class Q>
  requires AnyNumber<P, Q>
auto div(const P& a, const Q& b) {
  return chain(div_rule, a, b);
}

inline constexpr auto neg_rule = elementwise_any(
    "neg", [](auto x) { return -x; }, with<>([](auto g) { return -g; }));
template <Number X>
auto neg(const X& x) {
  return chain(neg_rule, x);
}

template <Number X>
auto operator-(const X& x) {
  return neg(x);
}
template <Number X>
X operator+(const X& x) {
  return x;
}
template <class P, class Q>
  requires AnyNumber<P, Q>
auto operator+(const P& a, const Q& b) {
  return add(a, b);
}
template <class P, class Q>
  requires AnyNumber<P, Q>
auto operator-(const P& a, const Q& b) {
  return sub(a, b);
}
template <class P, class Q>
  requires AnyNumber<P, Q>
auto operator*(const P& a, const Q& b) {
  return mul(a, b);
}
template <class P, class Q>
  requires AnyNumber<P, Q>
auto operator/(const P& a, const Q& b) {
  return div(a, b);
}

namespace detail {
template <class X, class Result>
X& assign(X& x, const Result& result) {
  static_assert(std::same_as<X, Result>,
                "fuse: the result depends on operands on which the left side does not; give it a variable of its own");
  return x = result;
}
}  // namespace detail

template <Number P, class Q>
P& operator+=(P& a, const Q& b) {
  return detail::assign(a, a + b);
}
template <Number P, class Q>
P& operator-=(P& a, const Q& b) {
  return detail::assign(a, a - b);
}
template <Number P, class Q>
P& operator*=(P& a, const Q& b) {
  return detail::assign(a, a * b);
}
template <Number P, class Q>
P& operator/=(P& a, const Q& b) {
  return detail::assign(a, a / b);
}

inline constexpr auto square_rule = elementwise_any(
    "square", [](auto x) { return x * x; }, with<A>([](auto x, auto g) { return g * 2 * x; }));
template <Number X>
auto square(const X& x) {
  return chain(square_rule, x);
}

inline constexpr auto sqrt_rule = elementwise(
    "sqrt", [](auto x) { return sqrt(x); }, with<Y>([](auto y, auto g) { return g / (2 * y); }));
template <Number X>
auto sqrt(const X& x) {
  return chain(sqrt_rule, x);
}

inline constexpr auto reciprocal_rule = elementwise(
    "reciprocal", [](auto x) { return 1 / x; }, with<Y>([](auto y, auto g) { return -g * y * y; }));
template <Number X>
auto reciprocal(const X& x) {
  return chain(reciprocal_rule, x);
}

inline constexpr auto rsqrt_rule = elementwise(
    "rsqrt", [](auto x) { return 1 / sqrt(x); }, with<Y>([](auto y, auto g) { return -0.5 * g * y * y * y; }));
template <Number X>
auto rsqrt(const X& x) {
  return chain(rsqrt_rule, x);
}

inline constexpr auto hypot_rule = elementwise(
    "hypot", [](auto a, auto b) { return kernels::lanewise([](auto x, auto y) { return std::hypot(x, y); }, a, b); },
    with<A, Y>([](auto a, auto y, auto g) { return g * (a / y); }),
    with<B, Y>([](auto b, auto y, auto g) { return g * (b / y); }));
template <class P, class Q>
  requires AnyNumber<P, Q>
auto hypot(const P& a, const Q& b) {
  return chain(hypot_rule, a, b);
}

namespace detail {
// As C's, for a y that is not 0. The quotient of the least int64 and -1 has no place in 64 bits, and its remainder is 0.
template <class T>
T truncated_remainder(T x, T y) {
  if constexpr (std::is_integral_v<T>) return y == -1 ? 0 : x % y;
  else return std::fmod(x, y);
}
}  // namespace detail

inline constexpr auto fmod_rule = elementwise_any(
    "fmod",
    [](auto a, auto b) {
      return kernels::lanewise([](auto x, auto y) { return detail::truncated_remainder(x, y); }, a, b);
    },
    pass, with<A, B>([](auto a, auto b, auto g) { return -g * trunc(a / b); }));
template <class P, class Q>
  requires AnyNumber<P, Q>
auto fmod(const P& a, const Q& b) {
  return chain(fmod_rule, a, b);
}

inline constexpr auto remainder_rule = elementwise_any(
    "remainder",
    [](auto a, auto b) {
      return kernels::lanewise(
          [](auto x, auto y) {
            auto r = detail::truncated_remainder(x, y);
            return r != 0 && (r < 0) != (y < 0) ? r + y : r;
          },
          a, b);
    },
    pass, with<A, B>([](auto a, auto b, auto g) { return -g * floor(a / b); }));
template <class P, class Q>
  requires AnyNumber<P, Q>
auto remainder(const P& a, const Q& b) {
  return chain(remainder_rule, a, b);
}

// From the nearer end, which is so met exactly.
inline constexpr auto lerp_rule = elementwise(
    "lerp", [](auto a, auto b, auto w) { return where(abs(w) < 0.5, a + w * (b - a), b - (b - a) * (1 - w)); },
    with<C>([](auto w, auto g) { return g * (1 - w); }), with<C>([](auto w, auto g) { return g * w; }),
    with<A, B>([](auto a, auto b, auto g) { return g * (b - a); }));
template <class P, class Q, class R>
  requires AnyNumber<P, Q, R>
auto lerp(const P& a, const Q& b, const R& weight) {
  return chain(lerp_rule, a, b, weight);
}

inline constexpr auto abs_rule = elementwise_any(
    "abs", [](auto x) { return abs(x); }, with<A>([](auto x, auto g) { return g * sign(x); }));
template <Number X>
auto abs(const X& x) {
  return chain(abs_rule, x);
}

inline constexpr auto sign_rule = elementwise(
    "sign", [](auto x) { return sign(x); }, constant);
template <Number X>
auto sign(const X& x) {
  return chain(sign_rule, x);
}

inline constexpr auto copysign_rule = elementwise(
    "copysign", [](auto a, auto b) { return copysign(a, b); },
    with<A, Y>([](auto a, auto y, auto g) { return where(is_nan(a), a, g * sign(a) * sign(y)); }), constant);
template <class P, class Q>
  requires AnyNumber<P, Q>
auto copysign(const P& a, const Q& b) {
  return chain(copysign_rule, a, b);
}

inline constexpr auto floor_rule = elementwise(
    "floor", [](auto x) { return floor(x); }, constant);
template <Number X>
auto floor(const X& x) {
  return chain(floor_rule, x);
}

inline constexpr auto ceil_rule = elementwise(
    "ceil", [](auto x) { return ceil(x); }, constant);
template <Number X>
auto ceil(const X& x) {
  return chain(ceil_rule, x);
}

inline constexpr auto round_rule = elementwise(
    "round", [](auto x) { return nearbyint(x); }, constant);
template <Number X>
auto round(const X& x) {
  return chain(round_rule, x);
}

inline constexpr auto trunc_rule = elementwise(
    "trunc", [](auto x) { return trunc(x); }, constant);
template <Number X>
auto trunc(const X& x) {
  return chain(trunc_rule, x);
}

inline constexpr auto frac_rule = elementwise(
    "frac", [](auto x) { return x - trunc(x); }, pass);
template <Number X>
auto frac(const X& x) {
  return chain(frac_rule, x);
}

inline constexpr auto maximum_rule = elementwise_any(
    "maximum", [](auto a, auto b) { return maximum(a, b); },
    with<A, B>([](auto a, auto b, auto g) { return where(a < b, 0, where(a == b, g / 2, g)); }),
    with<A, B>([](auto a, auto b, auto g) { return where(b < a, 0, where(a == b, g / 2, g)); }));
template <class P, class Q>
  requires AnyNumber<P, Q>
auto maximum(const P& a, const Q& b) {
  return chain(maximum_rule, a, b);
}

inline constexpr auto minimum_rule = elementwise_any(
    "minimum", [](auto a, auto b) { return minimum(a, b); },
    with<A, B>([](auto a, auto b, auto g) { return where(a > b, 0, where(a == b, g / 2, g)); }),
    with<A, B>([](auto a, auto b, auto g) { return where(b > a, 0, where(a == b, g / 2, g)); }));
template <class P, class Q>
  requires AnyNumber<P, Q>
auto minimum(const P& a, const Q& b) {
  return chain(minimum_rule, a, b);
}

inline constexpr auto fmax_rule = elementwise(
    "fmax", [](auto a, auto b) { return where(is_nan(b), a, where(a >= b, a, b)); },
    with<A, B>([](auto a, auto b, auto g) { return where((a >= b) || is_nan(b), g, 0); }),
    with<A, B>([](auto a, auto b, auto g) { return where((a >= b) || is_nan(b), 0, g); }));
template <class P, class Q>
  requires AnyNumber<P, Q>
auto fmax(const P& a, const Q& b) {
  return chain(fmax_rule, a, b);
}

inline constexpr auto fmin_rule = elementwise(
    "fmin", [](auto a, auto b) { return where(is_nan(b), a, where(a <= b, a, b)); },
    with<A, B>([](auto a, auto b, auto g) { return where((a <= b) || is_nan(b), g, 0); }),
    with<A, B>([](auto a, auto b, auto g) { return where((a <= b) || is_nan(b), 0, g); }));
template <class P, class Q>
  requires AnyNumber<P, Q>
auto fmin(const P& a, const Q& b) {
  return chain(fmin_rule, a, b);
}

inline constexpr auto clip_rule = elementwise_any(
    "clip", [](auto x, auto low, auto high) { return minimum(maximum(x, low), high); },
    with<A, B, C>([](auto x, auto low, auto high, auto g) { return where(x >= low, where(x <= high, g, 0), 0); }),
    with<A, B, C>([](auto x, auto low, auto high, auto g) { return where(x < low, where(low < high, g, 0), 0); }),
    with<A, B, C>([](auto x, auto low, auto high, auto g) { return where(x > high, g, where(low >= high, g, 0)); }));
template <class P, class Q, class R>
  requires AnyNumber<P, Q, R>
auto clip(const P& x, const Q& low, const R& high) {
  return chain(clip_rule, x, low, high);
}

/// The same under PyTorch's name.
template <class P, class Q, class R>
  requires AnyNumber<P, Q, R>
auto clamp(const P& x, const Q& low, const R& high) {
  return clip(x, low, high);
}

}  // namespace xtape::fused
