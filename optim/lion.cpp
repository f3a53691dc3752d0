#include <optim/lion.hpp>

#include <autograd/kernels/map.hpp>

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
  double lr = options.lr, beta1 = options.beta1, beta2 = options.beta2, decay = options.weight_decay;
  kernels::update([=](auto& p, auto& m, auto& g) {
    auto blend = beta1 * m + (1 - beta1) * g;
    auto sign = where(blend > 0, 1, where(blend < 0, -1, 0));
    p -= lr * (sign + decay * p);
    m = beta2 * m + (1 - beta2) * g;
  }, parameter, moment(0, i), gradient);
}

}  // namespace xtape::optim
