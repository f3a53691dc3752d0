#include <autograd/kernels/indexed.hpp>

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include <autograd/kernels/parallel.hpp>

namespace xtape::kernels {
namespace {

// An array seen as (outer, n, inner) around one axis.
struct Around {
  std::size_t outer = 1, n, inner = 1;
  Around(const Shape& shape, std::size_t axis) : n(shape[axis]) {
    for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
    for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  }
};

template <class T>
void add(T& sum, T term) {
  if constexpr (std::is_same_v<T, bool>) sum = sum || term;
  else sum += term;
}

// What is the same for all indices along an axis: some of the outer extent, and some of the inner one.
struct Beside {
  std::size_t outer, outer_end, inner, inner_end;
};

// Calls f(part) for parts of (outer, n, inner), in several threads. No two write to the same element, wherever indices
// along the axis send it, and each element gets its terms in the same order.
template <class F>
void for_each_beside(std::size_t outer, std::size_t n, std::size_t inner, F&& f) {
  const bool cut_outer = outer > 1;
  parallel_for(cut_outer ? outer : inner, worth_a_thread_of(cut_outer ? n * inner : n),
               [&](std::size_t begin, std::size_t end) {
                 f(cut_outer ? Beside{begin, end, 0, inner} : Beside{0, outer, begin, end});
               });
}

// Calls visit(first place in the part, first place in the whole, how many) for a row of each slice, in row-major order.
template <class F>
void for_each_slice(const Slices& slices, const Beside& beside, F&& visit) {
  const auto* index = slices.indices.data<std::int64_t>();
  const std::size_t count = slices.indices.size(), inner = beside.inner;
  for (std::size_t o = beside.outer; o < beside.outer_end; ++o)
    for (std::size_t i = 0; i < count; ++i)
      visit((o * count + i) * slices.inner + inner,
            (o * slices.extent + static_cast<std::size_t>(index[i])) * slices.inner + inner, beside.inner_end - inner);
}
template <class F>
void for_each_slice(const Slices& slices, F&& visit) {
  for_each_beside(slices.outer, slices.indices.size(), slices.inner,
                  [&](const Beside& beside) { for_each_slice(slices, beside, visit); });
}

// Calls visit(place in the taken, place in the whole) for every element, in several threads.
template <class F>
void for_each_along(const Shape& whole_shape, const Array& indices, std::size_t axis, F&& visit) {
  Around whole(whole_shape, axis), taken(indices.shape(), axis);
  const auto* index = indices.data<std::int64_t>();
  for_each_beside(taken.outer, taken.n, taken.inner, [&](const Beside& beside) {
    for (std::size_t o = beside.outer; o < beside.outer_end; ++o)
      for (std::size_t i = 0; i < taken.n; ++i)
        for (std::size_t k = beside.inner; k < beside.inner_end; ++k) {
          const std::size_t place = (o * taken.n + i) * taken.inner + k;
          visit(place, (o * whole.n + static_cast<std::size_t>(index[place])) * whole.inner + k);
        }
  });
}

}  // namespace

Slices slices_along(const Shape& whole, const Array& indices, std::size_t axis) {
  Around around(whole, axis);
  Slices slices{{}, around.outer, around.n, around.inner, indices};
  for (std::size_t i = 0; i < axis; ++i) slices.shape.push_back(whole[i]);
  for (std::size_t extent : indices.shape()) slices.shape.push_back(extent);
  for (std::size_t i = axis + 1; i < whole.size(); ++i) slices.shape.push_back(whole[i]);
  return slices;
}

Array read_part(const Array& x, const Slices& slices) {
  Array result(slices.shape, x.dtype());
  visit(x.dtype(), [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = result.mutable_data<T>();
    // Each slice by itself, since none is written to twice.
    const auto* index = slices.indices.data<std::int64_t>();
    const std::size_t count = slices.indices.size(), inner = slices.inner;
    parallel_for(slices.outer * count, worth_a_thread_of(inner), [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t from = i / count * slices.extent + static_cast<std::size_t>(index[i % count]);
        std::copy_n(in + from * inner, inner, out + i * inner);
      }
    });
  });
  return result;
}

void assign_part(Array& x, const Slices& slices, const Array& elements) {
  visit(x.dtype(), [&]<class T>(T) {
    const T* in = elements.data<T>();
    T* out = x.mutable_data<T>();
    for_each_slice(slices, [&](std::size_t from, std::size_t to, std::size_t n) { std::copy_n(in + from, n, out + to); });
  });
}

