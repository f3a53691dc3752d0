#include "table.hpp"

#include <algorithm>
#include <cstdio>

#include <cblas.h>

#include "workloads.hpp"

namespace bench {
namespace {

// In the unit that fits, with three digits; right-aligned.
std::string text(std::optional<double> seconds) {
  if (!seconds) return std::string(9, ' ');
  const char* unit = *seconds < 1e-6 ? "ns" : *seconds < 1e-3 ? "us" : "ms";
  double value = *seconds * (*seconds < 1e-6 ? 1e9 : *seconds < 1e-3 ? 1e6 : 1e3);
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%6.*f %s", value < 10 ? 2 : value < 100 ? 1 : 0, value, unit);
  return buffer;
}

}  // namespace

TableReporter::TableReporter() {
  std::printf("OpenBLAS runs its kernels for %s. The machine's limits, measured by register kernels and copies:\n",
              openblas_get_corename());
  for (int threads : thread_counts) {
    Limits limits = measure_limits(threads);
    std::printf("  %d thread%s %.0f GFLOP/s in float32, %.0f in float64; %.1f GB/s, read and written\n", threads,
                threads == 1 ? ": " : "s:", limits.flops / 1e9, limits.double_flops / 1e9, limits.bytes / 1e9);
    if (threads == 1) limits_ = limits;
  }
}

void TableReporter::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs)
    if (run.run_type == Run::RT_Iteration && !run.error_occurred)
      seconds_[run.run_name.function_name].push_back(
          run.real_accumulated_time / static_cast<double>(run.iterations));
}

std::optional<double> TableReporter::median(const std::string& name) const {
  auto found = seconds_.find(name);
  if (found == seconds_.end()) return std::nullopt;
  std::vector<double> values = found->second;
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void TableReporter::Finalize() {
  std::puts("Medians of all repetitions; the contestants took turns. The limit is one thread's.\n");
  std::printf("%-41s%9s", "", "limit");
  for (int threads : thread_counts)
    std::printf("%9s%9s%7s", (std::to_string(threads) + ": xtape").c_str(), "libtorch", "ratio");
  std::puts("");
  for (const Workload& workload : workloads()) {
    double limit = std::max(workload.flops / limits_.flops, workload.bytes / limits_.bytes);
    std::string row = text(limit > 0 ? std::optional(limit) : std::nullopt);
    bool measured = false;
    for (int threads : thread_counts) {
      auto time = [&](const char* contestant) {
        auto seconds = median(std::string(contestant) + "/" + workload.name + "/" + std::to_string(threads));
        return seconds ? std::optional(*seconds / workload.times) : std::nullopt;
      };
      auto own = time("xtape"), peer = time("libtorch");
      measured = measured || own || peer;
      char ratio[32] = "       ";
      if (own && peer) std::snprintf(ratio, sizeof ratio, "%7.2f", *own / *peer);
      row += text(own) + text(peer) + ratio;
    }
    if (measured) std::printf("%-41s%s\n", workload.what, row.c_str());
  }
}

}  // namespace bench
