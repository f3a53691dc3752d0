#include "table.hpp"

#include <algorithm>
#include <cstdio>

#include "contestants.hpp"
#include "networks.hpp"

namespace bench {
namespace {

double median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

void print_row(const std::string& what, const std::string& unit, std::optional<double> value) {
  if (value) std::printf("  %-56s %8.3f %s\n", what.c_str(), *value, unit.c_str());
}

void TableReporter::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs)
    if (run.run_type == Run::RT_Iteration && !run.error_occurred)
      seconds_[run.run_name.function_name].push_back(
          run.real_accumulated_time / static_cast<double>(run.iterations));
}

void TableReporter::Finalize() {
  auto time = [&](const std::string& name) -> std::optional<double> {
    auto found = seconds_.find(name);
    return found == seconds_.end() ? std::nullopt : std::optional(median(found->second));
  };
  auto ratio = [](std::optional<double> a, std::optional<double> b) {
    return a && b ? std::optional(*a / *b) : std::nullopt;
  };
  auto scaled = [](std::optional<double> a, double factor) { return a ? std::optional(*a * factor) : std::nullopt; };

  std::puts("Medians of all repetitions; the contestants took turns.");
  for (std::string threads : {"1", "2"}) {
    auto step = time("xtape_step/" + threads), products = time("matrix_products/" + threads);
    std::string on = " (" + threads + (threads == "1" ? " thread)" : " threads)");
    print_row("MNIST step, xtape" + on, "ms", scaled(step, 1e3));
    print_row("MNIST step, its matrix products" + on, "ms", scaled(products, 1e3));
    print_row("MNIST step, libtorch" + on, "ms", scaled(time("torch_step/" + threads), 1e3));
    print_row("MNIST step, xtape / matrix products" + on, "", ratio(step, products));
    print_row("MNIST step, xtape / libtorch" + on, "", ratio(step, time("torch_step/" + threads)));
  }
  auto chain = time("xtape_chain/1"), torch_chain = time("torch_chain/1");
  print_row("one-element operation, there and back, xtape", "ns", scaled(chain, 1e9 / chain_length));
  print_row("one-element operation, there and back, libtorch", "ns", scaled(torch_chain, 1e9 / chain_length));
  print_row("one-element operation, libtorch / xtape", "", ratio(torch_chain, chain));
  auto torch = time("torch_composed/1");
  for (std::string form : {"fused", "composed"}) {
    auto own = time("xtape_" + form + "/1");
    print_row("mean of a million tanh(x * y + c) * sigmoid(x), " + form, "ms", scaled(own, 1e3));
    print_row("its time / libtorch's", "", ratio(own, torch));
  }
  print_row("the same, libtorch", "ms", scaled(torch, 1e3));
  auto kept = time("xtape_deep/1"), again = time("xtape_checkpointed/1");
  print_row("64 layers there and back", "ms", scaled(kept, 1e3));
  print_row("the same with checkpoints", "ms", scaled(again, 1e3));
  print_row("with checkpoints / without", "", ratio(again, kept));
  for (const Network& network : networks()) {
    std::string what = network.what;
    auto of = [&](const char* whose) { return time(whose + std::string(network.name) + "/1"); };
    auto own = of("xtape_"), peer = of("torch_");
    print_row(what + ", xtape", "ms", scaled(own, 1e3));
    print_row(what + ", libtorch", "ms", scaled(peer, 1e3));
    print_row(what + ", xtape / libtorch", "", ratio(own, peer));
  }
}

}  // namespace bench
