#include <autograd/kernels/reduce.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <type_traits>

#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/targets/reduce.hpp>

namespace xtape::kernels {
namespace {

constexpr std::size_t piece = 65536;  // elements that one thread adds up, however many threads there are

template <class R, class T>
T reduce_row(const T* x, std::size_t n) {
  const auto row = with_target([]<Target target>() { return &reduce_row_on<target, R, T>; });
  if (n <= piece) return static_cast<T>(row(x, n));
  std::vector<Total<T>> totals((n + piece - 1) / piece);
  run_tasks(totals.size(), [&](std::size_t i) { totals[i] = row(x + i * piece, std::min(piece, n - i * piece)); });
  Total<T> total = totals[0];
  for (std::size_t i = 1; i < totals.size(); ++i) total = R::combine(total, totals[i]);
  return static_cast<T>(total);
}

// out[k] = the combination of the k-th elements of dense rows of n elements. It is cut into tiles and into pieces of the
// rows, in the same way for any number of threads.
template <class R, class T>
void reduce_columns(const T* x, std::size_t rows, std::size_t n, T* out) {
  constexpr std::size_t tile = columns_together;
  const auto columns = with_target([]<Target target>() { return &reduce_columns_on<target, R, T>; });
  std::size_t pieces = std::clamp<std::size_t>(rows * std::min(n, tile) / piece, 1, 16), tiles = (n + tile - 1) / tile;
  std::vector<Total<T>> totals(pieces * n);
  auto compute = [&](std::size_t task) {
    std::size_t first = task % tiles * tile, i = task / tiles, begin = rows * i / pieces, end = rows * (i + 1) / pieces;
    columns(x + begin * n + first, end - begin, n, std::min(tile, n - first), totals.data() + i * n + first);
  };
  if (rows * n < piece) for (std::size_t task = 0; task < tiles; ++task) compute(task);
  else run_tasks(pieces * tiles, compute);
  for (std::size_t i = 1; i < pieces; ++i)
    for (std::size_t k = 0; k < n; ++k) totals[k] = R::combine(totals[k], totals[i * n + k]);
  std::transform(totals.begin(), totals.begin() + n, out, [](Total<T> total) { return static_cast<T>(total); });
}

std::size_t count(const Shape& shape, std::size_t first, std::size_t last) {
  return std::accumulate(shape.begin() + first, shape.begin() + last, std::size_t{1}, std::multiplies());
}

// Neighbouring axes are reduced together, from the last ones on.
template <class R, class T>
Array reduce(const Array& x, const std::vector<bool>& mask) {
  Shape shape = x.shape();
  Array result;
  for (std::size_t end = shape.size(), begin; end > 0; end = begin) {
    for (begin = end - 1; begin > 0 && mask[begin - 1] == mask[end - 1];) --begin;
    if (!mask[begin]) continue;
    std::size_t outer = count(shape, 0, begin), n = count(shape, begin, end), inner = count(shape, end, shape.size());
    std::fill(shape.begin() + begin, shape.begin() + end, 1);
    Array reduced(shape, x.dtype());
    const T* in = (result.defined() ? result : x).template data<T>();
    T* out = reduced.mutable_data<T>();
    // Without elements, the outer extents may be so large that no loop over them ends.
    std::size_t rows = reduced.size() > 0 ? outer : 0;
    parallel_for(rows, worth_a_thread_of(n * inner), [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i)
        if (inner == 1) out[i] = reduce_row<R>(in + i * n, n);
        else reduce_columns<R>(in + i * n * inner, n, inner, out + i * inner);
    });
    result = std::move(reduced);
  }
  return result.defined() ? result : x.copy();
}

template <class R>
Array reduce(const char* operation, const Array& x, const std::vector<bool>& mask) {
  if (x.dtype() == DType::int64) return reduce<R, std::int64_t>(x, mask);
  return visit_floating(operation, x.dtype(), [&]<class T>(T) { return reduce<R, T>(x, mask); });
}

// Whether an element comes before the best one so far: it is better, or the first NaN.
struct Greater {
  using Reduction = Max;
  bool operator()(auto a, auto best) const { return a > best || (a != a && best == best); }
};
struct Less {
  using Reduction = Min;
  bool operator()(auto a, auto best) const { return a < best || (a != a && best == best); }
};

// Where the best of n elements stands first: of the blocks the first with the best one, and of that the element.
template <class Better, class T>
std::size_t arg_best_of_blocks(const T* x, std::size_t n) {
  using R = typename Better::Reduction;
  constexpr std::size_t block = 512;
  static const auto row = with_target([]<Target target>() { return &reduce_row_on<target, R, T>; });
  auto best = row(x, std::min(block, n));
  std::size_t first = 0;
  for (std::size_t i = block; i < n; i += block)
    if (auto next = row(x + i, std::min(block, n - i)); Better()(next, best)) best = next, first = i;
  const T value = static_cast<T>(best);
  if (value != value) return std::find_if(x + first, x + n, [](T a) { return a != a; }) - x;
  return std::find(x + first, x + n, value) - x;
}

template <class Better, class T>
std::size_t arg_best_of_row(const T* x, std::size_t n) {
  constexpr std::size_t enough = 32;  // for reductions by registers, which there are of numbers
  if constexpr (!std::is_same_v<T, bool>)
    if (n >= enough) return arg_best_of_blocks<Better>(x, n);
  std::size_t best = 0;
  for (std::size_t i = 1; i < n; ++i)
    if (Better()(x[i], x[best])) best = i;
  return best;
}

// The same for some columns side by side: rows of them are `stride` apart.
template <class Better, class T>
void arg_best_of_columns(const T* x, std::size_t n, std::size_t stride, std::size_t columns, std::int64_t* out) {
  T best[columns_together];
  std::copy_n(x, columns, best);
  std::fill_n(out, columns, 0);
  for (std::size_t i = 1; i < n; ++i) {
    x += stride;
    for (std::size_t j = 0; j < columns; ++j) {
      const bool better = Better()(x[j], best[j]);
      best[j] = better ? x[j] : best[j];
      out[j] = better ? static_cast<std::int64_t>(i) : out[j];
    }
  }
}

template <class Better>
Array arg_best(const Array& x, std::size_t axis) {
  std::vector<bool> mask(x.rank(), false);
  mask[axis] = true;
  Array result(drop_dims(x.shape(), mask), DType::int64);
  auto* out = result.mutable_data<std::int64_t>();
  const std::size_t n = x.shape()[axis], inner = count(x.shape(), axis + 1, x.rank());
  visit(x.dtype(), [&]<class T>(T) {
    const T* in = x.data<T>();
    parallel_for(result.size(), worth_a_thread_of(n), [&](std::size_t begin, std::size_t end) {
      for (std::size_t k = begin, columns; k < end; k += columns) {
        columns = std::min({columns_together, inner - k % inner, end - k});
        const T* first = in + k / inner * n * inner + k % inner;
        if (inner == 1) out[k] = static_cast<std::int64_t>(arg_best_of_row<Better>(first, n));
        else arg_best_of_columns<Better>(first, n, inner, columns, out + k);
      }
    });
  });
  return result;
}

}  // namespace

