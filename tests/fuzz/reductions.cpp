// Reductions, scans, sorts and searches: axes and other options of any kind.
#include <cmath>

#include <tests/fuzz/targets.hpp>

namespace xtape::fuzz {
namespace {

// Adds up element by element, where the axes are good.
std::optional<Variable> plain_sum(const Variable& x, const Axes& axes, bool keepdims) {
  std::vector<bool> gone;
  if (!allowed([&] { gone = axes_mask("sum", axes, x.rank()); })) return {};
  Shape kept, shape;
  for (std::size_t axis = 0; axis < x.rank(); ++axis) {
    kept.push_back(gone[axis] ? 1 : x.shape()[axis]);
    if (!gone[axis] || keepdims) shape.push_back(kept[axis]);
  }
  Variable result = zeros(shape, float64);
  double* sums = result.mutable_data<double>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    std::vector<std::size_t> place = unravel(i, x.shape());
    for (std::size_t axis = 0; axis < x.rank(); ++axis)
      if (gone[axis]) place[axis] = 0;
    sums[ravel_position(place, kept)] += at(x, i);
  }
  return result;
}

void make_small(const Variable& indices) {
  for (std::size_t i = 0; i < indices.size(); ++i) indices.mutable_data<std::int64_t>()[i] %= 8;
}

}  // namespace

void reductions(Input& input) {
  Shape shape = input.shape();
  bool small = input.flag();
  DType dtype = input.below(4) ? input.floating() : input.dtype();
  Axes axes = input.axes();
  bool keepdims = input.flag();
  std::ptrdiff_t axis = input.number();
  double p = input.real();
  std::size_t which = input.below(34);
  Variable x = small ? input.integers(shape, dtype) : input.reals(shape, dtype);
  std::function<Variable(const Variable&)> f;
  bool linear = false;
  switch (which) {
    case 0:
      f = [&](const Variable& v) { return sum(v, axes, keepdims); };
      linear = small;
      if (small && dtype == float64 && !axes.empty()) {
        auto expected = plain_sum(x, axes, keepdims);
        Variable got;
        bool done = allowed([&] { got = f(x); });
        require(done == expected.has_value() || x.rank() == 0, "another opinion of the axes");
        if (done && expected) require(got.shape() == expected->shape() && fuzz::same(abs(got - *expected),
            zeros_like(got)), "another sum");
      }
      break;
    case 1: f = [&](const Variable& v) { return mean(v, axes, keepdims); }; break;
    case 2: f = [&](const Variable& v) { return prod(v, axes, keepdims); }; break;
    case 3: f = [&](const Variable& v) { return max(v, axes, keepdims); }; break;
    case 4: f = [&](const Variable& v) { return min(v, axes, keepdims); }; break;
    case 5: f = [&](const Variable& v) { return var(v, axes, keepdims, p); }; break;
    case 6: f = [&](const Variable& v) { return stddev(v, axes, keepdims, p); }; break;
    case 7: f = [&](const Variable& v) { return keepdims ? median(v) : median(v, axis); }; break;
    case 8: f = [&](const Variable& v) { return norm(v, p, axes, keepdims); }; break;
    case 9: f = [&](const Variable& v) { return logsumexp(v, axes, keepdims); }; break;
    case 10: f = [&](const Variable& v) { return any(v, axes, keepdims); }; break;
    case 11: f = [&](const Variable& v) { return all(v, axes, keepdims); }; break;
    case 12: f = [&](const Variable& v) { return count_nonzero(v, axes, keepdims); }; break;
    case 13:
      linear = small;
      f = [&](const Variable& v) { return cumsum(v, axis); };
      break;
    case 14: f = [&](const Variable& v) { return cumprod(v, axis); }; break;
    case 15: f = [&](const Variable& v) { return logcumsumexp(v, axis); }; break;
    case 16: f = [&](const Variable& v) { return keepdims ? argmax(v) : argmax(v, axis); }; break;
    case 17: f = [&](const Variable& v) { return keepdims ? argmin(v) : argmin(v, axis); }; break;
    case 18: f = [&](const Variable& v) { return max_with_indices(v, axis, keepdims).values; }; break;
    case 19: f = [&](const Variable& v) { return min_with_indices(v, axis, keepdims).values; }; break;
    case 20: f = [&, to = input.shape()](const Variable& v) { return sum_to(v, to); }; break;
    case 21: f = [&](const Variable& v) { return softmax(v, axis); }; break;
    case 22: f = [&](const Variable& v) { return softmin(v, axis); }; break;
    case 23: f = [&](const Variable& v) { return log_softmax(v, axis); }; break;
    case 24: f = [&](const Variable& v) { return nansum(v, axes, keepdims); }; break;
    case 25: f = [&](const Variable& v) { return nanmean(v, axes, keepdims); }; break;
    case 26: f = [&](const Variable& v) { return cummax(v, axis).values; }; break;
    case 27: f = [&](const Variable& v) { return cummin(v, axis).values; }; break;
    case 28:
      f = [&, n = input.count()](const Variable& v) { return diff(v, n, axis); };
      linear = small;
      break;
    case 29: f = [&](const Variable& v) { return keepdims ? trapezoid(v, p, axis) : cumulative_trapezoid(v, p, axis);
        }; break;
    case 30: {
      Variable at = input.reals(input.shape(2), dtype);
      f = [&, at](const Variable& v) { return keepdims ? trapezoid(v, at, axis) : cumulative_trapezoid(v, at, axis); };
      break;
    }
    case 31: f = [&](const Variable& v) { return keepdims ? cov(v, p) : corrcoef(v); }; break;
    case 32: f = [&, order = static_cast<int>(input.between(0, 3))](const Variable& v) {
        return concatenate(gradient(v, p, axes, order));
      };
      break;
    default: f = [&, size = input.count()](const Variable& v) { return rms_norm(v, size, Variable(), p); };
  }
  differentiate(input, x, f, linear);
}

