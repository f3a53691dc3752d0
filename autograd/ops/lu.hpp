// Elimination with row exchanges. Matrices are the last two axes; leading axes are batches.
#pragma once

#include <autograd/variable.hpp>

namespace xtape {

/// a = P L U: a permutation P (..., m, m), L (..., m, k), lower triangular with ones on the diagonal, and U (..., k, n),
/// upper triangular, for k = min(m, n). P is a constant.
struct LU {
  Variable p, l, u;
};
/// Each pivot is the greatest element, in magnitude, left in its column. The derivative takes P for constant; it needs the
/// first k rows and columns of P' a to be a regular matrix, else backward throws a ValueError.
/// @throws ShapeError for fewer than two axes.
LU lu(const Variable& a);

}  // namespace xtape
