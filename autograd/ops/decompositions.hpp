// Matrix decompositions and what they are good for, on LAPACK. Matrices are the last two axes; leading axes are
// batches, which broadcast between operands. Derivatives after Giles, An extended collection of matrix derivative
// results for forward and reverse mode (2008), where nothing else is said.
#pragma once

#include <autograd/variable.hpp>

namespace xtape {

/// The inverse. @throws ShapeError unless square, ValueError for a singular matrix.
Variable inverse(const Variable& a);
/// The x of a x = b, for b of shape (..., n, k), or (n) as a column. @throws as inverse.
Variable solve(const Variable& a, const Variable& b);
/// solve for a triangular a, of which the other triangle is not read.
Variable solve_triangular(const Variable& a, const Variable& b, bool upper = false);

/// The determinant. Its derivative needs a regular matrix. @throws ShapeError unless square.
Variable det(const Variable& a);

/// The sign of the determinant (0 for a singular matrix), and the logarithm of its absolute value.
struct SignAndLogDet {
  Variable sign, logabsdet;
};
SignAndLogDet slogdet(const Variable& a);

/// The lower triangular L of a = L L', for a symmetric positive definite matrix (Murray 2016 for the derivative).
/// @throws ValueError for one that is not positive definite.
Variable cholesky(const Variable& a);

/// Eigenvalues (..., n), ascending, and eigenvectors, as columns.
struct Eigen {
  Variable values, vectors;
};
/// Of a symmetric matrix: its symmetric part counts. The derivative of eigenvectors needs distinct eigenvalues.
Eigen eigh(const Variable& a);

/// Q with orthonormal columns, and R upper triangular.
struct QR {
  Variable q, r;
};
/// a = Q R, reduced, for a of as many rows as columns or more, of full rank (Walter, Lehmann 2010 for the derivative).
QR qr(const Variable& a);
/// The x of least |a x - b|^2, for a of full column rank; by a QR decomposition. b as for solve.
Variable lstsq(const Variable& a, const Variable& b);
/// (a' a)^-1 a', or a' (a a')^-1: the pseudo-inverse of a matrix of full rank.
Variable pinv(const Variable& a);

/// a multiplied by itself n times; the inverse's power for n < 0, the identity for 0.
Variable matrix_power(const Variable& a, int n);

}  // namespace xtape
