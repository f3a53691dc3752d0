// Memory for time: values that are computed again instead of kept.
#pragma once

#include <concepts>
#include <vector>

#include <autograd/callable.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// f(inputs), of which nothing is kept for the way back but the inputs: the walk calls f again, with the random numbers
/// that it drew the first time. Gradients, of any order, are the same as those of f(inputs); they reach what f captures
/// (the parameters of layers) as well. f must compute the same when it is called again. The random numbers are those of
/// the default generator (Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost).
/// @throws GraphError in the walk when an input, or a parameter that f captured, was changed in place since.
Variable checkpoint(const Callable& f, const std::vector<Variable>& inputs);
/// The same of inputs one by one: `checkpoint(f, x, w)`.
template <std::same_as<Variable>... X>
  requires(sizeof...(X) > 0)
Variable checkpoint(const Callable& f, const X&... inputs) {
  return checkpoint(f, std::vector<Variable>{inputs...});
}

}  // namespace xtape
