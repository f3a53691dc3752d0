#include <optim/rprop.hpp>

#include <autograd/kernels/map.hpp>
#include <optim/updates.hpp>

namespace xtape::optim {

const Description<RpropOptions>& Rprop::description() {
  using O = RpropOptions;
  static const Description<O> rprop{
      "Rprop",
      {{"lr", &O::lr},
       {"eta_minus", &O::eta_minus, {.high = 1, .low_included = false}},
       {"eta_plus", &O::eta_plus, {.low = 1, .low_included = false}},
       {"min_step_size", &O::min_step_size},
       {"max_step_size", &O::max_step_size}},
      {{"previous_gradient"}, {"step_size"}},
      {},
      [](const O& o) -> std::string {
        if (o.min_step_size <= o.max_step_size) return "";
        return "min_step_size is " + detail::text(o.min_step_size) + ", above the max_step_size of " +
               detail::text(o.max_step_size);
      }};
  return rprop;
}

void Rprop::update(const RpropOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  kernels::update(RpropUpdate{options.eta_minus, options.eta_plus, options.min_step_size, options.max_step_size},
                  parameter, moment(0, i), moment(1, i, options.lr), gradient);
}

}  // namespace xtape::optim
