// The course of a training as a table.
#pragma once

#include <filesystem>
#include <fstream>

namespace mnist {

/// Writes CSV, each line in one piece: whoever looks meanwhile, or after an interruption, finds whole lines.
class Metrics {
 public:
  /// Begins the file, or goes on in it after the line of epoch `done`: what is there of later epochs is dropped. An empty path: nothing is written.
  /// @throws xtape::FileError when it cannot be written, or goes on in what is no such table.
  Metrics(const std::filesystem::path& file, std::size_t done);

  void write(std::size_t epoch, double train_loss, double test_accuracy, double seconds);

 private:
  std::filesystem::path file_;
  std::ofstream out_;
};

}  // namespace mnist
