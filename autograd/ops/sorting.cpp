#include <autograd/ops/sorting.hpp>

#include <autograd/batch.hpp>
#include <autograd/kernels/indexed.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/tape.hpp>

namespace xtape {

using detail::require_defined;

WithIndices sort(const Variable& x, std::ptrdiff_t axis, bool descending) {
  detail::Calling calling("sort");
  Variable order = argsort(x, axis, descending);
  return {take_along_axis(x, order, axis), order};
}

Variable argsort(const Variable& x, std::ptrdiff_t axis, bool descending) {
  detail::Calling calling("argsort");
  return detail::with_an_axis("sort", x, [&](auto& v) {
    const std::size_t i = normalize_axis("sort", axis, v.rank());
    auto in_each = [](const detail::Batch& b, std::size_t axis, bool descending) {
      return argsort(b[0], static_cast<std::ptrdiff_t>(axis + 1), descending);
    };
    NoGrad as_constant;
    return record(op("sort", attribute("axis", i), attribute("descending", descending)).mapped(in_each),
                  kernels::argsort, constant(v));
  });
}

WithIndices topk(const Variable& x, std::size_t k, std::ptrdiff_t axis, bool largest) {
  detail::Calling calling("topk");
  require_defined("topk", x);
  if (x.rank() == 0 && k == 1) return sort(x, axis);
  std::size_t i = normalize_axis("topk", axis, x.rank());
  if (k > x.shape()[i])
    throw ValueError("topk: the " + std::to_string(k) + " first of an axis of " + std::to_string(x.shape()[i]) + " of " +
                     to_string(x.shape()));
  std::vector<Index> first(i, Index(range()));
  first.push_back(range(0, static_cast<std::ptrdiff_t>(k)));
  Variable order = slice(argsort(x, axis, largest), first);
  return {take_along_axis(x, order, axis), order};
}

}  // namespace xtape
