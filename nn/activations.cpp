#include <nn/activations.hpp>

#include <cmath>

#include <autograd/ops/activations.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reductions.hpp>
#include <nn/checks.hpp>

namespace xtape::nn {

using detail::text;

Variable ReLU::forward(const Variable& x) { return relu(x); }
Variable SELU::forward(const Variable& x) { return selu(x); }
Variable SiLU::forward(const Variable& x) { return silu(x); }
Variable Mish::forward(const Variable& x) { return mish(x); }
Variable Sigmoid::forward(const Variable& x) { return sigmoid(x); }
Variable Tanh::forward(const Variable& x) { return tanh(x); }
Variable Softsign::forward(const Variable& x) { return softsign(x); }
Variable Hardswish::forward(const Variable& x) { return hardswish(x); }

LeakyReLU::LeakyReLU(double slope) : slope_(slope) { detail::require_finite("LeakyReLU", "the slope", slope); }
Variable LeakyReLU::forward(const Variable& x) { return leaky_relu(x, slope_); }
std::string LeakyReLU::description() const { return text(slope_); }

PReLU::PReLU(std::size_t slopes, double initial, DType dtype) {
  detail::require_widths("PReLU", {slopes});
  detail::require_finite("PReLU", "the initial slope", initial);
  detail::require_floating("PReLU", dtype);
  weight = add("weight", parameter(full({slopes}, initial, dtype)));
}
Variable PReLU::forward(const Variable& x) {
  if (weight.size() == 1) return leaky_relu(x, weight);
  if (!x.defined() || x.rank() < 2 || x.shape(1) != weight.size())
    detail::refuse_input("PReLU(" + description() + ")", x,
                         std::to_string(weight.size()) + " channels as its second axis");
  Shape spread(x.rank() - 1, 1);
  spread[0] = weight.size();
  return leaky_relu(x, weight.reshape(spread));
}
std::string PReLU::description() const { return std::to_string(weight.size()); }

ELU::ELU(double alpha) : alpha_(alpha) { detail::require_finite("ELU", "alpha", alpha); }
Variable ELU::forward(const Variable& x) { return elu(x, alpha_); }
std::string ELU::description() const { return text(alpha_); }

GELU::GELU(const std::string& approximate) : by_tanh_(approximate == "tanh") {
  if (approximate != "tanh" && approximate != "none")
    throw ValueError("GELU: approximate is \"" + approximate + "\", needs \"none\" or \"tanh\"");
}
Variable GELU::forward(const Variable& x) { return by_tanh_ ? gelu_tanh(x) : gelu(x); }
std::string GELU::description() const { return by_tanh_ ? "tanh" : ""; }

Softplus::Softplus(double beta, double threshold) : beta_(beta), threshold_(threshold) {
  detail::require_positive("Softplus", "beta", beta);
  if (std::isnan(threshold)) throw ValueError("Softplus: threshold is nan, needs a number");
}
Variable Softplus::forward(const Variable& x) { return softplus(x, beta_, threshold_); }
std::string Softplus::description() const {
  return std::isinf(threshold_) ? text(beta_) : text(beta_) + ", " + text(threshold_);
}

Hardtanh::Hardtanh(double low, double high) : low_(low), high_(high) {
  if (!(low < high)) throw ValueError("Hardtanh: from " + text(low) + " to " + text(high) + ", needs bounds in order");
}
Variable Hardtanh::forward(const Variable& x) { return hardtanh(x, low_, high_); }
std::string Hardtanh::description() const { return text(low_) + ", " + text(high_); }

Variable Softmax::forward(const Variable& x) { return softmax(x, axis_); }
std::string Softmax::description() const { return std::to_string(axis_); }

Variable LogSoftmax::forward(const Variable& x) { return log_softmax(x, axis_); }
std::string LogSoftmax::description() const { return std::to_string(axis_); }

}  // namespace xtape::nn
