// Functions of matrices, made of products and solutions. Matrices are the last two axes; leading axes are batches.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <autograd/ops/per_axis.hpp>
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
struct RankOptions {
  [[no_unique_address]] detail::ByName by_name = {};
  double atol = 0;
  std::optional<double> rtol = {};  ///< the greater extent times the dtype's epsilon, or 0 where atol is given
  bool hermitian = false;           ///< a is symmetric, of which the lower triangle is read: by eigenvalues
};
/// How many singular values are greater than atol, and than rtol times the greatest, as int64. Not differentiable.
/// @throws ValueError for a negative atol or rtol, or elements that are not finite.
Variable matrix_rank(const Variable& a, const RankOptions& options = {});
/// The condition number: the greatest singular value divided by the least; where that is 0, infinity.
Variable cond(const Variable& a);
/// The norm of the matrix times that of its inverse, for the p or the kind of matrix_norm; infinity for a singular one.
/// Where it is infinite, the derivative counts 0.
/// @throws ShapeError unless square, but for the p of 2 and -2, which are the quotients of singular values.
Variable cond(const Variable& a, double p);
Variable cond(const Variable& a, const std::string& kind);
/// The powers x^0, x^1, ..., x^(n - 1) of each element as a new last axis; n is as long as the last axis of x if left out,
/// as 0. In the opposite order unless `increasing`, as in NumPy.
Variable vander(const Variable& x, std::size_t n = 0, bool increasing = false);

}  // namespace xtape
