// Learning-rate schedules.
#pragma once

#include <optim/optimizer.hpp>

namespace xtape::optim {

/// Base of all schedules: a rule for the learning rate in closed form, that of step t depending on nothing but t and
/// the learning rate which the optimizer had at first. One derives from it and overrides `rate`.
class Schedule {
 public:
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;
  virtual ~Schedule() = default;

  /// Goes on by one step, whatever the caller takes for one (an epoch, a batch), and sets the optimizer's rate.
  void step();
  /// The number of steps so far.
  std::int64_t steps() const { return steps_; }
  /// The learning rate of step t. @throws ValueError for a negative one.
  double lr(std::int64_t t) const;

  /// "step" and "base_lr".
  StateDict state_dict() const;
  /// Goes to the saved step, and sets the optimizer's rate. @throws ValueError, and changes nothing, for other states.
  void load_state_dict(const StateDict& state);

 protected:
  /// The optimizer must outlive the schedule.
  explicit Schedule(Optimizer& optimizer) : optimizer_(optimizer), base_lr_(optimizer.lr()) {}

  /// The learning rate of step t = 0, 1, ..., where that of the optimizer was `base`.
  virtual double rate(double base, std::int64_t t) const = 0;

 private:
  Optimizer& optimizer_;
  double base_lr_;
  std::int64_t steps_ = 0;
};

struct StepLROptions {
  std::int64_t step_size = 1;
  double gamma = 0.1;
};

/// base gamma^floor(t / step_size)
class StepLR : public Schedule {
 public:
  /// @throws ValueError unless step_size >= 1 and gamma is finite and 0 or more.
  StepLR(Optimizer& optimizer, const StepLROptions& options);

 protected:
  double rate(double base, std::int64_t t) const override;

 private:
  StepLROptions options_;
};

}  // namespace xtape::optim
