#include <autograd/batch.hpp>
#include <autograd/fused/registers.hpp>  // before the rules

#include <autograd/fused/transcendental.hpp>
#include <autograd/ops/define_elementwise.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>

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
  if (!is_floating(common_dtype("pow", operands)) && detail::any_nonzero(b < 0))
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

namespace xtape::fused {

Number exp(const Number& x) { return exp_rule(x); }
Number expm1(const Number& x) { return expm1_rule(x); }
Number log(const Number& x) { return log_rule(x); }
Number log1p(const Number& x) { return log1p_rule(x); }
Number pow(const Number& a, const Number& b) { return pow_rule(a, b); }
Number exp2(const Number& x) { return exp2_rule(x); }
Number log2(const Number& x) { return log2_rule(x); }
Number log10(const Number& x) { return log10_rule(x); }
Number logaddexp(const Number& a, const Number& b) { return logaddexp_rule(a, b); }
Number logaddexp2(const Number& a, const Number& b) { return logaddexp2_rule(a, b); }
Number ldexp(const Number& a, const Number& b) { return a * exp2(b); }
Number xlog1py(const Number& a, const Number& b) { return xlog1py_rule(a, b); }
Number xlogy(const Number& a, const Number& b) { return xlogy_rule(a, b); }
Number sin(const Number& x) { return sin_rule(x); }
Number sinc(const Number& x) { return sinc_rule(x); }
Number cos(const Number& x) { return cos_rule(x); }
Number tan(const Number& x) { return tan_rule(x); }
Number asin(const Number& x) { return asin_rule(x); }
Number acos(const Number& x) { return acos_rule(x); }
Number atan(const Number& x) { return atan_rule(x); }
Number atan2(const Number& y, const Number& x) { return atan2_rule(y, x); }
Number sinh(const Number& x) { return sinh_rule(x); }
Number cosh(const Number& x) { return cosh_rule(x); }
Number tanh(const Number& x) { return tanh_rule(x); }
Number asinh(const Number& x) { return asinh_rule(x); }
Number acosh(const Number& x) { return acosh_rule(x); }
Number atanh(const Number& x) { return atanh_rule(x); }

}  // namespace xtape::fused
