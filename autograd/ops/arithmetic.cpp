#include <cmath>
#include <cstdlib>
#include <limits>
#include <numbers>
#include <string>
#include <utility>

#include <autograd/batch.hpp>
#include <autograd/fused/normalization.hpp>
#include <autograd/fused/remainders.hpp>
#include <autograd/ops/define_elementwise.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>

namespace xtape {

using namespace detail;

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
  if (!is_floating(common_dtype(operation, operands)) && detail::any_nonzero(equal(b, 0)))
    throw ValueError(std::string(operation) + ": division of int64 by 0");
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

Variable floor_divide(const Variable& a, const Variable& b) {
  detail::Calling calling("floor_divide");
  require_divisors("floor_divide", a, b);
  return fused::floor_divide_rule(a, b);
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
Variable heaviside(const Variable& x, const Variable& at_zero) { return fused::heaviside_rule(x, at_zero); }
Variable nextafter(const Variable& a, const Variable& b) { return fused::nextafter_rule(a, b); }
Variable deg2rad(const Variable& x) {
  detail::Calling calling("deg2rad");
  return fused::deg2rad_of(x);
}
Variable rad2deg(const Variable& x) {
  detail::Calling calling("rad2deg");
  return fused::rad2deg_of(x);
}
Variable lerp(const Variable& a, const Variable& b, const Variable& weight) { return fused::lerp_rule(a, b, weight); }
Variable abs(const Variable& x) { return fused::abs_rule(x); }
Variable sign(const Variable& x) { return fused::sign_rule(x); }
Variable copysign(const Variable& a, const Variable& b) { return fused::copysign_rule(a, b); }
Variable floor(const Variable& x) { return fused::floor_rule(x); }
Variable ceil(const Variable& x) { return fused::ceil_rule(x); }
Variable round(const Variable& x) { return fused::round_rule(x); }
Variable round(const Variable& x, int decimals) { return fused::round_of(x, decimals); }
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
  std::array branches{&a, &b};
  DType dtype = common_dtype("where", branches);
  if (dtype == DType::boolean) return where(condition, a.to(int64), b.to(int64)).to(boolean);
  return fused::where_rule(condition.to(dtype), a, b);
}
Variable clip(const Variable& x, const Variable& low, const Variable& high) {
  detail::Calling calling("clip");
  if (!low.defined() && high.defined()) return clamp_max(x, high);
  if (low.defined() && !high.defined()) return clamp_min(x, low);
  return fused::clip_rule(x, low, high);
}
Variable clamp_min(const Variable& x, const Variable& low) { return fused::clamp_min_rule(x, low); }
Variable clamp_max(const Variable& x, const Variable& high) { return fused::clamp_max_rule(x, high); }

Variable nan_to_num(const Variable& x, double nan, std::optional<double> posinf, std::optional<double> neginf) {
  require_floating("nan_to_num", x);
  double greatest = x.dtype() == float32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  return fused::nan_to_num_of(x, nan, posinf.value_or(greatest), neginf.value_or(-greatest));
}

}  // namespace xtape

