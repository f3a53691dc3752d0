#include <optim/sgd.hpp>

#include <cmath>

#include <optim/fused.hpp>

namespace xtape::optim {

SGD::SGD(std::vector<Variable> parameters, const SGDOptions& options)
    : Optimizer("SGD", std::move(parameters), options.lr,
                options.momentum != 0 ? std::vector<std::string>{"momentum"} : std::vector<std::string>{}),
      options_(options) {
  require_option("momentum", options.momentum, 0, INFINITY);
  require_option("weight_decay", options.weight_decay, 0, INFINITY);
  require_option("dampening", options.dampening, 0, INFINITY);
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0))
    throw ValueError("SGD: nesterov with momentum " + std::to_string(options.momentum) + " and dampening " +
                     std::to_string(options.dampening) + ": needs a momentum above 0 and no dampening");
}

void SGD::update(std::size_t i, Array& parameter, const Array& gradient) {
  visit_floating("SGD", parameter.dtype(), [&]<class T>(T) {
    using Batch = kernels::Batch<T>;
    const Batch lr(static_cast<T>(this->lr())), decay(static_cast<T>(options_.weight_decay));
    const T* g = gradient.data<T>();
    T* p = parameter.mutable_data<T>();
    if (options_.momentum == 0) {
      fused<T>([=](Batch& p, const Batch& g) { p -= lr * (g + decay * p); }, parameter.size(), p, g);
      return;
    }
    bool first = steps(i) == 1;
    const Batch momentum(static_cast<T>(options_.momentum));
    const Batch kept = first ? Batch(T(0)) : momentum, taken(static_cast<T>(first ? 1 : 1 - options_.dampening));
    const Batch ahead(static_cast<T>(options_.nesterov ? options_.momentum : 1));
    const Batch direct(static_cast<T>(options_.nesterov ? 1 : 0));
    fused<T>([=](Batch& p, Batch& b, const Batch& gradient) {
      Batch g = gradient + decay * p;
      b = kept * b + taken * g;
      p -= lr * (direct * g + ahead * b);
    }, parameter.size(), p, moment(0, i).template mutable_data<T>(), g);
  });
}

}  // namespace xtape::optim
