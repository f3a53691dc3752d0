// How the windows of convolutions and poolings lie over images.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace xtape::kernels {

/// Windows over the last axes of arrays (batch, channels, space...). There are three axes of space; fewer are preceded by
/// axes of extent 1. Element e of window p reads the image at p stride + e dilation - padding, and zeros beyond it.
struct Windows {
  using Extents = std::array<std::size_t, 3>;
  Extents space, extent, stride, padding, dilation;
  Extents positions;  ///< how many windows there are along each axis

  static std::size_t product(const Extents& e) { return e[0] * e[1] * e[2]; }
  std::size_t pixels() const { return product(space); }
  std::size_t elements() const { return product(extent); }
  std::size_t windows() const { return product(positions); }
};

/// The positions at which one element of the windows is inside of the image: [first, last), and where it reads at the
/// first.
struct Span {
  std::size_t first, last, start;
};

/// The span of each element along one axis.
inline std::vector<Span> spans(const Windows& w, std::size_t axis) {
  std::vector<Span> result;
  std::size_t stride = w.stride[axis];
  for (std::size_t e = 0; e < w.extent[axis]; ++e) {
    std::size_t shift = e * w.dilation[axis], padding = w.padding[axis];
    std::size_t first = shift >= padding ? 0 : (padding - shift + stride - 1) / stride;
    std::size_t end = w.space[axis] + padding;  // where the image ends, counted from the beginning of the padding
    std::size_t last = shift >= end ? 0 : std::min(w.positions[axis], (end - shift - 1) / stride + 1);
    if (first >= last) result.push_back({0, 0, 0});
    else result.push_back({first, last, first * stride + shift - padding});
  }
  return result;
}

}  // namespace xtape::kernels