namespace xtape::fused {

// A product and a sum are one pass.
Number add(const Number& a, const Number& b) {
  for (const auto& [x, y] : {std::pair(a, b), std::pair(b, a)})
    if (auto factors = Program::operands_of(x, mul_rule.operation()))
      return scale_and_shift_rule((*factors)[0], (*factors)[1], y);
  return add_rule(a, b);
}
Number sub(const Number& a, const Number& b) { return sub_rule(a, b); }
Number mul(const Number& a, const Number& b) { return mul_rule(a, b); }
Number div(const Number& a, const Number& b) { return div_rule(a, b); }
Number neg(const Number& x) { return neg_rule(x); }
Number square(const Number& x) { return square_rule(x); }
Number sqrt(const Number& x) { return sqrt_rule(x); }
Number reciprocal(const Number& x) { return reciprocal_rule(x); }
Number rsqrt(const Number& x) { return rsqrt_rule(x); }
Number hypot(const Number& a, const Number& b) { return hypot_rule(a, b); }
Number fmod(const Number& a, const Number& b) { return fmod_rule(a, b); }
Number remainder(const Number& a, const Number& b) { return remainder_rule(a, b); }
Number floor_divide(const Number& a, const Number& b) { return floor_divide_rule(a, b); }
Number abs(const Number& x) { return abs_rule(x); }
Number sign(const Number& x) { return sign_rule(x); }
Number heaviside(const Number& x, const Number& at_zero) { return heaviside_rule(x, at_zero); }
Number copysign(const Number& a, const Number& b) { return copysign_rule(a, b); }
Number nextafter(const Number& a, const Number& b) { return nextafter_rule(a, b); }
Number deg2rad(const Number& x) { return deg2rad_of(x); }
Number rad2deg(const Number& x) { return rad2deg_of(x); }
Number floor(const Number& x) { return floor_rule(x); }
Number ceil(const Number& x) { return ceil_rule(x); }
Number round(const Number& x) { return round_rule(x); }
Number round(const Number& x, int decimals) { return round_of(x, decimals); }
Number trunc(const Number& x) { return trunc_rule(x); }
Number frac(const Number& x) { return frac_rule(x); }
Number maximum(const Number& a, const Number& b) { return maximum_rule(a, b); }
Number minimum(const Number& a, const Number& b) { return minimum_rule(a, b); }
Number fmax(const Number& a, const Number& b) { return fmax_rule(a, b); }
Number fmin(const Number& a, const Number& b) { return fmin_rule(a, b); }
Number clamp_min(const Number& x, const Number& low) { return clamp_min_rule(x, low); }
Number clamp_max(const Number& x, const Number& high) { return clamp_max_rule(x, high); }
Number div(const Number& a, const Number& b, const std::string& rounding_mode) {
  if (rounding_mode == "trunc") return trunc(a / b);
  if (rounding_mode == "floor") return floor_divide(a, b);
  throw ValueError("div: rounding_mode is \"" + rounding_mode + "\", needs \"trunc\" or \"floor\"");
}
Number lerp(const Number& a, const Number& b, const Number& weight) { return lerp_rule(a, b, weight); }
Number clip(const Number& x, const Number& low, const Number& high) { return clip_rule(x, low, high); }
Number where(const Mask& condition, const Number& a, const Number& b) { return where_rule(condition.number(), a, b); }
Number nan_to_num(const Number& x, double nan, std::optional<double> posinf, std::optional<double> neginf) {
  const double greatest = Program::greatest_number();
  return nan_to_num_of(x, nan, posinf.value_or(greatest), neginf.value_or(-greatest));
}

Mask equal(const Number& a, const Number& b) { return Mask(equal_rule(a, b)); }
Mask less(const Number& a, const Number& b) { return Mask(less_rule(a, b)); }
Mask less_equal(const Number& a, const Number& b) { return Mask(less_equal_rule(a, b)); }
Mask not_equal(const Number& a, const Number& b) { return !(a == b); }
Mask logical_not(const Mask& m) { return Mask(1 - m.number()); }
Mask logical_and(const Mask& a, const Mask& b) { return Mask(a.number() * b.number()); }
Mask logical_or(const Mask& a, const Mask& b) { return !(!a && !b); }
Mask logical_xor(const Mask& a, const Mask& b) { return not_equal(a.number(), b.number()); }
Mask isclose(const Number& a, const Number& b, double rtol, double atol, bool equal_nan) {
  require_tolerances(rtol, atol);
  Number bound = abs(b);
  Mask close = a == b || ((bound < INFINITY) && abs(a - b) <= bound * rtol + atol);
  return equal_nan ? close || (isnan(a) && isnan(b)) : close;
}
Mask signbit(const Number& x) { return copysign(1, x) < 0; }
Mask isnan(const Number& x) { return x != x; }
Mask isinf(const Number& x) { return abs(x) == INFINITY; }
Mask isfinite(const Number& x) { return abs(x) < INFINITY; }

}  // namespace xtape::fused
