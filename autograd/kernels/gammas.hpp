// The logarithm of the gamma function, of xsimd batches of positive numbers.
#pragma once

#include <array>
#include <cmath>
#include <limits>

#include <autograd/kernels/xsimd.hpp>

#include <autograd/kernels/exponentials.hpp>
#include <autograd/kernels/lanewise.hpp>
#include <autograd/kernels/pairs.hpp>
#include <autograd/kernels/powers.hpp>

namespace xtape::detail {

/// log(gamma(x)) / ((x - 1) (x - 2)) - 0.4501393121092563, divided by t = x - 1.75, for 1 <= x <= 2.5. This and the next
/// one interpolate in Chebyshev's points.
inline constexpr double gamma_middle = 0.4501393121092563, gamma_middle_low = 1.4565309679980722e-17;
inline constexpr std::array gamma_near_zeros{
    -5.0333679957409936e-08, 9.112778957382824e-08,  1.8847734554322788e-08,  -3.336913544941916e-08,
    -2.386040834903783e-07,  4.3462005330845143e-07, -5.128211507102859e-07,  9.424957586885807e-07,
    -1.906680423910046e-06,  3.5164348444696883e-06, -6.434822787976408e-06,  1.1945978721635395e-05,
    -2.2281912176668976e-05, 4.170624738676241e-05,  -7.846167352252159e-05,  0.00014851664114522896,
    -0.00028319062971043896, 0.0005448970025495888,  -0.0010605660749412342,  0.0020955338792364464,
    -0.004226194125928346,   0.008776370425277888,   -0.019053957830247412,   0.04452044719850941,
    -0.11948158662524275};
/// x times what Stirling's formula lacks, log(gamma(x)) - (x - 1/2) log(x) + x - log(2 pi) / 2, of 1 / x for x >= 2.5.
inline constexpr std::array gamma_far{
    -0.001988414119645639,  0.00452074189188426,   -0.002203848248286778, -0.003948224381953897,
    0.006910326450731264,   -0.004381891512808851, 0.0005814880382124961, 0.0007454529601347176,
    1.135436247948944e-05,  -0.0005961831619095243, 5.405110414765931e-08, 0.0007936487695999352,
    4.579405531288715e-11,  -0.002777777778321942, 2.5578920500935375e-15, 0.08333333333333333};

/// log(gamma(x)) for normal x > 0 that are no greater than 1e300. Beside log(x), it is a polynomial around the zeros at 1
/// and 2, and Stirling's formula beyond; below 1, log(gamma(x + 1)) - log(x). Sums are to twice the digits.
template <class A>
xsimd::batch<double, A> ordinary_log_gamma(const xsimd::batch<double, A>& x) {
  using V = xsimd::batch<double, A>;
  using P = Pairs<double, A>;
  using xsimd::select;
  const V zero(0.0), one(1.0);
  const auto far = x > V(2.5), below = x < one;
  const auto [log, log_low] = logarithm(x);

  // (x - 1) (x - 2) = (y - 1) (y - 2) where y = x, and below 1, where y = x + 1, x (x - 1).
  const V a = select(below, x, x - 1.0), b = select(below, x - 1.0, x - 2.0), t = select(below, x - 0.75, x - 1.75);
  const V b_low = select(below, x - (b + 1.0), zero);
  const V factor = P::product(a, b), factor_low = P::lost(a, b, factor) + a * b_low;
  const V middle(gamma_middle), others = P::product(t, P::polynomial(select(far, zero, t), gamma_near_zeros));
  const V r = middle + others, r_low = P::lost_by_sum(middle, others, r) + gamma_middle_low;
  const V near = P::product(factor, r), near_low = P::lost(factor, r, near) + P::fused(factor, r_low, factor_low * r);

  // (x - 1/2) (log(x) - 1) + (log(2 pi) - 1) / 2 + ..., whose first term is the greatest from 5 on, and exact to twice
  // the digits anywhere.
  const V logs = log - 1.0, logs_low = (log - (logs + 1.0)) + log_low;
  const V c = x - 0.5, c_low = x - (c + 0.5);
  const V main = P::product(c, logs), main_low = P::lost(c, logs, main) + P::fused(c, logs_low, c_low * logs);
  const V w = one / x, rest(0.4189385332046727), rest_low = w * P::polynomial(w, gamma_far) + 1.6728209650585413e-17;

  // near - log(x), near, or main + rest
  const V p = select(far, main, near), p_low = select(far, main_low, near_low);
  const V q = select(far, rest, select(below, -log, zero)), q_low = select(far, rest_low, select(below, -log_low, zero));
  const V sum = p + q, back = sum - p, lost = (p - (sum - back)) + (q - back);
  return sum + (lost + (p_low + q_low));
}

}  // namespace xtape::detail

namespace xtape {

/// log(gamma(x)), within 1.5 units in the last place for ordinary x > 0; others by `f(x)`, one by one.
template <class A, class F>
xsimd::batch<double, A> log_gamma(const xsimd::batch<double, A>& x, F f) {
  using V = xsimd::batch<double, A>;
  const auto ordinary = (x >= V(std::numeric_limits<double>::min())) & (x <= V(1e300));
  if (xsimd::all(ordinary)) [[likely]] return detail::ordinary_log_gamma(x);
  // So that no result depends on its neighbours.
  const V regular = detail::ordinary_log_gamma(xsimd::select(ordinary, x, V(3.0)));
  return xsimd::select(ordinary, regular, kernels::lanewise(f, x));
}

/// The same in float, by double.
template <class A, class F>
xsimd::batch<float, A> log_gamma(const xsimd::batch<float, A>& x, F f) {
  using Wide = xsimd::batch<double, A>;
  constexpr std::size_t lanes = xsimd::batch<float, A>::size, half = Wide::size;
  alignas(64) float values[lanes];
  alignas(64) double wide[half];
  x.store_aligned(values);
  for (std::size_t first = 0; first < lanes; first += half) {
    for (std::size_t i = 0; i < half; ++i) wide[i] = values[first + i];
    log_gamma(Wide::load_aligned(wide), f).store_aligned(wide);
    for (std::size_t i = 0; i < half; ++i) values[first + i] = static_cast<float>(wide[i]);
  }
  return xsimd::batch<float, A>::load_aligned(values);
}

}  // namespace xtape
