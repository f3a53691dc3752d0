// A row of comparisons, for each target.
#pragma once

#include <cstddef>

#include <autograd/kernels/target.hpp>

namespace xtape::kernels {

/// out[i] = f(a[i a_step], b[i b_step]) for i < n, where steps are 1, or 0 for an operand that is the same in the whole row.
/// F is one of the comparisons and logical functions of <functional>; T may be bool.
template <Target target, class F, class T>
void compare_row_on(const T* a, std::ptrdiff_t a_step, const T* b, std::ptrdiff_t b_step, std::size_t n, bool* out);

}  // namespace xtape::kernels
