#include <autograd/ops/sampling.hpp>

#include <algorithm>
#include <limits>
#include <string>

#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/searching.hpp>
#include <autograd/ops/sorting.hpp>

namespace xtape {

using detail::require_floating;

Variable rand_like(const Variable& x, Generator& generator) {
  detail::Calling calling("rand_like");
  require_floating("rand_like", x);
  return Variable(generator.uniform(x.shape(), 0, 1, x.dtype()));
}
Variable randn_like(const Variable& x, Generator& generator) {
  detail::Calling calling("randn_like");
  require_floating("randn_like", x);
  return Variable(generator.normal(x.shape(), 0, 1, x.dtype()));
}

Variable randint(std::int64_t low, std::int64_t high, const Dims& shape, DType dtype, Generator& generator) {
  detail::Calling calling("randint");
  return Variable(generator.integers(shape.shape("randint"), low, high)).to(dtype);
}
Variable randint(std::int64_t high, const Dims& shape, DType dtype, Generator& generator) {
  return randint(0, high, shape, dtype, generator);
}
Variable randperm(std::size_t n, Generator& generator) {
  detail::Calling calling("randperm");
  return Variable(generator.permutation(n));
}

Variable bernoulli(const Variable& p, Generator& generator) {
  detail::Calling calling("bernoulli");
  require_floating("bernoulli", p);
  Variable likely = p.detach().to(float64);
  if (!all(likely >= 0 && likely <= 1).item()) throw ValueError("bernoulli: a probability beyond [0, 1]");
  return (Variable(generator.uniform(p.shape(), 0, 1, float64)) < likely).to(p.dtype());
}

namespace {

// Where uniform numbers fall among the running sums, which end in exactly 1: never at a weight of 0, which adds nothing.
Variable with_replacement(const Variable& weights, std::size_t count, Generator& generator) {
  Variable sums = cumsum(weights, -1), shares = sums / sums[{range(), range(-1, none)}];
  return searchsorted(shares, Variable(generator.uniform({weights.shape(0), count}, 0, 1, float64)), true);
}

// Times E of an exponential distribution: the order of E / weight, ascending, is that of draws without replacement
// (Efraimidis, Spirakis 2006, Weighted random sampling with a reservoir).
Variable without_replacement(const Variable& weights, std::size_t count, Generator& generator) {
  Variable uniform(generator.uniform(weights.shape(), 0, 1, float64)), times = -log1p(-uniform) / weights;
  times = where(weights > 0, times, std::numeric_limits<double>::infinity());
  return argsort(times, -1)[{range(), range(0, static_cast<std::ptrdiff_t>(count))}];
}

}  // namespace

Variable multinomial(const Variable& weights, std::size_t num_samples, bool replacement, Generator& generator) {
  detail::Calling calling("multinomial");
  require_floating("multinomial", weights);
  if (weights.rank() < 1 || weights.rank() > 2 || weights.shape(-1) == 0)
    throw ShapeError("multinomial: weights of " + to_string(weights.shape()) + ", needs one or two axes, and a weight");
  Variable w = weights.detach().to(float64);
  if (!all(w >= 0 && w < std::numeric_limits<double>::infinity()).item())
    throw ValueError("multinomial: weights that are negative or not finite");
  Variable choices = count_nonzero(w, -1);
  std::size_t needed = replacement ? std::min<std::size_t>(num_samples, 1) : num_samples;
  if (any(choices < needed).item())
    throw ValueError("multinomial: " + std::to_string(num_samples) + " numbers of weights of " +
                     to_string(weights.shape()) + ", of which fewer are not 0");
  w = w / clamp_min(max(w, -1, true), 1e-300);  // the sum of finite numbers may be infinite
  Variable rows = weights.rank() == 1 ? expand_dims(w, 0) : w;
  Variable drawn = (replacement ? with_replacement : without_replacement)(rows, num_samples, generator);
  return weights.rank() == 1 ? squeeze(drawn, 0) : drawn;
}

}  // namespace xtape
