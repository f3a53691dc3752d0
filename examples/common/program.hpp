// What every example has: a command line, a bar of progress, an end in good order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <nn/callbacks/status_line.hpp>

namespace example {

/// The command line of an example: its own options, and those that all have: --seed, --threads, --quick and --out.
///
///     int main(int argc, char** argv) {
///       example::Program program("curve_fit", "Fits a curve to measurements.");
///       int points = 50;
///       program.option("--points", points, "measurements");
///       return program.run(argc, argv, [&] { ... });
///     }
class Program {
 public:
  Program(std::string name, const std::string& description);

  /// An option of the example's own; `value` is its default.
  template <class T>
  CLI::Option* option(const std::string& option, T& value, const std::string& description) {
    return app_.add_option(option, value, description)->capture_default_str();
  }

  /// Reads the command line, seeds the random numbers, sets the number of threads, and calls `body`, which prints what
  /// came of it by `result`. Returns the exit code: 1 after an exception, whose message is printed, 130 after Ctrl-C.
  int run(int argc, char** argv, const std::function<void()>& body);

  /// Whether --quick was given: a run of seconds, which shows that it works.
  bool quick() const { return quick_; }
  /// `usual`, or `quick` with --quick.
  template <class T>
  T usual_or_quick(T usual, T quick) const {
    return quick_ ? quick : usual;
  }
  /// Where the file of this name goes: into the folder that --out names, which is made where it is missing.
  std::filesystem::path file(const std::string& name) const;

  /// That of --seed.
  std::uint64_t seed() const { return seed_; }
  /// These options with their values, one a line, as text to be kept in a checkpoint: "--lr 0.001".
  std::string values(const std::vector<std::string>& options) const;
  /// Gives options the values of such a text, for a training that goes on.
  /// @throws xtape::ValueError where the command line names another value.
  void go_on_with(const std::string& values);

  /// Prints "name: value" with so many digits behind the point.
  void result(const std::string& name, double value, int digits = 4) const;

 private:
  std::string name_;
  CLI::App app_;
  std::uint64_t seed_ = 0;
  int threads_ = 0;
  bool quick_ = false;
  std::filesystem::path out_;
};

/// Counts steps, and shows in a terminal how far they have come. Ctrl-C ends them early.
///
///     for (example::Progress progress("training", 1000); progress.next();) {
///       ...
///       progress.show("loss", loss.item());
///     }
class Progress {
 public:
  /// `done` of the steps were done earlier, by a training that was interrupted.
  Progress(std::string head, std::size_t steps, std::size_t done = 0);

  /// Whether there is a next step; it counts from 0.
  bool next();
  std::size_t step() const { return next_ - 1; }
  /// Shows a number beside the bar, for a step.
  void show(const std::string& name, double value);
  /// Prints a line that stays.
  void print(const std::string& line) { line_.print(line); }

 private:
  std::string head_;
  std::size_t steps_, before_, next_;
  std::vector<std::pair<std::string, double>> shown_;
  xtape::nn::Stopwatch watch_;
  xtape::nn::StatusLine line_;
};

}  // namespace example
