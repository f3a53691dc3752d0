// Pooling to given extents. Images are (batch, channels, space), where the axes of space count as one.
#pragma once

#include <autograd/kernels/pooling.hpp>

namespace xtape::kernels {

/// max_windows of windows that divide `space` into so many positions along each axis: window i of n begins at
/// floor(i s / n) and ends at ceil((i + 1) s / n).
MaxWindows adaptive_max_windows(const Array& x, const Windows::Extents& space, const Windows::Extents& positions);

}  // namespace xtape::kernels
