// What values.cpp, values_linalg.cpp and values_networks.cpp share: elements compared with references.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <autograd/variable.hpp>

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

inline const std::vector<double> special{0.0,  -0.0,  1.0,   -1.0,  0.5,  -0.5, 2.0, -3.0, 1e-30, -1e-30, 1e-8,
                                  20.0, -20.0, 100.0, -100.0, 0.1, 700., -700., 1e30, infinity,  -infinity,   not_a_number};

// Equal to a few units in the last place, or both NaN.
template <class T>
bool close(double found, double expected, double units = 4) {
  if (std::isnan(expected)) return std::isnan(found);
  expected = static_cast<T>(expected);
  if (found == expected) return true;
  if (std::abs(expected) < std::numeric_limits<T>::min()) return std::abs(found) < std::numeric_limits<T>::min();
  double scale = std::max<double>(std::abs(expected), std::numeric_limits<T>::min());
  return std::abs(found - expected) <= units * std::numeric_limits<T>::epsilon() * scale;
}

inline xtape::Variable of(const std::vector<double>& values, xtape::DType dtype) {
  xtape::Array array({values.size()}, xtape::float64);
  std::copy(values.begin(), values.end(), array.mutable_data<double>());
  return xtape::Variable(array.to(dtype));
}

inline bool same(const xtape::Variable& a, const xtape::Variable& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && (a.size() == 0 || sum(a != b).item() == 0);
}
