#include <optim/adamax.hpp>

#include <cmath>

#include <autograd/kernels/map.hpp>

namespace xtape::optim {

const Description<AdamaxOptions>& Adamax::description() {
  using O = AdamaxOptions;
  static const Description<O> adamax{
      "Adamax",
      {{"lr", &O::lr}, {"beta1", &O::beta1, {0, 1}}, {"beta2", &O::beta2, {0, 1}}, {"epsilon", &O::epsilon},
       {"weight_decay", &O::weight_decay}},
      {{"moment1"}, {"infinity_norm"}}};
  return adamax;
}

void Adamax::update(const AdamaxOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  double beta1 = options.beta1, beta2 = options.beta2, epsilon = options.epsilon, decay = options.weight_decay;
  double rate = options.lr / (1 - std::pow(beta1, static_cast<double>(steps(i))));
  kernels::update([=](auto& p, auto& m, auto& u, auto g) {
    g += decay * p;
    m = beta1 * m + (1 - beta1) * g;
    u = maximum(beta2 * u, abs(g) + epsilon);
    p -= rate * m / u;
  }, parameter, moment(0, i), moment(1, i), gradient);
}

}  // namespace xtape::optim
