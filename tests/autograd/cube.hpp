// A Function of one's own that tests use.
#pragma once

#include <vector>

#include <autograd/function.hpp>
#include <autograd/ops/elementwise.hpp>

namespace xtape::testing {

/// x^3
struct Cube : Function<Cube> {
  static Variable forward(FunctionContext& context, const std::vector<Variable>& inputs) {
    context.save(inputs);
    return inputs[0] * inputs[0] * inputs[0];
  }
  static std::vector<Variable> backward(FunctionContext& context, const Variable& gradient) {
    return {3 * square(context.saved()[0]) * gradient};
  }
};

}  // namespace xtape::testing
