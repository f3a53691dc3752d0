// Nonlinear least squares.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <autograd/by_name.hpp>
#include <autograd/callable.hpp>
#include <optim/stop.hpp>

namespace xtape::optim {

/// Which elements of a Jacobian matrix may be other than 0: element k stands in row rows[k], column columns[k]. Both
/// are int64 of one axis. Rows are the residuals, columns the elements of all floating-point inputs, one after the
/// other.
struct JacobianStructure {
  Variable rows = {}, columns = {};
};

/// Any tolerance may be 0, which turns it off. They are MINPACK's gtol, ftol and xtol.
struct LeastSquaresOptions {
  [[no_unique_address]] xtape::detail::ByName by_name = {};
  /// Stops where the cosine of the angle between the residuals and each column of the Jacobian is no greater.
  double gradient_tolerance = 1e-8;
  double value_tolerance = 1e-8;  ///< or a step, and what was expected of it, is no greater a part of the value
  double step_tolerance = 1e-8;   ///< or no greater a part of x, both scaled by the norms of the columns
  std::int64_t max_iterations = 1000;
  std::int64_t max_evaluations = 100000;
  double damping = 1e-3;             ///< of the first step, relative to the squared norms of the columns
  JacobianStructure structure = {};  ///< for a sparse Jacobian
};

struct LeastSquaresResult {
  std::vector<Variable> x;   ///< in the shapes and dtypes of the inputs
  double value = 0;          ///< the sum of squares of the residuals, there
  Variable residuals = {};   ///< as the function gave them
  double gradient_norm = 0;  ///< the greatest element of the gradient of the sum of squares, 2 J' r
  std::int64_t iterations = 0;
  std::int64_t evaluations = 0;  ///< of the residuals
  std::int64_t jacobians = 0;    ///< and of their Jacobian matrix
  bool converged = false;        ///< one of the tolerances was reached
  Stop reason = Stop::gradient_tolerance;
  std::string message = {};  ///< the reason as a sentence
};

/// Finds a local minimum of the sum of squares of a function of one Variable or several that returns residuals, of any
/// shape:
///
///     auto result = optim::least_squares([&](auto a, auto b) { return a * exp(-b * t) - y; }, {a0, b0});
///
/// The method is Levenberg and Marquardt's, scaled by the greatest norms of the Jacobian's columns so far (Moré, The
/// Levenberg-Marquardt algorithm: implementation and theory, Lecture notes in mathematics 630, 1978), with the damping
/// of Nielsen, Damping parameter in Marquardt's method, IMM-REP-1999-05, Technical University of Denmark, 1999. The
/// equations are solved by QR decompositions. The Jacobian matrix takes one walk back for each input element or each
/// residual, whichever are fewer.
///
/// With a `structure`, columns that share no row are computed together (Curtis, Powell and Reid, On the estimation of
/// sparse Jacobian matrices, Journal of the Institute of Mathematics and its Applications 13, 1974), elements outside
/// it are never stored, and the equations are solved by conjugate gradients. One product more, with a random vector,
/// shows whether the structure lacks an element that is not 0.
///
/// Evaluations and, in parentheses, Jacobian matrices, beside those of SciPy 1.10's method lm (MINPACK), with x_scale
/// jac and the same tolerances, on problems of Moré, Garbow and Hillstrom, both at the published minima:
///
///                           here         SciPy                             here         SciPy
///     Rosenbrock            21 (18)      21 (16)     Brown and Dennis      245 (188)    266 (247)
///     Bard                  8 (8)        6 (5)       Osborne 1             23 (22)      18 (15)
///     Powell badly scaled   74 (73)      19 (17)     Osborne 2             13 (11)      17 (13)
///     Kowalik and Osborne   12 (10)      18 (16)     Meyer                 142 (142)    126 (116)
///
/// The residuals are computed in the dtypes of the inputs; the method itself computes in float64. Where residuals or
/// derivatives are not finite, the step becomes shorter. Inputs that are not floating-point are constants. Inputs are
/// never written, and nothing is recorded for the caller: the result has no derivatives. What the function throws is
/// passed on. The method has no bounds.
///
/// @throws ValueError for options that are out of range, an input that is undefined or not finite, no residuals,
/// residuals or derivatives that are not finite at the start, residuals whose squares overflow or underflow there, and a
/// structure that lacks an element; DTypeError for residuals that are not floating-point, or a structure that is not
/// int64; ShapeError for one whose parts are not of one axis and length, or residuals whose shape changes.
LeastSquaresResult least_squares(const Callable& f, const std::vector<Variable>& x0,
                                 const LeastSquaresOptions& options = {});
/// The same for a function of one Variable: the result's `x` has one.
LeastSquaresResult least_squares(const Callable& f, const Variable& x0, const LeastSquaresOptions& options = {});

}  // namespace xtape::optim
