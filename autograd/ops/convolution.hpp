// Convolution over one, two or three axes of space. Arrays are (batch, channels, space...), as in PyTorch; a single image
// may do without the batch.
#pragma once

#include <autograd/ops/per_axis.hpp>
#include <autograd/variable.hpp>

namespace xtape {

struct ConvOptions {
  [[no_unique_address]] detail::ByName by_name = {};
  PerAxis stride = 1;
  Padding padding = 0;  ///< "same" needs a stride of 1; what is uneven of it goes to the end
  PerAxis dilation = 1;
  std::size_t groups = 1;  ///< the channels are divided into so many parts that do not mix
  bool relu = false;       ///< of the result, relu; in the same pass where nothing is recorded
};

/// Cross-correlation of x (batch, in, space...) with a kernel (out, in / groups, extents...), plus a bias (out), which may
/// be undefined or left out: y[n, o, p] = b[o] + sum over c, k of w[o, c, k] x[n, c, p stride + k dilation - padding].
/// The result is (batch, out, (space + 2 padding - dilation (extent - 1) - 1) / stride + 1).
/// @throws ShapeError for shapes that do not fit, ValueError for a stride, dilation or number of groups of 0, or "same"
/// padding with a stride of more than 1.
Variable conv1d(const Variable& x, const Variable& kernel, const Variable& bias, const ConvOptions& options);
Variable conv2d(const Variable& x, const Variable& kernel, const Variable& bias, const ConvOptions& options);
Variable conv3d(const Variable& x, const Variable& kernel, const Variable& bias, const ConvOptions& options);
inline Variable conv1d(const Variable& x, const Variable& kernel, const ConvOptions& options = {}) {
  return conv1d(x, kernel, {}, options);
}
inline Variable conv2d(const Variable& x, const Variable& kernel, const ConvOptions& options = {}) {
  return conv2d(x, kernel, {}, options);
}
inline Variable conv3d(const Variable& x, const Variable& kernel, const ConvOptions& options = {}) {
  return conv3d(x, kernel, {}, options);
}
// A template, so that `{.padding = 1}` is options rather than a bias.
template <class = void>
Variable conv1d(const Variable& x, const Variable& kernel, const Variable& bias) {
  return conv1d(x, kernel, bias, {});
}
template <class = void>
Variable conv2d(const Variable& x, const Variable& kernel, const Variable& bias) {
  return conv2d(x, kernel, bias, {});
}
template <class = void>
Variable conv3d(const Variable& x, const Variable& kernel, const Variable& bias) {
  return conv3d(x, kernel, bias, {});
}

struct ConvTransposeOptions {
  [[no_unique_address]] detail::ByName by_name = {};
  PerAxis stride = 1;
  PerAxis padding = 0;  ///< what is cut off on both sides of each axis
  PerAxis output_padding = 0;  ///< what is added at the end of each axis; less than the stride or the dilation
  PerAxis dilation = 1;
  std::size_t groups = 1;
};

/// The transposed map of a convolution: x (batch, in, space...) with a kernel (in, out / groups, extents...). Each
/// element of x adds its multiple of the kernel to the result, whose extents are
/// (space - 1) stride - 2 padding + dilation (extent - 1) + output_padding + 1.
/// @throws as conv1d.
Variable conv_transpose1d(const Variable& x, const Variable& kernel, const Variable& bias, const ConvTransposeOptions& options);
Variable conv_transpose2d(const Variable& x, const Variable& kernel, const Variable& bias, const ConvTransposeOptions& options);
Variable conv_transpose3d(const Variable& x, const Variable& kernel, const Variable& bias, const ConvTransposeOptions& options);
inline Variable conv_transpose1d(const Variable& x, const Variable& kernel, const ConvTransposeOptions& options = {}) {
  return conv_transpose1d(x, kernel, {}, options);
}
inline Variable conv_transpose2d(const Variable& x, const Variable& kernel, const ConvTransposeOptions& options = {}) {
  return conv_transpose2d(x, kernel, {}, options);
}
inline Variable conv_transpose3d(const Variable& x, const Variable& kernel, const ConvTransposeOptions& options = {}) {
  return conv_transpose3d(x, kernel, {}, options);
}
template <class = void>
Variable conv_transpose1d(const Variable& x, const Variable& kernel, const Variable& bias) {
  return conv_transpose1d(x, kernel, bias, {});
}
template <class = void>
Variable conv_transpose2d(const Variable& x, const Variable& kernel, const Variable& bias) {
  return conv_transpose2d(x, kernel, bias, {});
}
template <class = void>
Variable conv_transpose3d(const Variable& x, const Variable& kernel, const Variable& bias) {
  return conv_transpose3d(x, kernel, bias, {});
}

struct UnfoldOptions {
  [[no_unique_address]] detail::ByName by_name = {};
  PerAxis stride = 1;
  PerAxis padding = 0;  ///< zeros on both sides of each axis
  PerAxis dilation = 1;
};

/// The windows of x (batch, channels, height, width) as columns: (batch, channels * elements of a window, windows).
Variable unfold(const Variable& x, const PerAxis& window, const UnfoldOptions& options = {});
/// The transposed map: adds up columns where their windows lie, in a result (batch, channels, extents...).
/// @throws ShapeError for columns of another shape than `unfold` makes of such a result.
Variable fold(const Variable& columns, const PerAxis& extents, const PerAxis& window,
              const UnfoldOptions& options = {});

}  // namespace xtape
