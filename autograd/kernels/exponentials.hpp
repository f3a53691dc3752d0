// Exponentials and logarithms of xsimd batches over the whole range of their numbers. Those of xsimd end before the
// least and the greatest result, and take subnormal numbers for 0. Within 2 units in the last place. They are `inline`
// by name: GCC then inlines longer ones, and registers are not passed by memory.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <numbers>
#include <type_traits>

#include <autograd/kernels/xsimd.hpp>

namespace xtape {

namespace detail {

template <class T, class A>
class Exponential {
  using V = xsimd::batch<T, A>;
  static constexpr bool single = std::is_same_v<T, float>;
  using Bits = xsimd::batch<std::conditional_t<single, std::int32_t, std::int64_t>, A>;
  static constexpr int mantissa = std::numeric_limits<T>::digits - 1;
  // In a sum with it, the last bit counts ones.
  static constexpr T rounder = T(3) * (std::int64_t{1} << (mantissa - 1));

 public:
  /// Exponents of 2 from which on all results are 0, or infinite, or the reciprocals of such numbers.
  static constexpr T least = single ? -152 : -1077, greatest = -least;

  static V limited(const V& x, T low, T high) { return xsimd::min(V(high), xsimd::max(V(low), x)); }  // NaN stays
  /// x / ln(2) as a whole number.
  static V whole_part(const V& x) { return xsimd::fma(x, V(std::numbers::log2e_v<T>), V(rounder)) - V(rounder); }
  static V nearest(const V& x) { return (x + V(rounder)) - V(rounder); }
  /// ln(2) in two parts: the multiples of the first are exact.
  static constexpr T ln2[] = {single ? T(0.693359375) : T(6.93145751953125e-1),
                              single ? T(-2.12194440e-4) : T(1.42860682030941723212e-6)};
  /// x - n ln(2)
  static V rest(const V& x, const V& n) { return xsimd::fnma(n, V(ln2[1]), xsimd::fnma(n, V(ln2[0]), x)); }

  /// exp(r) - 1 = r + r^2 q(r) for |r| <= ln(2) / 2, where q interpolates (exp(r) - 1 - r) / r^2 in Chebyshev's points.
  static V tail(const V& r) { return xsimd::fma(bend(r), r * r, r); }
  /// That q.
  static V bend(const V& r) {
    if constexpr (single) {
      return polynomial(r, {0.001392620336f, 0.008363194882f, 0.0416665545f, 0.1666657689f, 0.5f});
    } else {
      return polynomial(r, {2.51004110820149011e-8, 2.76201217173819352e-7, 2.7557268406190795e-6, 2.48015212259864325e-5,
                         1.98412698630882544e-4, 1.38888889172587583e-3, 8.3333333333300549e-3, 4.16666666666240377e-2,
                         1.66666666666666675e-1, 0.5});
    }
  }

  /// 2^n for a whole n in the range of normal numbers: n plus the bias, from the last bits to the place of exponents.
  static V two_to(const V& n) {
    constexpr T bias = std::numeric_limits<T>::max_exponent - 1;
    return xsimd::bitwise_cast<V>(xsimd::bitwise_cast<Bits>(n + V(rounder + bias)) << mantissa);
  }
  /// 2^n (1 + t) by two factors: 2^n may lie beyond the normal numbers.
  static V scaled(const V& n, const V& t) {
    V half = nearest(n * T(0.5)), factor = two_to(half);
    return xsimd::fma(t, factor, factor) * two_to(n - half);
  }

