// Linear algebra.
#pragma once

#include <autograd/variable.hpp>

namespace xtape {

/// The matrix product with NumPy's semantics: (m, k) x (k, n) for the last two axes, leading axes broadcast; a 1-d
/// operand is a row on the left, a column on the right, and its axis is dropped from the result.
/// @throws ShapeError for a 0-d operand or inner dimensions that differ, DTypeError for bool or unlike dtypes.
Variable matmul(const Variable& a, const Variable& b);

}  // namespace xtape
