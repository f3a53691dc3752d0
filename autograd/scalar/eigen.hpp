// BasicReal and Dual in Eigen's matrices. Eigen is needed by whoever includes this.
#pragma once

#include <Eigen/Core>

#include <autograd/scalar/derivatives.hpp>

template <class N>
  requires xtape::scalar::detail::is_number<N>
struct Eigen::NumTraits<N> : Eigen::NumTraits<double> {
  using Real = N;
  using NonInteger = N;
  using Nested = N;
  using Literal = N;

  static N epsilon() { return std::numeric_limits<N>::epsilon(); }
  static N dummy_precision() { return Eigen::NumTraits<double>::dummy_precision(); }
  static N highest() { return std::numeric_limits<N>::max(); }
  static N lowest() { return std::numeric_limits<N>::lowest(); }
  static N infinity() { return std::numeric_limits<N>::infinity(); }
  static N quiet_NaN() { return std::numeric_limits<N>::quiet_NaN(); }

  enum { IsComplex = 0, IsInteger = 0, IsSigned = 1, RequireInitialization = 1, ReadCost = 1, AddCost = 4, MulCost = 6 };
};

/// Numbers and doubles in one expression.
template <class N, class Operation>
  requires xtape::scalar::detail::is_number<N>
struct Eigen::ScalarBinaryOpTraits<N, double, Operation> {
  using ReturnType = N;
};
template <class N, class Operation>
  requires xtape::scalar::detail::is_number<N>
struct Eigen::ScalarBinaryOpTraits<double, N, Operation> {
  using ReturnType = N;
};
