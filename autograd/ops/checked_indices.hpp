// Elements at positions that are known to be in range.
#pragma once

#include <autograd/variable.hpp>

namespace xtape::detail {

/// Indices that are all in [0, extent), an axis of `shape`: negative ones have been turned.
/// @throws DTypeError and ValueError naming the operation.
Variable checked_indices(const char* operation, const Variable& indices, std::size_t extent, const Shape& shape);

/// take_along_axis for indices (int64) that are known to be in range.
Variable take_along(const Variable& x, const Variable& indices, std::size_t axis);
/// The transposed operation: the elements of g added to zeros of `shape`.
Variable take_along_adjoint(const Variable& g, const Variable& indices, std::size_t axis, const Shape& shape);

}  // namespace xtape::detail
