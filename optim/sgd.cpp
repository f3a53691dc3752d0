#include <optim/sgd.hpp>

#include <autograd/kernels/map.hpp>
#include <optim/updates.hpp>

namespace xtape::optim {

const Description<SGDOptions>& SGD::description() {
  using O = SGDOptions;
  static const Description<O> sgd{
      .name = "SGD",
      .options = {{"lr", &O::lr}, {"momentum", &O::momentum}, {"dampening", &O::dampening},
                  {"weight_decay", &O::weight_decay}, {"nesterov", &O::nesterov}},
      .moments = {{"momentum", true}},
      .contradiction = [](const O& o) -> std::string {
        if (!o.nesterov || (o.momentum > 0 && o.dampening == 0)) return "";
        return "nesterov with momentum " + detail::text(o.momentum) + " and dampening " + detail::text(o.dampening) +
               ": needs a momentum above 0 and no dampening";
      }};
  return sgd;
}

void SGD::update(const SGDOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  double lr = options.lr, decay = options.weight_decay;
  if (options.momentum == 0) return kernels::update(SGDUpdate{lr, decay}, parameter, gradient);
  bool first = !has_moment(0, i);
  double kept = first ? 0 : options.momentum, taken = first ? 1 : 1 - options.dampening;
  double direct = options.nesterov ? 1 : 0, ahead = options.nesterov ? options.momentum : 1;
  kernels::update(MomentumUpdate{lr, decay, kept, taken, direct, ahead}, parameter, moment(0, i), gradient);
}

}  // namespace xtape::optim
