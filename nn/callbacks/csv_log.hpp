// The course of a training as a table.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include <nn/callbacks/callback.hpp>

namespace xtape::nn {

/// A table of an epoch a line, as CSV. Each line is written in one piece: whoever looks meanwhile, or after an
/// interruption, finds whole lines.
class EpochTable {
 public:
  /// Begins the file with the names of the columns, of which "epoch" is the first, or goes on in it after the line of
  /// epoch `done`: what is there of later epochs is dropped.
  /// @throws FileError when it cannot be written, or goes on in what is no such table.
  EpochTable(const std::filesystem::path& file, const std::vector<std::string>& columns, std::size_t done = 0);
  ~EpochTable();
  EpochTable(EpochTable&&) noexcept;

  /// Appends a line, of as many values as there are columns beside the epoch. @throws FileError when it cannot.
  void write(std::size_t epoch, const std::vector<double>& values);

 private:
  std::filesystem::path file_;
  std::unique_ptr<std::ofstream> out_;
};

/// Writes the scores of each epoch to a CSV file: "epoch,loss,accuracy,val_loss,val_accuracy,lr". One that was there is
/// replaced, or, by a training that goes on at a later epoch, continued.
class CSVLog : public Callback {
 public:
  /// At the beginning of the training, @throws FileError when the file cannot be written.
  explicit CSVLog(std::filesystem::path file) : file_(std::move(file)) {}
  bool on_main_process_only() const override { return true; }
  void on_fit_begin(Training& training) override;
  void on_epoch_end(Training& training) override;
  void on_fit_end(Training& training) override;

 private:
  std::filesystem::path file_;
  std::unique_ptr<EpochTable> table_;
};

}  // namespace xtape::nn
