#include <optim/lamb.hpp>

#include <cmath>

#include <autograd/ops/reductions.hpp>
#include <autograd/kernels/map.hpp>

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

void LAMB::update(const LAMBOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  auto t = static_cast<double>(steps(i));
  double beta1 = options.beta1, beta2 = options.beta2, epsilon = options.epsilon, decay = options.weight_decay;
  double unbias = 1 / (1 - std::pow(beta1, t)), scale = 1 / std::sqrt(1 - std::pow(beta2, t));
  // The step's length depends on all of the direction, so there are two passes.
  Array direction(parameter.shape(), parameter.dtype());
  kernels::update([=](auto& r, const auto& p, auto& m, auto& v, const auto& g) {
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    r = unbias * m / (sqrt(v) * scale + epsilon) + decay * p;
  }, direction, std::as_const(parameter), moment(0, i), moment(1, i), gradient);

  auto length = [](const Array& x) { return norm(Variable(x)).item(); };
  double of_parameter = length(parameter), of_direction = length(direction);
  double rate = options.lr * (of_parameter > 0 && of_direction > 0 ? of_parameter / of_direction : 1);
  kernels::update([=](auto& p, const auto& r) { p -= rate * r; }, parameter, std::as_const(direction));
}

}  // namespace xtape::optim
