#include <autograd/fused/registers.hpp>  // before the rules

#include <autograd/fused/transcendental.hpp>
#include <autograd/kernels/targets/compile.hpp>

namespace xtape::kernels {

using namespace fused;

template struct CompiledRules<here, exp_rule, expm1_rule, log_rule, log1p_rule, pow_rule, exp2_rule, log2_rule,
    log10_rule, logaddexp_rule, logaddexp2_rule, xlog1py_rule, entr_rule, xlogy_rule, sin_rule, sinc_rule, cos_rule,
    tan_rule, asin_rule, acos_rule, atan_rule, atan2_rule, sinh_rule, cosh_rule, tanh_rule, asinh_rule, acosh_rule,
    atanh_rule, erf_rule, erfc_rule, logit_rule>;

}  // namespace xtape::kernels
