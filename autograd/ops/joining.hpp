// Arrays put together and taken apart.
#pragma once

#include <vector>

#include <autograd/variable.hpp>

namespace xtape {

/// Joins arrays along an axis that they have.
Variable concatenate(const std::vector<Variable>& xs, std::ptrdiff_t axis = 0);
/// Joins arrays of one shape along a new axis.
Variable stack(const std::vector<Variable>& xs, std::ptrdiff_t axis = 0);
/// `sections` equal parts along an axis. @throws ShapeError when they would not be equal.
std::vector<Variable> split(const Variable& x, std::size_t sections, std::ptrdiff_t axis = 0);
/// Parts of these sizes along an axis, which they must fill.
std::vector<Variable> split(const Variable& x, const Dims& sizes, std::ptrdiff_t axis = 0);
/// The slices along an axis, without that axis. Along the first one, copies nothing.
std::vector<Variable> unbind(const Variable& x, std::ptrdiff_t axis = 0);

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

}  // namespace xtape
