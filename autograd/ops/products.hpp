// Products of arrays, all made of matmul and broadcasting.
#pragma once

#include <string_view>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape {

/// The sum of the products of two vectors, 0-d. @throws ShapeError unless both have one axis of one length.
Variable dot(const Variable& a, const Variable& b);
/// The sum of products over the last axes of both: shape a.shape[:-1] + b.shape[:-1]; scalars multiply.
Variable inner(const Variable& a, const Variable& b);
/// Every element of a vector times every one of another: shape (m, n).
Variable outer(const Variable& a, const Variable& b);
/// A matrix (m, n) times a vector (n,).
Variable mv(const Variable& matrix, const Variable& vector);
/// The products of two batches of matrices, (b, m, k) x (b, k, n); no broadcasting.
Variable bmm(const Variable& a, const Variable& b);
/// beta input + alpha a b for matrices a (m, k) and b (k, n); `input` broadcasts to (m, n).
Variable addmm(const Variable& input, const Variable& a, const Variable& b, const Scalar& beta = 1,
               const Scalar& alpha = 1);

/// The sum of products over these axes of a, each paired with one of b; the axes that are left follow each other.
Variable tensordot(const Variable& a, const Variable& b, const Axes& axes_a, const Axes& axes_b);
/// The same over the last `axes` axes of a and the first ones of b.
Variable tensordot(const Variable& a, const Variable& b, std::size_t axes = 2);
/// Kronecker product: b in place of each element of a, times that element. The shorter shape gets leading ones.
Variable kron(const Variable& a, const Variable& b);

/// Einstein's summation: `einsum("bij,bjk->bik", {a, b})`. Letters name axes; those that the output lacks are summed
/// over, a letter twice in one operand takes the diagonal, "..." stands for further axes, which broadcast. Without
/// "->", the output has "..." and the letters that occur once, in alphabetical order. Axes of extent 1 broadcast.
/// Operands are contracted in pairs, those with the smallest result first, by matrix products.
/// @throws ValueError for a string that is none, ShapeError for operands that do not fit it.
Variable einsum(std::string_view subscripts, const std::vector<Variable>& operands);

}  // namespace xtape
