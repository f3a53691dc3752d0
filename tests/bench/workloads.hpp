// What is compared with libtorch, in time and memory.
#pragma once

#include <vector>

#include "contestants.hpp"

namespace bench {

struct Workload {
  const char* name;  ///< as filters have it
  const char* what;
  Work (*own)();
  Work (*peer)() = nullptr;  ///< none without libtorch, or where it has no such thing
  int times = 1;             ///< how often one call does it
  // What no program can do without, 0 where that is not worth saying: multiplications and additions in float32, and
  // bytes read and written.
  double flops = 0, bytes = 0;
};

const std::vector<Workload>& workloads();

/// Of libtorch; none without it.
extern void (*const set_peer_threads)(int count);

}  // namespace bench
