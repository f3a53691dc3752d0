// One matrix product, on plain pointers.
#pragma once

#include <cstddef>

namespace xtape::kernels {

/// A row-major matrix: `stride` elements from row to row. The rows and columns that a product sees are those of the
/// transposed matrix where `transposed` is set.
template <class T>
struct Matrix {
  T* data;
  std::size_t stride;
  bool transposed = false;

  // From one row, and from one column, to the next, in elements.
  std::size_t row_step() const { return transposed ? 1 : stride; }
  std::size_t column_step() const { return transposed ? stride : 1; }
  /// The matrix from this row and column on.
  Matrix from(std::size_t row, std::size_t column) const {
    return {data + row * row_step() + column * column_step(), stride, transposed};
  }
};

/// c = a b, added to what is there if asked, for a (m, k), b (k, n) and c (m, n) of float or double, none of them empty;
/// c is not transposed. Several threads compute parts of c.
template <class T>
void gemm(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, std::size_t m, std::size_t n,
          std::size_t k, bool add = false);

}  // namespace xtape::kernels
