// Running reductions, of differentiable steps.
#pragma once

#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>

namespace xtape::detail {

/// Each element combined with the one 1, then 2, 4, 8... places before along an axis (Hillis and Steele 1986): in log n
/// differentiable steps.
template <class F>
Variable scan(Variable x, std::size_t axis, F combine) {
  auto part = [&](std::ptrdiff_t start, std::optional<std::ptrdiff_t> stop) {
    std::vector<Index> indices(axis, Index(range()));
    indices.push_back(range(start, stop));
    return slice(x, indices);
  };
  auto n = static_cast<std::ptrdiff_t>(x.shape()[axis]);
  for (std::ptrdiff_t distance = 1; distance < n; distance *= 2)
    x = concatenate({part(0, distance), combine(part(distance, none), part(0, n - distance))},
                    static_cast<std::ptrdiff_t>(axis));
  return n > 1 ? x : same_value("scan", x);
}

}  // namespace xtape::detail
