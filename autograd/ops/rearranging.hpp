// The same elements in another order, or several times.
#pragma once

#include <optional>

#include <autograd/variable.hpp>

namespace xtape {

/// Backwards along these axes, or all.
Variable flip(const Variable& x, const Axes& axes = {});
/// Shifted along an axis, or as if flattened; what goes over the end comes back at the front.
Variable roll(const Variable& x, std::ptrdiff_t shift, std::optional<std::ptrdiff_t> axis = {});
/// The same along several axes, a shift for each.
Variable roll(const Variable& x, const Axes& shifts, const Axes& axes);
/// Turned by `k` right angles, from the first of two axes towards the second.
Variable rot90(const Variable& x, std::ptrdiff_t k = 1, std::ptrdiff_t axis1 = 0, std::ptrdiff_t axis2 = 1);

/// Each slice along an axis, or each element of the flattened array, so many times in a row.
Variable repeat_interleave(const Variable& x, std::size_t copies, std::optional<std::ptrdiff_t> axis = {});
/// The same with a number of copies (int64) for each slice, or one for all.
Variable repeat_interleave(const Variable& x, const Variable& copies, std::optional<std::ptrdiff_t> axis = {});

}  // namespace xtape
