// Matrix products.
#pragma once

#include <autograd/array.hpp>

namespace xtape::kernels {

/// op(a) op(b) for the last two axes, where op transposes if asked; leading axes broadcast. Both have two axes or
/// more, fitting shapes and one dtype, not bool. Beyond 64 bits, int64 wraps around.
Array matmul(const Array& a, const Array& b, bool transpose_a, bool transpose_b);

/// x weight' + bias for x (..., in), weight (out, in) and bias (out), which may be undefined.
Array linear(const Array& x, const Array& weight, const Array& bias);

/// sum += a b, for three matrices.
void add_matmul(Array& sum, const Array& a, const Array& b);

}  // namespace xtape::kernels
