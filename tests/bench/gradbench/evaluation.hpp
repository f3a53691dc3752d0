// The evaluations of GradBench (github.com/gradbench/gradbench): each a function, its derivatives by xtape in the form
// that a user would write, and by ADOL-C where it is installed.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#ifdef XTAPE_ADOLC
#include <adolc/adolc.h>
#endif

namespace gradbench {

using Vector = std::vector<double>;

struct Evaluation {
  std::string name, size;
  std::function<Vector()> primal, derivative;
  std::function<Vector()> adolc = {};     // the same derivative; empty where it has none
  std::function<Vector()> expected = {};  // by hand, by differences, or as published
};

/// Numbers between low and high, from a seed.
inline Vector uniform(std::size_t n, double low, double high, unsigned seed = 1) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> numbers(low, high);
  Vector result(n);
  for (double& x : result) x = numbers(engine);
  return result;
}

/// Central differences of fourth order of a function that returns a number.
template <class F>
Vector by_differences(const F& f, const Vector& x, double h = 1e-3) {
  Vector result;
  for (std::size_t i = 0; i < x.size(); ++i) {
    auto at = [&](double d) {
      Vector y = x;
      y[i] += d;
      return f(y);
    };
    result.push_back((8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h));
  }
  return result;
}

#ifdef XTAPE_ADOLC
// ADOL-C's name for a tape. Each function has one of its own: written over by a longer one, it has crashed.
inline short next_tape() {
  static short last = 0;
  return ++last;
}

template <class F>
std::function<Vector()> adolc_gradient(const F& f, const Vector& x) {
  static const short tape = next_tape();
  return [f, x] {
    trace_on(tape);
    std::vector<adouble> inputs(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) inputs[i] <<= x[i];
    adouble y = f(inputs);
    double value;
    y >>= value;
    trace_off();
    Vector result(x.size());
    ::gradient(tape, static_cast<int>(x.size()), x.data(), result.data());
    return result;
  };
}
#else
template <class F>
std::function<Vector()> adolc_gradient(const F&, const Vector&) {
  return {};
}
#endif

/// Each in the published size, or in one that a test has time for.
Evaluation hello(bool small);
Evaluation det(bool small);
Evaluation lstm(bool small);
Evaluation ode(bool small);
Evaluation llsq(bool small);
Evaluation lse(bool small);
Evaluation particle(bool small);
Evaluation saddle(bool small);

}  // namespace gradbench
