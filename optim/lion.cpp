#include <optim/lion.hpp>

#include <autograd/kernels/map.hpp>
#include <optim/updates.hpp>

namespace xtape::optim {

const Description<LionOptions>& Lion::description() {
  using O = LionOptions;
  static const Description<O> lion{
      "Lion",
      {{"lr", &O::lr}, {"beta1", &O::beta1, {0, 1}}, {"beta2", &O::beta2, {0, 1}}, {"weight_decay", &O::weight_decay}},
      {{"moment"}}};
  return lion;
}

void Lion::update(const LionOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  kernels::update(LionUpdate{options.lr, options.beta1, options.beta2, options.weight_decay}, parameter, moment(0, i),
                  gradient);
}

}  // namespace xtape::optim
