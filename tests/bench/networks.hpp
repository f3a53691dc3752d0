// The networks whose training steps are compared with libtorch's, in time and memory.
#pragma once

#include <vector>

#include "contestants.hpp"

namespace bench {

struct Network {
  const char* name;  ///< how its contestants' names end
  const char* what;
  Work (*own)();
  Work (*peer)();  ///< none without libtorch
};

const std::vector<Network>& networks();

/// Of all contestants.
void set_threads(int count);

}  // namespace bench
