// The error function and its complement, of xsimd batches: xsimd's are off by 30 units in the last place, or 70.
#pragma once

#include <array>
#include <cmath>
#include <type_traits>

#include <autograd/kernels/xsimd.hpp>

#include <autograd/kernels/exponentials.hpp>
#include <autograd/kernels/lanewise.hpp>
#include <autograd/kernels/pairs.hpp>

namespace xtape::detail {

/// Polynomials that interpolate in Chebyshev's points.
template <class T>
struct ErrorSeries;

template <>
struct ErrorSeries<double> {
  /// erf(x) / x - 1, of x^2, for |x| <= 1
  static constexpr std::array near_0{
      5.957176147748883e-11,  -1.1372848856791657e-09, 1.4659775274047431e-08, -1.6350312701054695e-07,
      1.6461000484121368e-06, -1.4925595266831182e-05, 0.0001205533111164271,  -0.000854832698083379,
      0.0052239776248180145,  -0.026866170645076792,   0.11283791670954879,    -0.3761263890318375,
      0.1283791670955126};
  /// (1 + 2x) exp(x^2) erfc(x) = first + first_low + q p(q) with q = (x - center) / (x + center) for 0 <= x <= last
  /// (Shepherd and Laframboise 1981), where the last result is 0: these are the coefficients of p.
  static constexpr double center = 4, last = 28, first = 1.2329951186255526, first_low = -4.497011797204883e-17;
  static constexpr std::array complement{
      1.263782858042137e-09,  1.868487385473519e-09,   -1.4091982822555755e-08, -1.799947545903142e-08,
      1.1005996198640057e-07, 7.471952780500971e-08,   -8.254699744871162e-07,  2.9377854943443786e-07,
      5.709784760966506e-06,  -1.1222046316669005e-05, -2.439924428312988e-05,  0.00015062169704678355,
      -0.00019925668432389153, -0.0007577732973669146, 0.005031969975753176,    -0.01619773405599449,
      0.03716751553777026,    -0.0663303658124095,     0.09373283499833023,     -0.10103906603629459,
      0.06809705425469323,    0.015379652102619558,    -0.13962111684056253};
};

template <>
struct ErrorSeries<float> {
  static constexpr std::array near_0{7.87587506e-5, -0.000801686429, 0.00518908742, -0.026854212,
                                     0.112835947,   -0.376126267,    0.128379166};
  static constexpr double center = 2, last = 10.5, first = 1.2769783735275269, first_low = 8.7791807e-9;
  static constexpr std::array complement{8.38381821e-5,  0.000177807877, -0.000401834516, -0.00143014993,
                                         0.00125062103,  0.00871278568,  -0.00802978426,  -0.0542184372,
                                         0.16405088,     -0.166030485,   -0.0927638148};
};

/// erf(x) for |x| <= 1
template <class T, class A>
xsimd::batch<T, A> error_near_0(const xsimd::batch<T, A>& x) {
  using P = Pairs<T, A>;
  return P::fused(x, P::polynomial(x * x, ErrorSeries<T>::near_0), x);
}

/// erfc(size + low) for size >= 0, as exp(-x^2) p / (1 + 2x), each to twice the digits.
template <class T, class A>
xsimd::batch<T, A> complement_of_size(const xsimd::batch<T, A>& size, const xsimd::batch<T, A>& low) {
  using V = xsimd::batch<T, A>;
  using P = Pairs<T, A>;
  using E = Exponential<T, A>;
  using Series = ErrorSeries<T>;
  const V x = xsimd::min(V(T(Series::last)), size), twice = x + x, one(T(1));  // NaN stays, as the second operand
  const V square = P::product(x, x), n = E::whole_part(-square);
  // -x^2 - n ln(2) = r + r_low, and 2^-n exp(-x^2) = 1 + r + r_low + r^2 (...)
  const V r1 = -square - n * E::ln2[0], r2 = -n * E::ln2[1] - P::fused(twice, low, P::lost(x, x, square)), r = r1 + r2;
  const V e = one + r, e_low = P::lost_by_sum(one, r, e) + P::fused(r * r, E::bend(r), P::lost_by_sum(r1, r2, r));

  const V center = V(T(Series::center)), q = (x - center) / (x + center), first = V(T(Series::first));
  const V others = P::product(q, P::polynomial(q, Series::complement));
  const V p = first + others, p_low = P::lost_by_sum(first, others, p) + T(Series::first_low);
  const V above = P::product(p, e), above_low = P::lost(p, e, above) + P::fused(p, e_low, p_low * e);

  const V d = one + twice, d_low = (xsimd::min(one, twice) - (d - xsimd::max(one, twice))) + (low + low);
  const V reciprocal = one / d, y = P::product(above, reciprocal), back = P::product(y, d);
  const V result = y + ((above - back) - P::lost(y, d, back) + (above_low - y * d_low)) * reciprocal;
  const V half = E::nearest(n * T(0.5));
  return result * E::two_to(half) * E::two_to(n - half);
}

}  // namespace xtape::detail

namespace xtape {

/// erf(x). Within 1.5 units in the last place. In double, one by one where a processor does not fuse products and sums:
/// it gains nothing then.
template <class T, class A>
xsimd::batch<T, A> error_function(const xsimd::batch<T, A>& x) {
  using V = xsimd::batch<T, A>;
  if constexpr (std::is_same_v<T, double> && !detail::Pairs<T, A>::exact) {
    return kernels::lanewise([](T v) { return std::erf(v); }, x);
  } else {
    const V size = xsimd::abs(x), near = detail::error_near_0(x), one(T(1));
    const auto is_near = size < V(T(0.94));
    if (xsimd::all(is_near)) return near;
    return xsimd::select(is_near, near, xsimd::bitofsign(x) | (one - detail::complement_of_size(size, V(T(0)))));
  }
}

namespace detail {

/// erfc(x + low)
template <class T, class A>
xsimd::batch<T, A> error_complement(const xsimd::batch<T, A>& x, const xsimd::batch<T, A>& low) {
  using V = xsimd::batch<T, A>;
  const V size = xsimd::abs(x), one(T(1));
  const auto near = size < V(T(0.47)), left = x < V(T(0));
  const V right = complement_of_size(size, xsimd::select(left, -low, low));
  const V far = xsimd::select(left, V(T(2)) - right, right);
  return xsimd::any(near) ? xsimd::select(near, one - error_near_0(x), far) : far;
}

}  // namespace detail

/// erfc(x). Within 1.5 units in the last place.
template <class T, class A>
xsimd::batch<T, A> error_complement(const xsimd::batch<T, A>& x) {
  return detail::error_complement(x, xsimd::batch<T, A>(T(0)));
}

/// The probability of less than x in the normal distribution, erfc(t) / 2 for t = -sqrt(1/2) x to twice the digits: of the
/// rounding of t, erfc would make 2t times as much.
template <class T, class A>
xsimd::batch<T, A> normal_probability(const xsimd::batch<T, A>& x) {
  using V = xsimd::batch<T, A>;
  using P = detail::Pairs<T, A>;
  constexpr bool single = std::is_same_v<T, float>;
  const V factor(T(single ? -0.7071067690849304 : -0.7071067811865476)), zero(T(0));
  const V factor_low(T(single ? -1.21016171e-8 : 4.833646656726457e-17));
  const V t = P::product(x, factor), low = P::lost(x, factor, t) + x * factor_low;
  return V(T(0.5)) * detail::error_complement(t, xsimd::select(xsimd::abs(t) < V(T(40)), low, zero));  // 0 from there on
}

}  // namespace xtape
