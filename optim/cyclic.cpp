#include <optim/cyclic.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace xtape::optim {

CyclicLR::CyclicLR(Optimizer& optimizer, const CyclicLROptions& options)
    : RateSchedule("CyclicLR", optimizer), options_(options) {
  for (auto [option, numbers] : {std::pair("base_lr", &options_.base_lr), std::pair("max_lr", &options_.max_lr),
                                 std::pair("base_momentum", &options_.base_momentum),
                                 std::pair("max_momentum", &options_.max_momentum)})
    numbers->expand(name(), option, groups());
  if (options_.step_size_down == 0) options_.step_size_down = options_.step_size_up;
  check_options();
  if (options.cycle_momentum) require_momentum();
  std::vector<double> base;
  for (std::size_t group = 0; group < groups(); ++group)
    base.push_back(initial_lr_or(group, options_.base_lr[group]));
  start(std::move(base));
}

std::vector<Schedule::Entry> CyclicLR::options() {
  return {{"base_lr", options_.base_lr.values()},
          {"max_lr", options_.max_lr.values()},
          {"step_size_up", &options_.step_size_up, {.low = 1}},
          {"step_size_down", &options_.step_size_down, {.low = 1}},
          {"mode", Entry::Fixed{static_cast<std::int64_t>(options_.mode)}},
          {"gamma", &options_.gamma, {0, 1, true}},
          {"cycle_momentum", Entry::Fixed{options_.cycle_momentum}},
          {"base_momentum", options_.base_momentum.values(), {0, 1}},
          {"max_momentum", options_.max_momentum.values(), {0, 1}}};
}

// How far between the lowest and the highest: 1 at the top of the first cycle.
double CyclicLR::height(std::int64_t t) const {
  auto up = static_cast<double>(options_.step_size_up), down = static_cast<double>(options_.step_size_down);
  double cycle = std::floor(static_cast<double>(t) / (up + down)), x = static_cast<double>(t) / (up + down) - cycle;
  double top = up / (up + down), scale = x <= top ? x / top : (x - 1) / (top - 1);
  switch (options_.mode) {
    case CyclicMode::triangular: return scale;
    case CyclicMode::triangular2: return scale / std::pow(2, cycle);
    default: return scale * std::pow(options_.gamma, static_cast<double>(t));
  }
}

double CyclicLR::rate(const At& at) const {
  double low = options_.base_lr[at.group], high = options_.max_lr[at.group];
  return low + (high - low) * height(at.t);
}

std::optional<double> CyclicLR::momentum(std::size_t group, std::int64_t t) const {
  if (!options_.cycle_momentum) return std::nullopt;
  double low = options_.base_momentum[group], high = options_.max_momentum[group];
  return high - (high - low) * height(t);
}

OneCycleLR::OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options)
    : RateSchedule("OneCycleLR", optimizer), options_(options) {
  for (auto [option, numbers] : {std::pair("max_lr", &options_.max_lr),
                                 std::pair("base_momentum", &options_.base_momentum),
                                 std::pair("max_momentum", &options_.max_momentum)})
    numbers->expand(name(), option, groups());
  check_options();
  if (options.cycle_momentum) require_momentum();
  std::vector<double> base;
  for (std::size_t group = 0; group < groups(); ++group) base.push_back(options_.max_lr[group] / options_.div_factor);
  start(std::move(base));
}

std::vector<Schedule::Entry> OneCycleLR::options() {
  return {{"max_lr", options_.max_lr.values()},
          {"total_steps", &options_.total_steps, {.low = 1}},
          {"pct_start", &options_.pct_start, {0, 1, true}},
          {"anneal_strategy", Entry::Fixed{static_cast<std::int64_t>(options_.anneal_strategy)}},
          {"cycle_momentum", Entry::Fixed{options_.cycle_momentum}},
          {"base_momentum", options_.base_momentum.values(), {0, 1}},
          {"max_momentum", options_.max_momentum.values(), {0, 1}},
          {"div_factor", &options_.div_factor, {.low_included = false}},
          {"final_div_factor", &options_.final_div_factor, {.low_included = false}},
          {"three_phase", Entry::Fixed{options_.three_phase}}};
}

std::vector<OneCycleLR::Phase> OneCycleLR::phases() const {
  auto total = static_cast<double>(options_.total_steps);
  double first = 1 / options_.div_factor, last = first / options_.final_div_factor;
  double top = options_.pct_start * total - 1, down = 2 * options_.pct_start * total - 2, end = total - 1;
  if (options_.three_phase)
    return {{0, top, first, 1, 0, 1}, {top, down, 1, first, 1, 0}, {down, end, first, last, 0, 0}};
  return {{0, top, first, 1, 0, 1}, {top, end, 1, last, 1, 0}};
}

OneCycleLR::Phase OneCycleLR::phase_at(double t) const {
  if (t > static_cast<double>(options_.total_steps))
    throw ValueError(name() + ": step " + detail::text(t) + " of " + std::to_string(options_.total_steps) +
                     ": the cycle is over");
  std::vector<Phase> phases = this->phases();
  auto found = std::find_if(phases.begin(), phases.end() - 1, [&](const Phase& phase) { return t <= phase.end; });
  return *found;
}

// In the one step after the end the rate stays; PyTorch goes on along the cosine, and rises again.
double OneCycleLR::anneal(double start, double end, const Phase& phase, double t) const {
  double part = phase.end == phase.begin ? 1 : std::min((t - phase.begin) / (phase.end - phase.begin), 1.0);
  if (options_.anneal_strategy == Anneal::linear) return (end - start) * part + start;
  return end + (start - end) / 2 * (std::cos(std::numbers::pi * part) + 1);
}

double OneCycleLR::rate(const At& at) const {
  auto t = static_cast<double>(at.t);
  Phase phase = phase_at(t);
  double highest = options_.max_lr[at.group];
  return anneal(phase.start_lr * highest, phase.end_lr * highest, phase, t);
}

std::optional<double> OneCycleLR::momentum(std::size_t group, std::int64_t step) const {
  if (!options_.cycle_momentum) return std::nullopt;
  auto t = static_cast<double>(step);
  Phase phase = phase_at(t);
  double low = options_.base_momentum[group], high = options_.max_momentum[group];
  auto momentum = [&](double of_low) { return of_low == 1 ? low : high; };
  return anneal(momentum(phase.start_low), momentum(phase.end_low), phase, t);
}

}  // namespace xtape::optim
