// What tests of vmap make of a batch: its numbers, and the loop over it.
#pragma once

#include <cstdint>
#include <vector>

#include <autograd/autograd.hpp>

namespace xtape::testing {

inline Variable normals(const Shape& shape, std::uint64_t seed = 1) {
  Generator generator(seed);
  return Variable(generator.normal(shape, 0, 1, float64));
}

/// f of each row of x, stacked.
template <class F>
Variable loop(F f, const Variable& x) {
  std::vector<Variable> results;
  for (const Variable& row : unbind(x)) results.push_back(f(row));
  return stack(results);
}

}  // namespace xtape::testing
