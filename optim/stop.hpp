// Why minimize and least_squares stopped.
#pragma once

#include <string>

namespace xtape::optim {

enum class Stop {
  gradient_tolerance,  ///< the gradient is small enough
  value_tolerance,     ///< a step changed the value by too little
  step_tolerance,      ///< a step was too short
  no_descent,          ///< no step makes the value smaller: the dtype's precision is reached, or a derivative is wrong
  max_iterations,
  max_evaluations,
};

/// Whether the point is taken for a minimum: one of the tolerances was reached.
inline bool is_converged(Stop reason) { return reason < Stop::no_descent; }
/// The reason as a sentence.
std::string sentence(Stop reason);

}  // namespace xtape::optim
