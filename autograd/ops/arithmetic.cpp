#include <cmath>
#include <cstdlib>
#include <limits>
#include <numbers>
#include <string>

#include <autograd/fused/arithmetic.hpp>
#include <autograd/ops/define_elementwise.hpp>

namespace xtape {

using namespace detail;
using fused::A, fused::B, fused::constant, fused::elementwise, fused::elementwise_any, fused::pass, fused::with;

Variable add(const Variable& a, const Variable& b) { return fused::add_rule(a, b); }
Variable sub(const Variable& a, const Variable& b) { return fused::sub_rule(a, b); }
Variable mul(const Variable& a, const Variable& b) { return fused::mul_rule(a, b); }
Variable div(const Variable& a, const Variable& b) {
  // The quotient of integers is no integer: they are converted, but for C++ scalars alone, which are computed in double.
  std::array operands{&a, &b};
  bool integers = a.defined() && b.defined() && !is_floating(kind_of(a)) && !is_floating(kind_of(b));
  if (integers && !all_scalars(operands)) return fused::div_rule(a.to(default_dtype()), b);
  return fused::div_rule(a, b);
}
Variable positive(const Variable& x) { return same_value("positive", x); }
Variable neg(const Variable& x) { return fused::neg_rule(x); }
Variable square(const Variable& x) { return fused::square_rule(x); }
Variable sqrt(const Variable& x) { return fused::sqrt_rule(x); }
Variable reciprocal(const Variable& x) { return fused::reciprocal_rule(x); }
Variable rsqrt(const Variable& x) { return fused::rsqrt_rule(x); }
Variable hypot(const Variable& a, const Variable& b) { return fused::hypot_rule(a, b); }

namespace {

// Of int64 there is no quotient by 0, infinite or not a number.
void require_divisors(const char* operation, const Variable& a, const Variable& b) {
  std::array operands{&a, &b};
  if (all_scalars(operands) || common_dtype(operation, operands) != DType::int64) return;
  if (any(equal(b, 0)).item()) throw ValueError(std::string(operation) + ": division of int64 by 0");
}

}  // namespace

Variable fmod(const Variable& a, const Variable& b) {
  detail::Calling calling("fmod");
  require_divisors("fmod", a, b);
  return fused::fmod_rule(a, b);
}
Variable remainder(const Variable& a, const Variable& b) {
  detail::Calling calling("remainder");
  require_divisors("remainder", a, b);
  return fused::remainder_rule(a, b);
}

namespace {

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

}  // namespace

Variable floor_divide(const Variable& a, const Variable& b) {
  static constexpr auto op = elementwise_any(
      "floor_divide",
      [](auto a, auto b) { return kernels::lanewise([](auto x, auto y) { return floored_quotient(x, y); }, a, b); },
      constant, constant);
  detail::Calling calling("floor_divide");
  require_divisors("floor_divide", a, b);
  return op(a, b);
}

namespace {

// a - fmod(a, b) is a multiple of b.
Variable truncated_quotient(const Variable& a, const Variable& b) {
  std::array operands{&a, &b};
  if (all_scalars(operands) || common_dtype("div", operands) != DType::int64) return trunc(a / b);
  return floor_divide(a - fmod(a, b), b);
}

}  // namespace

Variable div(const Variable& a, const Variable& b, const std::string& rounding_mode) {
  if (rounding_mode == "trunc") return truncated_quotient(a, b);
  if (rounding_mode == "floor") return floor_divide(a, b);
  throw ValueError("div: rounding_mode is \"" + rounding_mode + "\", needs \"trunc\" or \"floor\"");
}
Variable heaviside(const Variable& x, const Variable& at_zero) {
  static constexpr auto op = elementwise(
      "heaviside", [](auto x, auto v) { return where(x == 0, v, where(x > 0, 1, 0)); }, constant,
      with<A>([](auto x, auto g) { return where(x == 0, g, 0); }));
  return op(x, at_zero);
}
Variable nextafter(const Variable& a, const Variable& b) {
  static constexpr auto op = elementwise(
      "nextafter",
      [](auto a, auto b) { return kernels::lanewise([](auto x, auto y) { return std::nextafter(x, y); }, a, b); },
      pass, constant);
  return op(a, b);
}
Variable deg2rad(const Variable& x) {
  detail::Calling calling("deg2rad");
  return x * (std::numbers::pi / 180);
}
Variable rad2deg(const Variable& x) {
  detail::Calling calling("rad2deg");
  return x * (180 / std::numbers::pi);
}
Variable lerp(const Variable& a, const Variable& b, const Variable& weight) { return fused::lerp_rule(a, b, weight); }
Variable abs(const Variable& x) { return fused::abs_rule(x); }
Variable sign(const Variable& x) { return fused::sign_rule(x); }
Variable copysign(const Variable& a, const Variable& b) { return fused::copysign_rule(a, b); }
Variable floor(const Variable& x) { return fused::floor_rule(x); }
Variable ceil(const Variable& x) { return fused::ceil_rule(x); }
Variable round(const Variable& x) { return fused::round_rule(x); }
Variable round(const Variable& x, int decimals) {
  double scale = std::pow(10, std::abs(decimals));
  return decimals < 0 ? round(x / scale) * scale : round(x * scale) / scale;
}
Variable trunc(const Variable& x) { return fused::trunc_rule(x); }
Variable frac(const Variable& x) { return fused::frac_rule(x); }
Variable maximum(const Variable& a, const Variable& b) { return fused::maximum_rule(a, b); }
Variable minimum(const Variable& a, const Variable& b) { return fused::minimum_rule(a, b); }
Variable fmax(const Variable& a, const Variable& b) { return fused::fmax_rule(a, b); }
Variable fmin(const Variable& a, const Variable& b) { return fused::fmin_rule(a, b); }

Variable where(const Variable& condition, const Variable& a, const Variable& b) {
  if (!condition.defined() || condition.dtype() != DType::boolean)
    throw DTypeError("where: the condition is " +
                     std::string(condition.defined() ? to_string(condition.dtype()) : "undefined") + ", needs bool");
  static constexpr auto op = elementwise_any(
      "where", [](auto c, auto a, auto b) { return where(c != 0, a, b); }, constant,
      with<A>([](auto c, auto g) { return where(c != 0, g, 0); }),
      with<A>([](auto c, auto g) { return where(c != 0, 0, g); }));
  std::array branches{&a, &b};
  DType dtype = common_dtype("where", branches);
  if (dtype == DType::boolean) return where(condition, a.to(int64), b.to(int64)).to(boolean);
  return op(condition.to(dtype), a, b);
}
Variable clip(const Variable& x, const Variable& low, const Variable& high) {
  detail::Calling calling("clip");
  if (!low.defined() && high.defined()) return clamp_max(x, high);
  if (low.defined() && !high.defined()) return clamp_min(x, low);
  return fused::clip_rule(x, low, high);
}
Variable clamp_min(const Variable& x, const Variable& low) {
  static constexpr auto op = elementwise_any(
      "clamp_min", [](auto x, auto low) { return maximum(x, low); },
      with<A, B>([](auto x, auto low, auto g) { return where(x >= low, g, 0); }),
      with<A, B>([](auto x, auto low, auto g) { return where(x < low, g, 0); }));
  return op(x, low);
}
Variable clamp_max(const Variable& x, const Variable& high) {
  static constexpr auto op = elementwise_any(
      "clamp_max", [](auto x, auto high) { return minimum(x, high); },
      with<A, B>([](auto x, auto high, auto g) { return where(x <= high, g, 0); }),
      with<A, B>([](auto x, auto high, auto g) { return where(x > high, g, 0); }));
  return op(x, high);
}

Variable nan_to_num(const Variable& x, double nan, std::optional<double> posinf, std::optional<double> neginf) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  require_floating("nan_to_num", x);
  double greatest = x.dtype() == float32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  Variable above = where(x == -infinity, neginf.value_or(-greatest), x);
  return where(isnan(x), nan, where(x == infinity, posinf.value_or(greatest), above));
}

}  // namespace xtape
