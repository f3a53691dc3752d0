// The target that this is compiled for.
#pragma once

#include <autograd/kernels/target.hpp>

namespace xtape::kernels {

constexpr Target here = Target::XTAPE_TARGET;

}  // namespace xtape::kernels
