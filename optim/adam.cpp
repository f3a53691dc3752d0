#include <optim/adam.hpp>

#include <cmath>

#include <autograd/kernels/map.hpp>

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

// What sets the variants apart.
struct Decay {
  double gradient;   // of the parameter, this is added to its gradient
  double parameter;  // and this is taken off the parameter
};

template <class Options>
void adam(const Options& options, Decay decay, std::int64_t step, Array& parameter, Array& moment1, Array& moment2,
          Array* max_moment2, const Array& gradient) {
  auto t = static_cast<double>(step);
  double beta1 = options.beta1, beta2 = options.beta2, epsilon = options.epsilon;
  double rate = options.lr / (1 - std::pow(beta1, t)), scale = 1 / std::sqrt(1 - std::pow(beta2, t));
  double kept = 1 - decay.parameter, added = decay.gradient;
  auto update = [=](auto& p, auto& m, auto& v, auto g, auto second_moment) {
    g += added * p;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    p = kept * p - rate * m / (sqrt(second_moment(v)) * scale + epsilon);
  };
  if (!max_moment2) {
    kernels::update([=](auto& p, auto& m, auto& v, auto& g) { update(p, m, v, g, [](auto& v) { return v; }); },
          parameter, moment1, moment2, gradient);
    return;
  }
  kernels::update([=](auto& p, auto& m, auto& v, auto& most, auto& g) {
    update(p, m, v, g, [&](auto& v) { return most = maximum(most, v); });
  }, parameter, moment1, moment2, *max_moment2, gradient);
}

}  // namespace

const Description<AdamOptions>& Adam::description() {
  static const auto adam = with_amsgrad<AdamOptions>("Adam");
  return adam;
}

void Adam::update(const AdamOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  adam(options, {.gradient = options.weight_decay, .parameter = 0}, steps(i), parameter, moment(0, i), moment(1, i),
       options.amsgrad ? &moment(2, i) : nullptr, gradient);
}

const Description<AMSGradOptions>& AMSGrad::description() {
  static const Description<AMSGradOptions> amsgrad{"AMSGrad", adam_options<AMSGradOptions>(),
                                                   {{"moment1"}, {"moment2"}, {"max_moment2"}}};
  return amsgrad;
}

void AMSGrad::update(const AMSGradOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  adam(options, {.gradient = options.weight_decay, .parameter = 0}, steps(i), parameter, moment(0, i), moment(1, i),
       &moment(2, i), gradient);
}

const Description<AdamWOptions>& AdamW::description() {
  static const auto adamw = with_amsgrad<AdamWOptions>("AdamW");
  return adamw;
}

void AdamW::update(const AdamWOptions& options, std::size_t i, Array& parameter, const Array& gradient) {
  adam(options, {.gradient = 0, .parameter = options.lr * options.weight_decay}, steps(i), parameter, moment(0, i),
       moment(1, i), options.amsgrad ? &moment(2, i) : nullptr, gradient);
}

}  // namespace xtape::optim
