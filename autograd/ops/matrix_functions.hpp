// Functions of matrices, made of products and solutions. Matrices are the last two axes; leading axes are batches.
#pragma once

#include <vector>

#include <autograd/variable.hpp>

namespace xtape {

/// exp(A) = I + A + A^2 / 2 + ..., by scaling and squaring with the Pade approximant of degree 13 (Higham 2005, The
/// scaling and squaring method for the matrix exponential revisited). @throws ShapeError unless square, ValueError for
/// elements that are not finite.
Variable matrix_exp(const Variable& a);
/// log(det(A)): NaN where the determinant is negative, -infinity where it is 0. @throws ShapeError unless square.
Variable logdet(const Variable& a);
/// The x of A x = b, for b (..., n, k), where A = L L' for a lower triangular L, or A = U' U for an upper triangular U.
/// @throws as solve.
Variable cholesky_solve(const Variable& b, const Variable& triangle, bool upper = false);
/// The product of matrices, in the order of the fewest multiplications (Cormen et al., Introduction to Algorithms,
/// chapter 15). The first may be a row (n,), and the last a column.
/// @throws ShapeError for none, or shapes that do not fit.
Variable multi_dot(const std::vector<Variable>& matrices);
/// The powers x^0, x^1, ..., x^(n - 1) of each element as a new last axis; n is as long as the last axis of x if left out,
/// as 0. In the opposite order unless `increasing`, as in NumPy.
Variable vander(const Variable& x, std::size_t n = 0, bool increasing = false);

}  // namespace xtape
