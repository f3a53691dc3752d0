// Special functions that rules call, derivatives among them.
#pragma once

#include <autograd/kernels/simd.hpp>
#include <autograd/variable.hpp>

namespace xtape::detail {

/// A function of one number, as the lambdas of a rule call it: on the lanes of vector registers, and on Variables.
template <double (*of_number)(double), Variable (*of_variable)(const Variable&)>
struct SpecialFunction {
  template <class T>
  kernels::Batch<T> operator()(const kernels::Batch<T>& x) const {
    return kernels::lanewise([](double v) { return of_number(v); }, x);
  }
  Variable operator()(const Variable& x) const { return of_variable(x); }
};

}  // namespace xtape::detail
