// What the machine can do at best.
#pragma once

namespace bench {

/// In a second: operations of float32 and float64, by registers alone, and bytes that copying reads and writes.
struct Limits {
  double flops = 0, double_flops = 0, bytes = 0;
};

/// Measures it in so many threads at once, which takes a second.
Limits measure_limits(int threads);

}  // namespace bench
