#include <autograd/ops/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <autograd/batch.hpp>
#include <autograd/kernels/scans.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/diagonals.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/products.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/sorting.hpp>
#include <autograd/tape.hpp>

namespace xtape {

using detail::require_floating;

Variable nansum(const Variable& x, const Axes& axes, bool keepdims) {
  detail::Calling calling("nansum");
  require_floating("nansum", x);
  return sum(where(isnan(x), 0, x), axes, keepdims);
}

Variable nanmean(const Variable& x, const Axes& axes, bool keepdims) {
  detail::Calling calling("nanmean");
  require_floating("nanmean", x);
  return nansum(x, axes, keepdims) / sum(logical_not(isnan(x)), axes, keepdims).to(x.dtype());
}

namespace {

// The elements of these ranks, or what stands for those between two.
Variable at_ranks(const Variable& ascending, const Variable& rank, const std::string& interpolation) {
  auto element = [&](const Variable& ranks) { return take(ascending, ranks.to(int64), -1); };
  Variable lower = floor(rank);
  if (interpolation == "lower") return element(lower);
  if (interpolation == "higher") return element(ceil(rank));
  if (interpolation == "nearest") return element(round(rank));
  if (interpolation != "linear" && interpolation != "midpoint")
    throw ValueError("quantile: interpolation \"" + interpolation +
                     "\", needs linear, lower, higher, midpoint or nearest");
  Variable way = interpolation == "linear" ? rank - lower : (ceil(rank) - lower) / 2;
  return lerp(element(lower), element(ceil(rank)), way.to(ascending.dtype()));
}

}  // namespace

Variable quantile(const Variable& x, const Variable& q, std::optional<std::ptrdiff_t> axis, bool keepdims,
                  const std::string& interpolation) {
  detail::Calling calling("quantile");
  require_floating("quantile", x);
  detail::require_defined("quantile", q);
  if (q.rank() > 1) throw ShapeError("quantile: q of " + to_string(q.shape()) + ", needs one axis or none");
  // In double: float32 does not count beyond 2^24.
  Variable shares = reshape(q.impl()->weak ? Variable(Array::scalar(q.impl()->scalar, float64)) : q.detach().to(float64), {-1});
  if (!detail::all_nonzero(shares >= 0 && shares <= 1))
    throw ValueError("quantile: a q beyond [0, 1]");
  std::size_t at = axis && x.rank() > 0 ? normalize_axis("quantile", *axis, x.rank()) : 0;
  Variable rows = axis && x.rank() > 0 ? movedim(x, *axis, -1) : flatten(x);
  std::size_t n = rows.shape(-1);
  if (n == 0) throw ShapeError("quantile: " + to_string(x.shape()) + " has no elements along that axis");

  Variable result = at_ranks(sort(rows).values, shares * (n - 1), interpolation);
  result = where(any(isnan(rows), -1, true), std::numeric_limits<double>::quiet_NaN(), result);

  result = movedim(result, -1, 0);  // (q, the axes that are left)
  if (keepdims) {
    Shape kept{shares.size()};
    for (std::size_t i = 0; i < x.rank(); ++i) kept.push_back(!axis || i == at ? 1 : x.shape()[i]);
    result = reshape(result, kept);
  }
  return q.rank() == 0 ? squeeze(result, 0) : result;
}

WithIndices kthvalue(const Variable& x, std::size_t k, std::ptrdiff_t axis, bool keepdims) {
  detail::Calling calling("kthvalue");
  detail::require_defined("kthvalue", x);
  std::size_t n = x.rank() == 0 ? 1 : x.shape()[normalize_axis("kthvalue", axis, x.rank())];
  if (k < 1 || k > n)
    throw ValueError("kthvalue: the " + std::to_string(k) + "th of " + std::to_string(n) + " elements of " +
                     to_string(x.shape()));
  if (x.rank() == 0) return sort(x);
  Variable place = take(argsort(x, axis), Variable({static_cast<double>(k - 1)}, int64), axis);
  Variable value = take_along_axis(x, place, axis);
  if (keepdims) return {value, place};
  return {squeeze(value, axis), squeeze(place, axis)};
}

namespace {

WithIndices running(const char* operation, const Variable& x, std::ptrdiff_t axis,
                    Array (*indices_of)(const Array&, std::size_t)) {
  require_floating(operation, x);
  if (x.rank() == 0) return {positive(x), zeros({}, int64)};
  auto in_each = [=](const detail::Batch& b, std::size_t axis) {
    return running(operation, b[0], static_cast<std::ptrdiff_t>(axis + 1), indices_of).indices;
  };
  auto what = op(operation, attribute("axis", normalize_axis(operation, axis, x.rank())));
  Variable indices;
  {
    NoGrad as_constant;
    indices = record(std::move(what).mapped(in_each), indices_of, constant(x));
  }
  return {take_along_axis(x, indices, axis), indices};
}

}  // namespace

WithIndices cummax(const Variable& x, std::ptrdiff_t axis) { return running("cummax", x, axis, kernels::cummax_indices); }
WithIndices cummin(const Variable& x, std::ptrdiff_t axis) { return running("cummin", x, axis, kernels::cummin_indices); }

namespace {

// All but so many elements at the start, and at the end, of an axis.
Variable without(const Variable& x, std::size_t axis, std::ptrdiff_t at_start, std::ptrdiff_t at_end) {
  std::vector<Index> indices(axis, Index(range()));
  indices.push_back(range(at_start, static_cast<std::ptrdiff_t>(x.shape()[axis]) - at_end));
  return slice(x, indices);
}

}  // namespace

Variable diff(const Variable& x, std::size_t n, std::ptrdiff_t axis) {
  detail::Calling calling("diff");
  detail::require_defined("diff", x);
  std::size_t i = normalize_axis("diff", axis, x.rank());
  Variable result = x;
  for (n = std::min(n, x.shape()[i]); n > 0; --n)
    result = without(result, i, 1, 0) - without(result, i, 0, 1);
  return result;
}

namespace {

// The areas under y between its points, whose distances broadcast.
Variable areas(const char* operation, const Variable& y, const Variable& distances, std::ptrdiff_t axis) {
  require_floating(operation, y);
  std::size_t i = normalize_axis(operation, axis, y.rank());
  if (y.shape()[i] == 0) return y;
  return (without(y, i, 1, 0) + without(y, i, 0, 1)) / 2 * distances;
}

Variable distances(const char* operation, const Variable& y, const Variable& x, std::ptrdiff_t axis) {
  require_floating(operation, y);
  require_floating(operation, x);
  std::size_t i = normalize_axis(operation, axis, y.rank());
  bool one_axis = x.rank() == 1 && x.shape()[0] == y.shape()[i];
  if (!one_axis && x.shape() != y.shape())
    throw ShapeError(std::string(operation) + ": points x of " + to_string(x.shape()) + " for y of " +
                     to_string(y.shape()) + ": needs that shape, or one axis as long as axis " + std::to_string(axis));
  if (!one_axis) return diff(x, 1, axis);
  Shape along(y.rank() - i, 1);
  along[0] = x.size() == 0 ? 0 : x.size() - 1;
  return reshape(diff(x), along);
}

}  // namespace

Variable trapezoid(const Variable& y, double dx, std::ptrdiff_t axis) {
  detail::Calling calling("trapezoid");
  return sum(areas("trapezoid", y, dx, axis), axis);
}
Variable trapezoid(const Variable& y, const Variable& x, std::ptrdiff_t axis) {
  detail::Calling calling("trapezoid");
  return sum(areas("trapezoid", y, distances("trapezoid", y, x, axis), axis), axis);
}
Variable cumulative_trapezoid(const Variable& y, double dx, std::ptrdiff_t axis) {
  detail::Calling calling("cumulative_trapezoid");
  return cumsum(areas("cumulative_trapezoid", y, dx, axis), axis);
}
Variable cumulative_trapezoid(const Variable& y, const Variable& x, std::ptrdiff_t axis) {
  detail::Calling calling("cumulative_trapezoid");
  return cumsum(areas("cumulative_trapezoid", y, distances("cumulative_trapezoid", y, x, axis), axis), axis);
}

Variable cov(const Variable& x, double ddof) {
  detail::Calling calling("cov");
  require_floating("cov", x);
  if (x.rank() > 2) throw ShapeError("cov: " + to_string(x.shape()) + ", needs (variables, observations)");
  if (x.rank() < 2) return squeeze(cov(reshape(x, {1, -1}), ddof));
  Variable deviations = x - mean(x, 1, true);
  return matmul(deviations, transpose(deviations)) / std::max(static_cast<double>(x.shape()[1]) - ddof, 0.0);
}

Variable corrcoef(const Variable& x) {
  detail::Calling calling("corrcoef");
  Variable c = cov(x);
  if (c.rank() == 0) return c / c;
  Variable deviation = sqrt(diagonal(c));
  return clip(c / outer(deviation, deviation), -1, 1);
}

}  // namespace xtape
