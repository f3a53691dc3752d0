#include <autograd/fused/activations.hpp>
#include <autograd/kernels/targets/compile.hpp>

namespace xtape::kernels {

using namespace fused;

template struct CompiledRules<here, sigmoid_rule, logsigmoid_rule, relu_rule, leaky_relu_rule, elu_rule, celu_rule,
    gelu_rule, gelu_tanh_rule, silu_rule, softplus_rule, mish_rule, softsign_rule, hardswish_rule, hardtanh_rule,
    softshrink_rule, hardshrink_rule, tanhshrink_rule>;

}  // namespace xtape::kernels
