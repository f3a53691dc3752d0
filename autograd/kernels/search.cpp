#include <autograd/kernels/search.hpp>

#include <algorithm>

namespace xtape::kernels {

Array searchsorted(const Array& sorted, const Array& values, bool right) {
  Array result(values.shape(), DType::int64);
  auto* out = result.mutable_data<std::int64_t>();
  std::size_t n = sorted.shape().back(), m = sorted.rank() == 1 ? values.size() : values.shape().back();
  visit(sorted.dtype(), [&]<class T>(T) {
    auto less = [](T a, T b) { return a < b || (b != b && a == a); };
    const T *row = sorted.data<T>(), *value = values.data<T>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const T* first = sorted.rank() == 1 ? row : row + i / m * n;
      const T* place = right ? std::upper_bound(first, first + n, value[i], less)
                             : std::lower_bound(first, first + n, value[i], less);
      out[i] = place - first;
    }
  });
  return result;
}

}  // namespace xtape::kernels
