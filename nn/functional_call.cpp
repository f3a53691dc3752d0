#include <nn/functional_call.hpp>

#include <algorithm>

#include <autograd/error.hpp>
#include <autograd/ops/joining.hpp>
#include <nn/substitution.hpp>

namespace xtape::nn {
namespace {

using Named = std::vector<std::pair<std::string, Variable>>;

void require_alike(const std::string& caller, const std::string& name, const Variable& place, const Variable& value) {
  auto text = [&] {
    return caller + ": \"" + name + "\" is " + describe(value) + ", in the place of " + describe(place);
  };
  if (!value.defined() || value.shape() != place.shape()) throw ShapeError(text());
  if (value.dtype() != place.dtype()) throw DTypeError(text());
}

// With each value in the place beside it.
Variable call(const Module& net, std::vector<std::pair<Variable, Variable>> pairs, const Variable& x) {
  nn::detail::Substitution scope(std::move(pairs));
  return net(x);
}

}  // namespace

Variable functional_call(const Module& net, const Named& values, const Variable& x) {
  const Named parameters = net.named_parameters(), buffers = net.named_buffers();
  std::vector<std::pair<Variable, Variable>> pairs;
  for (const auto& [name, value] : values) {
    auto parameter = std::ranges::find(parameters, name, &Named::value_type::first);
    auto buffer = std::ranges::find(buffers, name, &Named::value_type::first);
    if (parameter == parameters.end() && buffer == buffers.end())
      throw ValueError("functional_call: there is no parameter or buffer \"" + name + "\"");
    if (std::ranges::count(values, name, &Named::value_type::first) > 1)
      throw ValueError("functional_call: \"" + name + "\" is given twice");
    const bool is_buffer = parameter == parameters.end();
    const Variable& place = is_buffer ? buffer->second : parameter->second;
    require_alike("functional_call", name, place, value);
    // The call may write to a buffer; a parameter may be used in it under its own name as well.
    pairs.emplace_back(place, is_buffer ? value : xtape::detail::another_handle(value));
  }
  return call(net, std::move(pairs), x);
}

Variable functional_call(const Module& net, const std::vector<Variable>& parameters, const Variable& x) {
  const Named places = net.named_parameters();
  if (parameters.size() != places.size())
    throw ValueError("functional_call: " + std::to_string(parameters.size()) + " Variables for " +
                     std::to_string(places.size()) + " parameters");
  std::vector<std::pair<Variable, Variable>> pairs;
  for (std::size_t i = 0; i < places.size(); ++i) {
    require_alike("functional_call", places[i].first, places[i].second, parameters[i]);
    pairs.emplace_back(places[i].second, xtape::detail::another_handle(parameters[i]));
  }
  return call(net, std::move(pairs), x);
}

std::vector<std::pair<std::string, Variable>> StackedState::named(const std::vector<Variable>& of_one) const {
  if (of_one.size() != names.size())
    throw ValueError("StackedState: " + std::to_string(of_one.size()) + " values for " + std::to_string(names.size()) +
                     " names");
  Named result;
  for (std::size_t i = 0; i < names.size(); ++i) result.emplace_back(names[i], of_one[i]);
  return result;
}

namespace {

Named state_of(const Module& module) {
  Named state = module.named_parameters();
  for (auto& buffer : module.named_buffers()) state.push_back(buffer);
  return state;
}

}  // namespace

StackedState detail::stacked_state(const std::vector<const Module*>& modules) {
  xtape::detail::Calling calling("stack_module_state");
  if (modules.empty()) throw ValueError("stack_module_state: no modules");
  std::vector<Named> states;
  for (const Module* module : modules) states.push_back(state_of(*module));
  StackedState result;
  for (std::size_t i = 0; i < states[0].size(); ++i) {
    const auto& [name, first] = states[0][i];
    std::vector<Variable> values;
    for (const Named& state : states) {
      if (state.size() != states[0].size() || state[i].first != name)
        throw ValueError("stack_module_state: the modules differ at \"" + name + "\"");
      if (state[i].second.requires_grad() && state[i].second.size() == 0)
        throw ValueError("stack_module_state: \"" + name + "\" has no elements yet: call each module once before");
      require_alike("stack_module_state", name, first, state[i].second);
      values.push_back(state[i].second.detach());
    }
    result.names.push_back(name);
    result.values.push_back(stack(values));
    if (first.requires_grad()) result.values.back().requires_grad_();
  }
  return result;
}

}  // namespace xtape::nn
