#include <optim/combined.hpp>

#include <algorithm>

namespace xtape::optim {

CombinedSchedule::CombinedSchedule(std::string name, Optimizer& optimizer, Schedules schedules)
    : RateSchedule(std::move(name), optimizer), schedules_(std::move(schedules)) {
  if (schedules_.empty()) throw ValueError(this->name() + ": there are no schedules");
  for (std::size_t i = 0; i < size(); ++i) {
    const RateSchedule& schedule = schedules_[i];
    if (&schedule.optimizer() != &optimizer)
      throw ValueError(this->name() + ": schedule " + std::to_string(i) + ", " + schedule.name() +
                       ", is of another optimizer");
    if (schedule.groups() != groups())
      throw ValueError(this->name() + ": schedule " + std::to_string(i) + ", " + schedule.name() + ", has " +
                       std::to_string(schedule.groups()) + " of " + std::to_string(groups()) +
                       " groups: make it after the last group was added");
    for (std::size_t k = 0; k < i; ++k)
      if (&schedules_[k].get() == &schedule)
        throw ValueError(this->name() + ": schedule " + std::to_string(i) + ", " + schedule.name() +
                         ", is listed before, as schedule " + std::to_string(k));
  }
}

double CombinedSchedule::base_of(std::size_t i, std::size_t group) const { return schedules_[i].get().base_[group]; }

double CombinedSchedule::rate_of(std::size_t i, std::size_t group, std::int64_t t, double current) const {
  RateSchedule& schedule = schedules_[i];
  double rate = schedule.rate({.group = group, .t = t, .base = base_of(i, group), .current = current});
  schedule.next_rates_.resize(groups());
  return schedule.next_rates_[group] = rate;
}

std::optional<double> CombinedSchedule::momentum_of(std::size_t i, std::size_t group, std::int64_t t) const {
  return schedules_[i].get().momentum(group, t);
}

void CombinedSchedule::let_arrive(std::size_t i, std::int64_t t) {
  RateSchedule& schedule = schedules_[i];
  schedule.note_rates(schedule.next_rates_);
  schedule.arrive(t);
}

std::vector<Schedule::Entry> CombinedSchedule::entries() {
  std::vector<Entry> entries = RateSchedule::entries();
  for (std::size_t i = 0; i < size(); ++i)
    for (Entry& entry : schedules_[i].get().all_entries())
      entries.push_back({std::to_string(i) + "." + entry.name, entry.value, entry.range});
  return entries;
}

ChainedScheduler::ChainedScheduler(Optimizer& optimizer, Schedules schedules)
    : CombinedSchedule("ChainedScheduler", optimizer, std::move(schedules)) {
  begin();  // each of them has set its rate of step 0 already
}

double ChainedScheduler::rate(const At& at) const {
  double current = at.current;
  for (std::size_t i = 0; i < size(); ++i) current = rate_of(i, at.group, next_step_of(i, at.t), current);
  return current;
}

std::optional<double> ChainedScheduler::momentum(std::size_t group, std::int64_t t) const {
  std::optional<double> last;
  for (std::size_t i = 0; i < size(); ++i)
    if (auto momentum = momentum_of(i, group, next_step_of(i, t))) last = momentum;
  return last;
}

void ChainedScheduler::arrive(std::int64_t t) {
  set_steps(t);
  for (std::size_t i = 0; i < size(); ++i) let_arrive(i, next_step_of(i, t));
}

SequentialLR::SequentialLR(Optimizer& optimizer, Schedules schedules, std::vector<std::int64_t> milestones)
    : CombinedSchedule("SequentialLR", optimizer, std::move(schedules)), milestones_(std::move(milestones)) {
  if (milestones_.size() + 1 != size())
    throw ValueError("SequentialLR: " + std::to_string(size()) + " schedules and " +
                     std::to_string(milestones_.size()) + " milestones: needs one between each two schedules");
  std::int64_t last = 0;
  for (std::int64_t milestone : milestones_) {
    if (milestone <= last)
      throw ValueError("SequentialLR: milestone " + std::to_string(milestone) + " after " + std::to_string(last) +
                       ": needs increasing ones, from 1 or more");
    last = milestone;
  }
  start();
}

std::vector<Schedule::Entry> SequentialLR::options() { return {{"milestones", milestones_, {.low = 1}}}; }

SequentialLR::Place SequentialLR::place(std::int64_t t) const {
  auto next = std::upper_bound(milestones_.begin(), milestones_.end(), t);
  return {static_cast<std::size_t>(next - milestones_.begin()), next == milestones_.begin() ? t : t - *(next - 1)};
}

double SequentialLR::rate(const At& at) const {
  auto [i, t] = place(at.t);
  double current = at.t == 0 ? initial_lr(at.group) : t == 0 ? base_of(i, at.group) : at.current;
  return rate_of(i, at.group, t, current);
}

std::optional<double> SequentialLR::momentum(std::size_t group, std::int64_t t) const {
  auto [i, own_t] = place(t);
  return momentum_of(i, group, own_t);
}

void SequentialLR::arrive(std::int64_t t) {
  set_steps(t);
  auto [i, own_t] = place(t);
  let_arrive(i, own_t);
}

}  // namespace xtape::optim
