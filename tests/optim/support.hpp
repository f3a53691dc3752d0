// What the tests of optimizers share.
#pragma once

#include <memory>
#include <vector>

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>
#include <tests/support.hpp>

namespace xtape::testing {

/// Of every length that a vector register treats differently, and 0-d.
inline std::vector<Variable> parameters(DType dtype) {
  seed(11);
  std::vector<Variable> result;
  for (const Shape& shape : std::vector<Shape>{{}, {3}, {0}, {17}, {5, 9}})
    result.push_back(parameter(randn(shape, dtype)));
  return result;
}

/// Gradients that change from step to step: those of a quartic, plus what depends on the step.
inline void set_gradients(const std::vector<Variable>& xs, int step) {
  NoGrad guard;
  for (const Variable& x : xs) x.set_grad(x * square(x) + 0.1 * step);
}

inline std::vector<Variable> copies(const std::vector<Variable>& xs) {
  std::vector<Variable> result;
  for (const Variable& x : xs) result.push_back(x.detach().copy());
  return result;
}

}  // namespace xtape::testing
