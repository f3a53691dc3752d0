// Reading and writing strided parts of an array, as a pair of operations that are each other's gradient. Slices,
// diagonals, flips and windows are made of them.
#pragma once

#include <autograd/kernels/strided.hpp>
#include <autograd/variable.hpp>

namespace xtape::detail {

/// The elements of the view of x.
Variable read_view(const char* operation, const Variable& x, const kernels::View& view);

/// x with the part added to its elements in the view, or put in their place. In place where the x given is the only
/// handle. An element that the view meets twice is added to twice; assign_to_view wants a view that meets none twice.
Variable add_to_view(const char* operation, Variable x, const kernels::View& view, const Variable& part);
Variable assign_to_view(const char* operation, Variable x, const kernels::View& view, const Variable& part);

/// Zeros of `shape`, with the elements of x added where the view reads: to elements that it reads twice, twice.
Variable write_view(const char* operation, const Variable& x, const Shape& shape, const kernels::View& view);

}  // namespace xtape::detail
