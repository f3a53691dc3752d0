// The walk back through the tape.
#pragma once

#include <concepts>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape {

/// Options of `grad`.
struct GradOptions {
  bool retain_graph = false;               ///< keep the graph and what it saved, for another walk
  bool create_graph = false;               ///< record the walk itself, for higher derivatives; keeps the graph too
  bool allow_unused = false;               ///< an input that plays no part gets an undefined Variable, not an error
  std::vector<Variable> grad_outputs = {};  ///< the weights of the outputs; ones if left out, for one-element outputs
};

/// The derivatives of the outputs' (weighted) sum with respect to the inputs, in their order. Nothing is added to
/// any `grad()`.
/// @throws GraphError when an input plays no part, or the graph was released; ShapeError for weights that do not fit.
std::vector<Variable> grad(const std::vector<Variable>& outputs, const std::vector<Variable>& inputs,
                           const GradOptions& options = {});

/// The derivatives of one output. (A template, as the next one, so that `{y}` is a list, not a Variable.)
template <std::derived_from<Variable> Y>
std::vector<Variable> grad(const Y& output, const std::vector<Variable>& inputs, const GradOptions& options = {}) {
  return grad(std::vector<Variable>{output}, inputs, options);
}
/// The derivative of one output with respect to one input.
template <std::derived_from<Variable> Y, std::derived_from<Variable> X>
Variable grad(const Y& output, const X& input, const GradOptions& options = {}) {
  return grad(std::vector<Variable>{output}, std::vector<Variable>{input}, options)[0];
}

namespace detail {

class Mark;

/// x as a Variable of its own, at which a walk can end: one that leads to x when `connected`, a leaf otherwise. The
/// same where x needs no gradient.
Variable isolated(const Variable& x, bool connected);

/// The derivatives of the output, weighted by `seed`, with the inputs taken for independent of each other: the walk
/// ends at them. Undefined for those that play no part. Recorded where the grad mode is on. Part of another walk that
/// has come to `start`: hooks of inputs that are older are left to it.
std::vector<Variable> partial_grad(const Variable& output, const Variable& seed, const std::vector<Variable>& inputs,
                                   const Mark& start);
/// The same of several outputs, summed.
std::vector<Variable> partial_grad(const std::vector<Variable>& outputs, const std::vector<Variable>& seeds,
                                   const std::vector<Variable>& inputs, const Mark& start);

}  // namespace detail

}  // namespace xtape
