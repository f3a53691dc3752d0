// The evaluations of GradBench (github.com/gradbench/gradbench): each a function, its derivatives by xtape in the form
// that a user would write, and by ADOL-C where it is installed.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#ifdef XTAPE_ADOLC
#include <adolc/adolc.h>
#include <adolc/adtl.h>
#endif

namespace gradbench {

using Vector = std::vector<double>;

struct Evaluation {
  std::string name, size;
  std::function<Vector()> primal, derivative;
  std::function<Vector()> adolc = {};     // the same derivative; empty where it has none
  std::function<Vector()> expected = {};  // by hand, by differences, or as published
  std::function<Vector()> by_hand = {};   // the derivative as one would write it without a tool; empty for most
};

/// Numbers between low and high, from a seed.
inline Vector uniform(std::size_t n, double low, double high, unsigned seed = 1) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> numbers(low, high);
  Vector result(n);
  for (double& x : result) x = numbers(engine);
  return result;
}

/// Of mean 0 and variance 1.
inline Vector normal(std::size_t n, unsigned seed = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> numbers;
  Vector result(n);
  for (double& x : result) x = numbers(engine);
  return result;
}

/// The results of a function that returns one number or several.
inline Vector as_vector(double y) { return {y}; }
inline Vector as_vector(Vector y) { return y; }

/// Central differences of fourth order of each result, a row, by each input.
template <class F>
Vector by_differences(const F& f, const Vector& x, double h = 1e-3) {
  const std::size_t n = x.size(), m = as_vector(f(x)).size();
  Vector result(m * n);
  for (std::size_t j = 0; j < n; ++j)
    for (const auto& [steps, factor] : {std::pair(1, 8.0), {-1, -8.0}, {2, -1.0}, {-2, 1.0}}) {
      Vector at = x;
      at[j] += steps * h;
      const Vector y = as_vector(f(at));
      for (std::size_t i = 0; i < m; ++i) result[i * n + j] += factor * y[i] / (12 * h);
    }
  return result;
}

#ifdef XTAPE_ADOLC
// ADOL-C's name for a tape. Each function has one of its own: written over by a longer one, it has crashed.
inline short next_tape() {
  static short last = 0;
  return ++last;
}

// Writes f, which returns a number, at x to a tape.
template <class F>
void adolc_record(short tape, const F& f, const Vector& x) {
  trace_on(tape);
  std::vector<adouble> inputs(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) inputs[i] <<= x[i];
  adouble y = f(inputs);
  double value;
  y >>= value;
  trace_off();
}

template <class F>
std::function<Vector()> adolc_gradient(const F& f, const Vector& x) {
  static const short tape = next_tape();
  return [f, x] {
    adolc_record(tape, f, x);
    Vector result(x.size());
    ::gradient(tape, static_cast<int>(x.size()), x.data(), result.data());
    return result;
  };
}

/// Row by row, by numbers that know their tangents, with which ADOL-C is faster here than with a tape.
template <class F>
std::function<Vector()> adolc_jacobian(const F& f, const Vector& x) {
  return [f, x] {
    if (adtl::getNumDir() != x.size()) adtl::setNumDir(x.size());
    std::vector<adtl::adouble> inputs(x.begin(), x.end());
    for (std::size_t i = 0; i < x.size(); ++i) inputs[i].setADValue(i, 1);
    Vector result;
    for (const adtl::adouble& y : f(inputs)) result.insert(result.end(), y.getADValue(), y.getADValue() + x.size());
    return result;
  };
}

/// The gradient divided by the row sums of the Hessian.
template <class F>
std::function<Vector()> adolc_step(const F& f, const Vector& x) {
  static const short tape = next_tape();
  return [f, x] {
    adolc_record(tape, f, x);
    Vector result(x.size()), sums(x.size()), along(x.size(), 1), at(x);
    const int size = static_cast<int>(x.size());
    ::gradient(tape, size, at.data(), result.data());
    ::hess_vec(tape, size, at.data(), along.data(), sums.data());
    for (std::size_t i = 0; i < x.size(); ++i) result[i] /= sums[i];
    return result;
  };
}
#else
template <class F>
std::function<Vector()> adolc_gradient(const F&, const Vector&) {
  return {};
}
template <class F>
std::function<Vector()> adolc_jacobian(const F&, const Vector&) {
  return {};
}
template <class F>
std::function<Vector()> adolc_step(const F&, const Vector&) {
  return {};
}
#endif

/// Each in the published size, or in one that a test has time for.
Evaluation ba(bool small);
Evaluation ba_by_blocks(bool small);
Evaluation hello(bool small);
Evaluation det(bool small);
Evaluation lstm(bool small);
Evaluation ode(bool small);
Evaluation llsq(bool small);
Evaluation lse(bool small);
Evaluation gmm(bool small);
Evaluation kmeans(bool small);
Evaluation ht_simple(bool small);
Evaluation ht_complicated(bool small);
Evaluation particle(bool small);
Evaluation saddle(bool small);

}  // namespace gradbench
