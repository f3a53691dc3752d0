#include <optim/radam.hpp>

#include <cmath>

#include <autograd/kernels/map.hpp>
#include <optim/updates.hpp>

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
  const MovingMoments moments{options.beta1, options.beta2};
  const Decay decay = decay_of(options);
  double correction2 = 1 - std::pow(options.beta2, t), rate = options.lr / (1 - std::pow(options.beta1, t));
  double length = 2 / (1 - options.beta2) - 1, length_now = length - 2 * t * std::pow(options.beta2, t) / correction2;
  if (length_now <= 5)
    return kernels::update(UnrectifiedUpdate{moments, decay, rate}, parameter, moment(0, i), moment(1, i), gradient);
  double rectified = rate * std::sqrt(correction2 * (length_now - 4) * (length_now - 2) * length /
                                      ((length - 4) * (length - 2) * length_now));
  kernels::update(AdamUpdate{moments, decay, rectified, 1, options.epsilon}, parameter, moment(0, i),
                  moment(1, i), gradient);
}

}  // namespace xtape::optim
