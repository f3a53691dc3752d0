#include <autograd/kernels/lapack.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <xtensor-blas/xblas_config.hpp>

#include <xflens/cxxblas/cxxblas.cxx>
#include <xflens/cxxlapack/cxxlapack.cxx>

#include <autograd/kernels/strided.hpp>

extern "C" void openblas_set_num_threads(int count);

namespace xtape::kernels {
namespace {

// In more than one, its results would depend on how many there are, and they would compete with ours.
[[maybe_unused]] const bool alone = (openblas_set_num_threads(1), true);

using Int = xt::blas_index_t;

Int lapack_int(const char* operation, std::size_t extent) {
  if (extent > static_cast<std::size_t>(std::numeric_limits<Int>::max()))
    throw ShapeError(std::string(operation) + ": an extent of " + std::to_string(extent) +
                     " is beyond what LAPACK can count");
  return static_cast<Int>(extent);
}

// LAPACK reads columns where our rows are.
Array transposed(const Array& a) {
  std::vector<std::size_t> order(a.rank());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::swap(order[order.size() - 2], order.back());
  return transpose(a, order);
}

void require(bool factorized, const char* operation, std::size_t matrix, const Array& a, const char* reason) {
  if (factorized) return;
  std::string which = a.rank() > 2 ? "matrix " + std::to_string(matrix) + " of " : "the matrix ";
  throw ValueError(std::string(operation) + ": " + which + to_string(a.shape()) + " " + reason);
}

// Calls f(elements of the matrix, its number) for each matrix of a, which is a copy to write to.
// @throws ValueError for one with a NaN or an infinity: from those LAPACK makes numbers, or ends the program.
template <class F>
void for_each_matrix(const char* operation, Array& a, F&& f) {
  visit_floating(operation, a.dtype(), [&]<class T>(T) {
    std::size_t size = a.shape()[a.rank() - 2] * a.shape()[a.rank() - 1];
    T* elements = a.mutable_data<T>();
    for (std::size_t i = 0; size > 0 && i < a.size() / size; ++i) {
      T* matrix = elements + i * size;
      bool finite = std::all_of(matrix, matrix + size, [](T x) { return std::isfinite(x); });
      require(finite, operation, i, a, "holds a NaN or an infinity");
      f(matrix, i);
    }
  });
}

template <class T>
struct Workspace {
  std::vector<T> work;
  explicit Workspace(std::size_t size) : work(std::max<std::size_t>(size, 1)) {}
  T* data() { return work.data(); }
  Int size() const { return static_cast<Int>(work.size()); }
};

}  // namespace

Array inverse(const char* operation, const Array& a) {
  Array result = a.copy();
  Int n = lapack_int(operation, a.shape().back());
  for_each_matrix(operation, result, [&]<class T>(T* matrix, std::size_t i) {
    // The inverse of the transpose is the transpose of the inverse: the order of elements plays no part.
    std::vector<Int> order(static_cast<std::size_t>(n));
    Workspace<T> work(static_cast<std::size_t>(n) * 64);
    bool regular = cxxlapack::getrf<Int>(n, n, matrix, n, order.data()) == 0 &&
                   cxxlapack::getri<Int>(n, matrix, n, order.data(), work.data(), work.size()) == 0;
    require(regular, operation, i, a, "is singular");
  });
  return result;
}

Array solve(const char* operation, const Array& a, const Array& b) {
  Array factors = a.copy(), result = transposed(b);
  Int n = lapack_int(operation, a.shape().back()), k = lapack_int(operation, b.shape().back());
  if (result.size() == 0) return transposed(result);
  for_each_matrix(operation, factors, [&]<class T>(T* matrix, std::size_t i) {
    std::vector<Int> order(static_cast<std::size_t>(n));
    require(cxxlapack::getrf<Int>(n, n, matrix, n, order.data()) == 0, operation, i, a, "is singular");
    T* x = result.mutable_data<T>() + i * static_cast<std::size_t>(n * k);
    cxxlapack::getrs<Int>('T', n, k, matrix, n, order.data(), x, n);
  });
  return transposed(result);
}

Array pivots(const Array& a) {
  Array factors = a.copy();
  std::size_t n = a.shape().back();
  Array result(Shape(a.shape().begin(), a.shape().end() - 1), a.dtype());
  for_each_matrix("det", factors, [&]<class T>(T* matrix, std::size_t i) {
    std::vector<Int> order(n);
    Int extent = lapack_int("det", n);
    cxxlapack::getrf<Int>(extent, extent, matrix, extent, order.data());
    T* diagonal = result.mutable_data<T>() + i * n;
    for (std::size_t k = 0; k < n; ++k) diagonal[k] = matrix[k * (n + 1)];
    for (std::size_t k = 0; k < n; ++k)
      if (order[k] != static_cast<Int>(k) + 1) diagonal[0] = -diagonal[0];
  });
  return result;
}

Eliminated eliminated(const char* operation, const Array& a) {
  Array columns = transposed(a);
  std::size_t m = a.shape()[a.rank() - 2], n = a.shape().back();
  Array order(Shape(a.shape().begin(), a.shape().end() - 1), DType::int64);
  auto* row = order.mutable_data<std::int64_t>();
  for (std::size_t i = 0; i < order.size(); ++i) row[i] = static_cast<std::int64_t>(i % m);
  for_each_matrix(operation, columns, [&]<class T>(T* matrix, std::size_t i) {
    std::vector<Int> exchanged(std::min(m, n));
    Int rows = lapack_int(operation, m);
    cxxlapack::getrf<Int>(rows, lapack_int(operation, n), matrix, rows, exchanged.data());
    for (std::size_t k = 0; k < exchanged.size(); ++k)
      std::swap(row[i * m + k], row[i * m + static_cast<std::size_t>(exchanged[k]) - 1]);
  });
  return {transposed(columns), order};
}

Array cholesky(const char* operation, const Array& a) {
  Array result = a.copy();
  std::size_t n = a.shape().back();
  for_each_matrix(operation, result, [&]<class T>(T* matrix, std::size_t i) {
    Int extent = lapack_int(operation, n);
    require(cxxlapack::potrf<Int>('U', extent, matrix, extent) == 0, operation, i, a, "is not positive definite");
    for (std::size_t row = 0; row < n; ++row) std::fill(matrix + row * n + row + 1, matrix + (row + 1) * n, T(0));
  });
  return result;
}

namespace {

// Overwrites the matrices with their eigenvectors as rows, where those are wanted, and returns the eigenvalues.
Array diagonalize(const char* operation, Array& a, bool vectors) {
  std::size_t n = a.shape().back();
  Array values(Shape(a.shape().begin(), a.shape().end() - 1), a.dtype());
  for_each_matrix(operation, a, [&]<class T>(T* matrix, std::size_t i) {
    Int extent = lapack_int(operation, n);
    Workspace<T> work(1 + 6 * n + 2 * n * n);
    Workspace<Int> more(3 + 5 * n);
    bool converged = cxxlapack::syevd<Int>(vectors ? 'V' : 'N', 'U', extent, matrix, extent,
                                           values.mutable_data<T>() + i * n, work.data(), work.size(), more.data(),
                                           more.size()) == 0;
    require(converged, operation, i, a, "has eigenvalues that were not found");
  });
  return values;
}

}  // namespace

Array eigenvectors(const char* operation, const Array& a) {
  Array rows = a.copy();
  diagonalize(operation, rows, true);
  return transposed(rows);
}

Array eigenvalues(const char* operation, const Array& a) {
  Array copy = a.copy();
  return diagonalize(operation, copy, false);
}

SingularVectors singular_vectors(const char* operation, const Array& a) {
  Array matrices = a.copy();  // whose rows LAPACK takes for columns: it decomposes a' = V S U'
  std::size_t m = a.shape()[a.rank() - 2], n = a.shape().back(), k = std::min(m, n);
  Shape batch(a.shape().begin(), a.shape().end() - 2), values = batch, left = batch, right = batch;
  values.push_back(k);
  left.insert(left.end(), {m, k});
  right.insert(right.end(), {k, n});
  Array u(left, a.dtype()), s(values, a.dtype()), v(right, a.dtype());
  for_each_matrix(operation, matrices, [&]<class T>(T* matrix, std::size_t i) {
    Int rows = lapack_int(operation, n), columns = lapack_int(operation, m), rank = lapack_int(operation, k);
    Workspace<T> work(k * (6 + 4 * k) + std::max(m, n) * 64 + 8 * k);
    std::vector<Int> more(8 * k);
    bool converged = cxxlapack::gesdd<Int>('S', rows, columns, matrix, rows, s.mutable_data<T>() + i * k,
                                           v.mutable_data<T>() + i * n * k, rows, u.mutable_data<T>() + i * m * k, rank,
                                           work.data(), work.size(), more.data()) == 0;
    require(converged, operation, i, a, "has singular values that were not found");
  });
  return {u, s, transposed(v)};
}

Array orthonormal(const char* operation, const Array& a, bool complete) {
  Array reflectors = transposed(a);  // (..., n, m)
  std::size_t m = a.shape()[a.rank() - 2], n = a.shape().back(), k = std::min(m, n), count = complete ? m : k;
  Shape shape = reflectors.shape();
  shape[shape.size() - 2] = count;
  Array result(shape, a.dtype());
  for_each_matrix(operation, reflectors, [&]<class T>(T* matrix, std::size_t i) {
    Int rows = lapack_int(operation, m), extent = lapack_int(operation, n), rank = lapack_int(operation, k);
    std::vector<T> tau(k);
    Workspace<T> work(64 * std::max(n, count));
    cxxlapack::geqrf<Int>(rows, extent, matrix, rows, tau.data(), work.data(), work.size());
    T* columns = result.mutable_data<T>() + i * count * m;
    std::copy_n(matrix, k * m, columns);
    Int all = lapack_int(operation, count);
    cxxlapack::orgqr<Int>(rows, all, rank, columns, rows, tau.data(), work.data(), work.size());
  });
  return transposed(result);
}

}  // namespace xtape::kernels
