// Statistics along an axis, differences and integrals.
#pragma once

#include <optional>
#include <string>

#include <autograd/ops/with_indices.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// The sum, and the mean, of what is not NaN. The mean of nothing else is NaN.
Variable nansum(const Variable& x, const Axes& axes = {}, bool keepdims = false);
Variable nanmean(const Variable& x, const Axes& axes = {}, bool keepdims = false);

/// What a share q of the elements along an axis, or of all, lies below: the element of rank q (n - 1) in ascending order.
/// Between two elements it is a `linear` mixture of them, or the `lower`, `higher`, `midpoint` or `nearest` one (of two
/// equally near ones the one with an even rank). q is 0-d, or has one axis, which comes first in the result; it counts as
/// a constant. NaN anywhere gives NaN.
/// @throws ValueError for a q beyond [0, 1] or another text, ShapeError for no elements.
Variable quantile(const Variable& x, const Variable& q, std::optional<std::ptrdiff_t> axis = {}, bool keepdims = false,
                  const std::string& interpolation = "linear");
/// The k-th least element along an axis, counted from 1, and where it stands. NaN counts as the greatest.
/// @throws ValueError for a k beyond 1 to the axis' extent.
WithIndices kthvalue(const Variable& x, std::size_t k, std::ptrdiff_t axis = -1, bool keepdims = false);

/// @name The greatest (or least) element up to each one along an axis, and where its last occurrence stands. NaN wins.
/// @{
WithIndices cummax(const Variable& x, std::ptrdiff_t axis);
WithIndices cummin(const Variable& x, std::ptrdiff_t axis);
/// @}

/// Each element minus the one before it along an axis, n times over.
Variable diff(const Variable& x, std::size_t n = 1, std::ptrdiff_t axis = -1);
/// The integral of y along an axis by the trapezoidal rule, for points dx apart.
Variable trapezoid(const Variable& y, double dx = 1, std::ptrdiff_t axis = -1);
/// The same for points at x, which has the shape of y, or one axis.
Variable trapezoid(const Variable& y, const Variable& x, std::ptrdiff_t axis = -1);
/// The integrals up to each point but the first.
Variable cumulative_trapezoid(const Variable& y, double dx = 1, std::ptrdiff_t axis = -1);
Variable cumulative_trapezoid(const Variable& y, const Variable& x, std::ptrdiff_t axis = -1);

/// The covariances of the rows of x (variables, observations), or the variance of x (observations,): the mean product of
/// the deviations, where `ddof` is taken off the number of observations.
Variable cov(const Variable& x, double ddof = 1);
/// The covariances divided by the standard deviations of both rows (Pearson).
Variable corrcoef(const Variable& x);

}  // namespace xtape
