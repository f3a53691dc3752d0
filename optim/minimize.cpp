#include <optim/minimize.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <autograd/autograd.hpp>
#include <optim/state.hpp>
#include <optim/steps.hpp>

namespace xtape::optim {
namespace {

constexpr const char* who = "minimize";

void check(const MinimizeOptions& o) {
  detail::check_when_to_stop(who, o);
  auto check = detail::checker_of_options(who);
  check("history_size", o.history_size, {.low = 1});
  check("trust_radius", o.trust_radius, {.low_included = false});
  check("max_trust_radius", o.max_trust_radius, {.low_included = false});
  if (o.trust_radius > o.max_trust_radius)
    throw ValueError(std::string(who) + ": trust_radius is " + detail::text(o.trust_radius) +
                     ", needs at most max_trust_radius, " + detail::text(o.max_trust_radius));
  if (o.method != lbfgs && o.method != newton_cg && o.method != trust_region)
    throw ValueError(std::string(who) + ": method is " + std::to_string(static_cast<int>(o.method)) +
                     ", which is none");
  if (o.method != lbfgs && !(o.lower.empty() && o.upper.empty()))
    throw ValueError(std::string(who) + ": lower and upper: only lbfgs takes bounds");
}

struct Bounds {
  bool any = false;
  Variable lower, upper;

  Bounds(const detail::FlatInputs& inputs, const MinimizeOptions& o)
      : any(!o.lower.empty() || !o.upper.empty()), lower(inputs.bounds("lower", o.lower, -INFINITY)),
        upper(inputs.bounds("upper", o.upper, INFINITY)) {
    if (xtape::any(lower > upper).item<bool>())
      throw ValueError(std::string(who) + ": lower is above upper for an element of the inputs");
  }
  Variable inside(const Variable& x) const { return any ? clip(x, lower, upper) : x; }
  // How steep the function is in the directions that bounds leave.
  double slope(const detail::Point& at) const {
    return detail::greatest(any ? inside(at.x - at.gradient) - at.x : at.gradient);
  }
};

std::unique_ptr<detail::Steps> steps_of(detail::Objective& objective, const MinimizeOptions& o, const Bounds& bounds) {
  switch (o.method) {
    case newton_cg: return detail::newton_cg_steps(objective);
    case trust_region: return detail::trust_region_steps(objective, o);
    default: break;
  }
  if (bounds.any) return detail::projected_lbfgs_steps(objective, o, bounds.lower, bounds.upper);
  return detail::lbfgs_steps(objective, o);
}

// Whether a step from one point to the other was too small to go on.
std::optional<Stop> too_small(const detail::Point& from, const detail::Point& to, const MinimizeOptions& o) {
  double greater = std::max(std::abs(from.value), std::abs(to.value)), change = std::abs(from.value - to.value);
  if (o.value_tolerance > 0 && change <= o.value_tolerance * greater) return Stop::value_tolerance;
  double step = detail::greatest(to.x - from.x);
  if (o.step_tolerance > 0 && step <= o.step_tolerance * (detail::greatest(to.x) + o.step_tolerance))
    return Stop::step_tolerance;
  return std::nullopt;
}

// Whether a function fell so far that nothing is left of the value that it began with.
bool seems_unbounded(double start, double value) {
  return value < -(1 + std::abs(start)) / std::numeric_limits<double>::epsilon();
}

}  // namespace

MinimizeResult minimize(const Callable& f, const std::vector<Variable>& x0, const MinimizeOptions& options) {
  NoGrad guard;
  check(options);
  detail::FlatInputs inputs(who, x0);
  Bounds bounds(inputs, options);
  detail::Objective objective(inputs, f, options.method != lbfgs);
  detail::Point at = objective.start(bounds.inside(inputs.start()));
  auto steps = steps_of(objective, options, bounds);
  double start = at.value;

  MinimizeResult result;
  std::optional<Stop> reason;
  while (true) {
    result.gradient_norm = bounds.slope(at);
    if (result.gradient_norm <= options.gradient_tolerance) reason = Stop::gradient_tolerance;
    else if (!reason && result.iterations == options.max_iterations) reason = Stop::max_iterations;
    else if (!reason && objective.evaluations() >= options.max_evaluations) reason = Stop::max_evaluations;
    if (reason) break;
    ++result.iterations;
    detail::Point before = at;
    detail::Outcome outcome = steps->step(at);
    if (outcome == detail::Outcome::exhausted) reason = Stop::no_descent;
    if (outcome == detail::Outcome::moved) reason = too_small(before, at, options);
  }
  result.x = inputs.parts(at.x);
  result.value = at.value;
  result.evaluations = objective.evaluations();
  result.hessian_products = objective.hessian_products();
  result.reason = *reason;
  result.converged = is_converged(*reason);
  result.message = sentence(*reason);
  if (!result.converged && seems_unbounded(start, at.value))
    result.message += " The function seems to have no lower bound.";
  return result;
}

MinimizeResult minimize(const Callable& f, const Variable& x0, const MinimizeOptions& options) {
  return minimize(f, std::vector<Variable>{x0}, options);
}

}  // namespace xtape::optim
