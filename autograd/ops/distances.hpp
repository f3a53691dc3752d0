// Lengths, angles and distances of vectors.
#pragma once

#include <autograd/variable.hpp>

namespace xtape {

/// The sum of products along an axis; the operands broadcast.
Variable vecdot(const Variable& a, const Variable& b, std::ptrdiff_t axis = -1);
/// The vector product along an axis of extent 3; the other axes broadcast.
Variable cross(const Variable& a, const Variable& b, std::ptrdiff_t axis = -1);
/// The vectors along an axis divided by their p-norms, or by `epsilon` where that is more.
Variable normalize(const Variable& x, double p = 2, std::ptrdiff_t axis = 1, double epsilon = 1e-12);
/// The cosine of the angle between vectors along an axis: the sum of products of the two, each divided by its length, or
/// by `epsilon` where that is more. The operands broadcast.
Variable cosine_similarity(const Variable& a, const Variable& b, std::ptrdiff_t axis = 1, double epsilon = 1e-8);
/// The p-norms of the differences a - b + epsilon along the last axis; the operands broadcast.
Variable pairwise_distance(const Variable& a, const Variable& b, double p = 2, double epsilon = 1e-6,
                           bool keepdims = false);
/// The p-norms of the differences of each row of a (..., m, width) and each one of b (..., n, width): (..., m, n).
Variable cdist(const Variable& a, const Variable& b, double p = 2);
/// The p-norms of the differences of the rows of x (n, width), each with each later one: (n (n - 1) / 2,).
Variable pdist(const Variable& x, double p = 2);

}  // namespace xtape