Shape keep_dims(const Shape& shape, const std::vector<bool>& mask) {
  Shape result = shape;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (mask[i]) result[i] = 1;
  return result;
}

Shape drop_dims(const Shape& shape, const std::vector<bool>& mask) {
  Shape result;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (!mask[i]) result.push_back(shape[i]);
  return result;
}

Array sum(const Array& x, const std::vector<bool>& mask) { return reduce<Sum>("sum", x, mask); }
Array max(const Array& x, const std::vector<bool>& mask) { return reduce<Max>("max", x, mask); }
Array min(const Array& x, const std::vector<bool>& mask) { return reduce<Min>("min", x, mask); }

std::vector<bool> broadcast_mask(const Shape& from, const Shape& to) {
  std::vector<bool> mask(from.size(), true);
  std::size_t lead = from.size() - to.size();
  for (std::size_t i = 0; i < to.size(); ++i) mask[lead + i] = to[i] == 1;
  return mask;
}

Array sum_to(const Array& x, const Shape& shape) { return sum(x, broadcast_mask(x.shape(), shape)).reshaped(shape); }

Array argmax(const Array& x, std::size_t axis) { return arg_best<Greater>(x, axis); }
Array argmin(const Array& x, std::size_t axis) { return arg_best<Less>(x, axis); }

}  // namespace xtape::kernels
