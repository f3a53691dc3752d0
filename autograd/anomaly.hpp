// Finding out where a NaN comes from.
#pragma once

#include <string>
#include <vector>

namespace xtape {

/// Until the end of the scope, in this thread: each operation that is recorded remembers where it was called, and a
/// walk that makes a NaN or an infinity from finite gradients throws a GraphError that names the operation and the
/// place. Slow; for finding a mistake. The places are files and lines where the program has debug information (-g).
class DetectAnomaly {
 public:
  explicit DetectAnomaly(bool enabled = true);
  ~DetectAnomaly();
  DetectAnomaly(const DetectAnomaly&) = delete;
  DetectAnomaly& operator=(const DetectAnomaly&) = delete;

 private:
  bool before_;
};

namespace detail {

bool detecting_anomaly();

/// The calls that led here, innermost first.
std::vector<const void*> calls();
/// Those of the program, outside of the library, one a line: "  at main.cpp:12 in main()".
std::string describe_calls(const std::vector<const void*>& calls);

}  // namespace detail
}  // namespace xtape
