// Memory for time: values that are computed again instead of kept.
#pragma once

#include <concepts>
#include <vector>

#include <autograd/callable.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// f(inputs), of which nothing is kept for the way back but the inputs: the walk calls f again (Chen et al. 2016,
/// Training Deep Nets with Sublinear Memory Cost). Gradients, of any order, are the same as those of f(inputs); they
/// reach what f captures (the parameters of layers) as well.
///
/// f must compute the same when it is called again, and mostly need not care. In the place of each generator that it
/// draws from, both calls have one that is seeded by a number drawn from it in the first. What f writes in place (the
/// running statistics of a batch norm) the second call finds as the first one did, and leaves as it is. And a parameter
/// that was changed since has its old value until the second call returns.
/// @throws GraphError in the walk when f gives another result, or computes with other Variables than the first time.
Variable checkpoint(const Callable& f, const std::vector<Variable>& inputs);
/// The same of inputs one by one: `checkpoint(f, x, w)`.
template <std::derived_from<Variable>... X>
  requires(sizeof...(X) > 0)
Variable checkpoint(const Callable& f, const X&... inputs) {
  return checkpoint(f, std::vector<Variable>{inputs...});
}

}  // namespace xtape