namespace {

constexpr std::size_t many = 64;  // terms from which on a sum is made in double

// Where the rows that are taken `many` times or more have their sums, after each other; -1 for the others.
struct FrequentRows {
  std::vector<std::ptrdiff_t> place;
  std::size_t count = 0;

  FrequentRows(const Array& indices, std::size_t rows) : place(rows, -1) {
    if (rows == 0 || indices.size() < many) return;
    std::vector<std::size_t> times(rows, 0);
    const auto* index = indices.data<std::int64_t>();
    for (std::size_t i = 0; i < indices.size(); ++i) ++times[static_cast<std::size_t>(index[i])];
    for (std::size_t row = 0; row < rows; ++row)
      if (times[row] >= many) place[row] = static_cast<std::ptrdiff_t>(count++);
  }
};

}  // namespace

void add_part(Array& x, const Slices& slices, const Array& elements) {
  if (x.size() == 0) return;
  std::size_t n = slices.inner;
  FrequentRows frequent(slices.indices, is_floating(x.dtype()) ? slices.extent : 0);
  std::vector<double> sums(slices.outer * frequent.count * n);
  auto sum_of = [&](std::size_t place) -> double* {
    if (frequent.count == 0) return nullptr;
    std::size_t outer = place / (slices.extent * n);
    std::ptrdiff_t at = frequent.place[place / n % slices.extent];
    return at < 0 ? nullptr : sums.data() + (outer * frequent.count + static_cast<std::size_t>(at)) * n + place % n;
  };
  visit(x.dtype(), [&]<class T>(T) {
    const T* in = elements.data<T>();
    T* out = x.mutable_data<T>();
    for_each_slice(slices, [&](std::size_t from, std::size_t to, std::size_t count) {
      if (double* sum = sum_of(to)) std::transform(in + from, in + from + count, sum, sum, std::plus<double>());
      else for (std::size_t k = 0; k < count; ++k) add(out[to + k], in[from + k]);
    });
    if (frequent.count == 0) return;
    for (std::size_t row = 0; row < slices.outer * slices.extent; ++row)
      if (const double* sum = sum_of(row * n))
        for (std::size_t k = 0; k < n; ++k) out[row * n + k] = static_cast<T>(out[row * n + k] + sum[k]);
  });
}

Array take_along_axis(const Array& x, const Array& indices, std::size_t axis) {
  Array result(indices.shape(), x.dtype());
  visit(x.dtype(), [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = result.mutable_data<T>();
    for_each_along(x.shape(), indices, axis, [&](std::size_t to, std::size_t from) { out[to] = in[from]; });
  });
  return result;
}

Array take_along_axis_adjoint(const Array& g, const Array& indices, std::size_t axis, const Shape& shape) {
  Array result = Array::full(shape, 0, g.dtype());
  visit(g.dtype(), [&]<class T>(T) {
    const T* in = g.data<T>();
    T* out = result.mutable_data<T>();
    if (!std::is_floating_point_v<T> || indices.shape()[axis] < many)
      return for_each_along(shape, indices, axis, [&](std::size_t from, std::size_t to) { add(out[to], in[from]); });
    std::vector<double> sums(result.size());
    for_each_along(shape, indices, axis, [&](std::size_t from, std::size_t to) {
      sums[to] += static_cast<double>(in[from]);
    });
    std::transform(sums.begin(), sums.end(), out, [](double total) { return static_cast<T>(total); });
  });
  return result;
}

Array argsort(const Array& x, std::size_t axis, bool descending) {
  Array result = Array::like(x, DType::int64);
  auto* out = result.mutable_data<std::int64_t>();
  Around around(x.shape(), axis);
  visit(x.dtype(), [&]<class T>(T) {
    auto less = [](T a, T b) { return a < b || (b != b && a == a); };
    parallel_for(around.outer * around.inner, worth_a_thread_of(around.n), [&](std::size_t row, std::size_t end) {
      std::vector<std::int64_t> order(around.n);
      for (; row < end; ++row) {
        std::size_t start = row / around.inner * around.n * around.inner + row % around.inner;
        const T* in = x.data<T>() + start;
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) {
          T a = in[static_cast<std::size_t>(i) * around.inner], b = in[static_cast<std::size_t>(j) * around.inner];
          return descending ? less(b, a) : less(a, b);
        });
        for (std::size_t i = 0; i < around.n; ++i) out[start + i * around.inner] = order[i];
      }
    });
  });
  return result;
}

}  // namespace xtape::kernels
