#include <nn/callbacks/progress_bar.hpp>

#include <unistd.h>

namespace xtape::nn {
namespace {

constexpr int digits = 4;

std::string list(const Scores& scores) {
  std::string text;
  for (const auto& [name, value] : scores) text += "  " + name + " " + fixed(value, digits);
  return text;
}

}  // namespace

ProgressBar::ProgressBar() : line_(STDERR_FILENO) {}

void ProgressBar::on_fit_begin(Training&) {
  busy_ = 0;
  epochs_ = 0;
}

void ProgressBar::on_epoch_begin(Training&) { epoch_watch_ = Stopwatch(); }

void ProgressBar::on_batch_end(Training& training) {
  if (!line_.due()) return;
  Progress progress{epoch_of(training.epoch, training.epochs), -1};
  for (const auto& [name, value] : training.running) progress.details.push_back(name + " " + fixed(value, digits));
  double seconds = epoch_watch_.seconds();
  if (training.batches > 0) {
    progress.done = static_cast<double>(training.batch) / static_cast<double>(training.batches);
    // An epoch takes as long as those before did; the first, as its batches so far tell.
    double an_epoch = epochs_ > 0 ? busy_ / static_cast<double>(epochs_) : seconds / progress.done;
    double left = an_epoch * (static_cast<double>(training.epochs - training.epoch) + 1 - progress.done);
    progress.details.push_back(clock_time(left) + " left");
  }
  progress.details.push_back(fixed(static_cast<double>(training.samples) / seconds, 0) + " samples/s");
  line_.draw(progress);
}

void ProgressBar::on_epoch_end(Training& training) {
  double seconds = epoch_watch_.seconds();
  busy_ += seconds;
  ++epochs_;
  if (line_.is_terminal())
    line_.print(epoch_of(training.epoch, training.epochs) + list(training.scores) + "  " + fixed(seconds, 1) + " s");
}

void ProgressBar::on_fit_end(Training&) { line_.clear(); }

}  // namespace xtape::nn
