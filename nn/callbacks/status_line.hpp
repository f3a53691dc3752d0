// A line at the bottom of a terminal that shows how far a long work has come.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace xtape::nn {

/// The time since it was made, on top of an earlier time.
class Stopwatch {
 public:
  explicit Stopwatch(double before = 0);
  double seconds() const;

 private:
  double start_;
};

/// What a line of progress shows: a head, a bar, the part that is done, and details, the most important first.
struct Progress {
  std::string head;
  double done = 0;  ///< from 0 to 1; negative: not known, and so no bar
  std::vector<std::string> details = {};
};

/// The line, at most `width` columns wide. What does not fit is left out: the last details first, then the bar.
std::string progress_line(const Progress& progress, std::size_t width, bool unicode);

/// "epoch  3/20"
std::string epoch_of(std::size_t epoch, std::size_t epochs);
/// "0:41", "1:02:03"
std::string clock_time(double seconds);
/// With so many digits behind the point: `fixed(0.12345, 4)` is "0.1234", or "1.2e-05" where those would all be 0.
std::string fixed(double value, int digits);

/// Draws on a terminal; does nothing where the file descriptor is none.
class StatusLine {
 public:
  explicit StatusLine(int descriptor);
  StatusLine(StatusLine&& other) noexcept;
  StatusLine& operator=(StatusLine&&) = delete;
  ~StatusLine() { clear(); }

  bool is_terminal() const { return terminal_; }
  /// Whether it is time to draw again: ten times a second.
  bool due() const;
  void draw(const Progress& progress);
  /// Prints a line that stays, in place of the one that is drawn.
  void print(const std::string& line);
  void clear();

 private:
  void write(const std::string& text) const;

  int descriptor_;
  bool terminal_, unicode_, drawn_ = false;
  Stopwatch watch_;
  double next_drawing_ = 0;
};

}  // namespace xtape::nn
