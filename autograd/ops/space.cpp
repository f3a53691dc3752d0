#include <autograd/ops/space.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>

namespace xtape {

std::vector<std::size_t> PerAxis::of(const char* operation, const char* option, std::size_t axes) const {
  for (std::size_t value : values_) {
    auto given = static_cast<std::ptrdiff_t>(value);  // what was negative has become a great number
    if (given < 0)
      throw ValueError(std::string(operation) + ": " + option + " is " + std::to_string(given) + ", needs 0 or more");
    if (value > std::numeric_limits<std::int32_t>::max())  // so that sums and products of several do not overflow
      throw ValueError(std::string(operation) + ": " + option + " is " + std::to_string(value) + ", needs at most " +
                       std::to_string(std::numeric_limits<std::int32_t>::max()));
  }
  if (values_.size() == 1) return std::vector<std::size_t>(axes, values_[0]);
  if (values_.size() != axes)
    throw ShapeError(std::string(operation) + ": " + std::to_string(values_.size()) + " numbers for " + option +
                     ", needs one, or " + std::to_string(axes));
  return values_;
}

Padding::Padding(const char* kind) : same_(std::string(kind) == "same") {
  if (!same_ && std::string(kind) != "valid")
    throw ValueError("padding: \"" + std::string(kind) + "\", needs numbers, \"same\" or \"valid\"");
}

namespace detail {

Variable for_batch(const char* operation, std::size_t axes, const Variable& x,
                   const std::function<Variable(const Variable&)>& f) {
  require_floating(operation, x);
  if (x.rank() == axes + 1) return squeeze(f(expand_dims(x, 0)), 0);
  if (x.rank() != axes + 2)
    throw ShapeError(std::string(operation) + ": " + to_string(x.shape()) + ", needs (batch, channels" +
                     (axes == 1 ? ", length)" : axes == 2 ? ", height, width)" : ", depth, height, width)") +
                     ", or one image without the batch");
  return f(x);
}

Extents space_of(const Shape& shape, std::size_t axes) {
  return Extents(shape.end() - static_cast<std::ptrdiff_t>(axes), shape.end());
}

void require_positive(const char* operation, const char* option, const Extents& values) {
  for (std::size_t value : values)
    if (value == 0) throw ValueError(std::string(operation) + ": " + option + " is 0, needs 1 or more");
}

void require_space(const char* operation, const Shape& images, std::size_t axes) {
  for (std::size_t extent : space_of(images, axes))
    if (extent == 0)
      throw ValueError(std::string(operation) + ": extent is 0 of " + to_string(images) + ", needs 1 or more");
}

void set_last(kernels::Windows::Extents& all, const Extents& last) {
  std::copy(last.begin(), last.end(), all.end() - static_cast<std::ptrdiff_t>(last.size()));
}

Extents last_of(const kernels::Windows::Extents& all, std::size_t axes) {
  return Extents(all.end() - static_cast<std::ptrdiff_t>(axes), all.end());
}

kernels::Windows windows_of(const char* operation, const Extents& extent, const PerAxis& stride, const PerAxis& padding,
                            const PerAxis& dilation) {
  std::size_t axes = extent.size();
  Extents strides = stride.of(operation, "stride", axes), dilations = dilation.of(operation, "dilation", axes);
  require_positive(operation, "window", extent);
  require_positive(operation, "stride", strides);
  require_positive(operation, "dilation", dilations);
  kernels::Windows w{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}, {1, 1, 1}};
  set_last(w.extent, extent);
  set_last(w.stride, strides);
  set_last(w.padding, padding.of(operation, "padding", axes));
  set_last(w.dilation, dilations);
  return w;
}

void lay_over(const char* operation, kernels::Windows& w, std::size_t axes, const Shape& images, bool ceil_mode) {
  set_last(w.space, space_of(images, axes));
  std::size_t first = 3 - axes;
  for (std::size_t i = first; i < 3; ++i) {
    std::size_t padded = w.space[i] + 2 * w.padding[i], stride = w.stride[i];
    std::size_t room = padded + (ceil_mode ? stride - 1 : 0);
    if (reach(w, i) > room || (ceil_mode && w.space[i] == 0))
      throw ShapeError(std::string(operation) + ": a window of " + std::to_string(reach(w, i)) + " along axis " +
                       std::to_string(i + images.size() - 3) + " of " + to_string(images) + " is longer than its " +
                       std::to_string(padded) + " elements, padding included");
    w.positions[i] = (room - reach(w, i)) / stride + 1;
    // None begins in the padding at the end.
    if (ceil_mode && (w.positions[i] - 1) * stride >= w.space[i] + w.padding[i]) --w.positions[i];
  }
}

void lay_evenly(const char* operation, kernels::Windows& w, std::size_t axes, const Shape& images) {
  Extents space = space_of(images, axes);
  require_space(operation, images, axes);
  set_last(w.space, space);
  w.positions = w.space;
  for (std::size_t i = 0; i < 3; ++i) {
    if (w.stride[i] != 1)
      throw ValueError(std::string(operation) + ": padding \"same\" with a stride of " + std::to_string(w.stride[i]) +
                       ", needs 1");
    w.padding[i] = (reach(w, i) - 1) / 2;
  }
}

Shape images_shape(std::size_t batch, std::size_t channels, const kernels::Windows::Extents& extents, std::size_t axes) {
  Shape shape{batch, channels};
  shape.insert(shape.end(), extents.end() - static_cast<std::ptrdiff_t>(axes), extents.end());
  return shape;
}

}  // namespace detail
}  // namespace xtape
