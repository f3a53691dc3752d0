// What tests of forward mode ask of a sample: its function, directions, and the numbers that are compared.
#pragma once

#include <algorithm>
#include <cmath>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

#include "samples.hpp"

namespace forward_mode {

using samples::Sample;
using samples::Variables;
using xtape::Variable;

/// Directions for the inputs, of the size of each element where that is beyond 1.
inline Variables directions(const Variables& xs, double low, double high) {
  Variables result;
  for (const Variable& x : xs) result.push_back(samples::numbers(x.shape(), low, high) * maximum(1, abs(x)));
  return result;
}

/// Weights for the elements of a value.
inline Variable weights(const Variable& y) { return samples::numbers(y.shape()); }

inline Variables moved(const Variables& xs, const Variables& directions, double step) {
  Variables result;
  for (std::size_t i = 0; i < xs.size(); ++i) result.push_back(xs[i] + directions[i] * step);
  return result;
}

/// The sum of the products of elements.
inline double product(const Variables& a, const Variables& b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += sum(a[i] * b[i]).item();
  return total;
}

inline double size_of(const Variable& x) { return x.size() == 0 ? 0 : max(abs(x)).item(); }

/// Equal but for rounding, or for the error of differences: relative to both, and to 1.
inline void close(double a, double b, double tolerance, const char* what) {
  double scale = std::max({1.0, std::abs(a), std::abs(b)});
  BOOST_TEST(std::abs(a - b) <= tolerance * scale, what << ": " << a << " and " << b);
}
inline void close(const Variable& a, const Variable& b, double tolerance, const char* what) {
  BOOST_REQUIRE(a.shape() == b.shape());
  BOOST_REQUIRE(a.dtype() == b.dtype());
  double scale = std::max({1.0, size_of(a), size_of(b)});
  BOOST_TEST(size_of(a - b) <= tolerance * scale, what << ": " << a << " and " << b);
}

}  // namespace forward_mode
