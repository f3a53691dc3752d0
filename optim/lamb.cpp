#include <optim/lamb.hpp>

#include <cmath>
#include <utility>

#include <autograd/ops/reductions.hpp>
#include <autograd/kernels/map.hpp>
#include <optim/updates.hpp>

namespace xtape::optim {

const Description<LAMBOptions>& LAMB::description() {
  using O = LAMBOptions;
  static const Description<O> lamb{
      "LAMB",
      {{"lr", &O::lr}, {"beta1", &O::beta1, {0, 1}}, {"beta2", &O::beta2, {0, 1}}, {"epsilon", &O::epsilon},
       {"weight_decay", &O::weight_decay}},
      {{"moment1"}, {"moment2"}}};
  return lamb;
}

// The step's length depends on all of the direction, so there are two passes. The first changes nothing yet.
void LAMB::prepare(const LAMBOptions& options, std::size_t i, const Array& parameter, const Array& gradient) {
  auto t = static_cast<double>(steps(i));
  double unbias = 1 / (1 - std::pow(options.beta1, t)), scale = 1 / std::sqrt(1 - std::pow(options.beta2, t));
  Array direction(parameter.shape(), parameter.dtype());
  kernels::update(LAMBDirection{{options.beta1, options.beta2}, unbias, scale, options.epsilon, options.weight_decay},
                  direction, moment(0, i), moment(1, i), parameter, gradient);

  auto length = [](const Array& x) { return norm(Variable(x)).item(); };
  double of_parameter = length(parameter), of_direction = length(direction);
  double rate = options.lr * (of_parameter > 0 && of_direction > 0 ? of_parameter / of_direction : 1);
  directions_.resize(parameters().size());
  directions_[i] = {std::move(direction), rate};
}

void LAMB::update(const LAMBOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  Direction direction = std::exchange(directions_[i], {});
  kernels::update(LAMBUpdate{{options.beta1, options.beta2}, direction.rate}, parameter, moment(0, i), moment(1, i),
                  direction.r, gradient);
}

}  // namespace xtape::optim
