// Checks gradients against differences of values, and shows how a wrong one is found.

#include <iostream>

#include <autograd/autograd.hpp>
#include <examples/common/program.hpp>

using namespace xtape;

// Right: the derivative comes from the operations.
Variable softplus_by_hand(const Variable& x) { return where(x > 0, x, 0) + log1p(exp(-abs(x))); }

// Wrong: what is detached counts as a constant, so that the gradient misses a factor.
Variable silu_with_a_mistake(const Variable& x) { return x * sigmoid(x.detach()); }

int main(int argc, char** argv) {
  example::Program program("gradient_check",
                           "Compares gradients with central differences, (f(x + h) - f(x - h)) / 2h, in double precision.");
  std::size_t size = 5;
  program.option("--size", size, "how many numbers the functions take");
  return program.run(argc, argv, [&] {
    using Function = std::function<Variable(const std::vector<Variable>&)>;
    const std::vector<std::pair<std::string, Function>> functions{
        {"softplus", [](const auto& x) { return softplus_by_hand(x[0]); }},
        {"determinant", [](const auto& x) { return det(outer(x[0], x[0]) + diag(exp(x[0]))); }},
        {"silu, with a mistake", [](const auto& x) { return silu_with_a_mistake(x[0]); }},
    };
    // Differences take double precision. 0 is where abs and where have a corner: random numbers stay clear of it.
    const Variable x = randn({size}, float64);
    int wrong = 0;
    for (const auto& [name, function] : functions) {
      // The second order checks the gradient of the gradient as well.
      const GradcheckResult result = gradcheck(function, {x}, {.order = 2});
      std::cout << name << ": " << (result.ok ? "right to the second order" : result.message) << '\n';
      wrong += !result.ok;
    }
    std::cout << '\n';
    program.result("wrong", wrong, 0);
  });
}
