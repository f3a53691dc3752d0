#include <optim/stop.hpp>

namespace xtape::optim {

std::string sentence(Stop reason) {
  switch (reason) {
    case Stop::gradient_tolerance: return "The gradient is within gradient_tolerance.";
    case Stop::value_tolerance: return "A step changed the value by no more than value_tolerance.";
    case Stop::step_tolerance: return "A step was no longer than step_tolerance.";
    case Stop::no_descent: return "No step makes the value smaller: this is as precise as the function computes, or a "
                                  "derivative is wrong.";
    case Stop::max_iterations: return "There were max_iterations iterations.";
    case Stop::max_evaluations: return "There were max_evaluations evaluations of the function.";
  }
  return "";
}

}  // namespace xtape::optim
