// How a kernel steps through the elements of an array.
#pragma once

#include <cstddef>

#include <autograd/shape.hpp>

namespace xtape::kernels {

using Strides = PerAxisNumbers<std::ptrdiff_t>;  ///< in elements, one for each axis

/// The strides of a dense row-major array.
Strides dense_strides(const Shape& shape);

/// The strides that read `shape` as if broadcast to `result`: 0 where an axis is repeated.
Strides broadcast_strides(const Shape& shape, const Shape& result);

}  // namespace xtape::kernels
