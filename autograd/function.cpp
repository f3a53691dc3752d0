#include <autograd/function.hpp>

#include <algorithm>

namespace xtape {

bool FunctionContext::needs_gradient(std::size_t input) const {
  if (input >= needed_.size())
    throw ValueError("needs_gradient: input " + std::to_string(input) + " of " + std::to_string(needed_.size()));
  return needed_[input];
}

void FunctionContext::keep(const std::vector<Variable>& results) {
  for (const Variable& x : given_) {
    if (!x.defined()) throw Error("FunctionContext: an undefined Variable is saved");
    auto same = std::ranges::find(results, x.impl(), &Variable::impl);
    bool is_result = same != results.end();
    kept_.push_back({is_result ? Saved(x.detach()) : Saved(x), is_result ? same - results.begin() : -1});
  }
  given_.clear();
}

std::vector<Variable> FunctionContext::saved() const {
  std::vector<Variable> xs;
  for (const auto& [value, result] : kept_)
    xs.push_back(result < 0 ? value() : detail::output_of(const_cast<Node*>(node_), value.array(), static_cast<std::uint32_t>(result)));
  return xs;
}

std::vector<Variable> FunctionCall::operator()(const std::vector<Variable>& inputs, const Forward& forward) {
  bool recorded = false;
  for (const Variable& x : inputs) {
    if (!x.defined()) throw Error(std::string(name()) + ": an input is an undefined Variable");
    context_.needed_.push_back(x.requires_grad());
    inputs_.push_back({x.value().shared_shape(), x.dtype()});
    recorded = recorded || (x.requires_grad() && grad_enabled());
  }
  std::vector<Variable> results;
  {
    NoGrad guard;
    results = forward(context_);
  }
  for (const Variable& y : results) {
    if (!y.defined()) throw Error(std::string(name()) + ": forward returned an undefined Variable");
    values_.push_back(y.value());
  }
  if (recorded) context_.keep(results);
  std::vector<Array> values(results.size());
  NodePtr node = detail::perform(*this, detail::pointers_to(inputs), values);
  for (std::uint32_t i = 0; i < results.size(); ++i)
    results[i] = detail::output_of(is_floating(values[i].dtype()) ? node : nullptr, values[i], i);
  return results;
}

void FunctionCall::evaluate(std::span<const Array>, std::span<Array> results) {
  std::move(values_.begin(), values_.end(), results.begin());
  values_.clear();
}

void FunctionCall::backward(const Node& node, std::span<Variable> outputs, std::span<InputGradient> inputs) const {
  std::vector<Variable> given(outputs.begin(), outputs.end());
  for (std::uint32_t i = 0; i < given.size(); ++i)
    if (const auto& type = node.result_type(i); !given[i].defined())
      given[i] = Variable(Array::full(type.shape(), 0, type.dtype));
  context_.node_ = &node;
  std::vector<Variable> gradients = backward_(context_, given);
  if (gradients.size() != inputs.size())
    throw GraphError("returned " + std::to_string(gradients.size()) + " gradients for " +
                     std::to_string(inputs.size()) + " inputs");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!node.edges()[i].node || !gradients[i].defined()) continue;
    if (gradients[i].shape() != inputs_[i].shape() || gradients[i].dtype() != inputs_[i].dtype)
      throw GraphError("returned a gradient of " + describe(gradients[i]) + " for input " + std::to_string(i) + ", " +
                       to_string(inputs_[i].dtype) + to_string(inputs_[i].shape()));
    inputs[i].value = gradients[i];
  }
}

}  // namespace xtape
