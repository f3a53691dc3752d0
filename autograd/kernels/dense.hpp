// The steps of dense operands.
#pragma once

#include <cstddef>

namespace xtape::kernels {

/// One for each of up to 8 operands.
inline constexpr std::ptrdiff_t step_one[8] = {1, 1, 1, 1, 1, 1, 1, 1};

}  // namespace xtape::kernels
