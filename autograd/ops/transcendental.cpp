#include <autograd/fused/transcendental.hpp>
#include <autograd/ops/define_elementwise.hpp>

namespace xtape {

using namespace detail;

Variable pow(const Variable& a, const Variable& b) {
  detail::Calling calling("pow");
  if (a.defined() && a.dtype() != DType::boolean && b.defined() && b.impl()->weak) {
    double exponent = b.impl()->scalar.as_double();
    if (exponent == 2 && (is_floating(kind_of(a)) || !is_floating(kind_of(b)))) return square(a);
    if (exponent == 0.5 && is_floating(kind_of(a))) return sqrt(a);
  }
  std::array operands{&a, &b};
  if (!is_floating(common_dtype("pow", operands)) && any(b < 0).item())
    throw ValueError("pow: int64 to a negative power; convert with .to(float32)");
  return fused::pow_rule(a, b);
}
Variable exp(const Variable& x) { return fused::exp_rule(x); }
Variable expm1(const Variable& x) { return fused::expm1_rule(x); }
Variable log(const Variable& x) { return fused::log_rule(x); }
Variable log1p(const Variable& x) { return fused::log1p_rule(x); }
Variable exp2(const Variable& x) { return fused::exp2_rule(x); }
Variable log2(const Variable& x) { return fused::log2_rule(x); }
Variable log10(const Variable& x) { return fused::log10_rule(x); }
Variable logaddexp(const Variable& a, const Variable& b) { return fused::logaddexp_rule(a, b); }
Variable logaddexp2(const Variable& a, const Variable& b) { return fused::logaddexp2_rule(a, b); }
Variable ldexp(const Variable& a, const Variable& b) {
  detail::Calling calling("ldexp");
  DType dtype = common_dtype("ldexp", std::array{&a, &b});
  return a * exp2(in_dtype("ldexp", b, is_floating(dtype) ? dtype : default_dtype()));
}
Variable xlogy(const Variable& a, const Variable& b) { return fused::xlogy_rule(a, b); }
Variable xlog1py(const Variable& a, const Variable& b) { return fused::xlog1py_rule(a, b); }
Variable sinc(const Variable& x) { return fused::sinc_rule(x); }
Variable sin(const Variable& x) { return fused::sin_rule(x); }
Variable cos(const Variable& x) { return fused::cos_rule(x); }
Variable tan(const Variable& x) { return fused::tan_rule(x); }
Variable asin(const Variable& x) { return fused::asin_rule(x); }
Variable acos(const Variable& x) { return fused::acos_rule(x); }
Variable atan(const Variable& x) { return fused::atan_rule(x); }
Variable atan2(const Variable& y, const Variable& x) { return fused::atan2_rule(y, x); }
Variable sinh(const Variable& x) { return fused::sinh_rule(x); }
Variable cosh(const Variable& x) { return fused::cosh_rule(x); }
Variable tanh(const Variable& x) { return fused::tanh_rule(x); }
Variable asinh(const Variable& x) { return fused::asinh_rule(x); }
Variable acosh(const Variable& x) { return fused::acosh_rule(x); }
Variable atanh(const Variable& x) { return fused::atanh_rule(x); }

}  // namespace xtape
