#include <autograd/ops/rearranging.hpp>

#include <autograd/kernels/positions.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>

namespace xtape {

using detail::require_defined;

Variable flip(const Variable& x, const Axes& axes) {
  detail::Calling calling("flip");
  require_defined("flip", x);
  std::vector<bool> mask = axes_mask("flip", axes, x.rank());
  std::vector<Index> indices;
  for (bool flipped : mask) indices.push_back(flipped ? range(none, none, -1) : range());
  return slice(x, indices);
}

Variable roll(const Variable& x, std::ptrdiff_t shift, std::optional<std::ptrdiff_t> axis) {
  detail::Calling calling("roll");
  require_defined("roll", x);
  if (!axis) return reshape(roll(flatten(x), shift, 0), x.shape());
  if (x.rank() == 0) return detail::with_an_axis("roll", x, [&](auto& v) { return roll(v, shift, axis); });
  std::size_t i = normalize_axis("roll", *axis, x.rank()), extent = x.shape()[i];
  if (extent == 0) return detail::same_value("roll", x);
  auto n = static_cast<std::ptrdiff_t>(extent);
  auto cut = static_cast<std::size_t>((n - shift % n) % n);
  if (cut == 0) return detail::same_value("roll", x);
  std::vector<Variable> parts = split(x, {cut, extent - cut}, *axis);
  return concatenate({parts[1], parts[0]}, *axis);
}

Variable roll(const Variable& x, const Axes& shifts, const Axes& axes) {
  detail::Calling calling("roll");
  if (shifts.size() != axes.size())
    throw ShapeError("roll: " + std::to_string(shifts.size()) + " shifts for " + std::to_string(axes.size()) +
                     " axes: needs one for each");
  Variable result = detail::same_value("roll", x);
  for (auto shift = shifts.begin(), axis = axes.begin(); shift != shifts.end(); ++shift, ++axis)
    result = roll(result, *shift, *axis);
  return result;
}

Variable rot90(const Variable& x, std::ptrdiff_t k, std::ptrdiff_t axis1, std::ptrdiff_t axis2) {
  detail::Calling calling("rot90");
  require_defined("rot90", x);
  axes_mask("rot90", {axis1, axis2}, x.rank());  // throws where they are one
  switch ((k % 4 + 4) % 4) {
    case 1: return swapaxes(flip(x, axis2), axis1, axis2);
    case 2: return flip(x, {axis1, axis2});
    case 3: return flip(swapaxes(x, axis1, axis2), axis2);
    default: return positive(x);
  }
}

Variable repeat_interleave(const Variable& x, std::size_t copies, std::optional<std::ptrdiff_t> axis) {
  detail::Calling calling("repeat_interleave");
  if (!axis) return repeat_interleave(flatten(x), copies, 0);
  require_defined("repeat_interleave", x);
  std::size_t i = normalize_axis("repeat_interleave", *axis, x.rank());
  Variable apart = expand_dims(x, static_cast<std::ptrdiff_t>(i) + 1);
  Shape repeated = apart.shape(), merged = x.shape();
  repeated[i + 1] = copies;
  merged[i] = element_count({merged[i], copies});
  return reshape(broadcast_to(apart, repeated), merged);
}

Variable repeat_interleave(const Variable& x, const Variable& copies, std::optional<std::ptrdiff_t> axis) {
  detail::Calling calling("repeat_interleave");
  if (!axis) return repeat_interleave(flatten(x), copies, 0);
  require_defined("repeat_interleave", x);
  detail::require_integers("repeat_interleave", copies);
  std::size_t n = x.shape()[normalize_axis("repeat_interleave", *axis, x.rank())];
  bool alike = copies.size() == 1 && copies.rank() <= 1;
  if (!alike && copies.shape() != Shape{n})
    throw ShapeError("repeat_interleave: copies of shape " + to_string(copies.shape()) + " for axis " +
                     std::to_string(*axis) + " of " + to_string(x.shape()) + ": needs " + to_string(Shape{n}));
  if (copies.size() > 0 && min(copies).item() < 0)
    throw ValueError("repeat_interleave: " + std::to_string(static_cast<std::int64_t>(min(copies).item())) +
                     " copies, needs 0 or more");
  Array counts = alike ? Array::full({n}, copies.item(), DType::int64) : copies.value();
  return take(x, Variable(kernels::repeated_positions(counts)), *axis);
}

}  // namespace xtape
