// Reductions of windows. Images are (batch, channels, space), results (batch, channels, positions), where the axes of
// space count as one.
#pragma once

#include <autograd/array.hpp>
#include <autograd/kernels/windows.hpp>

namespace xtape::kernels {

/// Where in the image the first greatest element of each window stands, as int64 (batch, channels, positions); NaN counts
/// as the greatest. Every window reaches into the image.
Array argmax_windows(const Array& x, const Windows& windows);

/// The sum of each window, with zeros around the image.
Array sum_windows(const Array& x, const Windows& windows, const Shape& shape);
/// The adjoint of `sum_windows`: each element of g goes to all of its window.
Array spread_windows(const Array& g, const Windows& windows, const Shape& shape);

}  // namespace xtape::kernels
