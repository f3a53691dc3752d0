#include <optim/nadam.hpp>

#include <cmath>

#include <autograd/kernels/map.hpp>

namespace xtape::optim {

const Description<NAdamOptions>& NAdam::description() {
  using O = NAdamOptions;
  static const Description<O> nadam{
      "NAdam",
      {{"lr", &O::lr}, {"beta1", &O::beta1, {0, 1}}, {"beta2", &O::beta2, {0, 1}}, {"epsilon", &O::epsilon},
       {"weight_decay", &O::weight_decay}, {"momentum_decay", &O::momentum_decay},
       {"decoupled_weight_decay", &O::decoupled_weight_decay}},
      {{"moment1"}, {"moment2"}},
      {"mu_product"}};
  return nadam;
}

void NAdam::update(const NAdamOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  auto t = static_cast<double>(steps(i));
  double beta1 = options.beta1, beta2 = options.beta2, epsilon = options.epsilon;
  auto mu = [&](double t) { return beta1 * (1 - 0.5 * std::pow(0.96, t * options.momentum_decay)); };
  double& product = number(0, i);
  product = t == 1 ? mu(1) : product * mu(t);
  double of_gradient = options.lr * (1 - mu(t)) / (1 - product);
  double of_moment = options.lr * mu(t + 1) / (1 - product * mu(t + 1));
  double scale = 1 / std::sqrt(1 - std::pow(beta2, t));
  double decay = options.decoupled_weight_decay ? 0 : options.weight_decay;
  double kept = options.decoupled_weight_decay ? 1 - options.lr * options.weight_decay : 1;
  kernels::update([=](auto& p, auto& m, auto& v, auto g) {
    g += decay * p;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    p = kept * p - (of_gradient * g + of_moment * m) / (sqrt(v) * scale + epsilon);
  }, parameter, moment(0, i), moment(1, i), gradient);
}

}  // namespace xtape::optim