void sorting(Input& input) {
  Shape shape = input.shape();
  DType dtype = input.dtype();
  bool flag = input.flag();
  std::size_t which = input.below(11), k = input.count();
  std::ptrdiff_t axis = input.number();
  Variable x = input.reals(shape, dtype);
  switch (which) {
    case 0: allowed([&] {
      auto [values, indices] = sort(x, axis, flag);
      require(fuzz::same(values, take_along_axis(x, indices, axis)), "indices of other elements");
      require(fuzz::same(indices, argsort(x, axis, flag)), "another order");
      for (std::size_t i = 0; i + 1 < values.size() && x.rank() == 1; ++i)
        require(!(flag ? at(values, i) < at(values, i + 1) : at(values, i) > at(values, i + 1)), "out of order");
    }); break;
    case 1: allowed([&] {
      auto [values, indices] = topk(x, k, axis, flag);
      require(values.shape(axis) == k && fuzz::same(values, take_along_axis(x, indices, axis)),
          "indices of other elements");
    }); break;
    case 2: allowed([&] {
      auto [values, indices] = kthvalue(x, k, axis, true);
      require(fuzz::same(values, take_along_axis(x, indices, axis)), "the index of another element");
    }); break;
    case 3: {
      Variable q = input.reals(input.shape(2), input.below(8) ? dtype : input.dtype());
      if (input.flag()) allowed([&] { q = abs(q) / (abs(q) + 1); });
      auto along = input.maybe_number();
      std::string how = input.word({"linear", "lower", "higher", "nearest", "midpoint"});
      allowed([&] { quantile(x, q, along, flag, how); });
      differentiate(input, x, [&](const Variable& v) { return quantile(v, q, along, flag, how); });
      break;
    }
    case 4: allowed([&] { nonzero(x); require(argwhere(x).shape(0) == static_cast<std::size_t>(at(count_nonzero(x),
        0)), "another count"); }); break;
    case 5: allowed([&] {
      Unique found = unique(x);
      require(fuzz::same(reshape(take(found.values, ravel(found.inverse)), x.shape()), x) || is_floating(dtype),
          "not the elements");
    }); break;
    case 6: allowed([&] { unique(x, axis); }); break;
    case 7: {
      Variable counted = input.positions(input.shape(2, 6), 6), weights;
      if (flag) weights = input.reals(counted.shape(), input.dtype());
      allowed([&] { bincount(counted, weights, k); });
      break;
    }
    case 8: {
      HistogramOptions options{.density = flag};
      if (input.flag()) options.range = {input.real(), input.real()};
      if (input.flag()) options.weights = input.reals(shape, input.dtype());
      allowed([&] { histogram(x, k, options); });
      Variable edges = input.reals(input.shape(1, 5), dtype);
      allowed([&] { histogram(x, input.flag() ? sort(edges).values : edges, options); });
      break;
    }
    case 9: {
      Variable sorted = input.reals(input.shape(2, 5), dtype), sorter;
      if (input.flag()) sorter = input.positions(sorted.shape(), 5);
      allowed([&] { searchsorted(sorted, x, flag, sorter); });
      allowed([&] { bucketize(x, sort(sorted).values, flag); });
      break;
    }
    default: {
      Variable xp = input.reals(input.shape(1, 5), float64), fp = input.reals(xp.shape(), float64), at = x.to(float64);
      InterpOptions options;
      if (flag) options.period = input.real();
      if (input.flag()) options.left = input.real();
      differentiate(input, at, [&](const Variable& v) { return interp(v, input.flag() ? xp : sort(xp).values, fp,
          options); });
      std::string mode = input.word({"full", "same", "valid"});
      differentiate(input, xp, [&](const Variable& v) { return convolve(v, fp, mode); });
      differentiate(input, xp, [&](const Variable& v) { return convolve(at, v, mode); });
    }
  }
}

