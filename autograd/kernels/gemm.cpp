#include <autograd/kernels/gemm.hpp>

#include <complex>  // for cxxblas
#include <limits>
#include <string>

#include <xflens/cxxblas/cxxblas.cxx>

#include <autograd/error.hpp>

namespace xtape::kernels {

BlasInt blas_int(const char* operation, std::size_t extent) {
  if (extent > static_cast<std::size_t>(std::numeric_limits<BlasInt>::max()))
    throw ShapeError(std::string(operation) + ": an extent of " + std::to_string(extent) +
                     " is beyond what BLAS can count");
  return static_cast<BlasInt>(extent);
}

template <class T>
void gemm(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, BlasInt m, BlasInt n, BlasInt k,
          T beta) {
  auto transpose = [](bool yes) { return yes ? cxxblas::Transpose::Trans : cxxblas::Transpose::NoTrans; };
  auto stride = [](std::size_t elements) { return static_cast<BlasInt>(elements); };
  cxxblas::gemm<BlasInt>(cxxblas::StorageOrder::RowMajor, transpose(a.transposed), transpose(b.transposed), m, n, k,
                         T(1), a.data, stride(a.stride), b.data, stride(b.stride), beta, c.data, stride(c.stride));
}

template void gemm(const Matrix<const float>&, const Matrix<const float>&, const Matrix<float>&, BlasInt, BlasInt,
                   BlasInt, float);
template void gemm(const Matrix<const double>&, const Matrix<const double>&, const Matrix<double>&, BlasInt, BlasInt,
                   BlasInt, double);

}  // namespace xtape::kernels
