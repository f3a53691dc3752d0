// The problems of Moré, Garbow and Hillstrom, Testing unconstrained optimization software, ACM Transactions on
// mathematical software 7, 1981, section 3, by their numbers there.
#pragma once

#include <cmath>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <autograd/variable.hpp>
#include <optim/minimize.hpp>

namespace xtape::testing {

struct SmoothProblem {
  std::string name;
  Variable start;                                       ///< the standard one, float64
  std::vector<double> minima;                           ///< of the sum of squares, as published
  std::function<Variable(const Variable&)> residuals;   ///< of one vector
};

const std::vector<SmoothProblem>& smooth_problems();
const SmoothProblem& smooth_problem(const std::string& name);

/// Of n variables (30 and 28).
SmoothProblem broyden_tridiagonal(std::size_t n);
SmoothProblem discrete_boundary_value(std::size_t n);

/// Whether the value is one of those published, which have six digits; those that are 0 are missed by `zero` at most.
inline bool is_among(double value, const std::vector<double>& published, double zero = 1e-8) {
  for (double minimum : published)
    if (std::abs(value - minimum) <= (minimum == 0 ? zero : 1e-5 * std::abs(minimum))) return true;
  return false;
}

}  // namespace xtape::testing

// What Boost.Test prints of them.
namespace xtape::optim {
inline std::ostream& boost_test_print_type(std::ostream& out, Minimizer method) {
  return out << static_cast<int>(method);
}
inline std::ostream& boost_test_print_type(std::ostream& out, Stop reason) { return out << sentence(reason); }
}  // namespace xtape::optim
