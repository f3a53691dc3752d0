#include <autograd/fused/normalization.hpp>
#include <autograd/kernels/targets/compile.hpp>

namespace xtape::kernels {

template struct CompiledRules<here, fused::scale_and_shift_rule, fused::batch_norm_rule>;

}  // namespace xtape::kernels
