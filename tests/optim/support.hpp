// What the tests of optimizers share.
#pragma once

#include <memory>
#include <vector>

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>
#include <tests/nn/support.hpp>

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

/// That two Variables have the same elements, infinities included.
inline void same(const Variable& a, const Variable& b) {
  BOOST_REQUIRE(a.shape() == b.shape());
  BOOST_REQUIRE(a.dtype() == b.dtype());
  for (std::size_t i = 0; i < a.size(); ++i) BOOST_TEST(a.value().at(i) == b.value().at(i));
}

inline void same(const std::vector<Variable>& a, const std::vector<Variable>& b) {
  BOOST_REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) same(a[i], b[i]);
}

inline std::vector<Variable> copies(const std::vector<Variable>& xs) {
  std::vector<Variable> result;
  for (const Variable& x : xs) result.push_back(x.detach().copy());
  return result;
}

/// That two states have the same names and elements.
inline void same_state(const StateDict& a, const StateDict& b) {
  BOOST_TEST(a.size() == b.size());
  for (const auto& [name, value] : a) {
    BOOST_REQUIRE(b.contains(name));
    same(value, b.at(name));
  }
}

}  // namespace xtape::testing
