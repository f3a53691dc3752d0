// Copies to and from places that an array of indices names. Indices have been checked to be in range.
#pragma once

#include <autograd/array.hpp>

namespace xtape::kernels {

/// Slices of an array that is seen as (outer, extent, inner): those that `indices`, in [0, extent), name along the middle
/// axis, of which each is `inner` long. The part is the array (outer, indices, inner), seen as `shape`.
struct Slices {
  Shape shape;
  std::size_t outer = 1, extent = 1, inner = 1;
  Array indices;
};

/// Those along `axis` of an array of shape `whole`: the part has the shape of `indices` in place of that axis.
Slices slices_along(const Shape& whole, const Array& indices, std::size_t axis);

/// The elements of the slices.
Array read_part(const Array& x, const Slices& slices);
/// Overwrites slices of which none is named twice.
void assign_part(Array& x, const Slices& slices, const Array& elements);
/// Adds to the slices. Of bool, a sum holds where one of its terms does.
void add_part(Array& x, const Slices& slices, const Array& elements);

/// result[i..., j, k...] = x[i..., indices[i..., j, k...], k...]
Array take_along_axis(const Array& x, const Array& indices, std::size_t axis);
/// The transposed operation: adds the elements of g to zeros of `shape`.
Array take_along_axis_adjoint(const Array& g, const Array& indices, std::size_t axis, const Shape& shape);

/// The order that sorts along `axis`, stable; NaN counts as the greatest.
Array argsort(const Array& x, std::size_t axis, bool descending);

}  // namespace xtape::kernels
