// What operations return that choose elements.
#pragma once

#include <autograd/variable.hpp>

namespace xtape {

/// Values, and where they came from (int64): along an axis, or in the plane where images are pooled.
struct WithIndices {
  Variable values, indices;
};

}  // namespace xtape
