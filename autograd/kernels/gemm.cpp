#include <autograd/kernels/gemm.hpp>

#include <algorithm>
#include <complex>  // for cxxblas
#include <limits>
#include <string>

#include <xflens/cxxblas/cxxblas.cxx>

#include <autograd/error.hpp>
#include <autograd/kernels/parallel.hpp>

extern "C" void openblas_set_num_threads(int count);

namespace xtape::kernels {

BlasInt blas_int(const char* operation, std::size_t extent) {
  if (extent > static_cast<std::size_t>(std::numeric_limits<BlasInt>::max()))
    throw ShapeError(std::string(operation) + ": an extent of " + std::to_string(extent) +
                     " is beyond what BLAS can count");
  return static_cast<BlasInt>(extent);
}

namespace {

// Products are cut here, see below, so that BLAS has no threads of its own that compete with these.
[[maybe_unused]] const bool alone = (openblas_set_num_threads(1), true);

template <class T>
void gemm_alone(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, BlasInt m, BlasInt n, BlasInt k,
                T beta) {
  auto transpose = [](bool yes) { return yes ? cxxblas::Transpose::Trans : cxxblas::Transpose::NoTrans; };
  auto stride = [](std::size_t elements) { return static_cast<BlasInt>(elements); };
  cxxblas::gemm<BlasInt>(cxxblas::StorageOrder::RowMajor, transpose(a.transposed), transpose(b.transposed), m, n, k,
                         T(1), a.data, stride(a.stride), b.data, stride(b.stride), beta, c.data, stride(c.stride));
}

// The matrix from a row or a column on.
template <class T>
Matrix<T> from_row(const Matrix<T>& x, std::size_t row) {
  return {x.data + row * (x.transposed ? 1 : x.stride), x.stride, x.transposed};
}
template <class T>
Matrix<T> from_column(const Matrix<T>& x, std::size_t column) {
  return {x.data + column * (x.transposed ? x.stride : 1), x.stride, x.transposed};
}

}  // namespace

// Several threads compute rows or columns of c each. They are cut by the extents alone: BLAS rounds otherwise in pieces of
// other extents, and results are to be the same for any number of threads.
template <class T>
void gemm(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, BlasInt m, BlasInt n, BlasInt k,
          T beta) {
  constexpr std::size_t enough = 16'000'000, wide = 128, whole = 16;  // products; extents; what BLAS takes at a time
  auto rows = static_cast<std::size_t>(m), columns = static_cast<std::size_t>(n), terms = static_cast<std::size_t>(k);
  bool by_rows = m >= n;
  std::size_t extent = by_rows ? rows : columns;
  std::size_t pieces = std::clamp<std::size_t>(std::min(rows * columns * terms / enough, extent / wide), 1, 8);
  std::size_t size = pieces == 1 ? extent : (extent / pieces + whole) / whole * whole;
  run_tasks((extent + size - 1) / size, [&](std::size_t i) {
    std::size_t first = i * size;
    auto count = static_cast<BlasInt>(std::min(size, extent - first));
    if (by_rows) gemm_alone<T>(from_row(a, first), b, from_row(c, first), count, n, k, beta);
    else gemm_alone<T>(a, from_column(b, first), from_column(c, first), m, count, k, beta);
  });
}

template void gemm(const Matrix<const float>&, const Matrix<const float>&, const Matrix<float>&, BlasInt, BlasInt,
                   BlasInt, float);
template void gemm(const Matrix<const double>&, const Matrix<const double>&, const Matrix<double>&, BlasInt, BlasInt,
                   BlasInt, double);

}  // namespace xtape::kernels
