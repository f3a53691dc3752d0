#include <autograd/ops/padding.hpp>

#include <algorithm>
#include <cstdint>

#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/operands.hpp>

namespace xtape {

using detail::require_defined;

namespace {

// Which element of an axis of n stands at each of these places, which may lie outside.
Variable padded_indices(PadMode mode, const Variable& places, std::int64_t n) {
  switch (mode) {
    case PadMode::reflect: return (n - 1) - abs((n - 1) - abs(places));
    case PadMode::replicate: return minimum(maximum(places, 0), n - 1);
    default: return where(places < 0, places + n, where(places >= n, places - n, places));
  }
}

Variable pad_axis(const Variable& x, std::size_t axis, std::size_t before, std::size_t after, PadMode mode) {
  std::size_t n = x.shape()[axis];
  std::size_t reach = mode == PadMode::reflect ? n - 1 : mode == PadMode::circular ? n : SIZE_MAX;
  if (n == 0 || before > reach || after > reach)
    throw ShapeError("pad: (" + std::to_string(before) + ", " + std::to_string(after) + ") more than axis " +
                     std::to_string(axis) + " of " + to_string(x.shape()) + " can give");
  auto first = -static_cast<std::int64_t>(before), end = static_cast<std::int64_t>(n + after);
  Variable indices = padded_indices(mode, arange(first, end), static_cast<std::int64_t>(n));
  return take(x, indices, static_cast<std::ptrdiff_t>(axis));
}

// x without what negative widths take away.
Variable cut(const Variable& x, const std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>>& widths) {
  std::vector<Index> inside;
  bool any = false;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    auto n = static_cast<std::ptrdiff_t>(x.shape()[i]);
    std::ptrdiff_t start = std::min<std::ptrdiff_t>(widths[i].first, 0);
    std::ptrdiff_t end = std::min<std::ptrdiff_t>(widths[i].second, 0);
    if (start < -n || end < -n - start)
      throw ShapeError("pad: (" + std::to_string(widths[i].first) + ", " + std::to_string(widths[i].second) +
                       ") takes more than axis " + std::to_string(i) + " of " + to_string(x.shape()) + " has");
    inside.push_back(range(-start, n + end));
    any = any || start < 0 || end < 0;
  }
  return any ? slice(x, inside) : x;
}

}  // namespace

Variable pad(const Variable& uncut, const std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>>& given, PadMode mode,
             const Scalar& value) {
  detail::Calling calling("pad");
  require_defined("pad", uncut);
  if (given.size() > uncut.rank())
    throw ShapeError("pad: widths for " + std::to_string(given.size()) + " axes, shape " + to_string(uncut.shape()));
  Variable x = cut(uncut, given);
  std::vector<std::pair<std::size_t, std::size_t>> widths;
  for (std::size_t i = 0; i < given.size(); ++i) {
    std::size_t before = std::max<std::ptrdiff_t>(given[i].first, 0);
    std::size_t after = std::max<std::ptrdiff_t>(given[i].second, 0);
    // One by one, so that a sum that is too large for its type is noticed as well.
    element_count({element_count({x.shape()[i] + before}) + after});
    widths.emplace_back(before, after);
  }
  if (mode != PadMode::constant) {
    Variable result = detail::same_value("pad", x);
    for (std::size_t i = 0; i < widths.size(); ++i)
      if (widths[i].first || widths[i].second) result = pad_axis(result, i, widths[i].first, widths[i].second, mode);
    return result;
  }
  Shape shape = x.shape();
  std::vector<Index> inside;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    auto start = static_cast<std::ptrdiff_t>(widths[i].first);
    inside.push_back(range(start, start + static_cast<std::ptrdiff_t>(shape[i])));
    shape[i] += widths[i].first + widths[i].second;
  }
  if (value.as_double() == 0) return unslice(x, shape, inside);
  return slice_assign(Variable(Array::full(shape, value, x.dtype(), "pad")), inside, x);
}

}  // namespace xtape
