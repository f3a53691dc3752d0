#include <optim/adamax.hpp>

#include <cmath>

#include <autograd/kernels/map.hpp>
#include <optim/updates.hpp>

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
  double rate = options.lr / (1 - std::pow(options.beta1, static_cast<double>(steps(i))));
  kernels::update(AdamaxUpdate{options.beta1, options.beta2, options.epsilon, options.weight_decay, rate}, parameter,
                  moment(0, i), moment(1, i), gradient);
}

}  // namespace xtape::optim
