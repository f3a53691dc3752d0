// The places and the elements of triangles of matrices.
#pragma once

#include <autograd/variable.hpp>

namespace xtape {

/// The rows and the columns of the places on diagonal k and below it, or above it, in row-major order: (2, count), int64.
/// `auto rc = unbind(tril_indices(n, n)); x[{rc[0], rc[1]}]` reads them.
Variable tril_indices(std::size_t rows, std::size_t columns, std::ptrdiff_t k = 0);
Variable triu_indices(std::size_t rows, std::size_t columns, std::ptrdiff_t k = 0);

/// Matrices (..., n, n) of which the elements on diagonal k and below it are, in row-major order, the last axis of x, and
/// zeros the rest: PyTorch's, of its distributions. @throws ShapeError for a number of elements that fills no triangle.
Variable vec_to_tril_matrix(const Variable& x, std::ptrdiff_t k = 0);
/// The elements of matrices (..., n, m) on diagonal k and below it, in row-major order, as the last axis.
Variable tril_matrix_to_vec(const Variable& x, std::ptrdiff_t k = 0);

}  // namespace xtape
