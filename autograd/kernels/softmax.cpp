#include <autograd/kernels/softmax.hpp>

#include <algorithm>
#include <cmath>

#include <autograd/kernels/map.hpp>
#include <autograd/kernels/reduce.hpp>

namespace xtape::kernels {
namespace {

std::vector<bool> only(std::size_t axis, std::size_t rank) {
  std::vector<bool> mask(rank, false);
  mask[axis] = true;
  return mask;
}

}  // namespace

// With m the maximum, exp(x - m) does not overflow. Where a whole row is -inf, m would make NaN of it all the same.
Array softmax(const Array& x, std::size_t axis) {
  return visit_floating("softmax", x.dtype(), [&]<class T>(T) {
    Array result = Array::like(x);
    auto mask = only(axis, x.rank());
    map<T>([](auto x, auto m) { return exp(x - m); }, result, x, max(x, mask));
    map<T>([](auto e, auto total) { return e / total; }, result, result, sum(result, mask));
    return result;
  });
}

Array log_softmax(const Array& x, std::size_t axis) {
  return visit_floating("log_softmax", x.dtype(), [&]<class T>(T) {
    Array result = Array::like(x);
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
    auto mask = only(x.rank() - 1, x.rank());
    Array greatest = max(x, mask);
    const T *in = x.data<T>(), *m = greatest.data<T>(), *weight = weights.data<T>();
    const auto* label = labels.data<std::int64_t>();
    T *p = probabilities.mutable_data<T>(), *loss = losses.mutable_data<T>();
    std::size_t rows = labels.size(), classes = x.shape().back();
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t k = 0; k < classes; ++k) p[i * classes + k] = in[i * classes + k] - m[i];
    for (std::size_t i = 0; i < rows; ++i)
      loss[i] = weight[i] == 0 ? 0 : p[i * classes + static_cast<std::size_t>(label[i])];
    map<T>([](auto shifted) { return exp(shifted); }, probabilities, probabilities);
    Array totals = sum(probabilities, mask);
    const T* total = totals.data<T>();
    for (std::size_t i = 0; i < rows; ++i) {
      T scale = 1 / total[i];
      for (std::size_t k = 0; k < classes; ++k) p[i * classes + k] *= scale;
    }
    map<T>([](auto w, auto total, auto own) { return where(w == 0, 0, w * (log(total) - own)); }, losses,
           weights, totals.reshaped(losses.shape()), losses);
    return losses;
  });
}

Array cross_entropy_gradient(const Array& g, const Array& probabilities, const Array& labels, const Array& weights) {
  return visit_floating("cross_entropy", g.dtype(), [&]<class T>(T) {
    Array result(probabilities.shape(), g.dtype());
    const T *p = probabilities.data<T>(), *weight = weights.data<T>(), *loss = g.data<T>();
    const auto* label = labels.data<std::int64_t>();
    T* out = result.mutable_data<T>();
    std::size_t classes = probabilities.shape().back();
    for (std::size_t i = 0; i < labels.size(); ++i, out += classes, p += classes) {
      if (weight[i] == 0) {
        std::fill_n(out, classes, T(0));
        continue;
      }
      T scale = loss[i] * weight[i];
      for (std::size_t k = 0; k < classes; ++k) out[k] = scale * p[k];
      out[label[i]] -= scale;
    }
    return result;
  });
}

}  // namespace xtape::kernels
