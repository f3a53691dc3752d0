#include "memory.hpp"

#include <cstdio>
#include <string>

#include <tests/peak_memory.hpp>

#include "networks.hpp"
#include "table.hpp"

namespace bench {
namespace {

constexpr int steps = 10;  // by then, what is kept from step to step is there

double mebibytes(Work (*prepare)()) {
  return xtape::testing::peak_memory([prepare] {
    set_threads(1);
    Work work = prepare();
    for (int i = 0; i < steps; ++i) work();
  }) / (1024 * 1024);
}

}  // namespace

void print_memory() {
  std::puts("Peaks of memory, one thread; each contestant in a process of its own.");
  for (const Network& network : networks()) {
    std::string what = network.what;
    double own = mebibytes(network.own);
    print_row(what + ", xtape", "MiB", own);
    if (!network.peer) continue;
    double peer = mebibytes(network.peer);
    print_row(what + ", libtorch", "MiB", peer);
    print_row(what + ", xtape / libtorch", "", own / peer);
  }
}

}  // namespace bench