void gathering(Input& input) {
  Shape shape = input.shape(3, 4);
  Variable x = input.integers(shape, input.below(4) ? float64 : input.dtype());
  std::ptrdiff_t axis = input.number();
  std::size_t extent = 3;
  if (axis >= 0 && axis < static_cast<std::ptrdiff_t>(shape.size())) extent = shape[static_cast<std::size_t>(axis)];
  Shape places = input.flag() ? shape : input.shape(3, 4);
  Variable indices = input.positions(places, extent);
  Variable source = input.integers(input.below(4) ? places : input.shape(3, 4), x.dtype());
  Variable mask = input.integers(input.flag() ? shape : input.shape(3, 4), input.below(8) ? boolean : input.dtype());
  std::function<Variable(const Variable&)> f;
  bool linear = true;
  switch (input.below(16)) {
    case 0: f = [&](const Variable& v) { return take(v, indices, axis); }; break;
    case 1: f = [&](const Variable& v) { return take_along_axis(v, indices, axis); }; break;
    case 2: f = [&](const Variable& v) { return take_along_axis(v, indices); }; break;
    case 3: f = [&](const Variable& v) { return index_select(v, axis, indices); }; break;
    case 4: f = [&](const Variable& v) { return gather(v, axis, indices); }; break;
    case 5: f = [&](const Variable& v) { return scatter(v, axis, indices, zeros_like(source)); }; break;
    case 6: f = [&](const Variable& v) { return scatter_add(v, axis, indices, zeros_like(source)); }; break;
    case 7: f = [&](const Variable& v) { return index_add(v, axis, indices, zeros_like(source)); }; break;
    case 8: f = [&](const Variable& v) { return index_copy(v, axis, indices, zeros_like(source)); }; break;
    case 9: f = [&](const Variable& v) { return index_fill(v, axis, indices, Variable(0.0)); }; break;
    case 10: {
      std::optional<std::size_t> classes;
      if (input.flag()) classes = input.count();
      DType dtype = input.dtype();
      if (!classes) make_small(indices);  // as many classes as the greatest says
      allowed([&] { one_hot(indices, classes, dtype); });
      return;
    }
    case 11: f = [&](const Variable& v) { return masked_select(v, mask); }; break;
    case 12: f = [&](const Variable& v) { return masked_fill(v, mask, Variable(0.0)); }; break;
    case 13: f = [&](const Variable& v) { return masked_scatter(v, mask, zeros_like(source)); }; break;
    case 14: {
      std::string how = input.word({"sum", "prod", "mean", "amax", "amin"});
      bool self = input.flag();
      f = [=](const Variable& v) { return scatter_reduce(v, axis, indices, source, how, self); };
      linear = false;
      break;
    }
    default: {
      std::optional<std::size_t> segments;
      if (input.flag()) segments = input.count();
      else make_small(indices);
      f = [=](const Variable& v) { return segment_sum(v, indices, segments); };
    }
  }
  differentiate(input, x, f, linear);
  allowed([&] { scatter_add(x, axis, indices, source); });
  allowed([&] { masked_scatter(x, mask, source); });
}

}  // namespace xtape::fuzz
