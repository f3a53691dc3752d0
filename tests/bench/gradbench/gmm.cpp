// The logarithm of the posterior density of a mixture of k Gaussians in d dimensions, for n points and Wishart's prior of
// the precision matrices, by the logarithms of the weights, the means, and the matrices' triangular factors Q: q are the
// logarithms of the diagonal, l is what stands below, column by column.
#include <cmath>
#include <numbers>
#include <string>

#include <autograd/autograd.hpp>

#include "variables.hpp"

namespace gradbench {

using namespace xtape;

namespace {

struct Mixture {
  std::size_t d, k, n;
  Vector points;  // (n, d)
  double gamma = 1;
  int m = 0;  // degrees of freedom beyond d + 1

  std::size_t below() const { return d * (d - 1) / 2; }
  std::size_t parameters() const { return k * (1 + 2 * d + below()); }

  // What depends on no parameter.
  double constant() const {
    const double p = static_cast<double>(d), freedom = p + m + 1;
    double log_gamma = p * (p - 1) / 4 * std::log(std::numbers::pi);
    for (std::size_t j = 0; j < d; ++j) log_gamma += std::lgamma((freedom - static_cast<double>(j)) / 2);
    const double prior = freedom * p * std::log(gamma / std::numbers::sqrt2) - log_gamma;
    return static_cast<double>(k) * prior - static_cast<double>(n) * p / 2 * std::log(2 * std::numbers::pi);
  }
};

template <class T>
T log_sum_exp(const T* x, std::size_t n) {
  using std::exp, std::log;
  T most = x[0];
  for (std::size_t i = 1; i < n; ++i)
    if (x[i] > most) most = x[i];
  T sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += exp(x[i] - most);
  return log(sum) + most;
}

// By numbers.
struct Posterior : Mixture {
  template <class T>
  T operator()(const std::vector<T>& parameters) const {
    using std::exp;
    const T *alpha = parameters.data(), *mu = alpha + k, *q = mu + k * d, *l = q + k * d;
    std::vector<T> diagonal(q, l), sums(k), terms(k), at(d);
    T total = constant(), squares = 0;
    for (std::size_t c = 0; c < k; ++c)
      for (std::size_t j = 0; j < d; ++j) sums[c] += q[c * d + j];
    for (T& x : diagonal) x = exp(x), squares += x * x;
    for (std::size_t i = 0; i < k * below(); ++i) squares += l[i] * l[i];
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t c = 0; c < k; ++c)
        terms[c] = alpha[c] + sums[c] -
                   distance(&points[i * d], mu + c * d, &diagonal[c * d], l + c * below(), at.data()) / 2;
      total += log_sum_exp(terms.data(), k);
    }
    for (const T& x : sums) total += m * x;
    return total - gamma * gamma / 2 * squares - static_cast<double>(n) * log_sum_exp(alpha, k);
  }

  // |Q (x - mu)|^2
  template <class T>
  T distance(const double* x, const T* mu, const T* diagonal, const T* l, T* at) const {
    std::vector<T> centred(d);
    for (std::size_t j = 0; j < d; ++j) centred[j] = x[j] - mu[j], at[j] = diagonal[j] * centred[j];
    for (std::size_t j = 0; j < d; ++j)
      for (std::size_t i = j + 1; i < d; ++i) at[i] += *l++ * centred[j];
    T sum = 0;
    for (std::size_t j = 0; j < d; ++j) sum += at[j] * at[j];
    return sum;
  }
};

// By Variables: Q (x - mu) for all points and Gaussians is one product of matrices, [Q, -Q mu] [x; 1].
struct PosteriorOfArrays : Mixture {
  Variable columns, rows, ones_below;  // the places of l; the points as columns above ones

  explicit PosteriorOfArrays(const Mixture& mixture) : Mixture(mixture) {
    const std::vector<Variable> places = unbind(triu_indices(d, d, 1));
    columns = places[0], rows = places[1];
    const Variable x = Variable(points).reshape({n, d});
    ones_below = concatenate({transpose(x), ones({1, n}, float64)}).copy();
  }

