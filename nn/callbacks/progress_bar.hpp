// A training in the terminal.
#pragma once

#include <optional>

#include <nn/callbacks/callback.hpp>
#include <nn/callbacks/status_line.hpp>

namespace xtape::nn {

/// Shows on standard error, where that is a terminal, how far the epoch is, its loss and metrics so far, the time left
/// to the end of the training, and the samples a second; and leaves a line with the scores of each epoch. Nothing where
/// it is none.
class ProgressBar : public Callback {
 public:
  ProgressBar();
  bool on_main_process_only() const override { return true; }
  void on_fit_begin(Training& training) override;
  void on_epoch_begin(Training& training) override;
  void on_batch_end(Training& training) override;
  void on_epoch_end(Training& training) override;
  void on_fit_end(Training& training) override;

 private:
  StatusLine line_;
  Stopwatch epoch_watch_;
  double busy_ = 0;          // the seconds of the epochs that are done, validation included
  std::size_t epochs_ = 0;   // how many those are
};

}  // namespace xtape::nn
