// Loops whose gradients take the memory of a few states.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include <autograd/by_name.hpp>
#include <autograd/callable.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// Options of `scan`.
struct ScanOptions {
  [[no_unique_address]] detail::ByName by_name = {};
  /// How many states are kept, the first among them, beside the one that is being worked on. 0 stands for as many as
  /// let no step be computed more than twice before it is recorded: about the root of twice the number of steps.
  std::size_t checkpoints = 0;
};

/// What a step of a loop with several variables makes: the next state, and what it gives out, undefined for nothing.
struct ScanStep {
  std::vector<Variable> state;
  Variable output = {};
};

/// What such a loop makes: the last state, and what each step gave out.
struct Scanned {
  std::vector<Variable> state, outputs;
};

/// A step of such a loop: of the state, and of the input of this step.
using ScanFunction = std::function<ScanStep(const std::vector<Variable>& state, const Variable& input)>;

namespace detail {

/// The loop over the number of steps, or over `inputs` where they are defined.
Scanned scan(const ScanFunction& step, const std::vector<Variable>& state, std::size_t steps, const Variable& inputs,
             const ScanOptions& options);
Scanned scan_over(const ScanFunction& step, const std::vector<Variable>& state, const Variable& inputs,
                  const ScanOptions& options);
/// A step of one variable, as one of several.
ScanFunction step_of_one(Callable step);

}  // namespace detail

/// The state after `step(state, i)`, for i from 0 to steps - 1, each time of the state before it.
///
/// Of the states, at most `checkpoints` are kept, and on the way back the others are computed again from them, in the
/// order that takes the fewest steps: Griewank, Walther 2000, Algorithm 799: revolve. With c states, and as many as
/// (c + r)! / (c! r!) steps, no step is computed more than r times, and once more to be recorded. Gradients are those
/// of the plain loop, also those of what the step captures. Derivatives of gradients record the whole loop. As for
/// `checkpoint`, a step may draw random numbers and write in place, and has to compute the same when it is called
/// again; what it overwrites is kept for each step. Its state and its input are its own: what it writes to them, no one
/// else sees. A second walk through a graph that is kept begins with the first state alone.
///
///     Variable last = scan([&](auto& h, auto& i) { return tanh(matmul(h, w)); }, h, 1000, {.checkpoints = 10});
///
/// i is a 0-d int64. @throws GraphError in the walk when a step computes something else than the first time.
template <class F>
Variable scan(F step, const Variable& state, std::size_t steps, const ScanOptions& options = {}) {
  return detail::scan(detail::step_of_one(std::move(step)), {state}, steps, {}, options).state[0];
}
/// The same over the first axis of `inputs`: `step(state, inputs[i])`.
/// @throws ShapeError when they have none.
template <class F>
Variable scan(F step, const Variable& state, const Variable& inputs, const ScanOptions& options = {}) {
  return detail::scan_over(detail::step_of_one(std::move(step)), {state}, inputs, options).state[0];
}
/// The same for a state of several variables, with steps that give something out; see ScanFunction.
/// @throws GraphError when a step returns a state of another number of variables.
template <class F>
Scanned scan(F step, const std::vector<Variable>& state, std::size_t steps, const ScanOptions& options = {}) {
  return detail::scan(ScanFunction(std::move(step)), state, steps, {}, options);
}
template <class F>
Scanned scan(F step, const std::vector<Variable>& state, const Variable& inputs, const ScanOptions& options = {}) {
  return detail::scan_over(ScanFunction(std::move(step)), state, inputs, options);
}

}  // namespace xtape
