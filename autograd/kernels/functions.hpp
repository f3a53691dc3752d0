// Functions of numbers and of registers that kernels map.
#pragma once

#include <autograd/kernels/simd.hpp>

namespace xtape::kernels {

struct Add {
  auto operator()(const auto& a, const auto& b) const { return a + b; }
};
struct Subtract {
  auto operator()(const auto& a, const auto& b) const { return a - b; }
};
struct Divide {
  auto operator()(const auto& a, const auto& b) const { return a / b; }
};
struct Relu {
  auto operator()(const auto& x) const { return maximum(x, 0); }
};
/// exp(a - b)
struct ExpOfDifference {
  auto operator()(const auto& a, const auto& b) const { return exp(a - b); }
};
struct Log {
  auto operator()(const auto& x) const { return log(x); }
};

}  // namespace xtape::kernels
