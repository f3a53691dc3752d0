// Ordinary differential equations.
#pragma once

#include <concepts>
#include <cstddef>
#include <limits>
#include <vector>

#include <autograd/callable.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// What a solution took.
struct OdeStatistics {
  std::size_t steps = 0, rejected = 0, evaluations = 0;
};

/// Options of `odeint`.
struct OdeOptions {
  double rtol = 1e-6, atol = 1e-8;                            ///< the error that a step may make: atol + rtol |y|
  double first_step = 0;                                      ///< 0: chosen by the derivatives at the start
  double max_step = std::numeric_limits<double>::infinity();
  std::size_t max_steps = 100'000;                            ///< rejected ones among them
  /// Gradients through the steps with the memory of this many states, see `scan`; 0 keeps the record of all steps.
  std::size_t checkpoints = 0;
  /// Gradients by the adjoint equation, which is solved from the last time to the first: with the memory of the result
  /// alone, and with errors of the order of the tolerance.
  bool adjoint = false;
  OdeStatistics* statistics = nullptr;  ///< filled in, where it is not null, by the way there
};

/// The solution of dy/dt = f(t, y, parameters...) with y = y0 at times[0], at all `times`: their number + shape of y0.
/// Times increase, or decrease. f gets t as a 0-d constant of y0's dtype and returns the shape and dtype of y.
///
///     Variable y = odeint([](auto&, auto& y, auto& rate) { return -rate * y; }, y0, {0, 1, 2}, {rate});
///
/// The method is that of Dormand and Prince, of order 5 with an error estimate of order 4, as in the program DOPRI5
/// (Hairer, Norsett, Wanner 1993, Solving Ordinary Differential Equations I, II.4 to II.6): step sizes by the PI
/// controller, times within a step by the interpolation of order 4. No step goes beyond the last time.
///
/// Gradients, with respect to y0, the parameters and what f captures, are by default those of the steps that were
/// taken, whose sizes count as constants, to any order. With `adjoint` they solve Chen et al. 2018, Neural Ordinary
/// Differential Equations, equation 4, with the errors of parameters' gradients left out of step size control (Kidger
/// et al. 2021, "Hey, that's not an ODE"); further derivatives are those of that solution's steps. Times get no
/// gradient. With `adjoint` or `checkpoints`, f has to capture the same Variables at all times.
/// @throws ValueError for times that are not finite and strictly monotonic, or other options that make no sense; when
/// steps become too small or too many, y0 or f is not finite, or where atol is 0 and an element of y0 that changes is 0,
/// without a first_step; ShapeError or DTypeError when f's value is unlike y0.
Variable odeint(const Callable& f, const Variable& y0, const std::vector<double>& times,
                const std::vector<Variable>& parameters = {}, const OdeOptions& options = {});
/// The same for times in a Variable of one axis. (A template, so that braces are a list of numbers.)
template <std::same_as<Variable> T>
Variable odeint(const Callable& f, const Variable& y0, const T& times, const std::vector<Variable>& parameters = {},
                const OdeOptions& options = {}) {
  if (times.rank() != 1) throw ShapeError("odeint: times of shape " + to_string(times.shape()) + ", need one axis");
  std::vector<double> list;
  for (std::size_t i = 0; i < times.size(); ++i) list.push_back(times.value().at(i));
  return odeint(f, y0, list, parameters, options);
}

}  // namespace xtape
