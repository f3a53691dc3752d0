// What the workloads take of memory.
#pragma once

namespace bench {

/// Prints the peaks of the workloads, each in a process of its own, beyond what a process takes that has loaded the
/// libraries and does nothing. To be called before any other work.
void print_memory();

}  // namespace bench
