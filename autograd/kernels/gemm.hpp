// One matrix product of BLAS, on plain pointers.
#pragma once

#include <cstddef>

#include <xtensor-blas/xblas_config.hpp>

namespace xtape::kernels {

using BlasInt = xt::blas_index_t;

/// @throws ShapeError naming the operation when an extent is beyond what BLAS counts with.
BlasInt blas_int(const char* operation, std::size_t extent);

/// A row-major matrix, or what BLAS reads as one: `stride` elements from row to row. The rows and columns that a product
/// sees are those of the transposed matrix where `transposed` is set.
template <class T>
struct Matrix {
  T* data;
  std::size_t stride;
  bool transposed = false;
};

/// c = a b + beta c, for a (m, k), b (k, n) and c (m, n) of float or double, none of them empty; c is not transposed.
template <class T>
void gemm(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, BlasInt m, BlasInt n, BlasInt k,
          T beta = 0);

}  // namespace xtape::kernels
