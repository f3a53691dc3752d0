// The rules of arithmetic, rounding and comparisons: on vector registers (where registers.hpp comes before), Variables,
// Numbers, and the scalars of scalar/real.hpp.
#pragma once

#include <cmath>
#include <cstdlib>
#include <numbers>

#include <autograd/fused/rule.hpp>

namespace xtape::fused {

namespace detail {
constexpr bool rules_came_before(int) { return true; }  // see registers.hpp
}  // namespace detail

inline constexpr auto add_rule = elementwise_any(
    "add", [](auto a, auto b) { return a + b; }, pass, pass);

inline constexpr auto sub_rule = elementwise_any(
    "sub", [](auto a, auto b) { return a - b; }, pass, with<>([](auto g) { return -g; }));

inline constexpr auto mul_rule = elementwise_any(
    "mul", [](auto a, auto b) { return a * b; }, with<B>([](auto b, auto g) { return g * b; }),
    with<A>([](auto a, auto g) { return g * a; }));

inline constexpr auto div_rule = elementwise(
    "div", [](auto a, auto b) { return a / b; }, with<B>([](auto b, auto g) { return g / b; }),
    with<B, Y>([](auto b, auto y, auto g) { return -g * y / b; }));

inline constexpr auto neg_rule = elementwise_any(
    "neg", [](auto x) { return -x; }, with<>([](auto g) { return -g; }));

inline constexpr auto square_rule = elementwise_any(
    "square", [](auto x) { return x * x; }, with<A>([](auto x, auto g) { return g * 2 * x; }));

inline constexpr auto sqrt_rule = elementwise(
    "sqrt", [](auto x) { return sqrt(x); }, with<Y>([](auto y, auto g) { return g / (2 * y); }));

inline constexpr auto reciprocal_rule = elementwise(
    "reciprocal", [](auto x) { return 1 / x; }, with<Y>([](auto y, auto g) { return -g * y * y; }));

inline constexpr auto rsqrt_rule = elementwise(
    "rsqrt", [](auto x) { return 1 / sqrt(x); }, with<Y>([](auto y, auto g) { return -0.5 * g * y * y * y; }));

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

// From the nearer end, which is so met exactly.
inline constexpr auto lerp_rule = elementwise(
    "lerp", [](auto a, auto b, auto w) { return where(abs(w) < 0.5, a + w * (b - a), b - (b - a) * (1 - w)); },
    with<C>([](auto w, auto g) { return g * (1 - w); }), with<C>([](auto w, auto g) { return g * w; }),
    with<A, B>([](auto a, auto b, auto g) { return g * (b - a); }));
inline constexpr auto abs_rule = elementwise_any(
    "abs", [](auto x) { return abs(x); }, with<A>([](auto x, auto g) { return g * sign(x); }));

inline constexpr auto sign_rule = elementwise(
    "sign", [](auto x) { return sign(x); }, constant);

inline constexpr auto heaviside_rule = elementwise(
    "heaviside", [](auto x, auto v) { return where(x == 0, v, where(x > 0, 1, 0)); }, constant,
    with<A>([](auto x, auto g) { return where(x == 0, g, 0); }));

inline constexpr auto copysign_rule = elementwise(
    "copysign", [](auto a, auto b) { return copysign(a, b); },
    with<A, Y>([](auto a, auto y, auto g) { return where(is_nan(a), a, g * sign(a) * sign(y)); }), constant);

inline constexpr auto deg2rad_of = [](const auto& x) { return x * (std::numbers::pi / 180); };

inline constexpr auto rad2deg_of = [](const auto& x) { return x * (180 / std::numbers::pi); };

inline constexpr auto floor_rule = elementwise(
    "floor", [](auto x) { return floor(x); }, constant);

inline constexpr auto ceil_rule = elementwise(
    "ceil", [](auto x) { return ceil(x); }, constant);

inline constexpr auto round_rule = elementwise(
    "round", [](auto x) { return nearbyint(x); }, constant);

inline constexpr auto round_of = [](const auto& x, int decimals) {
  double scale = std::pow(10, std::abs(decimals));
  return decimals < 0 ? round(x / scale) * scale : round(x * scale) / scale;
};

inline constexpr auto trunc_rule = elementwise(
    "trunc", [](auto x) { return trunc(x); }, constant);

inline constexpr auto frac_rule = elementwise(
    "frac", [](auto x) { return x - trunc(x); }, pass);

// By a condition that is 0 or not.
inline constexpr auto where_rule = elementwise_any(
    "where", [](auto c, auto a, auto b) { return where(c != 0, a, b); }, constant,
    with<A>([](auto c, auto g) { return where(c != 0, g, 0); }),
    with<A>([](auto c, auto g) { return where(c != 0, 0, g); }));

inline constexpr auto maximum_rule = elementwise_any(
    "maximum", [](auto a, auto b) { return maximum(a, b); },
    with<A, B>([](auto a, auto b, auto g) { return where(a < b, 0, where(a == b, g / 2, g)); }),
    with<A, B>([](auto a, auto b, auto g) { return where(b < a, 0, where(a == b, g / 2, g)); }));

inline constexpr auto minimum_rule = elementwise_any(
    "minimum", [](auto a, auto b) { return minimum(a, b); },
    with<A, B>([](auto a, auto b, auto g) { return where(a > b, 0, where(a == b, g / 2, g)); }),
    with<A, B>([](auto a, auto b, auto g) { return where(b > a, 0, where(a == b, g / 2, g)); }));

inline constexpr auto fmax_rule = elementwise(
    "fmax", [](auto a, auto b) { return where(is_nan(b), a, where(a >= b, a, b)); },
    with<A, B>([](auto a, auto b, auto g) { return where((a >= b) || is_nan(b), g, 0); }),
    with<A, B>([](auto a, auto b, auto g) { return where((a >= b) || is_nan(b), 0, g); }));

inline constexpr auto fmin_rule = elementwise(
    "fmin", [](auto a, auto b) { return where(is_nan(b), a, where(a <= b, a, b)); },
    with<A, B>([](auto a, auto b, auto g) { return where((a <= b) || is_nan(b), g, 0); }),
    with<A, B>([](auto a, auto b, auto g) { return where((a <= b) || is_nan(b), 0, g); }));

inline constexpr auto clip_rule = elementwise_any(
    "clip", [](auto x, auto low, auto high) { return minimum(maximum(x, low), high); },
    with<A, B, C>([](auto x, auto low, auto high, auto g) { return where(x >= low, where(x <= high, g, 0), 0); }),
    with<A, B, C>([](auto x, auto low, auto high, auto g) { return where(x < low, where(low < high, g, 0), 0); }),
    with<A, B, C>([](auto x, auto low, auto high, auto g) { return where(x > high, g, where(low >= high, g, 0)); }));
inline constexpr auto clamp_min_rule = elementwise_any(
    "clamp_min", [](auto x, auto low) { return maximum(x, low); },
    with<A, B>([](auto x, auto low, auto g) { return where(x >= low, g, 0); }),
    with<A, B>([](auto x, auto low, auto g) { return where(x < low, g, 0); }));

inline constexpr auto clamp_max_rule = elementwise_any(
    "clamp_max", [](auto x, auto high) { return minimum(x, high); },
    with<A, B>([](auto x, auto high, auto g) { return where(x <= high, g, 0); }),
    with<A, B>([](auto x, auto high, auto g) { return where(x > high, g, 0); }));

inline constexpr auto nan_to_num_of = [](const auto& x, double nan, double posinf, double neginf) {
  auto above = where(x == -INFINITY, neginf, x);
  return where(isnan(x), nan, where(x == INFINITY, posinf, above));
};
// Comparisons of Numbers: 1 or 0. Those of Variables have results of bool, see ops/comparisons.cpp.
inline constexpr auto equal_rule = elementwise(
    "equal", [](auto a, auto b) { return where(a == b, 1, 0); }, constant, constant);
inline constexpr auto less_rule = elementwise(
    "less", [](auto a, auto b) { return where(a < b, 1, 0); }, constant, constant);
inline constexpr auto less_equal_rule = elementwise(
    "less_equal", [](auto a, auto b) { return where(a <= b, 1, 0); }, constant, constant);

}  // namespace xtape::fused
