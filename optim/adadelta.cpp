#include <optim/adadelta.hpp>

#include <autograd/kernels/map.hpp>

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
  double lr = options.lr, rho = options.rho, epsilon = options.epsilon, decay = options.weight_decay;
  kernels::update([=](auto& p, auto& s, auto& a, auto g) {
    g += decay * p;
    s = rho * s + (1 - rho) * g * g;
    auto d = sqrt(a + epsilon) / sqrt(s + epsilon) * g;
    a = rho * a + (1 - rho) * d * d;
    p -= lr * d;
  }, parameter, moment(0, i), moment(1, i), gradient);
}

}  // namespace xtape::optim
