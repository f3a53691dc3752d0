#include <nn/functional_call.hpp>

#include <algorithm>

#include <autograd/error.hpp>
#include <nn/substitution.hpp>

namespace xtape::nn {
namespace {

using Named = std::vector<std::pair<std::string, Variable>>;

void require_alike(const std::string& name, const Variable& place, const Variable& value) {
  auto text = [&] {
    return "functional_call: \"" + name + "\" is " + describe(value) + ", in the place of " + describe(place);
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
    require_alike(name, place, value);
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
    require_alike(places[i].first, places[i].second, parameters[i]);
    pairs.emplace_back(places[i].second, xtape::detail::another_handle(parameters[i]));
  }
  return call(net, std::move(pairs), x);
}

}  // namespace xtape::nn
