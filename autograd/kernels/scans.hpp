// Running results along an axis, each by one pass.
#pragma once

#include <autograd/array.hpp>

namespace xtape::kernels {

/// Running sums of numbers or integers along `axis`, from its first element on or, backwards, from its last; in double.
Array cumsum(const Array& x, std::size_t axis, bool backwards);

/// Running products of numbers or integers along `axis`; in double.
Array cumprod(const Array& x, std::size_t axis);

/// log(sum(exp)) of the elements up to each one along `axis`, without overflow; in double.
Array logcumsumexp(const Array& x, std::size_t axis);

/// y[i] = a[i] y[i - 1] + b[i] along `axis`, from y[0] = b[0] on; or `backwards`, with the same links between
/// neighbours, y[i] = a[i + 1] y[i + 1] + b[i]. The shapes and the dtypes are equal; in double.
Array linear_scan(const Array& a, const Array& b, std::size_t axis, bool backwards);

/// Where the greatest, or least, of the elements up to each one along `axis` stands last. NaN wins.
Array cummax_indices(const Array& x, std::size_t axis);
Array cummin_indices(const Array& x, std::size_t axis);

}  // namespace xtape::kernels
