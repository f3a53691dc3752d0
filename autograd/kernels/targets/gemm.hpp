// The matrix product in one thread, for each target.
#pragma once

#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/target.hpp>

namespace xtape::kernels {

/// Cuts of c into parts with as many rows and columns, or all, leave all bits as they are.
inline constexpr std::size_t smallest_part = 64;

/// As gemm. Each element is a sum in an order that depends on k, on whether operands are transposed, and on which extents
/// are below 64: a cut of c into parts of 64 rows and columns or more leaves all bits as they are.
template <Target target, class T>
void gemm_on(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, std::size_t m, std::size_t n,
             std::size_t k, bool add);

}  // namespace xtape::kernels
