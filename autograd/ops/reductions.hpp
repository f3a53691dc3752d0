// Reductions. `axes` may be one axis, a list such as {0, -1}, or left out for all; `keepdims` leaves them as 1.
#pragma once

#include <autograd/ops/with_indices.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// The sum; a bool operand is counted in int64.
Variable sum(const Variable& x, const Axes& axes = {}, bool keepdims = false);
/// The mean; that of int64 or bool is of the default dtype.
Variable mean(const Variable& x, const Axes& axes = {}, bool keepdims = false);
/// The product. The gradient is right where elements are 0, too.
Variable prod(const Variable& x, const Axes& axes = {}, bool keepdims = false);
/// The greatest element; NaN wins. Equal elements, or those that are NaN, share the gradient evenly.
/// @throws ShapeError for no elements.
Variable max(const Variable& x, const Axes& axes = {}, bool keepdims = false);
/// The least element; NaN wins. Equal elements, or those that are NaN, share the gradient evenly.
/// @throws ShapeError for no elements.
Variable min(const Variable& x, const Axes& axes = {}, bool keepdims = false);
/// The variance, the mean squared deviation; `ddof` is taken off the number of elements divided by (1: unbiased).
Variable var(const Variable& x, const Axes& axes = {}, bool keepdims = false, double ddof = 0);
/// The standard deviation, the square root of var. (A function cannot be named std.) Where it is 0, the derivative
/// counts 0.
Variable stddev(const Variable& x, const Axes& axes = {}, bool keepdims = false, double ddof = 0);
/// max and min under PyTorch's names.
inline Variable amax(const Variable& x, const Axes& axes = {}, bool keepdims = false) {
  detail::Calling calling("amax");
  return max(x, axes, keepdims);
}
inline Variable amin(const Variable& x, const Axes& axes = {}, bool keepdims = false) {
  detail::Calling calling("amin");
  return min(x, axes, keepdims);
}
/// The middle element along an axis, or of all; the lower one of two, as in PyTorch. NaN wins. Elements that equal the
/// one of all share its gradient evenly.
/// @throws ShapeError for no elements.
Variable median(const Variable& x);
Variable median(const Variable& x, std::ptrdiff_t axis, bool keepdims = false);
/// The p-norm sum(|x|^p)^(1/p); p may be infinite, or 0 for the number of elements that are not 0. Where the norm or
/// an element is 0, the derivative counts 0. Powers that overflow or vanish cost no digits.
/// @throws ShapeError for a negative p and no elements.
Variable norm(const Variable& x, double p = 2, const Axes& axes = {}, bool keepdims = false);
/// log(sum(exp(x))), without overflow; of -infinity alone it is -infinity, and its derivatives count 0.
Variable logsumexp(const Variable& x, const Axes& axes = {}, bool keepdims = false);

/// Whether any element, or every one, is not 0, as bool.
Variable any(const Variable& x, const Axes& axes = {}, bool keepdims = false);
Variable all(const Variable& x, const Axes& axes = {}, bool keepdims = false);
/// How many elements are not 0, as int64.
Variable count_nonzero(const Variable& x, const Axes& axes = {}, bool keepdims = false);

/// @name Scans: result i is the reduction of the elements up to i along an axis.
/// @{
Variable cumsum(const Variable& x, std::ptrdiff_t axis);
/// The gradient is right where elements are 0, too.
Variable cumprod(const Variable& x, std::ptrdiff_t axis);
/// The derivatives by elements of -infinity are 0.
Variable logcumsumexp(const Variable& x, std::ptrdiff_t axis);
/// @}

/// Where the first greatest element stands in the flattened array, as 0-d int64. Not differentiable.
Variable argmax(const Variable& x);
/// Where along `axis` the first greatest element stands, as int64. Not differentiable.
Variable argmax(const Variable& x, std::ptrdiff_t axis, bool keepdims = false);
Variable argmin(const Variable& x);
Variable argmin(const Variable& x, std::ptrdiff_t axis, bool keepdims = false);

/// The first greatest (or least) element along an axis, which gets the whole gradient, and where it stands.
WithIndices max_with_indices(const Variable& x, std::ptrdiff_t axis, bool keepdims = false);
WithIndices min_with_indices(const Variable& x, std::ptrdiff_t axis, bool keepdims = false);

/// Undoes a broadcast: the sum over the axes along which `shape` would be repeated to give x.
Variable sum_to(const Variable& x, const Shape& shape);

/// exp(x) / sum(exp(x)) along an axis.
Variable softmax(const Variable& x, std::ptrdiff_t axis = -1);
/// softmax(-x)
Variable softmin(const Variable& x, std::ptrdiff_t axis = -1);
/// log(softmax(x)), exact for large differences, too.
Variable log_softmax(const Variable& x, std::ptrdiff_t axis = -1);

}  // namespace xtape
