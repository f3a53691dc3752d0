#include "memory.hpp"

#include <cstdio>

#include <tests/peak_memory.hpp>

#include "workloads.hpp"

namespace bench {
namespace {

constexpr int steps = 5;  // by then, what is kept from step to step is there

double mebibytes(Work (*prepare)(), void (*set_threads)(int)) {
  return xtape::testing::peak_memory([=] {
    set_threads(1);
    Work work = prepare();
    for (int i = 0; i < steps; ++i) work();
  }) / (1024 * 1024);
}

}  // namespace

void print_memory() {
  std::puts("Peaks of memory in MiB, one thread; each contestant in a process of its own.");
  std::printf("%-42s%9s%9s%7s\n", "", "xtape", "libtorch", "ratio");
  for (const Workload& workload : workloads()) {
    double own = mebibytes(workload.own, own::set_threads);
    std::printf("%-42s%9.1f", workload.what, own);
    if (workload.peer) {
      double peer = mebibytes(workload.peer, set_peer_threads);
      std::printf("%9.1f%7.2f", peer, own / peer);
    }
    std::puts("");
  }
}

}  // namespace bench
