// The measurements as a table of ratios.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace bench {

/// Prints nothing without a value.
void print_row(const std::string& what, const std::string& unit, std::optional<double> value);

/// Keeps the time of each repetition, and prints the table at the end.
class TableReporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  std::map<std::string, std::vector<double>> seconds_;  ///< of one call, for each repetition, by the benchmark's name
};

}  // namespace bench
