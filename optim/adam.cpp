#include <optim/adam.hpp>

#include <cmath>

#include <optim/fused.hpp>

namespace xtape::optim {

Adam::Adam(std::vector<Variable> parameters, const AdamOptions& options)
    : Optimizer("Adam", std::move(parameters), options.lr, {"moment1", "moment2"}), options_(options) {
  require_option("beta1", options.beta1, 0, 1);
  require_option("beta2", options.beta2, 0, 1);
  require_option("epsilon", options.epsilon, 0, INFINITY);
  require_option("weight_decay", options.weight_decay, 0, INFINITY);
}

void Adam::update(std::size_t i, Array& parameter, const Array& gradient) {
  auto t = static_cast<double>(steps(i));
  double correction1 = 1 - std::pow(options_.beta1, t), correction2 = 1 - std::pow(options_.beta2, t);
  visit_floating("Adam", parameter.dtype(), [&]<class T>(T) {
    using Batch = kernels::Batch<T>;
    auto batch = [](double value) { return Batch(static_cast<T>(value)); };
    const Batch beta1 = batch(options_.beta1), rest1 = batch(1 - options_.beta1);
    const Batch beta2 = batch(options_.beta2), rest2 = batch(1 - options_.beta2);
    const Batch rate = batch(lr() / correction1), scale = batch(1 / std::sqrt(correction2));
    const Batch epsilon = batch(options_.epsilon), decay = batch(options_.weight_decay);
    fused<T>([=](Batch& p, Batch& m, Batch& v, const Batch& gradient) {
      Batch g = gradient + decay * p;
      m = beta1 * m + rest1 * g;
      v = beta2 * v + rest2 * g * g;
      p -= rate * m / (xsimd::sqrt(v) * scale + epsilon);
    }, parameter.size(), parameter.mutable_data<T>(), moment(0, i).template mutable_data<T>(),
       moment(1, i).template mutable_data<T>(), gradient.data<T>());
  });
}

}  // namespace xtape::optim
