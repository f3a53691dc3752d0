// The rules of remainders, and of the next number: lane by lane.
#pragma once

#include <autograd/fused/registers.hpp>  // before the rules

#include <cmath>
#include <cstdint>
#include <type_traits>

#include <autograd/fused/arithmetic.hpp>

namespace xtape::fused {

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

namespace detail {
// From the remainder, as in Python: a / b may have been rounded up to a whole number.
template <class T>
T floored_quotient(T x, T y) {
  if constexpr (std::is_integral_v<T>) {
    if (y == -1) return static_cast<T>(0 - static_cast<std::uint64_t>(x));
    return x / y - (x % y != 0 && (x < 0) != (y < 0));
  } else {
    if (y == 0) return x / y;
    T rest = std::fmod(x, y), quotient = (x - rest) / y;
    return std::round(rest != 0 && (rest < 0) != (y < 0) ? quotient - 1 : quotient);
  }
}
}  // namespace detail

inline constexpr auto floor_divide_rule = elementwise_any(
    "floor_divide",
    [](auto a, auto b) {
      return kernels::lanewise([](auto x, auto y) { return detail::floored_quotient(x, y); }, a, b);
    },
    constant, constant);

inline constexpr auto nextafter_rule = elementwise(
    "nextafter",
    [](auto a, auto b) { return kernels::lanewise([](auto x, auto y) { return std::nextafter(x, y); }, a, b); }, pass,
    constant);

}  // namespace xtape::fused
