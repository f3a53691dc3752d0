// Reductions of windows. Images are (batch, channels, space), results (batch, channels, positions), where the axes of
// space count as one.
#pragma once

#include <autograd/array.hpp>
#include <autograd/kernels/windows.hpp>

namespace xtape::kernels {

/// The greatest element of each window, and where in the image the first such stands, as int64; both are (batch, channels,
/// positions). NaN counts as the greatest, and of several the last. Every window reaches into the image.
struct MaxWindows {
  Array values, indices;
};
MaxWindows max_windows(const Array& x, const Windows& windows);

/// The sum of each window, with zeros around the image.
Array sum_windows(const Array& x, const Windows& windows, const Shape& shape);
/// The adjoint of `sum_windows`: each element of g goes to all of its window.
Array spread_windows(const Array& g, const Windows& windows, const Shape& shape);

}  // namespace xtape::kernels
