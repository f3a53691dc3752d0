// Sums of arrays, for the walk and for optimizers.
#pragma once

#include <autograd/array.hpp>

namespace xtape::kernels {

/// `sum += term`, of equal shapes and dtypes.
void add_in_place(Array& sum, const Array& term);

}  // namespace xtape::kernels
