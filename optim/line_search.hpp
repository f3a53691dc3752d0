// A line search for LBFGS.
#pragma once

#include <functional>

#include <autograd/variable.hpp>

namespace xtape::optim {

/// A point on the line: how far along the direction it is, and the loss, the gradient and the slope there.
struct LinePoint {
  double t = 0;
  double loss = 0;
  Variable gradient = {};  ///< of all parameters, as one vector
  double slope = 0;   ///< the gradient times the direction
};

struct WolfeOptions {
  double c1 = 1e-4;                ///< the loss has to fall by this part of what the slope promises
  double c2 = 0.9;                 ///< the slope has to fall to this part
  double tolerance_change = 1e-9;  ///< a bracket of this width is narrow enough
  int max_steps = 25;
};

/// Finds a point that satisfies the strong Wolfe conditions: Nocedal and Wright, Numerical optimization, 2nd edition,
/// 2006, Algorithms 3.5 and 3.6, with cubic interpolation (equation 3.59) guarded as in Schmidt's minFunc, on which
/// PyTorch's is built. `evaluate(t)` gives the point at t > 0, `start` is the one at 0, `t` the first to try, and
/// `direction_size` the greatest element of the direction. A point whose loss or slope is not finite counts as too
/// high.
LinePoint strong_wolfe(const std::function<LinePoint(double t)>& evaluate, const LinePoint& start, double t,
                       double direction_size, const WolfeOptions& options = {});

}  // namespace xtape::optim
