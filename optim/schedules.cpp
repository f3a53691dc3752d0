#include <optim/schedules.hpp>

#include <cmath>

namespace xtape::optim {

void Schedule::step() {
  optimizer_.set_lr(lr(steps_ + 1));
  ++steps_;
}

double Schedule::lr(std::int64_t t) const {
  if (t < 0) throw ValueError("schedule: step " + std::to_string(t) + ", needs 0 or more");
  return rate(base_lr_, t);
}

StateDict Schedule::state_dict() const {
  Array step({}, int64);
  *step.mutable_data<std::int64_t>() = steps_;
  return {{"step", Variable(std::move(step))}, {"base_lr", Variable(Array::scalar(base_lr_, float64))}};
}

void Schedule::load_state_dict(const StateDict& state) {
  auto number = [&](const char* name, DType dtype) {
    auto found = state.find(name);
    if (state.size() != 2 || found == state.end() || !found->second.defined() || found->second.dtype() != dtype ||
        found->second.rank() != 0 || !(found->second.item() >= 0))
      throw ValueError("schedule: load_state_dict: needs exactly \"step\", a 0-d int64, and \"base_lr\", a 0-d "
                       "float64, neither of them negative");
    return found->second;
  };
  std::int64_t steps = *number("step", int64).data<std::int64_t>();
  double base_lr = number("base_lr", float64).item();
  optimizer_.set_lr(rate(base_lr, steps));
  steps_ = steps;
  base_lr_ = base_lr;
}

StepLR::StepLR(Optimizer& optimizer, const StepLROptions& options) : Schedule(optimizer), options_(options) {
  if (options.step_size < 1 || !std::isfinite(options.gamma) || options.gamma < 0)
    throw ValueError("StepLR: step_size " + std::to_string(options.step_size) + " and gamma " +
                     std::to_string(options.gamma) + ": needs step_size >= 1 and a finite gamma >= 0");
}

double StepLR::rate(double base, std::int64_t t) const {
  return base * std::pow(options_.gamma, static_cast<double>(t / options_.step_size));
}

}  // namespace xtape::optim
