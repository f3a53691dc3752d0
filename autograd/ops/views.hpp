// Reading and writing a part of an array, as operations that are each other's gradients. Slices, diagonals, flips and
// windows are made of them, and what arrays of indices pick.
#pragma once

#include <autograd/kernels/indexed.hpp>
#include <autograd/kernels/strided.hpp>
#include <autograd/variable.hpp>

namespace xtape::detail {

// Place is kernels::View or kernels::Slices.

/// The elements of the part of x.
template <class Place>
Variable read_part(const char* operation, const Variable& x, const Place& place);

/// x with `part` added to its elements there, or put in their place. In place where the x given is the only handle. An
/// element that the place names twice is added to twice; assign_to_part wants a place that names none twice.
template <class Place>
Variable add_to_part(const char* operation, Variable x, const Place& place, const Variable& part);
template <class Place>
Variable assign_to_part(const char* operation, Variable x, const Place& place, const Variable& part);

/// Writes `part` to the elements of x there, for every handle of x to see: in place where nothing else shares them.
/// x is as it was where this throws.
template <class Place>
void overwrite_part(const char* operation, const Variable& x, const Place& place, const Variable& part);

/// Zeros of `shape`, with the elements of x added at the place: to elements that it names twice, twice.
template <class Place>
Variable write_part(const char* operation, const Variable& x, const Shape& shape, const Place& place);

}  // namespace xtape::detail
