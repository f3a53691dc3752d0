#include <autograd/function.hpp>

namespace xtape {

void FunctionContext::keep(const Variable& result) {
  for (const Variable& x : given_) {
    if (!x.defined()) throw Error("FunctionContext: an undefined Variable is saved");
    is_result_.push_back(x.impl() == result.impl());
    // The result's node is not to hold itself.
    kept_.push_back(is_result_.back() ? Saved(x.value()) : Saved(x));
  }
  given_.clear();
}

std::vector<Variable> FunctionContext::saved() const {
  std::vector<Variable> result;
  for (std::size_t i = 0; i < kept_.size(); ++i)
    result.push_back(is_result_[i] ? detail::output_of(node_, kept_[i].array()) : kept_[i]());
  return result;
}

void FunctionContext::release() {
  kept_.clear();
  data.reset();
}

FunctionNode::FunctionNode(const char* name, std::span<const Variable> inputs, FunctionContext context,
                           Backward backward)
    : Node(name, 1), context_(std::move(context)), backward_(backward) {
  context_.node_ = this;
  for (const Variable& x : inputs) {
    edges_.push_back(edge_to(x));
    shapes_.push_back(x.shape());
  }
  link();
}

void FunctionNode::backward(std::span<const Variable> outputs, std::span<InputGradient> inputs) {
  std::vector<Variable> gradients = backward_(context_, outputs[0]);
  if (gradients.size() != inputs.size())
    throw GraphError("returned " + std::to_string(gradients.size()) + " gradients for " +
                     std::to_string(inputs.size()) + " inputs");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!edges_[i].node || !gradients[i].defined()) continue;
    if (gradients[i].shape() != shapes_[i] || gradients[i].dtype() != outputs[0].dtype())
      throw GraphError("returned a gradient of " + std::string(to_string(gradients[i].dtype())) +
                       to_string(gradients[i].shape()) + " for input " + std::to_string(i) + " of " +
                       to_string(shapes_[i]));
    inputs[i].value = gradients[i];
  }
}

}  // namespace xtape
