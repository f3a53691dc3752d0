// Convolutions of images whose channels stay by themselves: a kernel of one plane for each.
#pragma once

#include <autograd/array.hpp>
#include <autograd/kernels/windows.hpp>

namespace xtape::kernels {

/// Whether the functions below compute a convolution with these weights: as many channels as groups, of images of two
/// axes.
bool are_planes(const Shape& weights, std::size_t groups, const Windows& windows);

/// As convolve, convolve_input and convolve_weight of convolution.hpp.
Array convolve_planes(const Array& x, const Array& w, const Array& bias, const Windows& windows, const Shape& shape,
                      bool relu);
Array convolve_planes_input(const Array& g, const Array& w, const Array& bias, const Windows& windows,
                            const Shape& shape);
Array convolve_planes_weight(const Array& x, const Array& g, const Windows& windows, const Shape& shape);

}  // namespace xtape::kernels
