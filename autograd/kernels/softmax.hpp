// Softmax along one axis.
#pragma once

#include <autograd/array.hpp>

namespace xtape::kernels {

Array softmax(const Array& x, std::size_t axis);
Array log_softmax(const Array& x, std::size_t axis);

}  // namespace xtape::kernels
