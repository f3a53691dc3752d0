// Rows that begin from a bias, for a matrix product to be added.
#pragma once

#include <autograd/array.hpp>

namespace xtape::kernels {

/// x (rows, n) with bias (n,) added to each row; what is undefined counts as 0. `shape` is (rows, n), the dtype float32
/// or float64.
Array rows_plus_bias(const Shape& shape, DType dtype, const Array& x, const Array& bias);

}  // namespace xtape::kernels
