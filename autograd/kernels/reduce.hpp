// Reductions over any set of axes.
#pragma once

#include <vector>

#include <autograd/array.hpp>

namespace xtape::kernels {

/// `shape` with the axes in `mask` made 1.
Shape keep_dims(const Shape& shape, const std::vector<bool>& mask);
/// `shape` without the axes in `mask`.
Shape drop_dims(const Shape& shape, const std::vector<bool>& mask);

// Each reduces the axes in `mask` of a float32, float64 or int64 array, and returns them with extent 1.

/// Sums of float32 or float64 add up short blocks, and those in double: neither the length nor the direction costs
/// digits.
Array sum(const Array& x, const std::vector<bool>& mask);
/// NaN wins. An empty reduction gives the least value of the dtype.
Array max(const Array& x, const std::vector<bool>& mask);
Array min(const Array& x, const std::vector<bool>& mask);

/// The axes of `from` along which a `to` was repeated when it was broadcast.
std::vector<bool> broadcast_mask(const Shape& from, const Shape& to);

/// Undoes a broadcast: sums the axes of x along which `shape` was repeated.
Array sum_to(const Array& x, const Shape& shape);

/// The index along `axis` of the first greatest (or least) element; NaN counts as both. Drops the axis.
Array argmax(const Array& x, std::size_t axis);
Array argmin(const Array& x, std::size_t axis);

}  // namespace xtape::kernels
