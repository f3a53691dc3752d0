#include <autograd/fused/targets/compile.hpp>
#include <nn/fused_functions.hpp>

namespace xtape::fused {

using namespace nn::detail;
template <std::size_t... blocks>
using Blocks = std::index_sequence<blocks...>;

template struct CompiledFusion<kernels::here, 1, GRUCell, Blocks<3, 3, 1>, Blocks<1>>;
template struct CompiledFusion<kernels::here, 1, LSTMCell, Blocks<4, 1>, Blocks<1, 1>>;
template struct CompiledFusion<kernels::here, 1, BentDistance, Blocks<1, 1>, Blocks<1>>;
template struct CompiledFusion<kernels::here, 1, CTCStep, Blocks<1, 1, 1, 1, 1>, Blocks<1>>;

}  // namespace xtape::fused
