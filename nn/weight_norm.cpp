#include <nn/weight_norm.hpp>

#include <autograd/grad_mode.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/products.hpp>
#include <autograd/ops/reductions.hpp>
#include <nn/checks.hpp>
#include <nn/convolution.hpp>
#include <nn/substitution.hpp>

namespace xtape::nn {
namespace {

bool is_transposed(const Module& module) { return dynamic_cast<const detail::ConvolutionTranspose*>(&module); }

std::ptrdiff_t checked_axis(const char* name, const Variable& x, std::ptrdiff_t axis) {
  return static_cast<std::ptrdiff_t>(normalize_axis(name, axis, x.rank()));
}

Variable own_copy(const Variable& x) { return Variable(x.value().copy()); }

}  // namespace

void detail::Reparametrized::wrap(const char* name, const std::string& parameter_name) {
  for (const auto& [other, x] : wrapped().named_parameters()) {
    if (other != parameter_name || other.find('.') != std::string::npos) continue;
    if (x.size() == 0)
      throw Error(std::string(name) + ": the " + other + " of " + wrapped().name() + "(" + wrapped().description() +
                  ") is not yet materialized; give its input width, or call it first");
    parameter_name_ = parameter_name;
    target_ = x;
    return;
  }
  throw ValueError(std::string(name) + ": " + wrapped().name() + " has no parameter \"" + parameter_name +
                   "\" of its own");
}

Variable detail::Reparametrized::call(const Variable& value, const Variable& x) {
  Variable result;
  {
    Substitution scope({{target_, value}});
    result = wrapped()(x);
  }
  xtape::detail::UndoLog::note(target_);
  target_.impl()->value = value.value();
  return result;
}

void WeightNorm::initialize(const WeightNormOptions& options) {
  wrap("WeightNorm", options.name);
  std::ptrdiff_t dim = checked_axis("WeightNorm", target_, options.dim);
  std::vector<std::ptrdiff_t> others;
  for (std::size_t i = 0; i < target_.rank(); ++i)
    if (static_cast<std::ptrdiff_t>(i) != dim) others.push_back(static_cast<std::ptrdiff_t>(i));
  others_ = others;
  wrapped().set_computed(options.name);
  length_ = add(options.name + "_g", parameter(length_of(target_)));
  direction_ = add(options.name + "_v", parameter(own_copy(target_)));
}

// The norm of each slice. Without other axes, each element is one.
Variable WeightNorm::length_of(const Variable& x) const {
  return others_.size() == 0 ? abs(x) : norm(x, 2, others_, true);
}

Variable WeightNorm::forward(const Variable& x) { return call(direction_ * (length_ / length_of(direction_)), x); }

void SpectralNorm::initialize(const SpectralNormOptions& options) {
  detail::require_some("SpectralNorm", "n_power_iterations", options.n_power_iterations);
  detail::require_positive("SpectralNorm", "epsilon", options.epsilon);
  wrap("SpectralNorm", options.name);
  dim_ = checked_axis("SpectralNorm", target_, options.dim.value_or(is_transposed(wrapped()) ? 1 : 0));
  options_ = options;
  wrapped().set_computed(options.name);
  original_ = add(options.name + "_orig", parameter(own_copy(target_)));
  Variable matrix = as_matrix(target_);
  auto start = [&](std::ptrdiff_t axis) {
    return Variable(options.generator.get().normal({matrix.shape(axis)}, 0, 1, target_.dtype()));
  };
  constexpr std::size_t first_steps = 15;
  auto [u, v] = iterated(start(0), start(1), first_steps);
  u_ = add(options.name + "_u", u);
  v_ = add(options.name + "_v", v);
}

Variable SpectralNorm::as_matrix(const Variable& weight) const {
  Variable first = movedim(weight, dim_, 0);
  return reshape(first, {static_cast<std::ptrdiff_t>(first.shape(0)), -1});
}

// v = W' u / |W' u|, u = W v / |W v|
std::pair<Variable, Variable> SpectralNorm::iterated(Variable u, Variable v, std::size_t steps) const {
  NoGrad guard;
  Variable matrix = as_matrix(original_);
  auto normalized = [&](const Variable& x) { return x / maximum(norm(x), options_.epsilon); };
  for (std::size_t i = 0; i < steps; ++i) {
    v = normalized(matmul(u, matrix));
    u = normalized(matmul(matrix, v));
  }
  return {u.copy(), v.copy()};
}

// The vectors count as constants: at the singular vectors, u' W v has the derivative of the singular value.
Variable SpectralNorm::forward(const Variable& x) {
  auto [u, v] = iterated(u_, v_, training() ? options_.n_power_iterations : 0);
  Variable y = call(original_ / dot(u, matmul(as_matrix(original_), v)), x);
  if (training()) {
    u_.assign(u);
    v_.assign(v);
  }
  return y;
}

}  // namespace xtape::nn
