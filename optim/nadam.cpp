#include <optim/nadam.hpp>

#include <cmath>

#include <autograd/kernels/map.hpp>
#include <optim/updates.hpp>

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
  auto mu = [&](double t) { return options.beta1 * (1 - 0.5 * std::pow(0.96, t * options.momentum_decay)); };
  double& product = number(0, i);
  product = t == 1 ? mu(1) : product * mu(t);
  double of_gradient = options.lr * (1 - mu(t)) / (1 - product);
  double of_moment = options.lr * mu(t + 1) / (1 - product * mu(t + 1));
  double scale = 1 / std::sqrt(1 - std::pow(options.beta2, t));
  kernels::update(NAdamUpdate{{options.beta1, options.beta2}, decay_of(options), of_gradient, of_moment, scale,
                              options.epsilon}, parameter, moment(0, i), moment(1, i), gradient);
}

}  // namespace xtape::optim
