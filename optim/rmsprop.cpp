#include <optim/rmsprop.hpp>

#include <autograd/kernels/map.hpp>

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
  double lr = options.lr, alpha = options.alpha, epsilon = options.epsilon, decay = options.weight_decay;
  double momentum = options.momentum;
  // What the gradient is divided by; rounding can make the variance of equal gradients a little negative.
  auto scale = [=](auto& s, auto& g) {
    s = alpha * s + (1 - alpha) * g * g;
    return sqrt(s) + epsilon;
  };
  auto centered_scale = [=](auto& s, auto& a, auto& g) {
    s = alpha * s + (1 - alpha) * g * g;
    a = alpha * a + (1 - alpha) * g;
    return sqrt(maximum(s - a * a, 0)) + epsilon;
  };
  auto follow = [=](auto& p, auto& b, const auto& direction) {
    b = momentum * b + direction;
    p -= lr * b;
  };
  if (options.centered && momentum != 0)
    kernels::update([=](auto& p, auto& s, auto& a, auto& b, auto g) {
      g += decay * p;
      follow(p, b, g / centered_scale(s, a, g));
    }, parameter, moment(0, i), moment(1, i), moment(2, i), gradient);
  else if (options.centered)
    kernels::update([=](auto& p, auto& s, auto& a, auto g) {
      g += decay * p;
      p -= lr * g / centered_scale(s, a, g);
    }, parameter, moment(0, i), moment(1, i), gradient);
  else if (momentum != 0)
    kernels::update([=](auto& p, auto& s, auto& b, auto g) {
      g += decay * p;
      follow(p, b, g / scale(s, g));
    }, parameter, moment(0, i), moment(2, i), gradient);
  else
    kernels::update([=](auto& p, auto& s, auto g) {
      g += decay * p;
      p -= lr * g / scale(s, g);
    }, parameter, moment(0, i), gradient);
}

}  // namespace xtape::optim
