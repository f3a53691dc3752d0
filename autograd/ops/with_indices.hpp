// What operations return that choose elements.
#pragma once

#include <autograd/variable.hpp>

namespace xtape {

/// Values, and where along the axis they came from (int64).
struct WithIndices {
  Variable values, indices;
};

}  // namespace xtape
