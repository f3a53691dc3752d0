// Matrix products: on OpenBLAS where floating-point, of int64 by loops.
#pragma once

#include <autograd/array.hpp>

namespace xtape::kernels {

/// op(a) op(b) for the last two axes, where op transposes if asked; leading axes broadcast. Both have two axes or
/// more, fitting shapes and one dtype, not bool. Beyond 64 bits, int64 wraps around.
/// @throws ShapeError when an extent is beyond what BLAS counts with.
Array matmul(const Array& a, const Array& b, bool transpose_a, bool transpose_b);

/// sum += a b, for three matrices.
void add_matmul(Array& sum, const Array& a, const Array& b);

}  // namespace xtape::kernels
