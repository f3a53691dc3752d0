// What lies around an array.
#pragma once

#include <utility>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape {

/// What lies outside an array: a value, its elements mirrored at the edge, the edge itself, or its other end.
enum class PadMode { constant, reflect, replicate, circular };
/// x with (before, after) more elements along each axis, given for the first axes on; the others get none. Negative
/// numbers take elements away, before any are added.
/// @throws ShapeError where x is too short to be mirrored or repeated so far, or to lose so many.
Variable pad(const Variable& x, const std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>>& widths,
             PadMode mode = PadMode::constant, const Scalar& value = 0);

}  // namespace xtape
