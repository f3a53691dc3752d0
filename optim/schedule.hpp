// What all learning-rate schedules have in common.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <optim/optimizer.hpp>

namespace xtape::optim {

/// Base of all schedules: they set the learning rate of each of an optimizer's groups, step by step. What a step is, an
/// epoch or a batch, is the caller's choice. The optimizer must outlive the schedule.
class Schedule {
 public:
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;
  virtual ~Schedule() = default;

  /// Goes on by one step. @throws ValueError, and changes nothing, for a schedule that needs a metric, and where the
  /// schedule is over or gives a rate that the optimizer does not take.
  void step();
  /// The same, with the metric that the schedule watches. @throws ValueError, and changes nothing, where it needs none.
  void step(double metric);
  /// Whether the steps need a metric.
  virtual bool needs_metric() const { return false; }
  /// The number of steps so far.
  std::int64_t steps() const { return steps_; }
  /// The learning rate that this schedule set last. @throws ValueError for a group that there is not.
  double lr(std::size_t group = 0) const;

  /// "step", "lr", the last rates, what else the schedule goes on from, and its options, "options.gamma" for one.
  StateDict state_dict() const;
  /// Goes to the saved step with the saved options. The optimizer's rates and momenta are its own state, which other
  /// schedules and the user may have changed: it loads them itself, before or after, but not before this schedule is
  /// made, which sets the rates of step 0. Functions are not saved, and modes and milestones have to be the same.
  /// @throws ValueError listing everything that does not fit, and changes nothing then.
  void load_state_dict(const StateDict& state);

 protected:
  Schedule(std::string name, Optimizer& optimizer);

  /// The metric is there where the schedule needs it.
  virtual void advance(std::optional<double> metric) = 0;

  /// One thing to save: a count, a number, a number for each group, or integers that a state has to agree with.
  struct Entry {
    using Fixed = std::vector<std::int64_t>;
    std::string name;
    std::variant<std::int64_t*, double*, std::vector<double>*, Fixed> value;
    detail::Range range = {};  ///< where its numbers have to lie
  };
  virtual std::vector<Entry> entries() { return {{"step", &steps_}, {"lr", &rates_}}; }
  /// The options that are numbers; the constructor calls `check_options`, loading checks them too.
  virtual std::vector<Entry> options() { return {}; }
  /// @throws ValueError "WHO: OPTION is ..." for an option out of its range.
  void check_options();
  /// Both, the options with names of their own.
  std::vector<Entry> all_entries();

  const std::string& name() const { return name_; }
  Optimizer& optimizer() const { return optimizer_; }
  std::size_t groups() const { return rates_.size(); }
  double initial_lr(std::size_t group) const { return optimizer_.initial_lr(group); }
  /// `lr` where no schedule was made for the optimizer before.
  double initial_lr_or(std::size_t group, double lr) const { return optimizer_.initial_lr_or(group, lr); }
  void set_initial_lr(std::size_t group, double lr) { optimizer_.set_initial_lr(group, lr); }
  void set_steps(std::int64_t steps) { steps_ = steps; }
  /// What `lr` says, where another schedule has set the optimizer's rates for this one.
  void note_rates(const std::vector<double>& rates) { rates_ = rates; }
  /// One for each group, where the schedule has one: the optimizer's option "momentum" or, without one, "beta1".
  using Momenta = std::vector<std::optional<double>>;
  /// Of all groups. @throws ValueError, and changes nothing, for rates and momenta that the optimizer does not take.
  void set_rates(const std::vector<double>& rates, const Momenta& momenta);

 private:
  std::string name_;
  Optimizer& optimizer_;
  std::int64_t steps_ = 0;
  std::vector<double> rates_;
};

/// Base of the schedules that know each step's rate from the one before. One derives from it, overrides `rate`, and
/// calls `start` at the end of the constructor:
///
///     struct Halving : optim::RateSchedule {
///       explicit Halving(optim::Optimizer& optimizer) : RateSchedule("Halving", optimizer) { start(); }
///       double rate(const At& at) const override { return at.t == 0 ? at.current : at.current / 2; }
///     };
///
/// As the rate follows from the current one, several schedules may act on one optimizer, each with a factor of its own,
/// and what a user sets in between counts.
class RateSchedule : public Schedule {
 public:
  /// Where a schedule stands.
  struct At {
    std::size_t group;
    std::int64_t t;  ///< the step to find the rate of; 0 when the schedule is made
    double base;     ///< the group's Optimizer::initial_lr
    double current;  ///< its rate in step t - 1, or what schedules before this one made of it
  };

 protected:
  using Schedule::Schedule;

  virtual double rate(const At& at) const = 0;
  /// The momentum of step t, for schedules that have one: the optimizer's option "momentum" or, without one, "beta1".
  virtual std::optional<double> momentum(std::size_t, std::int64_t) const { return std::nullopt; }
  /// Called with each step that the schedule goes to.
  virtual void arrive(std::int64_t t) { set_steps(t); }

  /// Takes note of the rates to begin from, and sets those of step 0. @throws ValueError, and changes nothing, where
  /// the optimizer does not take them.
  void start();
  /// The same with other rates to begin from than the optimizer's.
  void start(std::vector<double> base);
  /// Takes note of the rates to begin from.
  void begin();
  /// @throws ValueError naming this schedule unless the optimizer has a momentum.
  void require_momentum() const;

  std::vector<Entry> entries() override;
  void advance(std::optional<double>) final { go_to(steps() + 1); }

 private:
  friend class CombinedSchedule;

  void go_to(std::int64_t t);
  void begin(std::vector<double> base);
  std::vector<double> initial_rates() const;
  Momenta momenta(std::int64_t t) const;

  std::vector<double> base_;
  std::vector<double> next_rates_;  // in a combination: those of the step that it is about to make
};

/// A number for each parameter group, or one for all: `.max_lr = 0.1`, `.max_lr = {0.1, 0.01}`.
class PerGroup {
 public:
  PerGroup() = default;  ///< not given
  PerGroup(double of_all) : values_{of_all} {}
  PerGroup(std::initializer_list<double> values) : values_(values) {}
  PerGroup(std::vector<double> values) : values_(std::move(values)) {}

  double operator[](std::size_t group) const { return values_.size() == 1 ? values_[0] : values_[group]; }
  /// Makes one number one for each group. @throws ValueError "WHO: OPTION ..." when there are others.
  void expand(const std::string& who, const std::string& option, std::size_t groups);
  std::vector<double>* values() { return &values_; }

 private:
  std::vector<double> values_;
};

}  // namespace xtape::optim
