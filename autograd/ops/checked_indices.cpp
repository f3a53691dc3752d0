#include <autograd/ops/checked_indices.hpp>

#include <string>

#include <autograd/kernels/indexed.hpp>
#include <autograd/kernels/positions.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/tape.hpp>

namespace xtape::detail {

Array checked_indices(const char* operation, const Variable& indices, std::size_t extent, const Shape& shape) {
  require_integers(operation, indices);
  if (auto index = kernels::outside(indices.value(), extent))
    throw ValueError(std::string(operation) + ": index " + std::to_string(*index) + " is out of range for an axis of " +
                     std::to_string(extent) + " of " + to_string(shape));
  return kernels::wrapped(indices.value(), extent);
}

Variable take_along_adjoint(const Variable& g, const Array& indices, std::size_t axis, const Shape& shape) {
  return record(op("take_along_axis_adjoint", attribute("axis", axis), attribute("shape", shape)),
                [indices](const Array& v, std::size_t axis, const Shape& shape) {
                  return kernels::take_along_axis_adjoint(v, indices, axis, shape);
                },
                wrt(g, [indices, axis](const Variable& h) { return take_along(h, indices, axis); }, linear_in_operand));
}

Variable take_along(const Variable& x, const Array& indices, std::size_t axis) {
  return record(op("take_along_axis", attribute("axis", axis)),
                [indices](const Array& v, std::size_t axis) { return kernels::take_along_axis(v, indices, axis); },
                wrt(x, [indices, axis, shape = x.shape()](const Variable& g) {
                  return take_along_adjoint(g, indices, axis, shape);
                }, linear_in_operand));
}

}  // namespace xtape::detail
