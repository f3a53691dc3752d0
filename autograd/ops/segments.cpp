#include <autograd/ops/segments.hpp>

#include <algorithm>
#include <vector>

#include <autograd/grad_mode.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/masking.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/searching.hpp>
#include <autograd/ops/sorting.hpp>
#include <autograd/tape.hpp>

namespace xtape {

using detail::require_defined;

namespace {

// Elements (one axis) and the places, in a result of one axis, that they go to.
struct Grouped {
  Variable values, places;
};

// Neighbours of one place combined, until each place has one element: in as many steps as the greatest number of them
// has binary digits.
template <class Combine>
Grouped combined(const Variable& values, const Variable& places, Combine combine) {
  Variable order = argsort(places);
  Grouped result{take(values, order), take(places, order)};
  for (;;) {
    const auto& [v, p] = result;
    auto n = static_cast<std::ptrdiff_t>(p.size());
    if (n < 2 || !any(equal(p[range(1, none)], p[range(0, -1)])).item()) return result;
    Variable rank = arange(n) - searchsorted(p, p);  // within the place
    Variable left = masked_select(arange(n), equal(remainder(rank, 2), 0)), right = minimum(left + 1, n - 1);
    Variable paired = right > left && equal(take(p, right), take(p, left));
    result = {combine(paired, take(v, left), take(v, right)), take(p, left)};
  }
}

Variable counts(const Variable& x, const Variable& places) {
  return segment_sum(ones(places.shape(), int64), places, x.size());
}

Variable products(const Variable& x, const Variable& places, const Variable& source, bool include_self) {
  auto [v, p] = combined(source, places, [](const Variable& paired, const Variable& a, const Variable& b) {
    return a * where(paired, b, 1);
  });
  return scatter(x, 0, p, include_self ? v * take(x, p) : v);
}

// Shared evenly by all elements that equal the result, or where NaN has won, by those.
Variable extrema(const Variable& x, const Variable& places, const Variable& source, bool include_self, bool greatest) {
  Variable (*better)(const Variable&, const Variable&) = greatest ? maximum : minimum;
  auto choose = [places, better](const Array& x_elements, const Array& source_elements, const char*, bool include_self) {
    NoGrad guard;
    const Variable x(x_elements), source(source_elements);
    auto [v, p] = combined(source, places, [better](const Variable& paired, const Variable& a, const Variable& b) {
      return better(a, where(paired, b, a));
    });
    return scatter(x, 0, p, include_self ? better(v, take(x, p)) : v).value();
  };
  struct Shares {
    Variable x, source;
  };
  auto shares = [places, include_self](const Variable& y, const Variable& g, const Variable& x,
                                       const Variable& source) {
    Variable untouched = equal(counts(x, places), 0), of_self = include_self ? equal(x, y) || isnan(x) : untouched;
    Variable at_source = take(y, places), of_source = (equal(source, at_source) || isnan(source)).to(g.dtype());
    Variable share = g / (of_self.to(g.dtype()) + segment_sum(of_source, places, x.size()));
    return Shares{where(of_self, share, 0), of_source * take(share, places)};
  };
  const char* reduce = greatest ? "amax" : "amin";
  return record(op("scatter_reduce", attribute("reduce", reduce), attribute("include_self", include_self)), choose,
                wrt(x, [shares, x = save(x), s = save(source)](const Variable& y, const Variable& g) {
                  return shares(y, g, x(), s()).x;
                }),
                wrt(source, [shares, x = save(x), s = save(source)](const Variable& y, const Variable& g) {
                  return shares(y, g, x(), s()).source;
                }));
}

Variable reduced(const Variable& x, const Variable& places, const Variable& source, const std::string& reduce,
                 bool include_self) {
  if (reduce == "prod") return products(x, places, source, include_self);
  if (reduce == "amax" || reduce == "amin") return extrema(x, places, source, include_self, reduce == "amax");
  Variable count = counts(x, places), total = segment_sum(source, places, x.size());
  if (include_self) count = count + 1, total = x + total;
  if (reduce == "mean") {
    Variable divisor = maximum(count, 1);
    total = is_floating(x.dtype()) ? total / divisor.to(x.dtype()) : floor_divide(total, divisor);
  }
  return include_self ? total : where(equal(count, 0), x, total);
}

// The part of `source` that indices of this shape pair with.
Variable paired_part(const Variable& x, const Variable& indices, const Variable& source) {
  const Variable elements = detail::as_element("scatter_reduce", source, x.dtype());
  if (source.impl()->weak) return broadcast_to(elements, indices.shape());
  std::vector<Index> part;
  bool fits = source.rank() == indices.rank();
  for (std::size_t i = 0; fits && i < source.rank(); ++i) {
    fits = indices.shape()[i] <= source.shape()[i];
    part.push_back(range(0, static_cast<std::ptrdiff_t>(indices.shape()[i])));
  }
  if (!fits)
    throw ShapeError("scatter_reduce: a source of " + to_string(source.shape()) + " for indices of " +
                     to_string(indices.shape()) + ": needs that shape");
  return slice(elements, part);
}

}  // namespace

Variable scatter_reduce(const Variable& x, std::ptrdiff_t axis, const Variable& indices, const Variable& source,
                        const std::string& reduce, bool include_self) {
  detail::Calling calling("scatter_reduce");
  detail::require_numbers("scatter_reduce", x);
  detail::require_integers("scatter_reduce", indices);
  require_defined("scatter_reduce", source);
  if (reduce != "sum" && reduce != "prod" && reduce != "mean" && reduce != "amax" && reduce != "amin")
    throw ValueError("scatter_reduce: reduce is \"" + reduce +
                     "\", needs \"sum\", \"prod\", \"mean\", \"amax\" or \"amin\"");
  if (x.rank() == 0) {
    auto along = [](const Variable& v) { return v.rank() == 0 && !v.impl()->weak ? reshape(v, {1}) : v; };
    Variable one = scatter_reduce(reshape(x, {1}), axis, along(indices), along(source), reduce, include_self);
    return reshape(one, Shape{});
  }
  Variable places = ravel(gather(reshape(arange(x.size()), x.shape()), axis, indices));
  Variable values = ravel(paired_part(x, indices, source));
  return reshape(reduced(ravel(x), places, values, reduce, include_self), x.shape());
}

Variable segment_sum(const Variable& x, const Variable& segments, std::optional<std::size_t> num_segments) {
  detail::Calling calling("segment_sum");
  detail::require_numbers("segment_sum", x);
  detail::require_integers("segment_sum", segments);
  if (x.rank() == 0 || segments.rank() != 1 || segments.size() != x.shape(0))
    throw ShapeError("segment_sum: " + to_string(x.shape()) + " with segments of " + to_string(segments.shape()) +
                     ", needs a number for each slice along the first axis");
  bool none = segments.size() == 0;
  if (!none && any(segments < 0).item()) throw ValueError("segment_sum: a negative segment, needs 0 or more");
  Shape shape = x.shape();
  shape[0] = num_segments ? *num_segments : none ? 0 : static_cast<std::size_t>(max(segments).item()) + 1;
  return index_add(zeros(shape, x.dtype()), 0, segments, x);
}

}  // namespace xtape
