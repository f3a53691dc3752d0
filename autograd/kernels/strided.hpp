// Copies between a dense array and a strided part of one: what transposes, slices and broadcasts are.
#pragma once

#include <autograd/array.hpp>
#include <autograd/kernels/layout.hpp>

namespace xtape::kernels {

/// A part of a dense array: where it begins and how it steps, in elements. Steps may be 0 or negative.
struct View {
  Shape shape;
  Strides strides;
  std::ptrdiff_t offset = 0;
};

/// The elements of the view, as a dense array.
Array read_part(const Array& x, const View& view);

/// Overwrites the elements of a view that meets no element twice.
void assign_part(Array& x, const View& view, const Array& elements);

/// Adds to the elements of a view. A bool array becomes true where `elements` is.
void add_part(Array& x, const View& view, const Array& elements);

/// x in the order of `axes`.
Array transpose(const Array& x, const std::vector<std::size_t>& axes);

/// x repeated to `shape`, which it broadcasts to.
Array broadcast_to(const Array& x, const Shape& shape);

}  // namespace xtape::kernels
