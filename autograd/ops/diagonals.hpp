// Diagonals and triangles of matrices.
#pragma once

#include <cstddef>

#include <autograd/variable.hpp>

namespace xtape {

/// The last two axes with zeros below diagonal k, or above it.
Variable triu(const Variable& x, std::ptrdiff_t k = 0);
Variable tril(const Variable& x, std::ptrdiff_t k = 0);
/// Diagonal k of the planes of two axes, as a new last axis.
Variable diagonal(const Variable& x, std::ptrdiff_t k = 0, std::ptrdiff_t axis1 = 0, std::ptrdiff_t axis2 = 1);
/// A matrix with x on diagonal k if x has one axis; diagonal k of x if it has two.
Variable diag(const Variable& x, std::ptrdiff_t k = 0);
/// The last axis as diagonal k of matrices, zeros elsewhere.
Variable diag_embed(const Variable& x, std::ptrdiff_t k = 0);
/// The sum of the diagonal of a matrix.
Variable trace(const Variable& x);

}  // namespace xtape
