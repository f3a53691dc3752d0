// The learning rate in the course of a training.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <nn/callbacks/callback.hpp>

namespace xtape::nn {

/// How often a schedule makes a step.
enum class Every { epoch, batch };

struct LearningRateScheduleOptions {
  Every every = Every::epoch;
  std::string monitor = "";  ///< the score that a schedule such as ReduceOnPlateau looks at; empty: none
};

/// Calls a schedule: anything that has `step()` or, with a monitor, `step(double)`, such as those of optim. One that
/// has both says which one it needs by `needs_metric()`. It comes first: what other callbacks save has its step in it.
class LearningRateSchedule : public Callback {
 public:
  /// The schedule must outlive the training. @throws ValueError when it has no such step; at the beginning of the
  /// training when the score is not there.
  template <class Schedule>
    requires requires(Schedule& s) { s.step(); } || requires(Schedule& s) { s.step(0.0); }
  explicit LearningRateSchedule(Schedule& schedule, const LearningRateScheduleOptions& options = {})
      : options_(options) {
    if constexpr (requires { schedule.needs_metric(); }) needs_metric_ = schedule.needs_metric();
    if constexpr (requires { schedule.step(); }) step_ = [&schedule] { schedule.step(); };
    if constexpr (requires { schedule.step(0.0); }) step_by_ = [&schedule](double score) { schedule.step(score); };
    check();
  }
  bool comes_first() const override { return true; }
  void on_fit_begin(Training& training) override;
  void on_batch_end(Training& training) override;
  void on_epoch_end(Training& training) override;

 private:
  void check() const;

  LearningRateScheduleOptions options_;
  std::optional<bool> needs_metric_;  // of those that say so
  std::function<void()> step_;
  std::function<void(double)> step_by_;
};

}  // namespace xtape::nn
