// The angle of a point, of xsimd batches: xsimd's is off by more than a unit, and NaN at the origin and at infinity.
#pragma once

#include <array>
#include <cmath>
#include <type_traits>

#include <autograd/kernels/xsimd.hpp>

#include <autograd/kernels/lanewise.hpp>
#include <autograd/kernels/pairs.hpp>

namespace xtape::detail {

/// (atan(s) / s - 1) / s^2 as a polynomial of s^2 for |s| <= tan(pi / 8): interpolated in Chebyshev's points.
template <class T>
constexpr auto arctangent_tail = [] {
  if constexpr (std::is_same_v<T, float>)
    return std::array{-0.0645184128, 0.107437053, -0.142639532, 0.199995404, -0.333333318};
  else
    return std::array{0.016285183029778966, -0.03457004418600986, 0.04551573086660509, -0.052304498567083385,
                      0.058789283985170936, -0.06666424833613538, 0.07692296372129963, -0.09090908753400499,
                      0.11111111105153429, -0.14285714285659806, 0.19999999999999804, -0.3333333333333333};
}();

/// atan2(y, x) where no quotient leaves the ordinary numbers: for the least size a and the greatest b of both,
/// atan(a / b) = atan(s), or pi / 4 + atan(s) with s = (a - b) / (a + b), and the angle is that on one side of a multiple
/// of pi / 4. Within a unit in the last place.
template <class T, class A>
xsimd::batch<T, A> ordinary_angle(const xsimd::batch<T, A>& y, const xsimd::batch<T, A>& x) {
  using V = xsimd::batch<T, A>;
  using P = Pairs<T, A>;
  using xsimd::select;
  const V size_x = xsimd::abs(x), size_y = xsimd::abs(y), zero(T(0)), one(T(1));
  const auto steep = size_y > size_x;
  const V a = select(steep, size_x, size_y), b = select(steep, size_y, size_x);
  const auto far = a > b * V(T(0.41421356237309505));
  const V difference = a - b, sum = a + b;
  const V above = select(far, difference, a), above_low = select(far, a - (difference + b), zero);
  const V below = select(far, sum, b), below_low = select(far, a - (sum - b), zero);
  // s to twice the digits.
  const V reciprocal = one / below, s = P::product(above, reciprocal), back = P::product(s, below);
  const V s_low = ((above - back) - P::lost(s, below, back) + (above_low - s * below_low)) * reciprocal;
  const V z = s * s, tail = P::fused(s * z, P::polynomial(z, arctangent_tail<T>), s_low);

  // pi / 4, to twice the digits, times a whole number.
  constexpr bool single = std::is_same_v<T, float>;
  const V quarter(T(single ? 0.7853981852531433 : 0.7853981633974483));
  const V quarter_low(T(single ? -2.18556950e-8 : 3.061616997868383e-17));
  V quarters = select(far, one, zero), side = one;
  quarters = select(steep, V(T(2)) - quarters, quarters);
  side = select(steep, -side, side);
  const auto left = x < zero;
  quarters = select(left, V(T(4)) - quarters, quarters);
  side = select(left, -side, side);
  const V base = P::product(quarters, quarter), base_low = P::lost(quarters, quarter, base) + quarters * quarter_low;
  const V step = P::product(side, s), angle = base + step;
  return (angle + (P::lost_by_sum(base, step, angle) + (base_low + side * tail))) | xsimd::bitofsign(y);
}

}  // namespace xtape::detail

namespace xtape {

/// More constrained than xsimd's, and so taken. The origin, infinity and NaN, and what is far from 1 in size, one by one.
template <class T, class A>
  requires std::is_floating_point_v<T>
xsimd::batch<T, A> atan2(const xsimd::batch<T, A>& y, const xsimd::batch<T, A>& x) {
  using V = xsimd::batch<T, A>;
  const V least(T(std::is_same_v<T, float> ? 1e-18 : 1e-140)), greatest(T(std::is_same_v<T, float> ? 1e18 : 1e140)), zero(T(0));
  const V size_x = xsimd::abs(x), size_y = xsimd::abs(y);
  const auto regular_x = (size_x >= least) & (size_x <= greatest), regular_y = (size_y >= least) & (size_y <= greatest);
  const auto ordinary = (regular_x & regular_y) | (regular_x & (y == zero)) | (regular_y & (x == zero));
  if (xsimd::all(ordinary)) [[likely]] return detail::ordinary_angle(y, x);
  const V one(T(1)), others = kernels::lanewise([](T v, T w) { return std::atan2(v, w); }, y, x);
  return xsimd::select(ordinary, detail::ordinary_angle(xsimd::select(ordinary, y, one), xsimd::select(ordinary, x, one)),
                       others);  // so that no result depends on its neighbours
}

}  // namespace xtape
