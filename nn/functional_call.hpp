// A module as a function of its parameters.
#pragma once

#include <concepts>
#include <string>
#include <utility>
#include <vector>

#include <autograd/state_dict.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

/// The output of a module for x, with other Variables in the places of its parameters and buffers, by their dotted
/// names; those that are not named stay. The module is as before when it returns, or throws. So a network is a function
/// of its parameters, for the transforms of autograd/transforms.hpp:
///
///     auto loss = [&](const std::vector<Variable>& p) { return nn::mse_loss(nn::functional_call(net, p, x), y); };
///     auto [value, products] = hvp(loss, net.parameters(), directions);
///
///     auto by_name = [&](auto& p) { return nn::mse_loss(nn::functional_call(net, p, x), y); };
///     for (auto& [name, gradient] : grad(by_name, net.named_parameters())) std::cout << name << gradient;
///
/// What the call writes to a buffer, such as running statistics, goes to the Variable that stands in its place. Not
/// while another thread uses the module or the values.
/// @throws ValueError for a name that the module does not have, or has twice; ShapeError or DTypeError for a Variable
/// that is unlike the one in whose place it is.
Variable functional_call(const Module& net, const std::vector<std::pair<std::string, Variable>>& values, const Variable& x);

/// The same with the Variables in a map. (A template, so that a list in braces is one of pairs.)
template <std::same_as<StateDict> Values>
Variable functional_call(const Module& net, const Values& values, const Variable& x) {
  return functional_call(net, std::vector<std::pair<std::string, Variable>>(values.begin(), values.end()), x);
}

/// The same with one Variable for each of `net.parameters()`, in that order. @throws ValueError for another number.
Variable functional_call(const Module& net, const std::vector<Variable>& parameters, const Variable& x);

/// The parameters and buffers of several modules that are alike: those of one name stacked along a first axis. Of an
/// ensemble, `vmap` computes all members at once:
///
///     nn::StackedState state = nn::stack_module_state(nets);
///     auto of_one = [&](const std::vector<Variable>& v) { return nn::functional_call(nets[0], state.named(v), x); };
///     Variable outputs = vmap(of_one, state.values);  // (members, ...)
///
/// What a layer writes to its buffers there, such as batch norm's running statistics in training, goes to the parts of the
/// stack that this call was given, and is lost with them.
struct StackedState {
  std::vector<std::string> names;  ///< dotted
  std::vector<Variable> values;    ///< values of their own; those of parameters are leaves that need a gradient

  /// Values beside their names, for functional_call. @throws ValueError for another number of them.
  std::vector<std::pair<std::string, Variable>> named(const std::vector<Variable>& of_one) const;
};

namespace detail {
StackedState stacked_state(const std::vector<const Module*>& modules);
}

/// @throws ValueError for no modules, where their names differ, or where one of lazy layers was not called yet; ShapeError
/// or DTypeError where their values differ.
template <std::derived_from<Module> M>
StackedState stack_module_state(const std::vector<M>& modules) {
  std::vector<const Module*> pointers;
  for (const M& module : modules) pointers.push_back(&module);
  return detail::stacked_state(pointers);
}

}  // namespace xtape::nn
