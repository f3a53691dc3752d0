#include <autograd/kernels/functions.hpp>
#include <autograd/kernels/targets/compile.hpp>

namespace xtape::kernels {

template struct CompiledFunctions<here, 1, Relu, Log>;
template struct CompiledFunctions<here, 2, Add, Subtract, Divide, ExpOfDifference>;

}  // namespace xtape::kernels
