#include <optim/rmsprop.hpp>

#include <autograd/kernels/map.hpp>
#include <optim/updates.hpp>

namespace xtape::optim {

const Description<RMSPropOptions>& RMSProp::description() {
  using O = RMSPropOptions;
  static const Description<O> rmsprop{
      "RMSProp",
      {{"lr", &O::lr}, {"alpha", &O::alpha, {0, 1, true}}, {"epsilon", &O::epsilon},
       {"weight_decay", &O::weight_decay}, {"momentum", &O::momentum}, {"centered", &O::centered}},
      {{"square_average"}, {"average", true}, {"momentum", true}}};
  return rmsprop;
}

void RMSProp::update(const RMSPropOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  RMSPropUpdate update{options.lr, options.alpha, options.epsilon, options.weight_decay};
  if (options.centered && options.momentum != 0)
    kernels::update(CenteredRMSPropMomentumUpdate{update, options.momentum}, parameter, moment(0, i), moment(1, i),
                    moment(2, i), gradient);
  else if (options.centered)
    kernels::update(CenteredRMSPropUpdate{update}, parameter, moment(0, i), moment(1, i), gradient);
  else if (options.momentum != 0)
    kernels::update(RMSPropMomentumUpdate{update, options.momentum}, parameter, moment(0, i), moment(2, i), gradient);
  else kernels::update(update, parameter, moment(0, i), gradient);
}

}  // namespace xtape::optim
