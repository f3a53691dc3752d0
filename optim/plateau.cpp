#include <optim/plateau.hpp>

#include <algorithm>
#include <cmath>

namespace xtape::optim {

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, const ReduceLROnPlateauOptions& options)
    : Schedule("ReduceLROnPlateau", optimizer), options_(options),
      best_(options.mode == PlateauMode::min ? INFINITY : -INFINITY) {
  options_.min_lr.expand(name(), "min_lr", groups());
  check_options();
}

bool ReduceLROnPlateau::improves(double metric) const {
  bool relative = options_.threshold_mode == ThresholdMode::rel, falls = options_.mode == PlateauMode::min;
  double least = relative && std::isfinite(best_) ? options_.threshold * std::abs(best_) : options_.threshold;
  return falls ? metric < best_ - least : metric > best_ + least;
}

void ReduceLROnPlateau::advance(std::optional<double> metric) {
  set_steps(steps() + 1);
  if (improves(*metric)) {
    best_ = *metric;
    bad_steps_ = 0;
  } else {
    ++bad_steps_;
  }
  if (cooldown_ > 0) {
    --cooldown_;
    bad_steps_ = 0;
  }
  if (bad_steps_ <= options_.patience) return;
  reduce();
  cooldown_ = options_.cooldown;
  bad_steps_ = 0;
}

void ReduceLROnPlateau::reduce() {
  std::vector<double> rates;
  for (std::size_t group = 0; group < groups(); ++group) {
    double current = optimizer().lr(group), reduced = std::max(current * options_.factor, options_.min_lr[group]);
    rates.push_back(current - reduced > options_.epsilon ? reduced : current);
  }
  set_rates(rates, {});
}

std::vector<Schedule::Entry> ReduceLROnPlateau::entries() {
  std::vector<Entry> entries = Schedule::entries();
  entries.push_back({"best", &best_, {.low = -INFINITY, .high_included = true, .finite = false}});
  entries.push_back({"bad_steps", &bad_steps_});
  entries.push_back({"cooldown", &cooldown_});
  return entries;
}

std::vector<Schedule::Entry> ReduceLROnPlateau::options() {
  return {{"mode", Entry::Fixed{static_cast<std::int64_t>(options_.mode)}},
          {"factor", &options_.factor, {0, 1}},
          {"patience", &options_.patience},
          {"threshold", &options_.threshold},
          {"threshold_mode", Entry::Fixed{static_cast<std::int64_t>(options_.threshold_mode)}},
          {"cooldown", &options_.cooldown},
          {"min_lr", options_.min_lr.values()},
          {"epsilon", &options_.epsilon}};
}

}  // namespace xtape::optim
