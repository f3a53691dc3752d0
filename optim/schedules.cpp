#include <optim/schedules.hpp>

#include <algorithm>
#include <cmath>

namespace xtape::optim {
namespace {

using detail::require_in_range;

void require_count(const std::string& who, const char* option, std::int64_t value) {
  require_in_range(who, option, static_cast<double>(value), {.low = 1});
}

}  // namespace

StepLR::StepLR(Optimizer& optimizer, const StepLROptions& options)
    : RateSchedule("StepLR", optimizer), options_(options) {
  require_count(name(), "step_size", options.step_size);
  require_in_range(name(), "gamma", options.gamma, {});
  start();
}

double StepLR::rate(const At& at) const {
  return at.t > 0 && at.t % options_.step_size == 0 ? at.current * options_.gamma : at.current;
}

MultiStepLR::MultiStepLR(Optimizer& optimizer, const MultiStepLROptions& options)
    : RateSchedule("MultiStepLR", optimizer), options_(options) {
  for (std::int64_t milestone : options.milestones) require_count(name(), "a milestone", milestone);
  require_in_range(name(), "gamma", options.gamma, {});
  start();
}

double MultiStepLR::rate(const At& at) const {
  auto times = std::count(options_.milestones.begin(), options_.milestones.end(), at.t);
  return at.current * std::pow(options_.gamma, static_cast<double>(times));
}

ExponentialLR::ExponentialLR(Optimizer& optimizer, const ExponentialLROptions& options)
    : RateSchedule("ExponentialLR", optimizer), options_(options) {
  require_in_range(name(), "gamma", options.gamma, {});
  start();
}

double ExponentialLR::rate(const At& at) const { return at.t > 0 ? at.current * options_.gamma : at.current; }

LinearLR::LinearLR(Optimizer& optimizer, const LinearLROptions& options)
    : RateSchedule("LinearLR", optimizer), options_(options) {
  require_in_range(name(), "start_factor", options.start_factor, {0, 1, true});
  if (options.start_factor == 0) throw ValueError("LinearLR: start_factor is 0, needs more: WarmUpLR begins near 0");
  require_in_range(name(), "end_factor", options.end_factor, {0, 1, true});
  require_count(name(), "total_iters", options.total_iters);
  start();
}

double LinearLR::rate(const At& at) const {
  if (at.t == 0) return at.current * options_.start_factor;
  if (at.t > options_.total_iters) return at.current;
  double rise = options_.end_factor - options_.start_factor, total = static_cast<double>(options_.total_iters);
  return at.current * (1 + rise / (total * options_.start_factor + static_cast<double>(at.t - 1) * rise));
}

WarmUpLR::WarmUpLR(Optimizer& optimizer, const WarmUpLROptions& options)
    : RateSchedule("WarmUpLR", optimizer), options_(options) {
  require_count(name(), "steps", options.steps);
  start();
}

double WarmUpLR::rate(const At& at) const {
  auto t = static_cast<double>(at.t);
  if (at.t == 0) return at.current / static_cast<double>(options_.steps);
  return at.t < options_.steps ? at.current * (t + 1) / t : at.current;
}

PolynomialLR::PolynomialLR(Optimizer& optimizer, const PolynomialLROptions& options)
    : RateSchedule("PolynomialLR", optimizer), options_(options) {
  require_count(name(), "total_iters", options.total_iters);
  require_in_range(name(), "power", options.power, {});
  start();
}

double PolynomialLR::rate(const At& at) const {
  if (at.t == 0 || at.t > options_.total_iters) return at.current;
  auto t = static_cast<double>(at.t), total = static_cast<double>(options_.total_iters);
  return at.current * std::pow((1 - t / total) / (1 - (t - 1) / total), options_.power);
}

LambdaLR::LambdaLR(Optimizer& optimizer, Function function)
    : LambdaLR(optimizer, std::vector(optimizer.groups(), std::move(function))) {}

LambdaLR::LambdaLR(Optimizer& optimizer, std::vector<Function> functions)
    : RateSchedule("LambdaLR", optimizer), functions_(std::move(functions)) {
  if (functions_.size() != groups())
    throw ValueError("LambdaLR: " + std::to_string(functions_.size()) + " functions, needs one for each of " +
                     std::to_string(groups()) + " groups");
  for (const Function& function : functions_)
    if (!function) throw ValueError("LambdaLR: a function is empty");
  start();
}

double LambdaLR::rate(const At& at) const { return at.base * functions_[at.group](at.t); }

}  // namespace xtape::optim
