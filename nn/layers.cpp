#include <nn/layers.hpp>

#include <autograd/autograd.hpp>

namespace xtape::nn {

Dense::Dense(std::size_t in, std::size_t out, const DenseOptions& options) {
  std::string name = "Dense(" + std::to_string(in) + ", " + std::to_string(out) + ")";
  if (in == 0 || out == 0) throw ValueError(name + ": needs widths of 1 or more");
  if (!options.generator) throw ValueError(name + ": the generator is null");
  weight = add("weight", initialized(name + ": weight", options.weight_init, {in, out}, options.dtype,
                                     *options.generator));
  if (options.bias)
    bias = add("bias", initialized(name + ": bias", options.bias_init, {out}, options.dtype, *options.generator));
}

std::string Dense::description() const {
  return std::to_string(weight.shape(0)) + ", " + std::to_string(weight.shape(1)) + (bias.defined() ? "" : ", no bias");
}

Variable Dense::forward(const Variable& x) {
  if (!x.defined() || x.rank() == 0 || x.shape(-1) != weight.shape(0))
    throw ShapeError("Dense(" + description() + "): input of shape " + (x.defined() ? to_string(x.shape()) : "none") +
                     ", needs " + std::to_string(weight.shape(0)) + " as the last extent");
  Variable y = matmul(x, weight);
  return bias.defined() ? y + bias : y;
}

Variable ReLU::forward(const Variable& x) { return relu(x); }

Lambda::Lambda(Function function, std::string label) : function_(std::move(function)), label_(std::move(label)) {
  if (!function_) throw ValueError("Lambda: the function is empty");
}

Variable Lambda::forward(const Variable& x) { return function_(x); }

std::shared_ptr<Module> Sequential::operator[](std::size_t i) const {
  if (i >= size())
    throw ValueError("Sequential: layer " + std::to_string(i) + " of " + std::to_string(size()) + ": out of range");
  return children()[i].second;
}

Variable Sequential::forward(const Variable& x) {
  Variable y = x;
  for (const auto& [name, layer] : children()) y = (*layer)(y);
  return y;
}

}  // namespace xtape::nn
