#include <autograd/kernels/layout.hpp>

namespace xtape::kernels {

Strides dense_strides(const Shape& shape) {
  Strides strides(shape.size());
  std::ptrdiff_t step = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = step;
    step *= static_cast<std::ptrdiff_t>(shape[axis]);
  }
  return strides;
}

Strides broadcast_strides(const Shape& shape, const Shape& result) {
  Strides dense = dense_strides(shape), strides(result.size(), 0);
  std::size_t lead = result.size() - shape.size();
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (shape[axis] != 1) strides[lead + axis] = dense[axis];
  return strides;
}

}  // namespace xtape::kernels
