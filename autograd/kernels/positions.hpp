// Arrays of positions along an axis: made of masks and of counts, and checked.
#pragma once

#include <cstdint>
#include <optional>

#include <autograd/array.hpp>

namespace xtape::kernels {

/// Where in the flattened mask (bool) it is true: int64, one axis.
Array true_positions(const Array& mask);

/// Of `extent` elements, those that `positions` (int64, each in [0, extent)) names: bool, (extent,).
Array mask_of(const Array& positions, std::size_t extent);

/// A last axis of `classes` elements for each position (int64, each in [0, classes)): 1 there, else 0.
Array one_hot(const Array& positions, std::size_t classes, DType dtype);

/// Position i as often as `counts` (int64, none negative) says: int64, one axis.
Array repeated_positions(const Array& counts);

/// The first of the positions (int64) that is not in [-extent, extent), if there is one.
std::optional<std::int64_t> outside(const Array& positions, std::size_t extent);

/// The first row whose label (int64) is not in [0, classes) though its weight (of the same shape) is not 0.
std::optional<std::size_t> mislabeled(const Array& labels, const Array& weights, std::size_t classes);

/// The positions, with extent added to what is negative.
Array wrapped(const Array& positions, std::size_t extent);

}  // namespace xtape::kernels
