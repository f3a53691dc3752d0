// Measures xtape against its matrix products alone and against libtorch, in turns, and prints the ratios; or the memory
// that training steps take.
//
//   ./bench [--benchmark_filter=step] [--benchmark_repetitions=20]
//   ./bench --memory
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "contestants.hpp"
#include "memory.hpp"
#include "networks.hpp"
#include "table.hpp"

namespace {

void add(const std::string& name, bench::Work (*prepare)(), int threads) {
  auto run = [prepare, threads](benchmark::State& state) {
    bench::set_threads(threads);
    bench::Work work = prepare();
    work();
    for (auto _ : state) work();
  };
  benchmark::RegisterBenchmark((name + "/" + std::to_string(threads)).c_str(), run)
      ->Unit(benchmark::kMicrosecond)
      ->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--memory") {
    bench::print_memory();
    return 0;
  }
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

  for (int threads : {1, 2}) {
    add("xtape_step", bench::xtape_step, threads);
    add("matrix_products", bench::matrix_products, threads);
#ifdef XTAPE_BENCH_TORCH
    add("torch_step", bench::torch_step, threads);
#endif
  }
  add("xtape_chain", bench::xtape_chain, 1);
#ifdef XTAPE_BENCH_TORCH
  add("torch_chain", bench::torch_chain, 1);
#endif
  add("xtape_fused", bench::xtape_fused, 1);
  add("xtape_composed", bench::xtape_composed, 1);
  add("xtape_deep", bench::xtape_deep, 1);
  add("xtape_checkpointed", bench::xtape_checkpointed, 1);
#ifdef XTAPE_BENCH_TORCH
  add("torch_composed", bench::torch_composed, 1);
#endif
  for (const bench::Network& network : bench::networks()) {
    add(std::string("xtape_") + network.name, network.own, 1);
    if (network.peer) add(std::string("torch_") + network.name, network.peer, 1);
  }
  bench::TableReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
}
