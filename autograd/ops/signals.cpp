#include <autograd/ops/signals.hpp>

#include <array>
#include <cmath>

#include <autograd/batch.hpp>
#include <autograd/ops/convolution.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/padding.hpp>
#include <autograd/ops/rearranging.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/searching.hpp>
#include <autograd/ops/sorting.hpp>

namespace xtape {

using detail::require_floating;

namespace {

Variable element(const Variable& x, std::ptrdiff_t i) { return x[i]; }

// With xp, in ascending order, in one period, and a point more on both sides.
Variable interp_periodic(const Variable& x, const Variable& xp, const Variable& fp, double period) {
  Variable points = remainder(xp, period), order = argsort(points.detach());
  points = take(points, order);
  Variable values = take(fp, order);
  Variable before = points[range(-1, none)] - period, after = points[range(0, 1)] + period;
  return interp(remainder(x, period), concatenate({before, points, after}),
                concatenate({values[range(-1, none)], values, values[range(0, 1)]}));
}

// The share w of the way from the point before x to the one after it, as 1 from a point to the same.
Variable between(const Variable& x, const Variable& xp, const Variable& fp) {
  auto last = static_cast<std::ptrdiff_t>(xp.size()) - 1;
  if (last == 0) return where(isnan(x), x, element(fp, 0));
  Variable i = clip(searchsorted(xp.detach(), x.detach(), true) - 1, 0, last - 1);
  Variable start = take(xp, i), width = take(xp, i + 1) - start, none = equal(width, 0);
  Variable w = where(none, 1, (x - start) / where(none, 1, width));
  return lerp(take(fp, i), take(fp, i + 1), w);
}

}  // namespace

Variable interp(const Variable& given, const Variable& xp, const Variable& fp, const InterpOptions& options) {
  detail::Calling calling("interp");
  require_floating("interp", xp);
  require_floating("interp", fp);
  std::array operands{&given, &xp, &fp};
  DType dtype = detail::common_dtype("interp", operands);
  if (xp.rank() != 1 || xp.size() == 0 || fp.shape() != xp.shape())
    throw ShapeError("interp: points of " + to_string(xp.shape()) + " with values of " + to_string(fp.shape()) +
                     ", needs one axis, with a value for each point");
  Variable x = detail::in_dtype("interp", given, dtype);
  if (options.period) {
    if (!(std::abs(*options.period) > 0)) throw ValueError("interp: a period of 0");
    return interp_periodic(x, xp, fp, std::abs(*options.period));
  }
  if (!detail::all_nonzero(xp[range(0, -1)] <= xp[range(1, none)]))
    throw ValueError("interp: points that are not in ascending order");
  Variable left = options.left ? Variable(*options.left) : element(fp, 0);
  Variable right = options.right ? Variable(*options.right) : element(fp, -1);
  return where(x < element(xp, 0), left, where(x > element(xp, -1), right, between(x, xp, fp)));
}

namespace {

// The products of the sequence v, turned round, with each window of a.
Variable correlated(const Variable& a, const Variable& turned) {
  if (a.dtype() == DType::int64) return matmul(windows(a, 0, turned.size()), turned);
  return reshape(conv1d(reshape(a, {1, 1, -1}), reshape(turned, {1, 1, -1})), {-1});
}

}  // namespace

Variable convolve(const Variable& first, const Variable& second, const std::string& mode) {
  detail::Calling calling("convolve");
  DType dtype = detail::common_dtype("convolve", std::array{&first, &second});
  const Variable a = detail::in_dtype("convolve", first, dtype), v = detail::in_dtype("convolve", second, dtype);
  detail::require_numbers("convolve", a);
  if (a.rank() != 1 || v.rank() != 1 || a.size() == 0 || v.size() == 0)
    throw ShapeError("convolve: " + to_string(a.shape()) + " and " + to_string(v.shape()) +
                     ", needs one axis, and an element or more");
  if (mode != "full" && mode != "same" && mode != "valid")
    throw ValueError("convolve: mode is \"" + mode + "\", needs \"full\", \"same\" or \"valid\"");
  if (a.size() < v.size()) return convolve(v, a, mode);
  auto outside = static_cast<std::ptrdiff_t>(v.size()) - 1;
  if (mode == "valid") return correlated(a, flip(v));
  std::ptrdiff_t before = mode == "full" ? outside : outside - outside / 2;
  return correlated(pad(a, {{before, mode == "full" ? outside : outside / 2}}), flip(v));
}

namespace {

using End = std::optional<std::ptrdiff_t>;

Variable part(const Variable& x, std::size_t axis, End start, End stop) {
  std::vector<Index> indices(axis, Index(range()));
  indices.push_back(range(start, stop));
  return slice(x, indices);
}
Variable element_along(const Variable& x, std::size_t axis, std::ptrdiff_t i) {
  return part(x, axis, i, i == -1 ? End() : End(i + 1));
}

// The sum of weights times the elements first, first + 1 and first + 2 along an axis.
Variable one_sided(const Variable& f, std::size_t axis, std::ptrdiff_t first, const std::vector<Variable>& weights) {
  Variable sum;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    Variable term = element_along(f, axis, first + static_cast<std::ptrdiff_t>(k)) * weights[k];
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

// Weights of the derivative, from the distances p and q of three points in a row: inside, at the first, at the last.
std::vector<Variable> inside_weights(const Variable& p, const Variable& q) {
  return {-q / (p * (p + q)), (q - p) / (p * q), p / (q * (p + q))};
}
std::vector<Variable> first_weights(const Variable& p, const Variable& q) {
  return {-(2 * p + q) / (p * (p + q)), (p + q) / (p * q), -p / (q * (p + q))};
}
std::vector<Variable> last_weights(const Variable& p, const Variable& q) {
  return {q / (p * (p + q)), -(p + q) / (p * q), (p + 2 * q) / (q * (p + q))};
}

// The coordinates of the points along an axis, as differences, or a number that is the same for all.
Variable distances(const Variable& f, std::size_t axis, const Variable& spacing) {
  std::size_t n = f.shape()[axis];
  if (spacing.rank() == 0) {
    if (!(abs(spacing.detach()) > 0).item()) throw ValueError("gradient: a spacing of 0");
    return spacing;
  }
  if (spacing.shape() != Shape{n})
    throw ShapeError("gradient: coordinates of " + to_string(spacing.shape()) + " for axis " + std::to_string(axis) +
                     " of " + to_string(f.shape()) + ", needs a number, or " + to_string(Shape{n}));
  Shape along(f.rank() - axis, 1);
  along[0] = n - 1;
  return reshape(part(spacing, 0, 1, none) - part(spacing, 0, 0, -1), along);
}

// Between the ends, where there are three points or more.
Variable central(const Variable& f, std::size_t axis, const Variable& h) {
  Variable before = part(f, axis, 0, -2), after = part(f, axis, 2, none);
  if (h.rank() == 0) return (after - before) / (2 * h);
  std::vector<Variable> weights = inside_weights(part(h, 0, 0, -1), part(h, 0, 1, none));
  return before * weights[0] + part(f, axis, 1, -1) * weights[1] + after * weights[2];
}

Variable derivative(const Variable& f, std::size_t axis, const Variable& spacing, int edge_order) {
  Variable h = distances(f, axis, spacing);
  auto step = [&](std::ptrdiff_t i) { return h.rank() == 0 ? h : element_along(h, 0, i); };
  auto two = [&](std::ptrdiff_t at) -> std::vector<Variable> { return {-1 / step(at), 1 / step(at)}; };
  std::vector<Variable> parts{one_sided(f, axis, 0, edge_order == 1 ? two(0) : first_weights(step(0), step(1)))};
  if (f.shape()[axis] > 2) parts.push_back(central(f, axis, h));
  parts.push_back(edge_order == 1 ? one_sided(f, axis, -2, two(-1))
                                  : one_sided(f, axis, -3, last_weights(step(-2), step(-1))));
  return concatenate(parts, static_cast<std::ptrdiff_t>(axis));
}

}  // namespace

std::vector<Variable> gradient(const Variable& f, const std::vector<Variable>& spacing, const Axes& axes,
                               int edge_order) {
  detail::Calling calling("gradient");
  require_floating("gradient", f);
  std::vector<std::size_t> named;
  for (std::ptrdiff_t axis : axes) named.push_back(normalize_axis("gradient", axis, f.rank()));
  axes_mask("gradient", axes, f.rank());
  if (axes.empty())
    for (std::size_t i = 0; i < f.rank(); ++i) named.push_back(i);
  if (edge_order != 1 && edge_order != 2)
    throw ValueError("gradient: edge_order is " + std::to_string(edge_order) + ", needs 1 or 2");
  if (spacing.size() != named.size())
    throw ShapeError("gradient: " + std::to_string(spacing.size()) + " spacings for " + std::to_string(named.size()) +
                     " axes of " + to_string(f.shape()) + ", needs one for each");
  std::vector<Variable> result;
  for (std::size_t k = 0; k < named.size(); ++k) {
    detail::require_defined("gradient", spacing[k]);
    if (f.shape()[named[k]] < static_cast<std::size_t>(edge_order) + 1)
      throw ShapeError("gradient: axis " + std::to_string(named[k]) + " of " + to_string(f.shape()) + ", needs " +
                       std::to_string(edge_order + 1) + " points or more");
    result.push_back(derivative(f, named[k], spacing[k], edge_order));
  }
  return result;
}

std::vector<Variable> gradient(const Variable& f, double spacing, const Axes& axes, int edge_order) {
  detail::Calling calling("gradient");
  detail::require_defined("gradient", f);
  std::vector<Variable> alike(axes.empty() ? f.rank() : axes.size(), Variable(spacing));
  return gradient(f, alike, axes, edge_order);
}

}  // namespace xtape
