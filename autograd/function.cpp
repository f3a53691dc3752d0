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
    kept_.push_back({is_result ? Saved(x.value()) : Saved(x), is_result ? same - results.begin() : -1});
  }
  given_.clear();
}

std::vector<Variable> FunctionContext::saved() const {
  std::vector<Variable> xs;
  for (const auto& [value, result] : kept_)
    xs.push_back(result < 0 ? value() : detail::output_of(node_, value.array(), static_cast<std::uint32_t>(result)));
  return xs;
}

void FunctionContext::release() {
  kept_.clear();
  data.reset();
}

FunctionNode::FunctionNode(const char* name, std::span<const Variable> inputs, std::span<const Variable> results,
                           FunctionContext context, Backward backward)
    : Node(name, static_cast<std::uint32_t>(results.size())), context_(std::move(context)),
      backward_(std::move(backward)) {
  context_.node_ = this;
  for (const Variable& x : inputs) {
    edges_.push_back(edge_to(x));
    inputs_.push_back({x.shape(), x.dtype()});
  }
  for (const Variable& y : results) results_.push_back({y.shape(), y.dtype()});
  link();
}

void FunctionNode::backward(std::span<const Variable> outputs, std::span<InputGradient> inputs) {
  std::vector<Variable> given(outputs.begin(), outputs.end());
  for (std::size_t i = 0; i < given.size(); ++i)
    if (!given[i].defined()) given[i] = Variable(Array::full(results_[i].shape, 0, results_[i].dtype));
  std::vector<Variable> gradients = backward_(context_, given);
  if (gradients.size() != inputs.size())
    throw GraphError("returned " + std::to_string(gradients.size()) + " gradients for " +
                     std::to_string(inputs.size()) + " inputs");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!edges_[i].node || !gradients[i].defined()) continue;
    if (gradients[i].shape() != inputs_[i].shape || gradients[i].dtype() != inputs_[i].dtype)
      throw GraphError("returned a gradient of " + describe(gradients[i]) + " for input " + std::to_string(i) + ", " +
                       to_string(inputs_[i].dtype) + to_string(inputs_[i].shape));
    inputs[i].value = gradients[i];
  }
}

}  // namespace xtape
