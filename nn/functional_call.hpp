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

}  // namespace xtape::nn
