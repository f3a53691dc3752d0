// The sum of the squares of the distances of n points from the nearest of k centroids, in d dimensions. Its derivative
// here is the step of Newton's method: the gradient divided by the diagonal of the Hessian, in which nothing else is.
#include <limits>
#include <string>

#include <autograd/autograd.hpp>

#include "variables.hpp"

namespace gradbench {

using namespace xtape;

namespace {

// By numbers.
struct Cost {
  std::size_t d, k, n;
  Vector points;  // (n, d)

  template <class T>
  T operator()(const std::vector<T>& centroids) const {
    T sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      T least = std::numeric_limits<double>::infinity();
      for (std::size_t c = 0; c < k; ++c)
        if (T x = distance(&points[i * d], &centroids[c * d]); x < least) least = x;
      sum += least;
    }
    return sum;
  }

  template <class T>
  T distance(const double* a, const T* b) const {
    T sum = 0;
    for (std::size_t j = 0; j < d; ++j) {
      const T x = a[j] - b[j];
      sum += x * x;
    }
    return sum;
  }

  // The step by hand: from the mean of the points that are nearest.
  Vector step(const Vector& centroids) const {
    Vector sums(k * d), counts(k);
    for (std::size_t i = 0; i < n; ++i) {
      const double* x = &points[i * d];
      std::size_t nearest = 0;
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t c = 0; c < k; ++c)
        if (double far = distance(x, &centroids[c * d]); far < least) nearest = c, least = far;
      for (std::size_t j = 0; j < d; ++j) sums[nearest * d + j] += x[j];
      ++counts[nearest];
    }
    for (std::size_t i = 0; i < k * d; ++i) sums[i] = centroids[i] - sums[i] / counts[i / d];
    return sums;
  }
};

// By Variables. Which centroid is nearest counts as a constant: a small step does not change it.
class CostOfArrays {
 public:
  explicit CostOfArrays(const Variable& points) : points_(points) {
    const std::size_t n = points.shape(0), block = 256;  // so many points' distances stay in the cache
    const Variable columns = concatenate({transpose(points), ones({1, n}, float64)});
    for (const Variable& x : chunk(columns, (n + block - 1) / block, 1)) blocks_.push_back(x.copy());
  }

  Variable operator()(const Variable& centroids) const {
    return sum(square(points_ - take(centroids, nearest(centroids.detach()))));
  }

 private:
  // |x - c|^2 without |x|^2, as a product of matrices, [-2 c, |c|^2] [x; 1].
  Variable nearest(const Variable& centroids) const {
    const Variable rows = concatenate({-2 * centroids, sum(square(centroids), {1}, true)}, 1);
    std::vector<Variable> result;
    for (const Variable& block : blocks_) result.push_back(argmin(matmul(rows, block), 0));
    return concatenate(result);
  }

  Variable points_;
  std::vector<Variable> blocks_;  // of points, as columns above ones
};

// The gradient and, beside it, the derivatives of its elements by all: the row sums of the Hessian.
Vector step_of_arrays(const CostOfArrays& cost, const Variable& centroids) {
  auto gradient = [&](const Variable& at) { return grad(cost, {at})[0]; };
  const auto [slope, curvature] = jvp(gradient, {centroids}, {ones_like(centroids)});
  return elements({slope / curvature});
}

}  // namespace

Evaluation kmeans(bool small) {
  const std::size_t d = small ? 2 : 16, k = small ? 4 : 100, n = small ? 40 : 10'000;
  const Cost plain{d, k, n, uniform(n * d, 0, 1)};
  const Vector x(plain.points.end() - static_cast<std::ptrdiff_t>(k * d), plain.points.end());  // each is nearest to one
  const CostOfArrays cost(Variable(plain.points).reshape({n, d}));
  return {"kmeans", "d = " + std::to_string(d) + ", k = " + std::to_string(k) + ", n = " + std::to_string(n),
          [=] { return Vector{plain(x)}; }, [=] { return step_of_arrays(cost, Variable(x).reshape({k, d})); },
          adolc_step(plain, x), {}, [=] { return plain.step(x); }};
}

}  // namespace gradbench
