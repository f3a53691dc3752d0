#include <autograd/kernels/softmax.hpp>

#include <algorithm>
#include <vector>

#include <autograd/kernels/functions.hpp>
#include <autograd/kernels/map.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/kernels/targets/softmax.hpp>

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

}  // namespace

// See targets/softmax.cpp. Where a whole row is -inf, m makes NaN of it, as softmax would all the same.
Array softmax(const Array& x, std::size_t axis) {
  return visit_floating("softmax", x.dtype(), [&]<class T>(T) {
    Array result = Array::like(x);
    if (axis + 1 == x.rank()) {
      const auto row = with_target([]<Target target>() { return &softmax_row_on<target, T>; });
      for_each_last(x.shape(), [row, in = x.data<T>(), out = result.mutable_data<T>()](std::size_t at, std::size_t n) {
        row(in + at, n, out + at);
      });
      return result;
    }
    auto mask = only(axis, x.rank());
    map<T>(ExpOfDifference(), result, x, max(x, mask));
    map<T>(Divide(), result, result, sum(result, mask));
    return result;
  });
}

Array log_softmax(const Array& x, std::size_t axis) {
  return visit_floating("log_softmax", x.dtype(), [&]<class T>(T) {
    Array result = Array::like(x);
    if (axis + 1 == x.rank()) {
      const auto row = with_target([]<Target target>() { return &log_softmax_row_on<target, T>; });
      for_each_last(x.shape(), [row, in = x.data<T>(), out = result.mutable_data<T>()](std::size_t at, std::size_t n) {
        row(in + at, n, out + at);
      });
      return result;
    }
    auto mask = only(axis, x.rank());
    const Array m = max(x, mask);
    map<T>(ExpOfDifference(), result, x, m);
    Array total = sum(result, mask);
    map<T>(Log(), total, total);
    map<T>(Subtract(), result, x, m);
    map<T>(Subtract(), result, result, total);
    return result;
  });
}

Array cross_entropy(const Array& x, const Array& labels, const Array& weights, Array& probabilities) {
  return visit_floating("cross_entropy", x.dtype(), [&]<class T>(T) {
    Array losses(labels.shape(), x.dtype());
    const T *in = x.data<T>(), *weight = weights.data<T>();
    const auto* label = labels.data<std::int64_t>();
    T *p = probabilities.mutable_data<T>(), *loss = losses.mutable_data<T>();
    const auto row = with_target([]<Target target>() { return &cross_entropy_row_on<target, T>; });
    for_each_last(x.shape(), [=](std::size_t at, std::size_t n) {
      std::size_t i = at / n;
      // A label without weight may be any number.
      const T negative_log = row(in + at, n, weight[i] == 0 ? 0 : static_cast<std::size_t>(label[i]), p + at);
      loss[i] = weight[i] == 0 ? 0 : weight[i] * negative_log;
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
    const auto row = with_target([]<Target target>() { return &cross_entropy_gradient_row_on<target, T>; });
    for_each_last(probabilities.shape(), [=](std::size_t at, std::size_t n) {
      std::size_t i = at / n;
      if (weight[i] == 0) return void(std::fill_n(out + at, n, T(0)));
      row(loss[i] * weight[i], p + at, n, static_cast<std::size_t>(label[i]), out + at);
    });
    return result;
  });
}

}  // namespace xtape::kernels
