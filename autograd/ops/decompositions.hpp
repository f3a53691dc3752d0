// Matrix decompositions and what they are good for, on LAPACK. Matrices are the last two axes; leading axes are
// batches, which broadcast between operands. Derivatives after Giles, An extended collection of matrix derivative
// results for forward and reverse mode (2008), where nothing else is said. All throw a ValueError for a matrix that
// holds a NaN or an infinity: LAPACK makes numbers of those.
#pragma once

#include <optional>
#include <string>

#include <autograd/ops/per_axis.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// The inverse. @throws ShapeError unless square, ValueError for a singular matrix.
Variable inverse(const Variable& a);
/// The x of a x = b, for b of shape (..., n, k), or for columns: (n), or the shape of a without its last axis. That of
/// x a = b, for b of shape (..., k, n), unless `left`. @throws as inverse.
Variable solve(const Variable& a, const Variable& b, bool left = true);
/// solve for a triangular a, of which the other triangle is not read, nor the diagonal if it counts as ones.
Variable solve_triangular(const Variable& a, const Variable& b, bool upper = false, bool unit_diagonal = false,
                          bool left = true);

/// The determinant; it has derivatives where the matrix is singular, too. @throws ShapeError unless square.
Variable det(const Variable& a);

/// The sign of the determinant (0 for a singular matrix), and the logarithm of its absolute value.
struct SignAndLogDet {
  Variable sign, logabsdet;
};
SignAndLogDet slogdet(const Variable& a);

/// The lower triangular L of a = L L', or the upper triangular U of a = U' U, for a symmetric positive definite matrix,
/// of which that triangle is read (Murray 2016 for the derivative).
/// @throws ValueError for one that is not positive definite.
Variable cholesky(const Variable& a, bool upper = false);

/// Eigenvalues (..., n), ascending, and eigenvectors, as columns.
struct Eigen {
  Variable values, vectors;
};
/// Of a symmetric matrix: its symmetric part counts. The derivative of eigenvectors needs distinct eigenvalues, that of
/// the values alone does not. @throws ShapeError unless square, ValueError where LAPACK finds none.
Eigen eigh(const Variable& a);
/// Of the symmetric matrix of which a triangle is read, the lower one, "L", or the upper one, "U". As in PyTorch, the
/// gradient is that of the whole symmetric matrix. @throws ValueError for another text.
Eigen eigh(const Variable& a, const std::string& uplo);
/// The eigenvalues alone.
Variable eigvalsh(const Variable& a);
Variable eigvalsh(const Variable& a, const std::string& uplo);

/// a = U diag(S) V', reduced: U (..., m, k), S (..., k), descending, and V' (..., k, n), for k = min(m, n).
struct SVD {
  Variable u, s, vh;
};
/// The singular value decomposition (Townsend 2016, Differentiating the singular value decomposition). The derivatives
/// of the vectors need singular values that are distinct and not 0, that of the values alone does not.
/// With full_matrices U is (..., m, m) and V' (..., n, n); as in PyTorch, gradients of what is beyond the first k
/// columns of U and V, any basis of the rest of space, are left out.
SVD svd(const Variable& a, bool full_matrices = false);
/// The singular values alone, descending.
Variable svdvals(const Variable& a);

/// Q with orthonormal columns, and R upper triangular.
struct QR {
  Variable q, r;
};
/// a = Q R (Walter, Lehmann 2010 for the derivative, which needs the first columns to be independent): Q (..., m, k)
/// and R (..., k, n), for k = min(m, n) if mode is "reduced", k = m if it is "complete". The latter has no derivatives
/// for more rows than columns: backward throws a ValueError. @throws ValueError for another mode.
QR qr(const Variable& a, const std::string& mode = "reduced");
/// The x of least |a x - b|^2, b as for solve: by a QR decomposition for as many rows as columns or more, which have to
/// be independent; the shortest such x, by `pinv`, for fewer rows.
/// @throws ShapeError for shapes that do not fit, ValueError for columns that depend on each other.
Variable lstsq(const Variable& a, const Variable& b);

struct PinvOptions {
  [[no_unique_address]] detail::ByName by_name = {};
  double atol = 0;
  std::optional<double> rtol = {};  ///< the greater extent times the dtype's epsilon, or 0 where atol is given
  bool hermitian = false;           ///< a is symmetric, of which the lower triangle is read: by eigenvalues
};
/// The pseudo-inverse (Moore, Penrose), by singular values: those up to atol or rtol times the greatest count as 0.
/// The derivative takes the rank for constant (Golub, Pereyra 1973, equation 4.12); with `hermitian` it is that of
/// the whole symmetric matrix, as eigh's. @throws ValueError for a negative atol or rtol.
Variable pinv(const Variable& a, const PinvOptions& options);
/// With this rtol, or that of the options above if it is negative.
Variable pinv(const Variable& a, double rtol = -1);

/// Norms of matrices, over two axes: "fro", the root of the sum of squares, or "nuc", the sum of the singular values.
/// @throws ValueError for another kind.
Variable matrix_norm(const Variable& a, const std::string& kind = "fro", const Axes& axes = {-2, -1},
                     bool keepdims = false);
/// The norms that vectors induce: 1 and infinity, the greatest sum of absolute values of a column and of a row; 2, the
/// greatest singular value; with the minus sign, the least of these. @throws ValueError for another p.
Variable matrix_norm(const Variable& a, double p, const Axes& axes = {-2, -1}, bool keepdims = false);

/// a multiplied by itself n times; the inverse's power for n < 0, the identity for 0.
Variable matrix_power(const Variable& a, int n);

}  // namespace xtape
