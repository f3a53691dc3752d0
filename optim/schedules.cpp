#include <optim/schedules.hpp>

#include <algorithm>
#include <cmath>

namespace xtape::optim {

StepLR::StepLR(Optimizer& optimizer, const StepLROptions& options)
    : RateSchedule("StepLR", optimizer), options_(options) {
  check_options();
  start();
}

std::vector<Schedule::Entry> StepLR::options() {
  return {{"step_size", &options_.step_size, {.low = 1}}, {"gamma", &options_.gamma}};
}

double StepLR::rate(const At& at) const {
  return at.t > 0 && at.t % options_.step_size == 0 ? at.current * options_.gamma : at.current;
}

MultiStepLR::MultiStepLR(Optimizer& optimizer, const MultiStepLROptions& options)
    : RateSchedule("MultiStepLR", optimizer), options_(options) {
  check_options();
  start();
}

std::vector<Schedule::Entry> MultiStepLR::options() {
  return {{"milestones", options_.milestones, {.low = 1}}, {"gamma", &options_.gamma}};
}

double MultiStepLR::rate(const At& at) const {
  auto times = std::count(options_.milestones.begin(), options_.milestones.end(), at.t);
  return at.current * std::pow(options_.gamma, static_cast<double>(times));
}

ExponentialLR::ExponentialLR(Optimizer& optimizer, const ExponentialLROptions& options)
    : RateSchedule("ExponentialLR", optimizer), options_(options) {
  check_options();
  start();
}

std::vector<Schedule::Entry> ExponentialLR::options() {
  return {{"gamma", &options_.gamma}};
}

double ExponentialLR::rate(const At& at) const { return at.t > 0 ? at.current * options_.gamma : at.current; }

LinearLR::LinearLR(Optimizer& optimizer, const LinearLROptions& options)
    : RateSchedule("LinearLR", optimizer), options_(options) {
  check_options();
  start();
}

std::vector<Schedule::Entry> LinearLR::options() {
  return {{"start_factor", &options_.start_factor, {.high = 1, .high_included = true, .low_included = false}},
          {"end_factor", &options_.end_factor, {0, 1, true}},
          {"total_iters", &options_.total_iters, {.low = 1}}};
}

double LinearLR::rate(const At& at) const {
  if (at.t == 0) return at.current * options_.start_factor;
  if (at.t > options_.total_iters) return at.current;
  double rise = options_.end_factor - options_.start_factor, total = static_cast<double>(options_.total_iters);
  return at.current * (1 + rise / (total * options_.start_factor + static_cast<double>(at.t - 1) * rise));
}

ConstantLR::ConstantLR(Optimizer& optimizer, const ConstantLROptions& options)
    : RateSchedule("ConstantLR", optimizer), options_(options) {
  check_options();
  start();
}

std::vector<Schedule::Entry> ConstantLR::options() {
  return {{"factor", &options_.factor, {.high = 1, .high_included = true, .low_included = false}},
          {"total_iters", &options_.total_iters, {.low = 1}}};
}

double ConstantLR::rate(const At& at) const {
  if (at.t == 0) return at.current * options_.factor;
  return at.t == options_.total_iters ? at.current / options_.factor : at.current;
}

WarmUpLR::WarmUpLR(Optimizer& optimizer, const WarmUpLROptions& options)
    : RateSchedule("WarmUpLR", optimizer), options_(options) {
  check_options();
  start();
}

std::vector<Schedule::Entry> WarmUpLR::options() {
  return {{"steps", &options_.steps, {.low = 1}}};
}

double WarmUpLR::rate(const At& at) const {
  auto t = static_cast<double>(at.t);
  if (at.t == 0) return at.current / static_cast<double>(options_.steps);
  return at.t < options_.steps ? at.current * (t + 1) / t : at.current;
}

PolynomialLR::PolynomialLR(Optimizer& optimizer, const PolynomialLROptions& options)
    : RateSchedule("PolynomialLR", optimizer), options_(options) {
  check_options();
  start();
}

std::vector<Schedule::Entry> PolynomialLR::options() {
  return {{"total_iters", &options_.total_iters, {.low = 1}}, {"power", &options_.power}};
}

double PolynomialLR::rate(const At& at) const {
  if (at.t == 0 || at.t > options_.total_iters) return at.current;
  auto t = static_cast<double>(at.t), total = static_cast<double>(options_.total_iters);
  return at.current * std::pow((1 - t / total) / (1 - (t - 1) / total), options_.power);
}

namespace {

void require_functions(const std::string& who, const std::vector<std::function<double(std::int64_t)>>& functions,
                       std::size_t groups) {
  if (functions.size() != groups)
    throw ValueError(who + ": " + std::to_string(functions.size()) + " functions, needs one for each of " +
                     std::to_string(groups) + " groups");
  for (const auto& function : functions)
    if (!function) throw ValueError(who + ": a function is empty");
}

}  // namespace

LambdaLR::LambdaLR(Optimizer& optimizer, Function function)
    : LambdaLR(optimizer, std::vector(optimizer.groups(), std::move(function))) {}

LambdaLR::LambdaLR(Optimizer& optimizer, std::vector<Function> functions)
    : RateSchedule("LambdaLR", optimizer), functions_(std::move(functions)) {
  require_functions("LambdaLR", functions_, groups());
  start();
}

double LambdaLR::rate(const At& at) const { return at.base * functions_[at.group](at.t); }

MultiplicativeLR::MultiplicativeLR(Optimizer& optimizer, Function function)
    : MultiplicativeLR(optimizer, std::vector(optimizer.groups(), std::move(function))) {}

MultiplicativeLR::MultiplicativeLR(Optimizer& optimizer, std::vector<Function> functions)
    : RateSchedule("MultiplicativeLR", optimizer), functions_(std::move(functions)) {
  require_functions("MultiplicativeLR", functions_, groups());
  start();
}

double MultiplicativeLR::rate(const At& at) const {
  return at.t == 0 ? at.current : at.current * functions_[at.group](at.t);
}

}  // namespace xtape::optim
