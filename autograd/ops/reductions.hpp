// Reductions. `axes` may be one axis, a list such as {0, -1}, or left out for all; `keepdims` leaves them as 1.
#pragma once

#include <autograd/variable.hpp>

namespace xtape {

/// The sum; a bool operand is counted in int64.
Variable sum(const Variable& x, const Axes& axes = {}, bool keepdims = false);
Variable mean(const Variable& x, const Axes& axes = {}, bool keepdims = false);
/// The product. The gradient is right where elements are 0, too.
Variable prod(const Variable& x, const Axes& axes = {}, bool keepdims = false);
/// The greatest element; NaN wins. Equal elements share the gradient evenly.
/// @throws ShapeError for no elements.
Variable max(const Variable& x, const Axes& axes = {}, bool keepdims = false);
/// The least element; NaN wins. Equal elements share the gradient evenly.
/// @throws ShapeError for no elements.
Variable min(const Variable& x, const Axes& axes = {}, bool keepdims = false);
/// The variance, the mean squared deviation; `ddof` is taken off the number of elements divided by (1: unbiased).
Variable var(const Variable& x, const Axes& axes = {}, bool keepdims = false, int ddof = 0);
/// log(sum(exp(x))), without overflow.
Variable logsumexp(const Variable& x, const Axes& axes = {}, bool keepdims = false);

/// Where the first greatest element stands in the flattened array, as 0-d int64. Not differentiable.
Variable argmax(const Variable& x);
/// Where along `axis` the first greatest element stands, as int64. Not differentiable.
Variable argmax(const Variable& x, std::ptrdiff_t axis, bool keepdims = false);
Variable argmin(const Variable& x);
Variable argmin(const Variable& x, std::ptrdiff_t axis, bool keepdims = false);

/// Undoes a broadcast: the sum over the axes along which `shape` would be repeated to give x.
Variable sum_to(const Variable& x, const Shape& shape);

/// exp(x) / sum(exp(x)) along an axis.
Variable softmax(const Variable& x, std::ptrdiff_t axis = -1);
/// log(softmax(x)), exact for large differences, too.
Variable log_softmax(const Variable& x, std::ptrdiff_t axis = -1);

}  // namespace xtape
