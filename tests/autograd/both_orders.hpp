// What tests of fused functions compare.
#pragma once

#include <functional>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

#include "samples.hpp"

namespace xtape::testing {

inline double distance(const Variable& a, const Variable& b) {
  BOOST_REQUIRE(a.shape() == b.shape());
  return a.size() == 0 ? 0 : max(abs(a - b)).item();
}

// f, the gradients of a weighted sum of it, and those of a weighted sum of those: the first and the second order.
inline std::vector<Variable> both_orders(const std::function<Variable(const std::vector<Variable>&)>& f,
                                         const std::vector<Variable>& inputs) {
  using samples::numbers;
  using Variables = std::vector<Variable>;
  Variables xs;
  for (const Variable& x : inputs) xs.push_back(x.copy().requires_grad_());
  Variable y = f(xs), weights = numbers(y.shape());
  Variables first = grad({y}, xs, {.create_graph = true, .allow_unused = true, .grad_outputs = {weights}}), all = first;
  all.push_back(y);
  Variable total = Variable(Array::scalar(0, float64));
  for (const Variable& g : first)
    if (g.defined()) total = total + sum(g * numbers(g.shape()));
  Variables second(xs.size());
  if (total.requires_grad()) second = grad({total}, xs, {.allow_unused = true});
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

}  // namespace xtape::testing
