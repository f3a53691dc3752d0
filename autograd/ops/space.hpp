// What operations on windows make of their operands: checks, and the windows in the form that kernels take.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <autograd/kernels/windows.hpp>
#include <autograd/ops/per_axis.hpp>
#include <autograd/variable.hpp>

namespace xtape::detail {

using Extents = std::vector<std::size_t>;  // one for each axis of space

/// f(x) for images x (batch, channels, space...) with so many axes of space. A single image, without the batch, is one
/// to f, and so is its result.
/// @throws ShapeError naming the operation for other ranks, DTypeError unless x is floating-point.
Variable for_batch(const char* operation, std::size_t axes, const Variable& x,
                   const std::function<Variable(const Variable&)>& f);

/// The last extents, of so many axes of space, of images or kernels.
Extents space_of(const Shape& shape, std::size_t axes);

/// @throws ValueError naming the operation and the option when one of the values is 0.
void require_positive(const char* operation, const char* option, const Extents& values);
/// @throws ValueError naming the operation and the shape when one of its last axes has an extent of 0.
void require_space(const char* operation, const Shape& images, std::size_t axes);

/// Windows of these extents. Their positions and the space that they lie over are yet to be set.
/// @throws ValueError for an extent, stride or dilation of 0, ShapeError for options of another number of axes.
kernels::Windows windows_of(const char* operation, const Extents& extent, const PerAxis& stride, const PerAxis& padding,
                            const PerAxis& dilation);

/// What a window covers of an axis of kernels::Windows.
inline std::size_t reach(const kernels::Windows& w, std::size_t axis) {
  return w.dilation[axis] * (w.extent[axis] - 1) + 1;
}

/// Sets the space, the last so many axes of images, and the positions of all windows that lie in it and its padding;
/// with `ceil_mode` also those that begin there, but reach beyond the end.
/// @throws ShapeError naming the operation and the shape of the images when not even one does.
void lay_over(const char* operation, kernels::Windows& windows, std::size_t axes, const Shape& images,
              bool ceil_mode = false);

/// Sets the space, and as many positions: those that "same" padding makes, where what is uneven of it is at the end.
/// @throws ValueError naming the operation for a stride of more than 1, or an extent of 0.
void lay_evenly(const char* operation, kernels::Windows& windows, std::size_t axes, const Shape& images);

/// Sets the last of three extents.
void set_last(kernels::Windows::Extents& all, const Extents& last);
/// The last `axes` of three extents.
Extents last_of(const kernels::Windows::Extents& all, std::size_t axes);
/// The last `axes` of three extents, as the end of a shape that begins with (batch, channels).
Shape images_shape(std::size_t batch, std::size_t channels, const kernels::Windows::Extents& extents, std::size_t axes);

}  // namespace xtape::detail
