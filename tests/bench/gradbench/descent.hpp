// The gradient descent of GradBench's nested evaluations (Pearlmutter and Siskind, Using programming language theory to
// make automatic differentiation sound and efficient, 2008): the step doubles after ten successes and halves after a
// failure.
#pragma once

#include <cmath>
#include <vector>

#include <autograd/scalar/derivatives.hpp>

namespace gradbench {

template <class T>
T length(const std::vector<T>& v) {
  using std::sqrt;
  T sum = 0;
  for (const T& x : v) sum += x * x;
  return sqrt(sum);
}

/// Where f is least, from x on. f takes numbers of any type.
template <class F, class T>
std::vector<T> argmin(const F& f, std::vector<T> x) {
  T value = f(x);
  std::vector<T> slope = xtape::scalar::gradient(f, x);
  double eta = 1e-5;
  for (int successes = 0; !(length(slope) <= 1e-5);) {
    if (successes == 10) {
      eta *= 2;
      successes = 0;
      continue;
    }
    std::vector<T> next(x), step(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) step[i] = eta * slope[i], next[i] = x[i] - step[i];
    if (length(step) <= 1e-5) break;
    T there = f(next);
    if (there < value) {
      x = next, value = there;
      slope = xtape::scalar::gradient(f, x);
      ++successes;
    } else {
      eta /= 2;
      successes = 0;
    }
  }
  return x;
}

/// Where f is greatest.
template <class F, class T>
std::vector<T> argmax(const F& f, const std::vector<T>& x) {
  return argmin([&](const auto& at) { return -f(at); }, x);
}

}  // namespace gradbench
