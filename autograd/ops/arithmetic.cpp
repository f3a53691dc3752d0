#include <autograd/fused/arithmetic.hpp>
#include <autograd/ops/define_elementwise.hpp>

namespace xtape {

using namespace detail;
using fused::A, fused::constant, fused::elementwise_any, fused::with;

Variable add(const Variable& a, const Variable& b) { return fused::add_rule(a, b); }
Variable sub(const Variable& a, const Variable& b) { return fused::sub_rule(a, b); }
Variable mul(const Variable& a, const Variable& b) { return fused::mul_rule(a, b); }
Variable div(const Variable& a, const Variable& b) { return fused::div_rule(a, b); }
Variable neg(const Variable& x) { return fused::neg_rule(x); }
Variable square(const Variable& x) { return fused::square_rule(x); }
Variable sqrt(const Variable& x) { return fused::sqrt_rule(x); }
Variable reciprocal(const Variable& x) { return fused::reciprocal_rule(x); }
Variable rsqrt(const Variable& x) { return fused::rsqrt_rule(x); }
Variable hypot(const Variable& a, const Variable& b) { return fused::hypot_rule(a, b); }
Variable fmod(const Variable& a, const Variable& b) { return fused::fmod_rule(a, b); }
Variable remainder(const Variable& a, const Variable& b) { return fused::remainder_rule(a, b); }
Variable lerp(const Variable& a, const Variable& b, const Variable& weight) { return fused::lerp_rule(a, b, weight); }
Variable abs(const Variable& x) { return fused::abs_rule(x); }
Variable sign(const Variable& x) { return fused::sign_rule(x); }
Variable copysign(const Variable& a, const Variable& b) { return fused::copysign_rule(a, b); }
Variable floor(const Variable& x) { return fused::floor_rule(x); }
Variable ceil(const Variable& x) { return fused::ceil_rule(x); }
Variable round(const Variable& x) { return fused::round_rule(x); }
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
  DType dtype = all_scalars(branches) ? DType::float32 : common_dtype("where", branches);
  return op(condition.to(dtype), a, b);
}
Variable clip(const Variable& x, const Variable& low, const Variable& high) { return fused::clip_rule(x, low, high); }

}  // namespace xtape
