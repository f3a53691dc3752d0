// Factorizations of matrices, on LAPACK. Matrices are the last two axes; leading axes count batches. All throw
// ValueError naming `operation` and the matrix that has no such factorization.
#pragma once

#include <autograd/array.hpp>

namespace xtape::kernels {

/// The inverses of (..., n, n).
Array inverse(const char* operation, const Array& a);
/// The x of a x = b, for (..., n, n) and (..., n, k) with the same leading axes.
Array solve(const char* operation, const Array& a, const Array& b);
/// The diagonals (..., n) of U in P L U; the sign of P is that of the first. Zeros for singular matrices.
Array pivots(const Array& a);
/// a = P L U: L below the diagonal and U on it and above, in one array of a's shape, and the row of a that each row of
/// P' a is, (..., m), int64.
struct Eliminated {
  Array factors, order;
};
Eliminated eliminated(const char* operation, const Array& a);
/// The lower triangular L of L L', of which a's lower triangle is read.
Array cholesky(const char* operation, const Array& a);
/// The orthonormal eigenvectors of symmetric matrices as columns, by ascending eigenvalues; reads the lower triangle.
Array eigenvectors(const char* operation, const Array& a);
/// The orthonormal Q (..., m, min(m, n)) of Q R; all m columns where `complete`.
Array orthonormal(const char* operation, const Array& a, bool complete = false);
/// The eigenvalues of symmetric matrices, ascending; reads the lower triangle.
Array eigenvalues(const char* operation, const Array& a);

/// a = U diag(s) V', with U (..., m, k), s (..., k), descending, and V (..., n, k), for k = min(m, n).
struct SingularVectors {
  Array u, s, v;
};
SingularVectors singular_vectors(const char* operation, const Array& a);

}  // namespace xtape::kernels
