// Measures xtape against its matrix products alone and against libtorch, in turns, and prints the ratios.
//
//   ./bench [--benchmark_filter=step] [--benchmark_repetitions=20]
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <autograd/threads.hpp>

#include "contestants.hpp"
#include "table.hpp"
#include "vision.hpp"

namespace {

void set_threads(int count) {
  xtape::set_num_threads(count);
#ifdef XTAPE_BENCH_TORCH
  bench::set_torch_threads(count);
#endif
}

void add(const std::string& name, bench::Work (*prepare)(), int threads) {
  auto run = [prepare, threads](benchmark::State& state) {
    set_threads(threads);
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
#ifdef XTAPE_BENCH_TORCH
  add("torch_composed", bench::torch_composed, 1);
#endif
  add("xtape_lstm", bench::xtape_lstm, 1);
  add("xtape_lenet", bench::xtape_lenet, 1);
  add("xtape_generator", bench::xtape_generator, 1);
  add("xtape_small", bench::xtape_small, 1);
#ifdef XTAPE_BENCH_TORCH
  add("torch_lenet", bench::torch_lenet, 1);
  add("torch_generator", bench::torch_generator, 1);
  add("torch_small", bench::torch_small, 1);
  add("torch_lstm", bench::torch_lstm, 1);
#endif
  bench::TableReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
}
