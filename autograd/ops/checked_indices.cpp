#include <autograd/ops/checked_indices.hpp>

#include <string>

#include <autograd/batch.hpp>
#include <autograd/kernels/indexed.hpp>
#include <autograd/kernels/positions.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/tape.hpp>

namespace xtape::detail {

Variable checked_indices(const char* operation, const Variable& indices, std::size_t extent, const Shape& shape) {
  require_integers(operation, indices);
  if (auto index = kernels::outside(every_sample(indices.value()), extent))
    throw ValueError(std::string(operation) + ": index " + std::to_string(*index) + " is out of range for an axis of " +
                     std::to_string(extent) + " of " + to_string(shape));
  if (any_mapped(indices)) return where(indices < 0, indices + extent, indices);
  return Variable(kernels::wrapped(indices.value(), extent));
}

Variable take_along_adjoint(const Variable& g, const Variable& indices, std::size_t axis, const Shape& shape) {
  auto in_each = [](const Batch& b, std::size_t axis, const Shape& shape) {
    return take_along_adjoint(b[0], b[1], axis + 1, b.with_samples(shape));
  };
  return record(op("take_along_axis_adjoint", attribute("axis", axis), attribute("shape", shape)).mapped(in_each),
                kernels::take_along_axis_adjoint,
                wrt(g, [indices, axis](const Variable& h) { return take_along(h, indices, axis); },
                    [indices, axis, shape](const Variable& t) { return take_along_adjoint(t, indices, axis, shape); }),
                constant(indices));
}

Variable take_along(const Variable& x, const Variable& indices, std::size_t axis) {
  auto in_each = [](const Batch& b, std::size_t axis) { return take_along(b[0], b[1], axis + 1); };
  return record(op("take_along_axis", attribute("axis", axis)).mapped(in_each), kernels::take_along_axis,
                wrt(x, [indices, axis, shape = x.shape()](const Variable& g) {
                  return take_along_adjoint(g, indices, axis, shape);
                }, [indices, axis](const Variable& t) { return take_along(t, indices, axis); }),
                constant(indices));
}

}  // namespace xtape::detail
