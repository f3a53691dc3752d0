// Where numbers stand in an order.
#pragma once

#include <autograd/array.hpp>

namespace xtape::kernels {

/// For each value the number of elements less than it (or, from the `right`, not greater) in an ascending row: the one
/// of `sorted` (n), or of `sorted` (..., n) and `values` (..., m), those with the same leading axes. Of one dtype; NaN
/// counts as the greatest. int64.
Array searchsorted(const Array& sorted, const Array& values, bool right);

}  // namespace xtape::kernels
