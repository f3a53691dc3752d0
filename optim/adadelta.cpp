#include <optim/adadelta.hpp>

#include <autograd/kernels/map.hpp>
#include <optim/updates.hpp>

namespace xtape::optim {

const Description<AdadeltaOptions>& Adadelta::description() {
  using O = AdadeltaOptions;
  static const Description<O> adadelta{
      "Adadelta",
      {{"lr", &O::lr}, {"rho", &O::rho, {0, 1, true}}, {"epsilon", &O::epsilon}, {"weight_decay", &O::weight_decay}},
      {{"square_average"}, {"square_step"}}};
  return adadelta;
}

void Adadelta::update(const AdadeltaOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  kernels::update(AdadeltaUpdate{options.lr, options.rho, options.epsilon, options.weight_decay}, parameter,
                  moment(0, i), moment(1, i), gradient);
}

}  // namespace xtape::optim