  Variable operator()(const Variable& alpha, const Variable& mu, const Variable& q, const Variable& l) const {
    Variable factors = diag_embed(exp(q));
    factors[{all, rows, columns}] = l;
    const Variable sums = sum(q, {1});
    const Variable shifts = matmul(factors, expand_dims(-mu, {2}));
    const Variable centred = matmul(concatenate({factors, shifts}, 2).reshape({k * d, d + 1}), ones_below);
    const Variable distances = sum(square(centred.reshape({k, d, n})), {1});
    const Variable terms = expand_dims(alpha + sums, {1}) - distances / 2;
    return sum(logsumexp(terms, {0})) - n * logsumexp(alpha) - gamma * gamma / 2 * sum(square(factors)) + m * sum(sums) +
           constant();
  }
};

// The gradient by hand.
struct Gradient : Posterior {
  Vector operator()(const Vector& parameters) const {
    const double *alpha = parameters.data(), *mu = alpha + k, *q = mu + k * d, *l = q + k * d;
    Vector result(parameters.size()), diagonal(q, l), constants(alpha, mu), terms(k), at(k * d);
    double *by_alpha = result.data(), *by_mu = by_alpha + k, *by_q = by_mu + k * d, *by_l = by_q + k * d;
    for (double& x : diagonal) x = std::exp(x);
    for (std::size_t i = 0; i < k * d; ++i) constants[i / d] += q[i];
    for (std::size_t i = 0; i < n; ++i) {
      const double* x = &points[i * d];
      for (std::size_t c = 0; c < k; ++c)
        terms[c] = constants[c] - distance(x, mu + c * d, &diagonal[c * d], l + c * below(), &at[c * d]) / 2;
      const double whole = log_sum_exp(terms.data(), k);
      for (std::size_t c = 0; c < k; ++c) {
        const double weight = std::exp(terms[c] - whole);
        by_alpha[c] += weight;
        add(weight, x, mu + c * d, &diagonal[c * d], l + c * below(), &at[c * d], by_mu + c * d, by_q + c * d,
            by_l + c * below());
      }
    }
    const double whole = log_sum_exp(alpha, k), count = static_cast<double>(n);
    for (std::size_t c = 0; c < k; ++c) {
      for (std::size_t j = 0; j < d; ++j) by_q[c * d + j] += by_alpha[c];
      by_alpha[c] -= count * std::exp(alpha[c] - whole);
    }
    for (std::size_t i = 0; i < k * d; ++i) by_q[i] += m - gamma * gamma * diagonal[i] * diagonal[i];
    for (std::size_t i = 0; i < k * below(); ++i) by_l[i] -= gamma * gamma * l[i];
    return result;
  }

  // Adds the derivatives of -|at|^2 / 2 for at = Q (x - mu), times a weight.
  void add(double weight, const double* x, const double* mu, const double* diagonal, const double* l, const double* at,
           double* by_mu, double* by_q, double* by_l) const {
    for (std::size_t j = 0; j < d; ++j) {
      const double centred = weight * (x[j] - mu[j]);
      double back = diagonal[j] * at[j];
      by_q[j] -= centred * back;
      for (std::size_t i = j + 1; i < d; ++i) {
        back += *l++ * at[i];
        *by_l++ -= centred * at[i];
      }
      by_mu[j] += weight * back;
    }
  }
};

}  // namespace

Evaluation gmm(bool small) {
  const std::size_t d = small ? 3 : 20, k = small ? 4 : 25, n = small ? 10 : 1000;
  const Mixture mixture{d, k, n, normal(n * d, 2)};
  const Posterior plain{mixture};
  const Vector x = normal(mixture.parameters());
  const PosteriorOfArrays posterior(mixture);
  auto inputs = [=] {
    const std::vector<Variable> parts = split(Variable(x), {k, k * d, k * d, k * mixture.below()});
    return std::vector{parts[0], parts[1].reshape({k, d}), parts[2].reshape({k, d}), parts[3].reshape({k, -1})};
  };
  return {"gmm", "d = " + std::to_string(d) + ", k = " + std::to_string(k) + ", n = " + std::to_string(n),
          [=] { return Vector{plain(x)}; }, [=] { return elements(grad(posterior, inputs())); },
          adolc_gradient(plain, x), [=] { return by_differences(plain, x); }, [=] { return Gradient{plain}(x); }};
}

}  // namespace gradbench
