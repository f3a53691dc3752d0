#include <autograd/kernels/softmax.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <autograd/kernels/map.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/reduce.hpp>

namespace xtape::kernels {
namespace {

std::vector<bool> only(std::size_t axis, std::size_t rank) {
  std::vector<bool> mask(rank, false);
  mask[axis] = true;
  return mask;
}

// Calls f(place of the first element, n) for the rows along the last axis, in several threads. Rows that are computed one by
// one stay in the cache.
template <class F>
void for_each_last(const Shape& shape, const F& f) {
  std::size_t n = shape.back(), rows = n == 0 ? 0 : element_count(shape) / n;
  parallel_for(rows, worth_a_thread_of(n), [&](std::size_t row, std::size_t end) {
    for (; row < end; ++row) f(row * n, n);
  });
}

// out = f(x) for a row.
template <class T, class F>
void map_numbers(const F& f, const T* x, std::size_t n, T* out) {
  map_row<Batch<T>>(f, std::array{x}, step_one, n, StoreRow<Batch<T>>(out), std::make_index_sequence<1>());
}

// out = exp(x - m) for a row whose greatest number is m; returns m and the sum of out.
template <class T>
std::pair<T, T> exponentials(const T* x, std::size_t n, T* out) {
  T m = max_of_row(x, n);
  map_numbers([m](auto x) { return exp(x - m); }, x, n, out);
  return {m, sum_of_row(out, n)};
}

}  // namespace

// With m the maximum, exp(x - m) does not overflow. Where a whole row is -inf, m would make NaN of it all the same.
Array softmax(const Array& x, std::size_t axis) {
  return visit_floating("softmax", x.dtype(), [&]<class T>(T) {
    Array result = Array::like(x);
    if (axis + 1 == x.rank()) {
      for_each_last(x.shape(), [in = x.data<T>(), out = result.mutable_data<T>()](std::size_t at, std::size_t n) {
        T total = exponentials(in + at, n, out + at).second;
        map_numbers([total](auto e) { return e / total; }, out + at, n, out + at);
      });
      return result;
    }
    auto mask = only(axis, x.rank());
    map<T>([](auto x, auto m) { return exp(x - m); }, result, x, max(x, mask));
    map<T>([](auto e, auto total) { return e / total; }, result, result, sum(result, mask));
    return result;
  });
}

Array log_softmax(const Array& x, std::size_t axis) {
  return visit_floating("log_softmax", x.dtype(), [&]<class T>(T) {
    Array result = Array::like(x);
    if (axis + 1 == x.rank()) {
      for_each_last(x.shape(), [in = x.data<T>(), out = result.mutable_data<T>()](std::size_t at, std::size_t n) {
        auto [m, total] = exponentials(in + at, n, out + at);
        map_numbers([shift = m + std::log(total)](auto x) { return x - shift; }, in + at, n, out + at);
      });
      return result;
    }
    auto mask = only(axis, x.rank());
    Array m = max(x, mask);
    map<T>([](auto x, auto m) { return exp(x - m); }, result, x, m);
    Array total = sum(result, mask);
    map<T>([](auto m, auto total) { return m + log(total); }, m, m, total);
    map<T>([](auto x, auto shift) { return x - shift; }, result, x, m);
    return result;
  });
}

Array cross_entropy(const Array& x, const Array& labels, const Array& weights, Array& probabilities) {
  return visit_floating("cross_entropy", x.dtype(), [&]<class T>(T) {
    Array losses(labels.shape(), x.dtype());
    const T *in = x.data<T>(), *weight = weights.data<T>();
    const auto* label = labels.data<std::int64_t>();
    T *p = probabilities.mutable_data<T>(), *loss = losses.mutable_data<T>();
    for_each_last(x.shape(), [=](std::size_t at, std::size_t n) {
      std::size_t i = at / n;
      auto [m, total] = exponentials(in + at, n, p + at);
      map_numbers([scale = 1 / total](auto e) { return e * scale; }, p + at, n, p + at);
      loss[i] = weight[i] == 0 ? 0 : weight[i] * (std::log(total) - (in[at + static_cast<std::size_t>(label[i])] - m));
    });
    return losses;
  });
}

Array cross_entropy_gradient(const Array& g, const Array& probabilities, const Array& labels, const Array& weights) {
  return visit_floating("cross_entropy", g.dtype(), [&]<class T>(T) {
    Array result(probabilities.shape(), g.dtype());
    const T *p = probabilities.data<T>(), *weight = weights.data<T>(), *loss = g.data<T>();
    const auto* label = labels.data<std::int64_t>();
    T* out = result.mutable_data<T>();
    for_each_last(probabilities.shape(), [=](std::size_t at, std::size_t n) {
      std::size_t i = at / n;
      if (weight[i] == 0) return void(std::fill_n(out + at, n, T(0)));
      T scale = loss[i] * weight[i];
      for (std::size_t k = 0; k < n; ++k) out[at + k] = scale * p[at + k];
      out[at + static_cast<std::size_t>(label[i])] -= scale;
    });
    return result;
  });
}

}  // namespace xtape::kernels
