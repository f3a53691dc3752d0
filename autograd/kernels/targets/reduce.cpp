#include <autograd/kernels/targets/reduce.hpp>

#include <algorithm>
#include <cstdint>
#include <tuple>

#include <autograd/kernels/targets/here.hpp>

namespace xtape::kernels {
namespace {

// One block of a row into one value: four running results of a vector each.
template <class R, class T>
T reduce_block(const T* x, std::size_t n) {
  using V = Batch<T>;
  constexpr std::size_t lanes = V::size;
  T result = R::template identity<T>;
  if (n >= 4 * lanes) {
    V part[4];
    for (std::size_t k = 0; k < 4; ++k) part[k] = V::load_unaligned(x + k * lanes);
    x += 4 * lanes, n -= 4 * lanes;
    for (; n >= 4 * lanes; n -= 4 * lanes, x += 4 * lanes)
      for (std::size_t k = 0; k < 4; ++k) part[k] = R::combine(part[k], V::load_unaligned(x + k * lanes));
    V all = R::combine(R::combine(part[0], part[1]), R::combine(part[2], part[3]));
    alignas(64) T values[lanes];
    all.store_unaligned(values);
    for (T value : values) result = R::combine(result, value);
  }
  for (; n > 0; --n, ++x) result = R::combine(result, *x);
  return result;
}

// out[k] = the combination of a few rows of n elements, in pairs
template <class R, std::size_t rows, class T>
void combine_rows(const T* x, std::size_t stride, std::size_t n, T* out) {
  auto combined = [&]<class V>(auto load, const T* at, std::type_identity<V>) {
    V values[rows];
    for (std::size_t i = 0; i < rows; ++i) values[i] = load(at + i * stride);
    for (std::size_t step = 1; step < rows; step *= 2)
      for (std::size_t i = 0; i + step < rows; i += 2 * step) values[i] = R::combine(values[i], values[i + step]);
    return values[0];
  };
  using V = Batch<T>;
  std::size_t k = 0;
  for (; k + V::size <= n; k += V::size)
    combined([](const T* at) { return V::load_unaligned(at); }, x + k, std::type_identity<V>()).store_unaligned(out + k);
  for (; k < n; ++k) out[k] = combined([](const T* at) { return *at; }, x + k, std::type_identity<T>());
}

// totals[k] = combine(totals[k], each of the rows' k-th element) for n <= columns_together
template <class R, class T>
void reduce_tile(const T* x, std::size_t rows, std::size_t stride, std::size_t n, Total<T>* totals) {
  T part[columns_together];
  auto add = [&] {
    for (std::size_t k = 0; k < n; ++k) totals[k] = R::combine(totals[k], static_cast<Total<T>>(part[k]));
  };
  constexpr std::size_t together = 8;
  for (; rows >= together; rows -= together, x += together * stride) {
    combine_rows<R, together>(x, stride, n, part);
    add();
  }
  for (; rows > 0; --rows, x += stride) {
    combine_rows<R, 1>(x, stride, n, part);
    add();
  }
}

}  // namespace

template <Target target, class R, class T>
Total<T> reduce_row_on(const T* x, std::size_t n) {
  constexpr std::size_t block = 1024;
  Total<T> total = R::template identity<Total<T>>;
  for (; n > 0; x += std::min(n, block), n -= std::min(n, block))
    total = R::combine(total, static_cast<Total<T>>(reduce_block<R>(x, std::min(n, block))));
  return total;
}

template <Target target, class R, class T>
void reduce_columns_on(const T* x, std::size_t rows, std::size_t n, std::size_t width, Total<T>* result) {
  Total<T> totals[columns_together];
  // Short rows are read as long ones, each of several.
  std::size_t fold = width == n ? std::max<std::size_t>(std::min(columns_together / 4 / n, rows), 1) : 1;
  std::fill_n(totals, fold * width, R::template identity<Total<T>>);
  reduce_tile<R>(x, rows / fold, fold * n, fold * width, totals);
  reduce_tile<R>(x + rows / fold * fold * n, rows % fold, n, width, totals);
  for (std::size_t i = 1; i < fold; ++i)
    for (std::size_t k = 0; k < width; ++k) totals[k] = R::combine(totals[k], totals[i * width + k]);
  std::copy_n(totals, width, result);
}

namespace detail {

template <Target target, class R, class... Ts>
constexpr auto reductions() {
  return std::tuple(&reduce_row_on<target, R, Ts>..., &reduce_columns_on<target, R, Ts>...);
}

}  // namespace detail

template <Target target, class... Rs>
struct CompiledReductions {
  static constexpr auto rows = std::tuple(detail::reductions<target, Rs, float, double, std::int64_t>()...);
};
template struct CompiledReductions<here, Sum, Max, Min>;

template <Target target, class T>
void add_row_on(const T* x, std::size_t n, double* sums) {
  for (std::size_t i = 0; i < n; ++i) sums[i] += static_cast<double>(x[i]);
}
template void add_row_on<here>(const float* x, std::size_t n, double* sums);
template void add_row_on<here>(const double* x, std::size_t n, double* sums);

}  // namespace xtape::kernels
