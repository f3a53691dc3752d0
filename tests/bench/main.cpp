// Measures xtape and libtorch in turns, and prints times and ratios; or the memory that they take; or the speed of
// matrix products alone. OPENBLAS_CORETYPE=SkylakeX, for one, has OpenBLAS run those kernels.
//
//   ./bench [--benchmark_filter=/lstm/] [--benchmark_repetitions=20]
//   ./bench --memory
//   ./bench --products
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <benchmark/benchmark.h>

#include "memory.hpp"
#include "products.hpp"
#include "table.hpp"
#include "workloads.hpp"

namespace {

void add(const std::string& contestant, const char* workload, bench::Work (*prepare)(), void (*set_threads)(int)) {
  if (!prepare) return;
  for (int threads : bench::thread_counts) {
    auto run = [=](benchmark::State& state) {
      set_threads(threads);
      // Threads of libtorch and of OpenBLAS look busily for work for a while before they sleep.
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      bench::Work work = prepare();
      work();
      for (auto _ : state) work();
    };
    benchmark::RegisterBenchmark((contestant + "/" + workload + "/" + std::to_string(threads)).c_str(), run)
        ->UseRealTime();
  }
}

// Starts the program again, unless the environment says how OpenMP waits. By default libtorch's threads wait busily,
// and take up to fifty times as long where another process wants the cores as well.
void wait_passively(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY")) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  execv("/proc/self/exe", argv);  // where there is no such file, all goes on as it is
}

}  // namespace

int main(int argc, char** argv) {
  wait_passively(argv);
  const std::string mode = argc == 2 ? argv[1] : "";
  if (mode == "--memory") return bench::print_memory(), 0;
  if (mode == "--products") return bench::print_products(), 0;
  // Defaults, which the command line overrides: many short repetitions in random order, so that a change in the
  // machine's speed meets every contestant.
  std::vector<std::string> arguments{argv[0], "--benchmark_enable_random_interleaving=true",
                                     "--benchmark_repetitions=15", "--benchmark_min_time=0.1"};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 1;

  for (const bench::Workload& workload : bench::workloads()) {
    add("xtape", workload.name, workload.own, bench::own::set_threads);
    add("libtorch", workload.name, workload.peer, bench::set_peer_threads);
  }
  bench::TableReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
}
