// Arrays put together and taken apart: NumPy's and PyTorch's short forms of concatenate, split and the like.
#pragma once

#include <vector>

#include <autograd/variable.hpp>

namespace xtape {

/// Side by side: along the second axis, or the only one. What is 0-d counts as one element.
Variable hstack(const std::vector<Variable>& xs);
/// One above the other: along the first axis, where what has fewer than two axes is a row.
Variable vstack(const std::vector<Variable>& xs);
/// One behind the other: along the third axis, where (n,) is (1, n, 1), and (m, n) is (m, n, 1).
Variable dstack(const std::vector<Variable>& xs);
/// Matrices along the diagonal of one, zeros elsewhere. Vectors and scalars count as rows.
Variable block_diag(const std::vector<Variable>& xs);
/// Up to so many parts along an axis, all as long but the last. @throws ValueError for 0.
std::vector<Variable> chunk(const Variable& x, std::size_t chunks, std::ptrdiff_t axis = 0);
/// So many parts along an axis, the first of them longer by one where they can not be equal. @throws ValueError for 0.
std::vector<Variable> array_split(const Variable& x, std::size_t sections, std::ptrdiff_t axis = 0);

/// One axis as several, whose extents are `shape`; one of them may be -1.
Variable unflatten(const Variable& x, std::ptrdiff_t axis, const Dims& shape);
/// All elements in row-major order, with one axis. Copies nothing.
Variable ravel(const Variable& x);
/// broadcast_to under PyTorch's name, where -1 stands for an extent that x has already.
Variable expand(const Variable& x, const Dims& shape);
/// Turned by `k` right angles, from the first of two axes towards the second.
Variable rot90(const Variable& x, std::ptrdiff_t k = 1, std::ptrdiff_t axis1 = 0, std::ptrdiff_t axis2 = 1);

}  // namespace xtape
