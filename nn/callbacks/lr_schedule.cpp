#include <nn/callbacks/lr_schedule.hpp>

namespace xtape::nn {

void LearningRateSchedule::check() const {
  if (options_.monitor.empty() && (!step_ || needs_metric_ == true))
    throw ValueError("LearningRateSchedule: the schedule steps by a score, needs a monitor: {.monitor = \"val_loss\"}");
  if (!options_.monitor.empty() && !step_by_)
    throw ValueError("LearningRateSchedule: monitor \"" + options_.monitor + "\", needs a schedule with step(double)");
  if (!options_.monitor.empty() && needs_metric_ == false)
    throw ValueError("LearningRateSchedule: monitor \"" + options_.monitor + "\", needs a schedule that watches one");
  if (!options_.monitor.empty() && options_.every == Every::batch)
    throw ValueError("LearningRateSchedule: monitor \"" + options_.monitor + "\" at every batch, needs Every::epoch");
}

void LearningRateSchedule::on_fit_begin(Training& training) {
  if (!options_.monitor.empty() && !training.scores.contains(options_.monitor))
    throw ValueError("LearningRateSchedule: no score is named \"" + options_.monitor + "\"; there are " +
                     training.scores.names());
}

void LearningRateSchedule::on_batch_end(Training&) {
  if (options_.every == Every::batch) step_();
}

void LearningRateSchedule::on_epoch_end(Training& training) {
  if (options_.every == Every::batch) return;
  if (options_.monitor.empty()) step_();
  else step_by_(training.scores[options_.monitor]);
}

}  // namespace xtape::nn
