// Numbers of twice the digits, in registers.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include <autograd/kernels/xsimd.hpp>

namespace xtape::detail {

/// Calculates in pairs of numbers, high + low, of which the low one is what the high one lost by rounding.
template <class T, class A>
struct Pairs {
  using V = xsimd::batch<T, A>;

  // Not by xsimd's fma: on AVX-512 that of xsimd 8 is a product and a sum, which the compiler may fuse or not.
  static V fused(const V& a, const V& b, const V& c) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, double> && V::size == 8) return _mm512_fmadd_pd(a, b, c);
    else if constexpr (std::is_same_v<T, float> && V::size == 16) return _mm512_fmadd_ps(a, b, c);
#endif
    return xsimd::fma(a, b, c);
  }
  /// a b, which the compiler does not fuse with a sum that it is part of: rounded, as `lost` takes it to be.
  static V product(const V& a, const V& b) { return exact ? fused(a, b, V(T(0))) : a * b; }
  /// a b - product(a, b)
  static V lost(const V& a, const V& b, const V& product) {
    if constexpr (exact) return fused(a, b, -product);
    // Dekker's (1971): halves of 26 bits, or 12, whose products are exact.
    auto leading = [](const V& x) {
      V scaled = x * V(T(std::is_same_v<T, float> ? 4097 : 134217729));
      return scaled - (scaled - x);
    };
    V a1 = leading(a), a2 = a - a1, b1 = leading(b), b2 = b - b1;
    return ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2;
  }
  /// a + b - sum for sum = a + b, where a is 0 or no less in size than b.
  static V lost_by_sum(const V& a, const V& b, const V& sum) { return b - (sum - a); }

  /// c[0] x^n + ... + c[n], by its terms of even and of odd powers, which do not wait for each other.
  template <std::size_t N>
  static V polynomial(const V& x, const std::array<double, N>& c) {
    const V square = x * x;
    V sums[2] = {V(T(c[0])), V(T(c[1]))};
#pragma GCC unroll 32
    for (std::size_t i = 2; i < N; ++i) sums[i % 2] = fused(sums[i % 2], square, V(T(c[i])));
    return fused(sums[N % 2], x, sums[(N + 1) % 2]);
  }

#if defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__)
  static constexpr bool exact = true;
#else
  static constexpr bool exact = false;
#endif
};

}  // namespace xtape::detail
