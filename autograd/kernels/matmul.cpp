#include <autograd/kernels/matmul.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <autograd/kernels/bias.hpp>
#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/loops.hpp>
#include <autograd/kernels/parallel.hpp>

namespace xtape::kernels {
namespace {

// What the product sees at this row and column.
template <class T>
T element(const Matrix<const T>& x, std::size_t row, std::size_t column) {
  return x.data[row * x.row_step() + column * x.column_step()];
}

// Row by row of c and of b, where that is not transposed.
void product(const Matrix<const std::int64_t>& a, const Matrix<const std::int64_t>& b, std::int64_t* c, std::size_t m,
             std::size_t n, std::size_t k) {
  auto at = [](const auto& x, std::size_t row, std::size_t column) {
    return static_cast<std::uint64_t>(element(x, row, column));
  };
  std::vector<std::uint64_t> sums(n);
  for (std::size_t i = 0; i < m; ++i, c += n) {
    std::fill(sums.begin(), sums.end(), 0);
    for (std::size_t l = 0; l < k; ++l)
      for (std::size_t j = 0; j < n; ++j) sums[j] += at(a, i, l) * at(b, l, j);
    std::transform(sums.begin(), sums.end(), c, [](std::uint64_t sum) { return static_cast<std::int64_t>(sum); });
  }
}

Shape leading(const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); }

// Rows and columns of a matrix as a dense one of double.
template <class T>
std::vector<double> in_double(const Matrix<const T>& x, std::size_t rows, std::size_t columns) {
  std::vector<double> result(rows * columns);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j)
      result[i * columns + j] = static_cast<double>(element(x, i, j));
  return result;
}

// c = a b, or c + a b. In float32, sums of so many terms lose digits: they add up in double, block by block.
template <class T>
void multiply(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, std::size_t m, std::size_t n,
              std::size_t k, bool add) {
  constexpr std::size_t block = 1 << 12, many = 1 << 16;
  if (!std::is_same_v<T, float> || k <= many) return gemm<T>(a, b, c, m, n, k, add);
  std::vector<double> totals(m * n);
  if (add) std::copy_n(c.data, m * n, totals.begin());
  for (std::size_t first = 0; first < k; first += block) {
    std::size_t terms = std::min(k - first, block);
    std::vector<double> left = in_double(a.from(0, first), m, terms), right = in_double(b.from(first, 0), terms, n);
    gemm<double>({left.data(), terms}, {right.data(), n}, {totals.data(), n}, m, n, terms, true);
  }
  std::transform(totals.begin(), totals.end(), c.data, [](double total) { return static_cast<T>(total); });
}

}  // namespace

Array matmul(const Array& a, const Array& b, bool ta, bool tb) {
  const auto *end_a = &*a.shape().end(), *end_b = &*b.shape().end();
  std::size_t m = end_a[ta ? -1 : -2], k = end_a[ta ? -2 : -1], n = end_b[tb ? -2 : -1];
  Shape shape = broadcast_shapes("matmul", leading(a.shape()), leading(b.shape()));
  const Loops batch(shape, std::array{broadcast_strides(leading(a.shape()), shape),
                                      broadcast_strides(leading(b.shape()), shape), dense_strides(shape)});
  for (std::size_t extent : {m, n}) shape.push_back(extent);
  if (k == 0) return Array::full(shape, 0, a.dtype());
  Array result(shape, a.dtype());
  if (result.size() == 0) return result;
  visit(a.dtype(), [&]<class T>(T) {
    T* first = result.mutable_data<T>();
    constexpr std::size_t enough = 1'000'000;  // products for a thread
    auto size_a = static_cast<std::ptrdiff_t>(m * k), size_b = static_cast<std::ptrdiff_t>(k * n);
    auto row = [&](const std::ptrdiff_t* offset, const std::ptrdiff_t* step, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) {
        auto at = static_cast<std::ptrdiff_t>(i);
        T* c = first + static_cast<std::size_t>(offset[2] + at * step[2]) * m * n;
        Matrix<const T> left{a.data<T>() + (offset[0] + at * step[0]) * size_a, ta ? m : k, ta};
        Matrix<const T> right{b.data<T>() + (offset[1] + at * step[1]) * size_b, tb ? k : n, tb};
        if constexpr (std::is_floating_point_v<T>) multiply<T>(left, right, {c, n}, m, n, k, false);
        else if constexpr (std::is_same_v<T, std::int64_t>) product(left, right, c, m, n, k);
      }
    };
    parallel_for(batch.size(), enough / (m * n * k) + 1,
                 [&](std::size_t begin, std::size_t end) { batch.for_each_row(begin, end, row); });
  });
  return result;
}

Array linear(const Array& x, const Array& weight, const Array& bias) {
  const std::size_t n = weight.shape()[0], k = weight.shape()[1];
  Shape shape = x.shape();
  shape.back() = n;
  const std::size_t size = element_count(shape);
  if (size == 0) return Array(shape, x.dtype());
  const std::size_t m = size / n;
  const bool add = bias.defined();
  Array result = add || k == 0 ? rows_plus_bias({m, n}, x.dtype(), Array(), bias) : Array({m, n}, x.dtype());
  visit_floating("linear", x.dtype(), [&]<class T>(T) {
    if (k > 0)
      multiply<T>({x.data<T>(), k}, {weight.data<T>(), k, true}, {result.mutable_data<T>(), n}, m, n, k, add);
  });
  return result.reshaped(shape);
}

void add_matmul(Array& sum, const Array& a, const Array& b) {
  std::size_t m = a.shape()[0], k = a.shape()[1], n = b.shape()[1];
  if (m == 0 || n == 0 || k == 0) return;
  visit_floating("matmul", a.dtype(), [&]<class T>(T) {
    gemm<T>({a.data<T>(), k}, {b.data<T>(), n}, {sum.mutable_data<T>(), n}, m, n, k, true);
  });
}

}  // namespace xtape::kernels
