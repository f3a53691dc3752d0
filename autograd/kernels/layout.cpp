#include <autograd/kernels/layout.hpp>

#include <algorithm>

namespace xtape::kernels {

Strides dense_strides(const Shape& shape) {
  Strides strides(shape.size(), 0);
  // Nothing is read or written then, and the other extents may be so large that their product overflows.
  const bool empty = std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end();
  std::size_t step = 1;  // unsigned: these may be the leading axes only of an array without elements
  for (std::size_t axis = empty ? 0 : shape.size(); axis-- > 0;) {
    strides[axis] = static_cast<std::ptrdiff_t>(step);
    step *= shape[axis];
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
