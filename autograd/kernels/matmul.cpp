#include <autograd/kernels/matmul.hpp>

#include <algorithm>
#include <limits>

#include <xtensor-blas/xblas_config.hpp>

#include <xflens/cxxblas/cxxblas.cxx>

#include <autograd/kernels/layout.hpp>

namespace xtape::kernels {
namespace {

using Int = xt::blas_index_t;

Int blas_int(std::size_t extent) {
  if (extent > static_cast<std::size_t>(std::numeric_limits<Int>::max()))
    throw ShapeError("matmul: an extent of " + std::to_string(extent) + " is beyond what BLAS can count");
  return static_cast<Int>(extent);
}

Shape leading(const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); }

template <class T>
void gemm(const T* a, bool ta, const T* b, bool tb, T beta, T* c, Int m, Int n, Int k) {
  using cxxblas::Transpose;
  cxxblas::gemm<Int>(cxxblas::StorageOrder::RowMajor, ta ? Transpose::Trans : Transpose::NoTrans,
                     tb ? Transpose::Trans : Transpose::NoTrans, m, n, k, T(1), a, std::max(ta ? m : k, 1), b,
                     std::max(tb ? k : n, 1), beta, c, std::max(n, 1));
}

}  // namespace

Array matmul(const Array& a, const Array& b, bool ta, bool tb) {
  const auto *end_a = &*a.shape().end(), *end_b = &*b.shape().end();
  Int m = blas_int(end_a[ta ? -1 : -2]), k = blas_int(end_a[ta ? -2 : -1]), n = blas_int(end_b[tb ? -2 : -1]);
  Shape shape = broadcast_shapes("matmul", leading(a.shape()), leading(b.shape()));
  Loops<2> batch(shape, {broadcast_strides(leading(a.shape()), shape), broadcast_strides(leading(b.shape()), shape)});
  for (Int extent : {m, n}) shape.push_back(static_cast<std::size_t>(extent));
  if (k == 0) return Array::full(shape, 0, a.dtype());
  Array result(shape, a.dtype());
  if (result.size() == 0) return result;
  visit_floating("matmul", a.dtype(), [&]<class T>(T) {
    T* c = result.mutable_data<T>();
    const std::ptrdiff_t size_a = std::ptrdiff_t{m} * k, size_b = std::ptrdiff_t{k} * n;
    batch.for_each_row([&, inner = batch.inner()](const auto& offset) {
      for (std::size_t i = 0; i < inner.extent; ++i, c += std::ptrdiff_t{m} * n) {
        auto at = static_cast<std::ptrdiff_t>(i);
        gemm(a.data<T>() + (offset[0] + at * inner.step[0]) * size_a, ta,
             b.data<T>() + (offset[1] + at * inner.step[1]) * size_b, tb, T(0), c, m, n, k);
      }
    });
  });
  return result;
}

void add_matmul(Array& sum, const Array& a, const Array& b) {
  Int m = blas_int(a.shape()[0]), k = blas_int(a.shape()[1]), n = blas_int(b.shape()[1]);
  if (m == 0 || n == 0 || k == 0) return;
  visit_floating("matmul", a.dtype(), [&]<class T>(T) {
    gemm(a.data<T>(), false, b.data<T>(), false, T(1), sum.mutable_data<T>(), m, n, k);
  });
}

}  // namespace xtape::kernels
