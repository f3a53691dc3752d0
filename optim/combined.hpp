// Schedules made of others.
#pragma once

#include <functional>

#include <optim/schedule.hpp>

namespace xtape::optim {

/// Several schedules of one optimizer, which must outlive this one, and from then on are stepped by it alone.
using Schedules = std::vector<std::reference_wrapper<RateSchedule>>;

/// Base of the schedules that are made of others.
class CombinedSchedule : public RateSchedule {
 protected:
  /// @throws ValueError unless there is a schedule, and all are of this optimizer and its groups, and different.
  CombinedSchedule(std::string name, Optimizer& optimizer, Schedules schedules);

  std::size_t size() const { return schedules_.size(); }
  std::int64_t steps_of(std::size_t i) const { return schedules_[i].get().steps(); }
  /// The rate of schedule `i` in its step t, when it is `current` before it; `let_arrive` makes it the schedule's own.
  double rate_of(std::size_t i, std::size_t group, std::int64_t t, double current) const;
  std::optional<double> momentum_of(std::size_t i, std::size_t group, std::int64_t t) const;
  double base_of(std::size_t i, std::size_t group) const;
  void let_arrive(std::size_t i, std::int64_t t);
  std::vector<Entry> entries() override;

 private:
  Schedules schedules_;
};

/// All of them in each step, one after the other: `ChainedScheduler(adam, {warm_up, decay})`. As most schedules
/// multiply the rate by a factor, the factors multiply. Each goes on from its own step, even one that it made alone.
class ChainedScheduler : public CombinedSchedule {
 public:
  ChainedScheduler(Optimizer& optimizer, Schedules schedules);

 protected:
  double rate(const At& at) const override;
  std::optional<double> momentum(std::size_t group, std::int64_t t) const override;
  void arrive(std::int64_t t) override;

 private:
  std::int64_t next_step_of(std::size_t i, std::int64_t t) const { return t == 0 ? 0 : steps_of(i) + 1; }
};

/// One after the other: `SequentialLR(adam, {warm_up, cosine}, {5})` follows the first one up to step 4, and in step 5
/// begins with the second one from the base rate.
class SequentialLR : public CombinedSchedule {
 public:
  /// @throws ValueError unless there is one milestone less than schedules, and they increase, from 1 or more.
  SequentialLR(Optimizer& optimizer, Schedules schedules, std::vector<std::int64_t> milestones);

 protected:
  double rate(const At& at) const override;
  std::optional<double> momentum(std::size_t group, std::int64_t t) const override;
  void arrive(std::int64_t t) override;
  std::vector<Entry> options() override;

 private:
  struct Place {
    std::size_t schedule;
    std::int64_t t;  // since its beginning
  };
  Place place(std::int64_t t) const;

  std::vector<std::int64_t> milestones_;
};

}  // namespace xtape::optim
