// Powers of xsimd batches, within 1.5 units in the last place in double: xsimd's are off by more.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include <autograd/kernels/xsimd.hpp>

#include <autograd/kernels/exponentials.hpp>
#include <autograd/kernels/lanewise.hpp>
#include <autograd/kernels/pairs.hpp>

namespace xtape::detail {

/// For normal a, its sign left out: a = 2^exponent m with sqrt(1/2) < m < sqrt(2), and half the logarithm of m to twice
/// the digits.
template <class A>
struct HalfLogarithm {
  xsimd::batch<double, A> exponent, high, low;
};

/// With s = (m - 1) / (m + 1), it is s (1 + s^2/3 + s^4/5 + ...), to 64 bits.
template <class A>
HalfLogarithm<A> half_logarithm(const xsimd::batch<double, A>& a) {
  using V = xsimd::batch<double, A>;
  using Bits = xsimd::batch<std::int64_t, A>;
  using P = Pairs<double, A>;
  using xsimd::bitwise_cast;
  const Bits bits = bitwise_cast<Bits>(xsimd::abs(a));
  // The exponent as the last bits of a number in which these count ones.
  const V ones(4503599627370496.0);
  V e = (bitwise_cast<V>((bits >> 52) | bitwise_cast<Bits>(ones)) - ones) - 1023.0;
  V m = bitwise_cast<V>((bits & Bits(0x000fffffffffffff)) | Bits(0x3ff0000000000000));
  const auto large = m > V(1.4142135623730951);
  m = xsimd::select(large, m * 0.5, m);
  e = xsimd::select(large, e + 1.0, e);

  // s = f / d to twice the digits.
  const V f = m - 1.0, d = m + 1.0, d_low = m - (d - 1.0);
  const V reciprocal = 1.0 / d, s = P::product(f, reciprocal), s_product = P::product(s, d);
  const V s_low = (((f - s_product) - P::lost(s, d, s_product)) - s * d_low) * reciprocal;
  const V z = P::product(s, s), z_low = P::lost(s, s, z) + 2.0 * s * s_low;
  // u = z/3 + z^2 (1/5 + z/7 + ...)
  V q(1.0 / 25);
  for (double odd : {23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0}) q = P::fused(q, z, V(1 / odd));
  const V third(1.0 / 3), third_low(1.8503717077085942e-17);
  const V t = P::product(z, third), t_low = P::lost(z, third, t) + z * third_low + z_low * third;
  const V w = P::product(z, z) * q + t_low, u = t + w, u_low = w - (u - t);
  // log(m) / 2 = s + s u
  const V p = P::product(s, u), p_low = P::lost(s, u, p) + s * u_low + s_low * u;
  const V h = s + p, l = (p - (h - s)) + p_low + s_low;
  return {e, h, l};
}

/// log(a) for normal a > 0, and what its rounding lost.
template <class A>
std::array<xsimd::batch<double, A>, 2> logarithm(const xsimd::batch<double, A>& a) {
  using V = xsimd::batch<double, A>;
  using P = Pairs<double, A>;
  using E = Exponential<double, A>;
  const auto [e, h, l] = half_logarithm(a);
  const V whole = e * E::ln2[0], twice = h + h, sum = whole + twice;
  const V rest = P::lost_by_sum(whole, twice, sum) + P::fused(e, V(E::ln2[1]), l + l), result = sum + rest;
  return {result, P::lost_by_sum(sum, rest, result)};
}

/// |a|^b for normal a, as 2^(b log2(a)).
template <class A>
xsimd::batch<double, A> normal_power(const xsimd::batch<double, A>& a, const xsimd::batch<double, A>& b) {
  using V = xsimd::batch<double, A>;
  using P = Pairs<double, A>;
  using E = Exponential<double, A>;
  const auto [e, h, l] = half_logarithm(a);
  // log2(a) = e + 2 / ln(2) log(m) / 2
  const V k(2.8853900817779268), k_low(4.0710547481862066e-17);
  const V g = P::product(h, k), g_low = P::lost(h, k, g) + h * k_low + l * k;
  const V log = e + g, log_low = (g - (log - e)) + g_low;
  // b log2(a) = n + r
  const V x = P::product(b, log), x_low = P::lost(b, log, x) + b * log_low;
  // Beyond these numbers, the result is 0 or infinite.
  const V limited = E::limited(x, E::least, E::greatest), n = E::nearest(limited), r = (limited - n) + x_low;
  return E::scaled(n, E::tail(r * std::numbers::ln2));
}

/// a^b where both are ordinary: a not 0 and normal, the result too, and b whole where a < 0. Others one by one, and all
/// where a processor does not fuse products and sums: it gains nothing then.
template <class A>
xsimd::batch<double, A> power_of(const xsimd::batch<double, A>& a, const xsimd::batch<double, A>& b) {
  using V = xsimd::batch<double, A>;
  using E = Exponential<double, A>;
  if (!Pairs<double, A>::exact) return kernels::lanewise([](double x, double y) { return std::pow(x, y); }, a, b);
  const V size = xsimd::abs(a), result = normal_power(a, b);
  const V half = b * 0.5;
  const auto small = xsimd::abs(b) < V(1e15), whole = E::nearest(b) == b, odd = !(E::nearest(half) == half);
  const auto ordinary = (size >= V(std::numeric_limits<double>::min())) & (size <= V(std::numeric_limits<double>::max())) &
                        small & ((a > 0) | whole) & (result > V(1e-300)) & (result < V(1e300));
  if (!xsimd::all(ordinary)) [[unlikely]]
    return kernels::lanewise([](double x, double y) { return std::pow(x, y); }, a, b);
  return xsimd::select((a < 0) & odd, -result, result);
}

/// In float, by the logarithm and the exponential in double, where registers are long.
template <class A>
xsimd::batch<float, A> power_of(const xsimd::batch<float, A>& a, const xsimd::batch<float, A>& b) {
  using Wide = xsimd::batch<double, A>;
  constexpr std::size_t lanes = xsimd::batch<float, A>::size, half = Wide::size;
  if (half < 8) return kernels::lanewise([](float v, float w) { return std::pow(v, w); }, a, b);
  alignas(64) float base[lanes], exponent[lanes];
  alignas(64) double wide[2][half];
  a.store_aligned(base);
  b.store_aligned(exponent);
  for (std::size_t first = 0; first < lanes; first += half) {
    for (std::size_t i = 0; i < half; ++i) wide[0][i] = base[first + i], wide[1][i] = exponent[first + i];
    Wide x = Wide::load_aligned(wide[0]), y = Wide::load_aligned(wide[1]);
    if (!xsimd::all((x > 0) & (x <= Wide(std::numeric_limits<float>::max())) & (xsimd::abs(y) < Wide(1e9)))) [[unlikely]]
      return kernels::lanewise([](float v, float w) { return std::pow(v, w); }, a, b);
    exp2(y * log2(x)).store_aligned(wide[0]);
    for (std::size_t i = 0; i < half; ++i) base[first + i] = static_cast<float>(wide[0][i]);
  }
  return xsimd::batch<float, A>::load_aligned(base);
}

}  // namespace xtape::detail
