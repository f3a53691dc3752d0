// The slope of x * x.
#include "scalars.hpp"

gradbench::Evaluation gradbench::hello(bool) {
  auto f = [](const auto& x) { return x[0] * x[0]; };
  Evaluation result = of_scalars("hello", "1", f, {1.5});
  result.expected = [] { return Vector{3}; };
  return result;
}
