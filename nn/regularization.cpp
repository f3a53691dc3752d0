#include <nn/regularization.hpp>

#include <cmath>
#include <sstream>

#include <autograd/autograd.hpp>

namespace xtape::nn {
namespace {

void require_positive(const std::string& name, const char* option, double value) {
  if (!(value > 0 && std::isfinite(value)))
    throw ValueError(name + ": " + option + " " + std::to_string(value) + ", needs a positive number");
}

}  // namespace

Dropout::Dropout(double p, Generator* generator) : p_(p), generator_(generator) {
  if (!(p >= 0 && p <= 1)) throw ValueError("Dropout: a probability of " + std::to_string(p) + ", needs 0 to 1");
  if (!generator) throw ValueError("Dropout: the generator is null");
}

Variable Dropout::forward(const Variable& x) { return training() ? dropout(x, p_, *generator_) : x; }

std::string Dropout::description() const {
  std::ostringstream text;
  text << p_;
  return text.str();
}

BatchNorm::BatchNorm(std::size_t channels, const BatchNormOptions& options) : options_(options) {
  std::string name = "BatchNorm(" + std::to_string(channels) + ")";
  if (channels == 0) throw ValueError(name + ": needs 1 channel or more");
  require_positive(name, "epsilon", options.epsilon);
  if (!(options.momentum >= 0 && options.momentum <= 1))
    throw ValueError(name + ": momentum " + std::to_string(options.momentum) + ", needs 0 to 1");
  weight = add("weight", parameter(xtape::ones({channels}, options.dtype)));
  bias = add("bias", parameter(xtape::zeros({channels}, options.dtype)));
  running_mean = add("running_mean", xtape::zeros({channels}, options.dtype));
  running_var = add("running_var", xtape::ones({channels}, options.dtype));
}

Variable BatchNorm::forward(const Variable& x) {
  std::size_t channels = weight.size();
  if (!x.defined() || x.rank() < 2 || x.shape()[1] != channels)
    throw ShapeError("BatchNorm(" + description() + "): input of shape " + (x.defined() ? to_string(x.shape()) : "none") +
                     ", needs " + std::to_string(channels) + " channels as its second axis");
  if (!training()) return batch_norm(x, running_mean, running_var, weight, bias, options_.epsilon);
  if (x.size() / channels < 2)
    throw ValueError("BatchNorm(" + description() + "): input of shape " + to_string(x.shape()) +
                     ", needs more than one element a channel to train on");
  Variable y = batch_norm(x, weight, bias, options_.epsilon);
  NoGrad guard;
  std::vector<std::ptrdiff_t> axes{0};
  for (std::size_t i = 2; i < x.rank(); ++i) axes.push_back(static_cast<std::ptrdiff_t>(i));
  double m = options_.momentum;
  running_mean.assign((1 - m) * running_mean + m * mean(x, axes));
  running_var.assign((1 - m) * running_var + m * var(x, axes, false, 1));
  return y;
}

std::string BatchNorm::description() const { return std::to_string(weight.size()); }

LayerNorm::LayerNorm(std::size_t width, double epsilon, DType dtype) : epsilon_(epsilon) {
  std::string name = "LayerNorm(" + std::to_string(width) + ")";
  if (width == 0) throw ValueError(name + ": needs a width of 1 or more");
  require_positive(name, "epsilon", epsilon);
  weight = add("weight", parameter(xtape::ones({width}, dtype)));
  bias = add("bias", parameter(xtape::zeros({width}, dtype)));
}

Variable LayerNorm::forward(const Variable& x) { return layer_norm(x, 1, weight, bias, epsilon_); }

std::string LayerNorm::description() const { return std::to_string(weight.size()); }

}  // namespace xtape::nn
