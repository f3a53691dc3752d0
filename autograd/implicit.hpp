// Functions that are given by an equation: roots and fixed points.
//
// Their derivatives are those of the implicit function theorem, at the solution: the iterations that found it are not
// recorded, and what they were plays no part. Where f(x, p) = 0, dx/dp is -(df/dx)^-1 df/dp, so that a gradient costs
// one linear equation with the transposed Jacobian, whatever the number of parameters. These derivatives can be
// differentiated again, to any order, and reach Variables that the function captures as well. See Blondel et al. 2022,
// Efficient and Modular Implicit Differentiation.
//
// The function is called many times: with the same random numbers each time, as in `checkpoint`.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include <autograd/callable.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// A solver of one's own: given f, a function of x alone, and x0, the x where f is zero. Nothing is recorded in it.
/// What it returns is taken for a root, for how near to 0 f has to be is the solver's to say: where f is not 0, values
/// and derivatives are those of no root. A solver that does not converge had better throw.
using RootSolver = std::function<Variable(const Callable& f, const Variable& x0)>;

/// Options of `custom_root`.
struct RootOptions {
  RootSolver solver = {};            ///< in the place of Newton's method
  /// Of the last step, relative to 1 + max |x|. 0 stands for 1e-12 in float64, 1e-5 in float32.
  double tolerance = 0;
  std::size_t max_iterations = 100;  ///< of Newton's method
};

/// The x with f(x, parameters...) = 0 that is found from x0, of its shape and dtype, which f's value has, too.
///
/// Newton's method takes the whole Jacobian at each step, and halves steps that lead to a greater |f|. So do gradients
/// take the Jacobian, once, at the root. x0 gets no gradient.
///
///     Variable root = custom_root([](auto& x, auto& a) { return x * x - a; }, ones({}), {a});  // sqrt(a)
///
/// @throws ValueError when the method does not converge, where the Jacobian is singular, and when what the solver
/// returns, or f there, is not finite; ShapeError or DTypeError when f's value, or what the solver returns, is unlike
/// x0; DTypeError unless x0 is floating-point.
Variable custom_root(const Callable& f, const Variable& x0, const std::vector<Variable>& parameters = {},
                     const RootOptions& options = {});

/// Options of `fixed_point`.
struct FixedPointOptions {
  /// Of the last step, relative to 1 + max |x|. 0 stands for 1e-12 in float64, 1e-5 in float32.
  double tolerance = 0;
  std::size_t max_iterations = 1000;  ///< on the way there, and on the way back
};

/// The x with x = g(x, parameters...), as the limit of x0, g(x0), g(g(x0)), ... Of the shape and dtype of x0.
///
/// Gradients iterate as well, u <- v + (dg/dx)' u, with products of vectors and Jacobians: there is no matrix, and x
/// may be large. This converges where the first iteration does. A g that is no contraction near its fixed point, which
/// another method has to find, is one for `custom_root`, as x - g(x). x0 gets no gradient.
/// @throws ValueError when an iteration does not converge; ShapeError or DTypeError when g's value is unlike x0;
/// DTypeError unless x0 is floating-point.
Variable fixed_point(const Callable& g, const Variable& x0, const std::vector<Variable>& parameters = {},
                     const FixedPointOptions& options = {});

}  // namespace xtape
