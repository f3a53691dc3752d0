#include <autograd/kernels/bias.hpp>

#include <algorithm>
#include <functional>

namespace xtape::kernels {

Array rows_plus_bias(const Shape& shape, DType dtype, const Array& x, const Array& bias) {
  Array result(shape, dtype);
  std::size_t rows = shape[0], n = shape[1];
  visit_floating("rows_plus_bias", dtype, [&]<class T>(T) {
    const T *from = x.defined() ? x.data<T>() : nullptr, *b = bias.defined() ? bias.data<T>() : nullptr;
    T* to = result.mutable_data<T>();
    for (std::size_t i = 0; i < rows; ++i, to += n) {
      if (from && b) std::transform(from + i * n, from + (i + 1) * n, b, to, std::plus());
      else if (from || b) std::copy_n(from ? from + i * n : b, n, to);
      else std::fill_n(to, n, T(0));
    }
  });
  return result;
}

}  // namespace xtape::kernels
