// Copies to and from places that an array of indices names. Indices have been checked to be in range.
#pragma once

#include <autograd/array.hpp>

namespace xtape::kernels {

/// Slices of x along `axis`: the result has the shape of `indices` in place of that axis.
Array take(const Array& x, const Array& indices, std::size_t axis);
/// The transposed operation: adds the slices of g to zeros of `shape`. Of bool, a sum holds where one of its terms does.
Array take_adjoint(const Array& g, const Array& indices, std::size_t axis, const Shape& shape);

/// result[i..., j, k...] = x[i..., indices[i..., j, k...], k...]
Array take_along_axis(const Array& x, const Array& indices, std::size_t axis);
/// The transposed operation: adds the elements of g to zeros of `shape`.
Array take_along_axis_adjoint(const Array& g, const Array& indices, std::size_t axis, const Shape& shape);

/// The order that sorts along `axis`, stable; NaN counts as the greatest.
Array argsort(const Array& x, std::size_t axis, bool descending);

}  // namespace xtape::kernels
