// Counts what the program allocates, in whatever way.
#pragma once

#include <cstddef>

namespace xtape::testing {

/// The most bytes that were allocated at once since this was made, beyond those that were then.
class PeakMemory {
 public:
  PeakMemory();
  std::size_t bytes() const;

 private:
  std::ptrdiff_t before_;
};

}  // namespace xtape::testing
