// The measurements as a table.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "limits.hpp"

namespace bench {

/// With how many threads all is measured.
inline constexpr int thread_counts[]{1, 2};

/// Keeps the time of each repetition, and prints the table at the end. Benchmarks are named
/// contestant/workload/threads.
class TableReporter : public benchmark::BenchmarkReporter {
 public:
  /// Measures the machine's limits.
  TableReporter();
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  /// Of one call, in seconds; nothing without a measurement.
  std::optional<double> median(const std::string& name) const;

  Limits limits_;  ///< of one thread
  std::map<std::string, std::vector<double>> seconds_;  ///< of one call, for each repetition, by the benchmark's name
};

}  // namespace bench
