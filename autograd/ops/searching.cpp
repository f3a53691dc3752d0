#include <autograd/ops/searching.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <autograd/batch.hpp>
#include <autograd/kernels/search.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/masking.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/sorting.hpp>

namespace xtape {

using detail::require_defined;

Variable nonzero(const Variable& x) {
  detail::Calling calling("nonzero");
  require_defined("nonzero", x);
  Variable places = masked_select(arange(x.size()), not_equal(ravel(x.detach()), 0));
  std::vector<Variable> columns(x.rank());
  for (std::size_t axis = x.rank(); axis-- > 0;) {
    std::size_t extent = std::max<std::size_t>(x.shape()[axis], 1);
    columns[axis] = remainder(places, extent);
    places = floor_divide(places, extent);
  }
  return x.rank() == 0 ? zeros({places.size(), 0}, int64) : stack(columns, -1);
}
Variable argwhere(const Variable& x) {
  detail::Calling calling("argwhere");
  return nonzero(x);
}

namespace {

// The order that sorts rows: by the last column first, and, as each sort is stable, by the first one last.
Variable lexicographic_order(const Variable& rows) {
  Variable order = arange(rows.shape(0));
  for (std::size_t column = rows.shape(1); column-- > 0;)
    order = take(order, argsort(take(rows[{range(), column}], order)));
  return order;
}

Unique unique_rows(const Variable& rows) {
  std::size_t n = rows.shape(0);
  Variable order = lexicographic_order(rows.detach()), sorted = take(rows, order), constant = sorted.detach();
  Variable differs = any(not_equal(constant[range(1, none)], constant[range(0, -1)]), 1);
  Variable is_first = concatenate({ones({std::min<std::size_t>(n, 1)}, boolean), differs});
  Variable firsts = masked_select(arange(n), is_first), group = cumsum(is_first, 0) - 1;
  return {take(sorted, firsts), scatter(zeros({n}, int64), 0, order, group), bincount(group)};
}

}  // namespace

Unique unique(const Variable& x) {
  detail::Calling calling("unique");
  require_defined("unique", x);
  Unique result = unique_rows(reshape(x, {x.size(), 1}));
  return {ravel(result.values), reshape(result.inverse, x.shape()), result.counts};
}

Unique unique(const Variable& x, std::ptrdiff_t axis) {
  detail::Calling calling("unique");
  require_defined("unique", x);
  std::size_t i = normalize_axis("unique", axis, x.rank()), n = x.shape()[i];
  Variable slices = movedim(x, axis, 0);
  Shape shape = slices.shape();
  Unique result = unique_rows(reshape(slices, {n, n == 0 ? 0 : x.size() / n}));
  shape[0] = result.values.shape(0);
  result.values = movedim(reshape(result.values, shape), 0, axis);
  return result;
}

Variable bincount(const Variable& x, const Variable& weights, std::size_t minlength) {
  detail::Calling calling("bincount");
  detail::require_integers("bincount", x);
  if (x.rank() != 1 || (weights.defined() && weights.shape() != x.shape()))
    throw ShapeError("bincount: " + describe(x) + (weights.defined() ? " with weights of " + describe(weights) : "") +
                     ", needs one axis, and as many weights");
  if (x.size() > 0 && any(x < 0).item()) throw ValueError("bincount: a negative number, needs 0 or more");
  std::size_t length = x.size() > 0 ? static_cast<std::size_t>(max(x).item()) + 1 : 0;
  Variable terms = weights.defined() ? weights : ones(x.shape(), int64);
  return index_add(zeros({std::max(length, minlength)}, terms.dtype()), 0, x, terms);
}

namespace {

Histogram of_edges(const Variable& x, const Variable& edges, const HistogramOptions& options) {
  if (options.weights.defined() && options.weights.shape() != x.shape())
    throw ShapeError("histogram: weights of " + to_string(options.weights.shape()) + " for " + to_string(x.shape()) +
                     ", needs that shape");
  auto bins = static_cast<std::int64_t>(edges.size()) - 1;
  Variable elements = ravel(x.detach()).to(edges.dtype());
  Variable place = searchsorted(edges, elements, true) - 1;
  place = where(equal(elements, edges[-1]), bins - 1, place);
  Variable inside = place >= 0 && place < bins;
  Variable weights = options.weights.defined() ? masked_select(ravel(options.weights), inside) : Variable();
  Variable hist = bincount(masked_select(place, inside), weights, static_cast<std::size_t>(bins));
  if (options.density) {
    Variable sums = hist.to(is_floating(hist.dtype()) ? hist.dtype() : edges.dtype());
    hist = sums / (sum(sums) * (edges[range(1, none)] - edges[range(0, -1)]).to(sums.dtype()));
  }
  return {hist, edges};
}

// float64 counts bins of int64.
DType dtype_of_edges(const Variable& x) { return is_floating(x.dtype()) ? x.dtype() : float64; }

}  // namespace

Histogram histogram(const Variable& x, std::size_t bins, const HistogramOptions& options) {
  detail::Calling calling("histogram");
  detail::require_numbers("histogram", x);
  if (bins == 0) throw ValueError("histogram: no bins, needs one or more");
  element_count({bins});  // throws for more than there may be, of which one more would be none
  auto [low, high] = options.range ? *options.range
                     : x.size() > 0 ? std::pair(min(x.detach()).item(), max(x.detach()).item())
                                    : std::pair(0.0, 1.0);
  if (!std::isfinite(low) || !std::isfinite(high) || low > high)
    throw ValueError("histogram: bins from " + std::to_string(low) + " to " + std::to_string(high) +
                     ", needs finite numbers in order");
  if (low == high) low -= 0.5, high += 0.5;
  return of_edges(x, linspace(low, high, bins + 1, dtype_of_edges(x)), options);
}

Histogram histogram(const Variable& x, const Variable& edges, const HistogramOptions& options) {
  detail::Calling calling("histogram");
  detail::require_numbers("histogram", x);
  detail::require_numbers("histogram", edges);
  if (edges.rank() != 1 || edges.size() < 2)
    throw ShapeError("histogram: edges of " + to_string(edges.shape()) + ", needs one axis of two edges or more");
  if (options.range) throw ValueError("histogram: a range and edges, needs one of them");
  Variable borders = edges.detach().to(dtype_of_edges(x));
  if (!detail::all_nonzero(borders[range(0, -1)] <= borders[range(1, none)]))
    throw ValueError("histogram: edges that are not in ascending order");
  return of_edges(x, borders, options);
}

Variable searchsorted(const Variable& given, const Variable& values, bool right, const Variable& sorter) {
  detail::Calling calling("searchsorted");
  std::array operands{&given, &values};
  DType dtype = detail::common_dtype("searchsorted", operands);
  if (given.rank() == 0) throw ShapeError("searchsorted: () is no row to search, needs one axis or more");
  bool fits = given.rank() == 1 ||
              (given.rank() == values.rank() &&
               std::equal(given.shape().begin(), given.shape().end() - 1, values.shape().begin()));
  if (!fits)
    throw ShapeError("searchsorted: values of " + to_string(values.shape()) + " in " + to_string(given.shape()) +
                     ", needs one axis, or the same leading axes");
  Variable sorted = sorter.defined() ? take_along_axis(given, sorter, -1) : given;
  detail::Operand row("searchsorted", sorted, dtype), value("searchsorted", values, dtype);
  return Variable(kernels::searchsorted(row.array(), value.array(), right));
}

Variable bucketize(const Variable& x, const Variable& boundaries, bool right) {
  detail::Calling calling("bucketize");
  require_defined("bucketize", boundaries);
  if (boundaries.rank() != 1)
    throw ShapeError("bucketize: boundaries of " + to_string(boundaries.shape()) + ", needs one axis");
  return searchsorted(boundaries, x, right);
}

}  // namespace xtape