 private:
  static V polynomial(const V& r, std::initializer_list<T> coefficients) {
    V q(*coefficients.begin());
    for (auto c = coefficients.begin() + 1; c != coefficients.end(); ++c) q = xsimd::fma(q, r, V(*c));
    return q;
  }
};

/// exp(x) times 2^exponent
template <int exponent, class T, class A>
inline xsimd::batch<T, A> scaled_exp(const xsimd::batch<T, A>& x) {
  using E = Exponential<T, A>;
  auto limited = E::limited(x, E::least * std::numbers::ln2_v<T>, E::greatest * std::numbers::ln2_v<T>);
  auto n = E::whole_part(limited), tail = E::tail(E::rest(limited, n));
  if constexpr (exponent != 0) n += T(exponent);
  return E::scaled(n, tail);
}

}  // namespace detail

// Each is more constrained than xsimd's of the same name, and so is taken.

template <class T, class A>
  requires std::is_floating_point_v<T>
inline xsimd::batch<T, A> exp(const xsimd::batch<T, A>& x) {
  return detail::scaled_exp<0>(x);
}

template <class T, class A>
  requires std::is_floating_point_v<T>
inline xsimd::batch<T, A> exp2(const xsimd::batch<T, A>& x) {
  using E = detail::Exponential<T, A>;
  auto limited = E::limited(x, E::least, E::greatest), n = E::nearest(limited);
  return E::scaled(n, E::tail((limited - n) * std::numbers::ln2_v<T>));
}

/// With exp(x) = 2^a 2^b (1 + t): 2^b (2^a t + (2^a - 2^-b)).
template <class T, class A>
  requires std::is_floating_point_v<T>
inline xsimd::batch<T, A> expm1(const xsimd::batch<T, A>& x) {
  using E = detail::Exponential<T, A>;
  auto limited = E::limited(x, E::least * std::numbers::ln2_v<T>, E::greatest * std::numbers::ln2_v<T>);
  auto n = E::whole_part(limited), a = E::nearest(n * T(0.5)), b = n - a;
  auto factor = E::two_to(a);
  auto result = xsimd::fma(factor, E::tail(E::rest(limited, n)), factor - E::two_to(-b)) * E::two_to(b);
  return xsimd::select(x == 0, x, result);  // -0
}

/// 1 / (1 + exp(-x)), with both terms times a power of 2 that keeps them within the numbers.
template <class T, class A>
  requires std::is_floating_point_v<T>
inline xsimd::batch<T, A> sigmoid(const xsimd::batch<T, A>& x) {
  using E = detail::Exponential<T, A>;
  // Below the least of these exponents, the sum is 1.
  constexpr T least = -64, shift = std::is_same_v<T, float> ? 60 : 500;
  auto limited = E::limited(-x, least * std::numbers::ln2_v<T>, E::greatest * std::numbers::ln2_v<T>);
  auto n = E::whole_part(limited), factor = E::two_to(n - shift), one = E::two_to(xsimd::batch<T, A>(-shift));
  return one / (one + xsimd::fma(factor, E::tail(E::rest(limited, n)), factor));
}

namespace detail {

/// Where xsimd's sinh and cosh are as they should be.
template <class T, class A>
inline bool moderate(const xsimd::batch<T, A>& x) {
  return xsimd::all(xsimd::abs(x) < T(80));
}

/// A logarithm f, of x scaled where it is subnormal; a factor of 2 counts `of_two`.
template <class T, class A, class F>
inline xsimd::batch<T, A> logarithm(const xsimd::batch<T, A>& x, double of_two, F f) {
  using V = xsimd::batch<T, A>;
  if (xsimd::all(x >= std::numeric_limits<T>::min())) [[likely]] return f(x);
  constexpr int digits = std::numeric_limits<T>::digits;
  auto small = x < V(std::numeric_limits<T>::min());
  V scale = xsimd::select(small, V(static_cast<T>(std::int64_t{1} << digits)), V(T(1)));
  return f(x * scale) - xsimd::select(small, V(static_cast<T>(digits * of_two)), V(T(0)));
}

}  // namespace detail

template <class T, class A>
  requires std::is_floating_point_v<T>
inline xsimd::batch<T, A> sinh(const xsimd::batch<T, A>& x) {
  if (detail::moderate(x)) [[likely]] return xsimd::sinh(x);
  auto size = xsimd::abs(x);
  return xsimd::select(size < 80, xsimd::sinh(x), xsimd::bitofsign(x) | detail::scaled_exp<-1>(size));
}

template <class T, class A>
  requires std::is_floating_point_v<T>
inline xsimd::batch<T, A> cosh(const xsimd::batch<T, A>& x) {
  if (detail::moderate(x)) [[likely]] return xsimd::cosh(x);
  auto size = xsimd::abs(x);
  return xsimd::select(size < 80, xsimd::cosh(x), detail::scaled_exp<-1>(size));
}

template <class T, class A>
  requires std::is_floating_point_v<T>
inline xsimd::batch<T, A> log(const xsimd::batch<T, A>& x) {
  return detail::logarithm(x, std::numbers::ln2, [](auto v) { return xsimd::log(v); });
}

template <class T, class A>
  requires std::is_floating_point_v<T>
inline xsimd::batch<T, A> log2(const xsimd::batch<T, A>& x) {
  return detail::logarithm(x, 1, [](auto v) { return xsimd::log2(v); });
}

template <class T, class A>
  requires std::is_floating_point_v<T>
inline xsimd::batch<T, A> log10(const xsimd::batch<T, A>& x) {
  return detail::logarithm(x, std::numbers::ln2 / std::numbers::ln10, [](auto v) { return xsimd::log10(v); });
}

}  // namespace xtape
