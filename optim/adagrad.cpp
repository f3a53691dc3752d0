#include <optim/adagrad.hpp>

#include <autograd/kernels/map.hpp>
#include <optim/updates.hpp>

namespace xtape::optim {

const Description<AdagradOptions>& Adagrad::description() {
  using O = AdagradOptions;
  static const Description<O> adagrad{
      "Adagrad",
      {{"lr", &O::lr}, {"lr_decay", &O::lr_decay}, {"weight_decay", &O::weight_decay},
       {"initial_accumulator_value", &O::initial_accumulator_value}, {"epsilon", &O::epsilon}},
      {{"square_sum"}}};
  return adagrad;
}

void Adagrad::update(const AdagradOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  double rate = options.lr / (1 + static_cast<double>(steps(i) - 1) * options.lr_decay);
  kernels::update(AdagradUpdate{rate, options.weight_decay, options.epsilon}, parameter,
                  moment(0, i, options.initial_accumulator_value), gradient);
}

}  // namespace xtape::optim
