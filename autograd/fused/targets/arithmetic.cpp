#include <autograd/fused/remainders.hpp>
#include <autograd/kernels/targets/compile.hpp>

namespace xtape::kernels {

using namespace fused;

template struct CompiledRules<here, add_rule, sub_rule, mul_rule, div_rule, neg_rule, square_rule, sqrt_rule,
    reciprocal_rule, rsqrt_rule, hypot_rule, fmod_rule, remainder_rule, floor_divide_rule, lerp_rule, abs_rule,
    sign_rule, heaviside_rule, copysign_rule, nextafter_rule, floor_rule, ceil_rule, round_rule, trunc_rule, frac_rule,
    maximum_rule, minimum_rule, fmax_rule, fmin_rule, clip_rule, clamp_min_rule, clamp_max_rule, where_rule, equal_rule,
    less_rule, less_equal_rule>;

}  // namespace xtape::kernels
