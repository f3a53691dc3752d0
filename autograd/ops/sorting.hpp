// Sorts, and what is greatest or least.
#pragma once

#include <cstddef>

#include <autograd/ops/with_indices.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// In ascending (or descending) order along an axis; equal elements keep theirs, NaN counts as the greatest.
WithIndices sort(const Variable& x, std::ptrdiff_t axis = -1, bool descending = false);
/// The indices of `sort`.
Variable argsort(const Variable& x, std::ptrdiff_t axis = -1, bool descending = false);
/// The k greatest (or least) along an axis, in order.
WithIndices topk(const Variable& x, std::size_t k, std::ptrdiff_t axis = -1, bool largest = true);

}  // namespace xtape
