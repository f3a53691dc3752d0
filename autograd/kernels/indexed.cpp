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

// Calls visit(row of the part, row of the whole) for every slice from number `begin` to `end`, in row-major order of the
// part.
template <class F>
void for_each_slice(const Slices& slices, std::size_t begin, std::size_t end, F&& visit) {
  const auto* index = slices.indices.data<std::int64_t>();
  std::size_t count = slices.indices.size();
  for (std::size_t i = begin; i < end; ++i)
    visit(i * slices.inner, (i / count * slices.extent + static_cast<std::size_t>(index[i % count])) * slices.inner);
}
template <class F>
void for_each_slice(const Slices& slices, F&& visit) {
  for_each_slice(slices, 0, slices.outer * slices.indices.size(), visit);
}

// Calls visit(place in the taken, place in the whole) for every element.
template <class F>
void for_each_along(const Shape& whole_shape, const Array& indices, std::size_t axis, F&& visit) {
  Around whole(whole_shape, axis), taken(indices.shape(), axis);
  const auto* index = indices.data<std::int64_t>();
  for (std::size_t o = 0, place = 0; o < taken.outer; ++o)
    for (std::size_t i = 0; i < taken.n; ++i)
      for (std::size_t k = 0; k < taken.inner; ++k, ++place)
        visit(place, (o * whole.n + static_cast<std::size_t>(index[place])) * whole.inner + k);
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
    auto take = [&](std::size_t to, std::size_t from) { std::copy_n(in + from, slices.inner, out + to); };
    parallel_for(slices.outer * slices.indices.size(), worth_a_thread_of(slices.inner),
                 [&](std::size_t begin, std::size_t end) { for_each_slice(slices, begin, end, take); });
  });
  return result;
}

void assign_part(Array& x, const Slices& slices, const Array& elements) {
  visit(x.dtype(), [&]<class T>(T) {
    const T* in = elements.data<T>();
    T* out = x.mutable_data<T>();
    for_each_slice(slices, [&](std::size_t from, std::size_t to) { std::copy_n(in + from, slices.inner, out + to); });
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
    return at < 0 ? nullptr : sums.data() + (outer * frequent.count + static_cast<std::size_t>(at)) * n;
  };
  visit(x.dtype(), [&]<class T>(T) {
    const T* in = elements.data<T>();
    T* out = x.mutable_data<T>();
    for_each_slice(slices, [&](std::size_t from, std::size_t to) {
      if (double* sum = sum_of(to)) std::transform(in + from, in + from + n, sum, sum, std::plus<double>());
      else for (std::size_t k = 0; k < n; ++k) add(out[to + k], in[from + k]);
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
