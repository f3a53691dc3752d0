// The rules of arithmetic and rounding, and the functions of Numbers that follow from them.
#pragma once

#include <autograd/error.hpp>
#include <autograd/fused/number.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <numbers>
#include <optional>
#include <string>
#include <type_traits>

namespace xtape::fused {

inline constexpr auto add_rule = elementwise_any(
    "add", [](auto a, auto b) { return a + b; }, pass, pass);
auto add(const Term auto& a, const Term auto& b) { return chain(add_rule, a, b); }

inline constexpr auto sub_rule = elementwise_any(
    "sub", [](auto a, auto b) { return a - b; }, pass, with<>([](auto g) { return -g; }));
auto sub(const Term auto& a, const Term auto& b) { return chain(sub_rule, a, b); }

inline constexpr auto mul_rule = elementwise_any(
    "mul", [](auto a, auto b) { return a * b; }, with<B>([](auto b, auto g) { return g * b; }),
    with<A>([](auto a, auto g) { return g * a; }));
auto mul(const Term auto& a, const Term auto& b) { return chain(mul_rule, a, b); }

inline constexpr auto div_rule = elementwise(
    "div", [](auto a, auto b) { return a / b; }, with<B>([](auto b, auto g) { return g / b; }),
    with<B, Y>([](auto b, auto y, auto g) { return -g * y / b; }));
auto div(const Term auto& a, const Term auto& b) { return chain(div_rule, a, b); }

inline constexpr auto neg_rule = elementwise_any(
    "neg", [](auto x) { return -x; }, with<>([](auto g) { return -g; }));
auto neg(const Number auto& x) { return chain(neg_rule, x); }

auto operator-(const Number auto& x) { return neg(x); }
template <Number X>
X operator+(const X& x) {
  return x;
}
auto operator+(const Term auto& a, const Term auto& b) { return add(a, b); }
auto operator-(const Term auto& a, const Term auto& b) { return sub(a, b); }
auto operator*(const Term auto& a, const Term auto& b) { return mul(a, b); }
auto operator/(const Term auto& a, const Term auto& b) { return div(a, b); }

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
auto square(const Number auto& x) { return chain(square_rule, x); }

inline constexpr auto sqrt_rule = elementwise(
    "sqrt", [](auto x) { return sqrt(x); }, with<Y>([](auto y, auto g) { return g / (2 * y); }));
auto sqrt(const Number auto& x) { return chain(sqrt_rule, x); }

inline constexpr auto reciprocal_rule = elementwise(
    "reciprocal", [](auto x) { return 1 / x; }, with<Y>([](auto y, auto g) { return -g * y * y; }));
auto reciprocal(const Number auto& x) { return chain(reciprocal_rule, x); }

inline constexpr auto rsqrt_rule = elementwise(
    "rsqrt", [](auto x) { return 1 / sqrt(x); }, with<Y>([](auto y, auto g) { return -0.5 * g * y * y * y; }));
auto rsqrt(const Number auto& x) { return chain(rsqrt_rule, x); }

namespace detail {
/// a / hypot(a, b), from the ratio q of the smaller and the greater one: +-1 or +-q, over sqrt(1 + q^2). The derivatives
/// of a quotient by the root would cancel where a is much greater.
inline constexpr auto cosine_of_point = [](const auto& a, const auto& b) {
  auto flat = abs(a) >= abs(b);
  auto q = where(flat, b, a) / where(flat, a, b);
  return where(flat, sign(a), q * sign(b)) / sqrt(1 + q * q);
};
}  // namespace detail

inline constexpr auto hypot_rule = elementwise(
    "hypot", [](auto a, auto b) { return hypot(a, b); },
    with<A, B>([](auto a, auto b, auto g) { return g * detail::cosine_of_point(a, b); }),
    with<A, B>([](auto a, auto b, auto g) { return g * detail::cosine_of_point(b, a); }));
auto hypot(const Term auto& a, const Term auto& b) { return chain(hypot_rule, a, b); }

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
auto fmod(const Term auto& a, const Term auto& b) { return chain(fmod_rule, a, b); }

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
auto remainder(const Term auto& a, const Term auto& b) { return chain(remainder_rule, a, b); }

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
auto floor_divide(const Term auto& a, const Term auto& b) { return chain(floor_divide_rule, a, b); }

// From the nearer end, which is so met exactly.
inline constexpr auto lerp_rule = elementwise(
    "lerp", [](auto a, auto b, auto w) { return where(abs(w) < 0.5, a + w * (b - a), b - (b - a) * (1 - w)); },
    with<C>([](auto w, auto g) { return g * (1 - w); }), with<C>([](auto w, auto g) { return g * w; }),
    with<A, B>([](auto a, auto b, auto g) { return g * (b - a); }));
auto lerp(const Term auto& a, const Term auto& b, const Term auto& weight) {
  return chain(lerp_rule, a, b, weight);
}

inline constexpr auto abs_rule = elementwise_any(
    "abs", [](auto x) { return abs(x); }, with<A>([](auto x, auto g) { return g * sign(x); }));
auto abs(const Number auto& x) { return chain(abs_rule, x); }

inline constexpr auto sign_rule = elementwise(
    "sign", [](auto x) { return sign(x); }, constant);
auto sign(const Number auto& x) { return chain(sign_rule, x); }
auto sgn(const Number auto& x) { return sign(x); }
auto positive(const Number auto& x) { return x; }

inline constexpr auto heaviside_rule = elementwise(
    "heaviside", [](auto x, auto v) { return where(x == 0, v, where(x > 0, 1, 0)); }, constant,
    with<A>([](auto x, auto g) { return where(x == 0, g, 0); }));
auto heaviside(const Term auto& x, const Term auto& at_zero) { return chain(heaviside_rule, x, at_zero); }

inline constexpr auto copysign_rule = elementwise(
    "copysign", [](auto a, auto b) { return copysign(a, b); },
    with<A, Y>([](auto a, auto y, auto g) { return where(is_nan(a), a, g * sign(a) * sign(y)); }), constant);
auto copysign(const Term auto& a, const Term auto& b) { return chain(copysign_rule, a, b); }

inline constexpr auto nextafter_rule = elementwise(
    "nextafter",
    [](auto a, auto b) { return kernels::lanewise([](auto x, auto y) { return std::nextafter(x, y); }, a, b); }, pass,
    constant);
auto nextafter(const Term auto& a, const Term auto& b) { return chain(nextafter_rule, a, b); }

inline constexpr auto deg2rad_of = [](const auto& x) { return x * (std::numbers::pi / 180); };
auto deg2rad(const Number auto& x) { return deg2rad_of(x); }

inline constexpr auto rad2deg_of = [](const auto& x) { return x * (180 / std::numbers::pi); };
auto rad2deg(const Number auto& x) { return rad2deg_of(x); }

inline constexpr auto floor_rule = elementwise(
    "floor", [](auto x) { return floor(x); }, constant);
auto floor(const Number auto& x) { return chain(floor_rule, x); }

inline constexpr auto ceil_rule = elementwise(
    "ceil", [](auto x) { return ceil(x); }, constant);
auto ceil(const Number auto& x) { return chain(ceil_rule, x); }

inline constexpr auto round_rule = elementwise(
    "round", [](auto x) { return nearbyint(x); }, constant);
auto round(const Number auto& x) { return chain(round_rule, x); }

inline constexpr auto round_of = [](const auto& x, int decimals) {
  double scale = std::pow(10, std::abs(decimals));
  return decimals < 0 ? round(x / scale) * scale : round(x * scale) / scale;
};
auto round(const Number auto& x, int decimals) { return round_of(x, decimals); }

inline constexpr auto trunc_rule = elementwise(
    "trunc", [](auto x) { return trunc(x); }, constant);
auto trunc(const Number auto& x) { return chain(trunc_rule, x); }

auto div(const Term auto& a, const Term auto& b, const std::string& rounding_mode) {
  if (rounding_mode == "trunc") return trunc(a / b);
  if (rounding_mode == "floor") return floor_divide(a, b);
  throw ValueError("div: rounding_mode is \"" + rounding_mode + "\", needs \"trunc\" or \"floor\"");
}

inline constexpr auto frac_rule = elementwise(
    "frac", [](auto x) { return x - trunc(x); }, pass);
auto frac(const Number auto& x) { return chain(frac_rule, x); }

// Of Variables, by a condition that is 0 or not; see number.hpp for that of Numbers.
inline constexpr auto where_rule = elementwise_any(
    "where", [](auto c, auto a, auto b) { return where(c != 0, a, b); }, constant,
    with<A>([](auto c, auto g) { return where(c != 0, g, 0); }),
    with<A>([](auto c, auto g) { return where(c != 0, 0, g); }));

inline constexpr auto maximum_rule = elementwise_any(
    "maximum", [](auto a, auto b) { return maximum(a, b); },
    with<A, B>([](auto a, auto b, auto g) { return where(a < b, 0, where(a == b, g / 2, g)); }),
    with<A, B>([](auto a, auto b, auto g) { return where(b < a, 0, where(a == b, g / 2, g)); }));
auto maximum(const Term auto& a, const Term auto& b) { return chain(maximum_rule, a, b); }

inline constexpr auto minimum_rule = elementwise_any(
    "minimum", [](auto a, auto b) { return minimum(a, b); },
    with<A, B>([](auto a, auto b, auto g) { return where(a > b, 0, where(a == b, g / 2, g)); }),
    with<A, B>([](auto a, auto b, auto g) { return where(b > a, 0, where(a == b, g / 2, g)); }));
auto minimum(const Term auto& a, const Term auto& b) { return chain(minimum_rule, a, b); }

inline constexpr auto fmax_rule = elementwise(
    "fmax", [](auto a, auto b) { return where(is_nan(b), a, where(a >= b, a, b)); },
    with<A, B>([](auto a, auto b, auto g) { return where((a >= b) || is_nan(b), g, 0); }),
    with<A, B>([](auto a, auto b, auto g) { return where((a >= b) || is_nan(b), 0, g); }));
auto fmax(const Term auto& a, const Term auto& b) { return chain(fmax_rule, a, b); }

inline constexpr auto fmin_rule = elementwise(
    "fmin", [](auto a, auto b) { return where(is_nan(b), a, where(a <= b, a, b)); },
    with<A, B>([](auto a, auto b, auto g) { return where((a <= b) || is_nan(b), g, 0); }),
    with<A, B>([](auto a, auto b, auto g) { return where((a <= b) || is_nan(b), 0, g); }));
auto fmin(const Term auto& a, const Term auto& b) { return chain(fmin_rule, a, b); }

inline constexpr auto clip_rule = elementwise_any(
    "clip", [](auto x, auto low, auto high) { return minimum(maximum(x, low), high); },
    with<A, B, C>([](auto x, auto low, auto high, auto g) { return where(x >= low, where(x <= high, g, 0), 0); }),
    with<A, B, C>([](auto x, auto low, auto high, auto g) { return where(x < low, where(low < high, g, 0), 0); }),
    with<A, B, C>([](auto x, auto low, auto high, auto g) { return where(x > high, g, where(low >= high, g, 0)); }));
auto clip(const Term auto& x, const Term auto& low, const Term auto& high) {
  return chain(clip_rule, x, low, high);
}

/// The same under PyTorch's name.
auto clamp(const Term auto& x, const Term auto& low, const Term auto& high) { return clip(x, low, high); }

inline constexpr auto clamp_min_rule = elementwise_any(
    "clamp_min", [](auto x, auto low) { return maximum(x, low); },
    with<A, B>([](auto x, auto low, auto g) { return where(x >= low, g, 0); }),
    with<A, B>([](auto x, auto low, auto g) { return where(x < low, g, 0); }));
auto clamp_min(const Term auto& x, const Term auto& low) { return chain(clamp_min_rule, x, low); }

inline constexpr auto clamp_max_rule = elementwise_any(
    "clamp_max", [](auto x, auto high) { return minimum(x, high); },
    with<A, B>([](auto x, auto high, auto g) { return where(x <= high, g, 0); }),
    with<A, B>([](auto x, auto high, auto g) { return where(x > high, g, 0); }));
auto clamp_max(const Term auto& x, const Term auto& high) { return chain(clamp_max_rule, x, high); }

inline constexpr auto nan_to_num_of = [](const auto& x, double nan, double posinf, double neginf) {
  auto above = where(x == -INFINITY, neginf, x);
  return where(isnan(x), nan, where(x == INFINITY, posinf, above));
};
template <Number X>
auto nan_to_num(const X& x, double nan = 0, std::optional<double> posinf = {}, std::optional<double> neginf = {}) {
  constexpr double greatest = std::numeric_limits<typename detail::register_of<X>::value_type>::max();
  return nan_to_num_of(x, nan, posinf.value_or(greatest), neginf.value_or(-greatest));
}

// Comparisons by name. Their results are Masks, for `where`.
auto equal(const Term auto& a, const Term auto& b) { return a == b; }
auto not_equal(const Term auto& a, const Term auto& b) { return a != b; }
auto less(const Term auto& a, const Term auto& b) { return a < b; }
auto less_equal(const Term auto& a, const Term auto& b) { return a <= b; }
auto greater(const Term auto& a, const Term auto& b) { return a > b; }
auto greater_equal(const Term auto& a, const Term auto& b) { return a >= b; }
auto isclose(const Number auto& a, const Number auto& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false) {
  auto bound = abs(b);
  auto close = a == b || ((bound < INFINITY) && abs(a - b) <= bound * rtol + atol);
  return equal_nan ? close || (a != a && b != b) : close;
}
auto signbit(const Number auto& x) { return copysign(1, x) < 0; }
auto isinf(const Number auto& x) { return abs(x) == INFINITY; }
auto isfinite(const Number auto& x) { return abs(x) < INFINITY; }

}  // namespace xtape::fused
