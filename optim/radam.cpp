#include <optim/radam.hpp>

#include <cmath>

#include <autograd/kernels/map.hpp>

namespace xtape::optim {

const Description<RAdamOptions>& RAdam::description() {
  using O = RAdamOptions;
  static const Description<O> radam{
      "RAdam",
      {{"lr", &O::lr}, {"beta1", &O::beta1, {0, 1}}, {"beta2", &O::beta2, {0, 1}}, {"epsilon", &O::epsilon},
       {"weight_decay", &O::weight_decay}, {"decoupled_weight_decay", &O::decoupled_weight_decay}},
      {{"moment1"}, {"moment2"}}};
  return radam;
}

void RAdam::update(const RAdamOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  auto t = static_cast<double>(steps(i));
  double beta1 = options.beta1, beta2 = options.beta2, epsilon = options.epsilon;
  double decay = options.decoupled_weight_decay ? 0 : options.weight_decay;
  double kept = options.decoupled_weight_decay ? 1 - options.lr * options.weight_decay : 1;
  double correction2 = 1 - std::pow(beta2, t);
  double rate = options.lr / (1 - std::pow(beta1, t));
  double length = 2 / (1 - beta2) - 1, length_now = length - 2 * t * std::pow(beta2, t) / correction2;
  auto update = [=](auto& p, auto& m, auto& v, auto g, auto scale) {
    g += decay * p;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    p = kept * p - scale(m, v);
  };
  if (length_now <= 5) {
    kernels::update([=](auto& p, auto& m, auto& v, auto& g) {
      update(p, m, v, g, [=](auto& m, auto&) { return rate * m; });
    }, parameter, moment(0, i), moment(1, i), gradient);
    return;
  }
  double rectified = rate * std::sqrt(correction2 * (length_now - 4) * (length_now - 2) * length /
                                      ((length - 4) * (length - 2) * length_now));
  kernels::update([=](auto& p, auto& m, auto& v, auto& g) {
    update(p, m, v, g, [=](auto& m, auto& v) { return rectified * m / (sqrt(v) + epsilon); });
  }, parameter, moment(0, i), moment(1, i), gradient);
}

}  // namespace xtape::optim
