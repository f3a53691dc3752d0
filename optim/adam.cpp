#include <optim/adam.hpp>

#include <cmath>

#include <autograd/kernels/map.hpp>
#include <optim/updates.hpp>

namespace xtape::optim {
namespace {

template <class O>
std::vector<OptionOf<O>> adam_options() {
  return {{"lr", &O::lr}, {"beta1", &O::beta1, {0, 1}}, {"beta2", &O::beta2, {0, 1}}, {"epsilon", &O::epsilon},
          {"weight_decay", &O::weight_decay}};
}

template <class O>
Description<O> with_amsgrad(const char* name) {
  Description<O> result{name, adam_options<O>(),
                        {{"moment1"}, {"moment2"}, {"max_moment2", true}}};
  result.options.push_back({"amsgrad", &O::amsgrad});
  return result;
}

template <class Options>
void adam(const Options& options, Decay decay, std::int64_t step, Array& parameter, Array& moment1, Array& moment2,
          Array* max_moment2, const Array& gradient) {
  auto t = static_cast<double>(step);
  AdamUpdate update{{options.beta1, options.beta2}, decay, options.lr / (1 - std::pow(options.beta1, t)),
                    1 / std::sqrt(1 - std::pow(options.beta2, t)), options.epsilon};
  if (max_moment2) kernels::update(AMSGradUpdate{update}, parameter, moment1, moment2, *max_moment2, gradient);
  else kernels::update(update, parameter, moment1, moment2, gradient);
}

}  // namespace

const Description<AdamOptions>& Adam::description() {
  static const auto adam = with_amsgrad<AdamOptions>("Adam");
  return adam;
}

void Adam::update(const AdamOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  adam(options, {.gradient = options.weight_decay}, steps(i), parameter, moment(0, i), moment(1, i),
       options.amsgrad ? &moment(2, i) : nullptr, gradient);
}

const Description<AMSGradOptions>& AMSGrad::description() {
  static const Description<AMSGradOptions> amsgrad{"AMSGrad", adam_options<AMSGradOptions>(),
                                                   {{"moment1"}, {"moment2"}, {"max_moment2"}}};
  return amsgrad;
}

void AMSGrad::update(const AMSGradOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  adam(options, {.gradient = options.weight_decay}, steps(i), parameter, moment(0, i), moment(1, i),
       &moment(2, i), gradient);
}

const Description<AdamWOptions>& AdamW::description() {
  static const auto adamw = with_amsgrad<AdamWOptions>("AdamW");
  return adamw;
}

void AdamW::update(const AdamWOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  adam(options, {.kept = 1 - options.lr * options.weight_decay}, steps(i), parameter, moment(0, i),
       moment(1, i), options.amsgrad ? &moment(2, i) : nullptr, gradient);
}

}  // namespace xtape::optim
