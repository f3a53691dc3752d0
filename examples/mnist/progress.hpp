// What the program shows while it trains: a bar that is redrawn in a terminal, plain lines elsewhere.
#pragma once

#include <cstddef>
#include <string>

#include <nn/callbacks/status_line.hpp>

namespace mnist {

/// How much there is to do.
struct Work {
  std::size_t epochs;
  std::size_t steps;  ///< in an epoch
  std::size_t batch;  ///< images in a step
};

/// Draws on standard output.
class Progress {
 public:
  /// `done` steps, counted over all epochs, are done already.
  Progress(const Work& work, std::size_t done);

  /// Redraws the bar, a few times a second at most. The epoch counts from 0, the steps are those done in it, the loss
  /// is the mean of the epoch so far.
  void update(std::size_t epoch, std::size_t step, double loss);
  /// Prints a line that stays, in place of the bar.
  void print(const std::string& line) { line_.print(line); }
  void print_epoch(std::size_t epoch, double loss, double accuracy, double seconds);

 private:
  Work work_;
  std::size_t done_before_;
  xtape::nn::StatusLine line_;
  xtape::nn::Stopwatch watch_;
};

}  // namespace mnist
