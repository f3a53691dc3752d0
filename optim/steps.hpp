// The methods of minimize, as steps from point to point.
#pragma once

#include <memory>
#include <optional>

#include <optim/minimize.hpp>
#include <optim/objective.hpp>

namespace xtape::optim::detail {

enum class Outcome {
  moved,      ///< to another point
  rejected,   ///< not yet, but the next step is another one
  exhausted,  ///< no step makes the value smaller
};

class Steps {
 public:
  virtual ~Steps() = default;
  /// One iteration from `at`, which becomes the next point.
  virtual Outcome step(Point& at) = 0;
};

std::unique_ptr<Steps> lbfgs_steps(Objective& objective, const MinimizeOptions& options);
/// Between bounds, where `at` has to lie.
std::unique_ptr<Steps> projected_lbfgs_steps(Objective& objective, const MinimizeOptions& options,
                                             const Variable& lower, const Variable& upper);
std::unique_ptr<Steps> newton_cg_steps(Objective& objective);
std::unique_ptr<Steps> trust_region_steps(Objective& objective, const MinimizeOptions& options);

/// A point along the direction that satisfies the strong Wolfe conditions, or makes the value smaller at least; none if
/// there is none. `t` is the first multiple of the direction to try.
std::optional<Point> search(Objective& objective, const Point& at, const Variable& direction, double t);

/// What `steps` take for the length of a first step along the gradient, where nothing is known of the function.
double first_length(const Variable& gradient);

}  // namespace xtape::optim::detail
