// The convolution y[n, o, p] = sum over c, e of w[o, c, e] x[n, c, p stride + e dilation - padding], and its two
// adjoints: the three maps are bilinear, and each one's derivatives are the other two.
#pragma once

#include <autograd/array.hpp>
#include <autograd/kernels/windows.hpp>

namespace xtape::kernels {

// Images are (batch, groups * in, space), weights (groups * out, in, extent), results (batch, groups * out, positions),
// where the axes of space count as one. An undefined bias is none; otherwise it is added to each channel of the result.
// What windows read is a matrix that is not written down, but for the adjoint in x of windows that step by more than one.

/// `relu` takes the result through it while it is in the cache.
Array convolve(const Array& x, const Array& w, const Array& bias, std::size_t groups, const Windows& windows,
               const Shape& shape, bool relu = false);

/// The adjoint of `convolve` in x: what g says of the result, added up where the windows read. This is the transposed
/// convolution.
Array convolve_input(const Array& g, const Array& w, const Array& bias, std::size_t groups, const Windows& windows,
                     const Shape& shape);

/// The adjoint of `convolve` in w.
Array convolve_weight(const Array& x, const Array& g, std::size_t groups, const Windows& windows, const Shape& shape);

}  // namespace xtape::kernels
