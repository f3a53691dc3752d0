// What the program shows while it trains: a bar that is redrawn in a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace mnist {

/// How much there is to do.
struct Work {
  std::size_t epochs;
  std::size_t steps;  ///< in an epoch
  std::size_t batch;  ///< images in a step
};

/// What the bar shows. The epoch counts from 0, the steps are those done in it.
struct Moment {
  std::size_t epoch, step;
  double loss;
  double images_per_second, seconds_left;
};

/// The bar, at most `width` columns wide. What does not fit is left out: the speed first, then the time left, the
/// loss, and the bar itself.
std::string progress_line(const Work& work, const Moment& at, std::size_t width, bool unicode);

/// The time since it was made, on top of an earlier time.
class Stopwatch {
 public:
  explicit Stopwatch(double before = 0) : before_(before) {}
  double seconds() const { return before_ + std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  double before_;
  Clock::time_point start_ = Clock::now();
};

/// Draws on standard output.
class Progress {
 public:
  /// `done` steps, counted over all epochs, are done already.
  Progress(const Work& work, std::size_t done);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  /// Redraws the bar, a few times a second at most. The loss is the mean of the epoch so far.
  void update(std::size_t epoch, std::size_t step, double loss);
  /// Prints a line that stays, in place of the bar.
  void print(const std::string& line);
  void print_epoch(std::size_t epoch, double loss, double accuracy, double seconds);

 private:
  void clear();

  Work work_;
  std::size_t done_before_;
  bool terminal_, unicode_, drawn_ = false;
  Stopwatch watch_;
  double next_drawing_ = 0;
};

}  // namespace mnist
