#include <autograd/ops/masking.hpp>

#include <algorithm>

#include <autograd/kernels/positions.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>

namespace xtape {

using detail::require_defined;

Variable masked_select(const Variable& x, const Variable& mask) {
  detail::Calling calling("masked_select");
  require_defined("masked_select", x);
  require_defined("masked_select", mask);
  if (mask.dtype() != DType::boolean)
    throw DTypeError(std::string("masked_select: a mask of ") + to_string(mask.dtype()) + ", needs bool");
  Shape shape = broadcast_shapes("masked_select", x.shape(), mask.shape());
  return take(reshape(broadcast_to(x, shape), {-1}), Variable(kernels::true_positions(broadcast_to(mask, shape).value())));
}

Variable masked_fill(const Variable& x, const Variable& mask, const Variable& value) {
  detail::Calling calling("masked_fill");
  require_defined("masked_fill", x);
  return where(mask, detail::as_element("masked_fill", value, x.dtype()), x);
}

Variable masked_scatter(const Variable& x, const Variable& mask, const Variable& source) {
  detail::Calling calling("masked_scatter");
  require_defined("masked_scatter", x);
  require_defined("masked_scatter", mask);
  require_defined("masked_scatter", source);
  if (mask.dtype() != DType::boolean)
    throw DTypeError(std::string("masked_scatter: a mask of ") + to_string(mask.dtype()) + ", needs bool");
  Variable chosen = broadcast_to(mask, x.shape()), order = cumsum(reshape(chosen, {-1}).to(int64), 0);
  std::size_t count = static_cast<std::size_t>(sum(chosen).item());
  if (count > source.size())
    throw ShapeError("masked_scatter: a source of " + to_string(source.shape()) + " for a mask that holds in " +
                     std::to_string(count) + " places");
  if (count == 0) return positive(x);
  Variable next = take(reshape(source, {-1}), reshape(maximum(order - 1, 0), x.shape()));
  return where(chosen, next, x);
}

}  // namespace xtape
