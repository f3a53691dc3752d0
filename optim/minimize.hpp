// The minimum of a smooth function.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <autograd/by_name.hpp>
#include <autograd/callable.hpp>
#include <optim/stop.hpp>

namespace xtape::optim {

/// The methods of minimize. The names in parentheses are those of the algorithms in Nocedal and Wright, Numerical
/// optimization, 2nd edition, 2006.
enum class Minimizer {
  /// Limited-memory BFGS (7.4, 7.5) with a line search for the strong Wolfe conditions (3.5, 3.6). The only one that
  /// takes bounds: with them, two-metric projection, after Bertsekas, Projected Newton methods for optimization
  /// problems with simple constraints, SIAM Journal on control and optimization 20, 1982; the metric is that of the
  /// pairs, restricted to the variables that are free.
  lbfgs,
  /// Newton's method, its equations solved by conjugate gradients up to what the gradient deserves (7.1), with the same
  /// line search. Each step of conjugate gradients is one walk back through the recorded gradient.
  newton_cg,
  /// The trust-region method (4.1) with Steihaug's conjugate gradients (7.2).
  trust_region,
};
using enum Minimizer;

/// Any tolerance may be 0, which turns it off.
struct MinimizeOptions {
  [[no_unique_address]] xtape::detail::ByName by_name = {};
  Minimizer method = lbfgs;
  double gradient_tolerance = 1e-5;  ///< stops where no element of the gradient is greater, in magnitude
  double value_tolerance = 1e-12;    ///< or a step changed the value by no more than this part of it
  double step_tolerance = 0;         ///< or no element of a step was greater than this part of the greatest of x
  std::int64_t max_iterations = 1000;
  std::int64_t max_evaluations = 100000;  ///< of the function; a line search is finished even so
  std::int64_t history_size = 10;         ///< lbfgs: pairs of changes of x and of the gradient to remember
  double trust_radius = 1;                ///< trust_region: how far the first step may lead
  double max_trust_radius = 1e10;         ///< trust_region: and any
  /// Bounds of lbfgs, one for each input, which broadcast to it and are rounded to its dtype: `.lower = {0.0}`. An
  /// undefined Variable, or an infinite element, is none. A start outside is moved to the nearest point inside; the
  /// function is never called outside.
  std::vector<Variable> lower = {}, upper = {};
};

struct MinimizeResult {
  std::vector<Variable> x;   ///< in the shapes and dtypes of the inputs
  double value = 0;          ///< of the function, there
  double gradient_norm = 0;  ///< the greatest element of the gradient; with bounds, of how far a step along it leads
  std::int64_t iterations = 0;
  std::int64_t evaluations = 0;       ///< of the function, each with its gradient
  std::int64_t hessian_products = 0;  ///< of the Hessian matrix with a vector
  bool converged = false;             ///< one of the tolerances was reached
  Stop reason = Stop::gradient_tolerance;
  std::string message = {};  ///< the reason as a sentence
};

/// Finds a local minimum of a function of one Variable or several, of any shapes, float32 or float64, that returns a
/// loss of one element:
///
///     auto result = optim::minimize([](auto x) { return sum(square(square(x) - 2)); }, {x0},
///                                   {.method = optim::trust_region});
///     std::cout << result.x[0] << result.message;
///
/// Evaluations and, in parentheses, Hessian products, with the default options, beside those of SciPy 1.10's L-BFGS-B,
/// Newton-CG and trust-ncg with tolerances as near to these as they have, on problems of Moré, Garbow and Hillstrom:
///
///                  lbfgs   SciPy    newton_cg    SciPy          trust_region   SciPy
///     Rosenbrock   44      45       101 (120)    105 (142)      30 (44)        30 (82)
///     Beale        16      16       13 (16)      15 (23)        12 (17)        12 (29)
///     Bard         25      24       14 (24)      15 (30)        11 (21)        11 (32)
///     Wood         111     115      486 (863)    1934 (3490)    109 (236)      108 (363)
///     Watson 6     56      55       15 (38)      26 (65)        15 (41)        15 (58)
///     Osborne 2    100     93       56 (144)     45 (219)       45 (225)       47 (287)
///
/// The function is evaluated in the dtypes of the inputs; the method itself computes in float64. Where the value or the
/// gradient is not finite, the step becomes shorter. Inputs that are not floating-point are constants. Inputs are never
/// written, and nothing is recorded for the caller: the result has no derivatives. What the function throws is passed
/// on.
///
/// @throws ValueError for options that are out of range or that the method does not have, for an input that is
/// undefined or not finite, and where value or gradient are not finite at the start; ShapeError unless the value has
/// one element, or for bounds that do not broadcast; DTypeError for a value that is not floating-point.
MinimizeResult minimize(const Callable& f, const std::vector<Variable>& x0, const MinimizeOptions& options = {});
/// The same for a function of one Variable: the result's `x` has one.
MinimizeResult minimize(const Callable& f, const Variable& x0, const MinimizeOptions& options = {});

}  // namespace xtape::optim
