// Functions of xsimd batches that xsimd lacks or spells differently, under the names that the same expression has
// for Variables: one lambda then serves both.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include <autograd/kernels/xsimd.hpp>

#include <autograd/kernels/arctangent.hpp>
#include <autograd/kernels/error_functions.hpp>
#include <autograd/kernels/exponentials.hpp>
#include <autograd/kernels/lanewise.hpp>
#include <autograd/kernels/powers.hpp>

namespace xtape::kernels {

/// 0, 1, 2, ...
template <class T>
Batch<T> first_lanes() {
  static constexpr auto numbers = [] {
    std::array<T, Batch<T>::size> result{};
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<T>(i);
    return result;
  }();
  return Batch<T>::load_unaligned(numbers.data());
}

/// Calls f(step) with the step as a constant where it is a common one.
template <class F>
void with_step(std::size_t step, F&& f) {
  if (step == 1) f(std::integral_constant<std::size_t, 1>());
  else if (step == 2) f(std::integral_constant<std::size_t, 2>());
  else f(step);
}

/// Wraps around beyond 64 bits, for an exponent >= 0: by squaring, where each bit of it that is set takes part.
inline std::int64_t integer_power(std::int64_t base, std::int64_t exponent) {
  std::uint64_t square = static_cast<std::uint64_t>(base), result = 1;
  for (; exponent > 0; exponent >>= 1, square *= square)
    if (exponent & 1) result *= square;
  return static_cast<std::int64_t>(result);
}

}  // namespace xtape::kernels

namespace xtape {

template <class T, class A>
xsimd::batch<T, A> where(const xsimd::batch_bool<T, A>& condition, const std::type_identity_t<xsimd::batch<T, A>>& a,
                         const std::type_identity_t<xsimd::batch<T, A>>& b) {
  return xsimd::select(condition, a, b);
}

template <class T, class A>
xsimd::batch<T, A> square(const xsimd::batch<T, A>& x) {
  return x * x;
}

// Not x != x: on AVX-512, xsimd 8's != is false for NaN.
template <class T, class A>
xsimd::batch_bool<T, A> is_nan(const xsimd::batch<T, A>& x) {
  return !(x == x);
}

// 0 for NaN, as in PyTorch; xsimd's own, which is less constrained, has NaN.
template <class T, class A>
  requires std::is_floating_point_v<T>
xsimd::batch<T, A> sign(const xsimd::batch<T, A>& x) {
  return xsimd::select(x == x, xsimd::sign(x), xsimd::batch<T, A>(0));
}

// NaN in either operand gives NaN, as in NumPy; the processor's own max returns the second operand.
template <class T, class A>
xsimd::batch<T, A> maximum(const xsimd::batch<T, A>& a, const std::type_identity_t<xsimd::batch<T, A>>& b) {
  return xsimd::select((a > b) | is_nan(a), a, b);
}

template <class T, class A>
xsimd::batch<T, A> minimum(const xsimd::batch<T, A>& a, const std::type_identity_t<xsimd::batch<T, A>>& b) {
  return xsimd::select((a < b) | is_nan(a), a, b);
}

// In float, for a third less time than xsimd's, which computes a polynomial beside the exponential and selects: with
// e = exp(2|x|) - 1, which is accurate near 0 too, tanh |x| = e / (e + 2). Within 2.5 units in the last place.
template <class A>
xsimd::batch<float, A> tanh(const xsimd::batch<float, A>& x) {
  using R = xsimd::batch<float, A>;
  using Bits = xsimd::batch<std::int32_t, A>;
  using xsimd::fma, xsimd::bitwise_cast;
  const float half_ln2 = 0.34657359f;
  R a = xsimd::min(R(9.02f), xsimd::abs(x));  // where tanh rounds to 1; NaN stays, as the second operand
  // 2a = n ln 2 + 2r with the nearest integer n, by rounding in a sum so large that its last bits count ones. They hold
  // n plus the bias of exponents, which makes 2^n of them.
  const R large(12582912 + 127);
  R sum = fma(a, R(1 / half_ln2), large);
  R power = bitwise_cast<R>(bitwise_cast<Bits>(sum) << 23);
  R r = xsimd::fnma(sum - large, R(half_ln2), a);
  // (exp(2r) - 1) / 2 = r + r^2 q(r), where q is fitted for the least relative error, 1.1e-8, in |r| <= ln(2) / 4.
  R q(0.0444240384f);
  for (float c : {0.133865282f, 0.333337605f, 0.666661739f, 0.99999994f}) q = fma(q, r, R(c));
  R half_e = fma(power, fma(q, r * r, r), fma(power, R(0.5f), R(-0.5f)));
  return xsimd::bitofsign(x) | (half_e / (half_e + 1));
}

// xsimd's overflows.
template <class T, class A>
  requires std::is_floating_point_v<T>
xsimd::batch<T, A> hypot(const xsimd::batch<T, A>& a, const xsimd::batch<T, A>& b) {
  using V = xsimd::batch<T, A>;
  constexpr T least = std::is_same_v<T, float> ? T(1e-15) : T(1e-140), greatest = 1 / least;
  const V sum = a * a + b * b;
  if (xsimd::all((sum > V(least * least)) & (sum < V(greatest * greatest)))) [[likely]] return xsimd::sqrt(sum);
  return kernels::lanewise([](T x, T y) { return std::hypot(x, y); }, a, b);
}

template <class T, class A>
xsimd::batch<T, A> power(const xsimd::batch<T, A>& a, const xsimd::batch<T, A>& b) {
  for (int exponent : {1, 2, 3})
    if (xsimd::all(b == xsimd::batch<T, A>(static_cast<T>(exponent))))
      return exponent == 1 ? a : exponent == 2 ? a * a : a * a * a;
  if constexpr (std::is_integral_v<T>) return kernels::lanewise(kernels::integer_power, a, b);
  else return detail::power_of(a, b);
}

template <class T, class A>
xsimd::batch<T, A> softplus(const xsimd::batch<T, A>& x) {
  return maximum(x, 0) + xsimd::log1p(exp(-xsimd::abs(x)));
}

}  // namespace xtape
