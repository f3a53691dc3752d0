#include "sample_families.hpp"

#include <cmath>
#include <limits>

namespace samples {

using namespace xtape;

namespace {

template <class F>
Operation reduction(const char* name, F f, double low = -2, double high = 2, bool of_nothing = true) {
  Operation result{name, true, {}};
  auto add = [&](const Shape& shape, const Axes& axes, bool keepdims) {
    std::string text = to_string(shape) + " over";
    for (auto axis : axes) text += " " + std::to_string(axis);
    result.samples.push_back({text + (keepdims ? " keepdims" : ""), {numbers(shape, low, high)},
                              [f, axes, keepdims](auto& x) { return f(x[0], axes, keepdims); }});
  };
  for (bool keepdims : {false, true}) {
    add({}, {}, keepdims);
    add({}, -1, keepdims);
    add({1}, {}, keepdims);
    add({5}, 0, keepdims);
    add({2, 3, 4}, {}, keepdims);
    add({2, 3, 4}, 1, keepdims);
    add({2, 3, 4}, {0, -1}, keepdims);
    add({2, 3, 4}, {-1, -2}, keepdims);
    add({2, 1, 4}, 1, keepdims);
    add({2, 70}, -1, keepdims);
    add({3, 0, 2}, 0, keepdims);
    if (of_nothing) add({3, 0, 2}, 1, keepdims);
  }
  result.samples.push_back({"of a transposed array", {numbers({3, 4}, low, high)},
                            [f](auto& x) { return f(transpose(x[0]), Axes(-1), false); }});
  return result;
}

Operation scanned(const char* name, Variable (*f)(const Variable&, std::ptrdiff_t)) {
  Operation result{name, true, {}};
  for (auto& [shape, axis] : std::vector<std::pair<Shape, int>>{{{5}, 0}, {{}, -1}, {{1}, -1}, {{0}, 0}, {{2, 7}, 1}, {{4, 3}, 0},
                                                                {{2, 3, 2}, -2}, {{2, 0, 3}, 1}, {{1, 8}, 1}})
    result.samples.push_back({to_string(shape) + " along " + std::to_string(axis), {numbers(shape)},
                              [f, axis = axis](auto& x) { return f(x[0], axis); }});
  return result;
}

// Numbers of which some are 0.
Variable with_zeros(const Shape& shape, const std::vector<std::size_t>& places) {
  Array x = numbers(shape).value().copy();
  for (std::size_t place : places) x.mutable_data<double>()[place] = 0;
  return Variable(x);
}

Operation norms() {
  Operation result{"norm", true, {}};
  for (double p : {2.0, 1.0, 3.0, 0.5, -1.5, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    std::string order = "p = " + std::to_string(p);
    result.samples.push_back({order, {numbers({2, 3})}, [p](auto& x) { return norm(x[0], p); }});
    result.samples.push_back({order + ", an axis", {numbers({2, 3})}, [p](auto& x) { return norm(x[0], p, -1, true); }});
    result.samples.push_back({order + ", 0-d", {numbers({})}, [p](auto& x) { return norm(x[0], p); }});
  }
  return result;
}

}  // namespace

std::vector<Operation> reductions() {
  return {
      reduction("sum", [](const auto& x, const auto& axes, bool keep) { return sum(x, axes, keep); }),
      reduction("mean", [](const auto& x, const auto& axes, bool keep) { return mean(x, axes, keep); }, -2, 2, false),
      reduction("prod", [](const auto& x, const auto& axes, bool keep) { return prod(x, axes, keep); }, 0.6, 1.5),
      reduction("max", [](const auto& x, const auto& axes, bool keep) { return max(x, axes, keep); }, -2, 2, false),
      reduction("min", [](const auto& x, const auto& axes, bool keep) { return min(x, axes, keep); }, -2, 2, false),
      reduction("var", [](const auto& x, const auto& axes, bool keep) { return var(x, axes, keep); }, -2, 2, false),
      reduction("logsumexp", [](const auto& x, const auto& axes, bool keep) { return logsumexp(x, axes, keep); }, -2, 2, false),
      constants("argmax", {{"an axis", {numbers({2, 3, 4})}, [](auto& x) { return argmax(x[0], -2); }},
                           {"all", {numbers({2, 3})}, [](auto& x) { return argmax(x[0]); }}}),
      constants("argmin", {{"an axis", {numbers({2, 3, 4})}, [](auto& x) { return argmin(x[0], 1, true); }},
                           {"all", {numbers({2, 3})}, [](auto& x) { return argmin(x[0]); }}}),
      general("sum_to",
              {{"leading and inner axes", {numbers({4, 2, 3})}, [](auto& x) { return sum_to(x[0], {2, 1}); }},
               {"to a scalar", {numbers({2, 3})}, [](auto& x) { return sum_to(x[0], Shape{}); }},
               {"to itself", {numbers({2, 3})}, [](auto& x) { return sum_to(x[0], {2, 3}); }},
               {"empty", {numbers({0, 3})}, [](auto& x) { return sum_to(x[0], {3}); }}}),
      reduction("stddev", [](const auto& x, const auto& axes, bool keep) { return stddev(x, axes, keep); }, -2, 2, false),
      reduction("amax", [](const auto& x, const auto& axes, bool keep) { return amax(x, axes, keep); }, -2, 2, false),
      reduction("amin", [](const auto& x, const auto& axes, bool keep) { return amin(x, axes, keep); }, -2, 2, false),
      general("median",
              {{"of all, an odd number", {numbers({3, 5})}, [](auto& x) { return median(x[0]); }},
               {"of all, an even number", {numbers({2, 5})}, [](auto& x) { return square(median(x[0])); }},
               {"an axis", {numbers({4, 3})}, [](auto& x) { return median(x[0], 0); }},
               {"keepdims", {numbers({2, 3, 2})}, [](auto& x) { return median(x[0], -2, true); }},
               {"0-d", {numbers({})}, [](auto& x) { return median(x[0]) * median(x[0], 0); }}}),
      norms(),
      // Of one process; of several, tests/optim/data_parallel.cpp and parallel.py have it.
      general("all_reduce",
              {{"of the world", {numbers({2, 3})}, [](auto& x) { return square(all_reduce(x[0])); }},
               {"of some", {numbers({4})}, [](auto& x) { return square(all_reduce(x[0], Communicator::world())); }},
               {"0-d", {numbers({})}, [](auto& x) { return all_reduce(x[0]) * x[0]; }},
               {"empty", {numbers({0, 2})}, [](auto& x) { return all_reduce(x[0]); }}}),
      scanned("cumsum", cumsum),
      with(scanned("cumprod", cumprod),
           {{"a zero", {with_zeros({5}, {2})}, [](auto& x) { return cumprod(x[0], 0); }},
            {"zeros", {with_zeros({3, 4}, {1, 3, 4, 9, 10})}, [](auto& x) { return cumprod(x[0], 1); }},
            {"zeros of columns", {with_zeros({4, 2}, {1, 2, 6})}, [](auto& x) { return cumprod(x[0], 0); }}}),
      scanned("logcumsumexp", logcumsumexp),
      general("max_with_indices",
              {{"last axis", {numbers({3, 4})}, [](auto& x) { return max_with_indices(x[0], -1).values; }},
               {"keepdims", {numbers({3, 4})}, [](auto& x) { return square(max_with_indices(x[0], 0, true).values); }},
               {"0-d", {numbers({})}, [](auto& x) { return square(max_with_indices(x[0], -1).values); }}}),
      general("min_with_indices",
              {{"last axis", {numbers({3, 4})}, [](auto& x) { return min_with_indices(x[0], -1).values; }},
               {"keepdims", {numbers({3, 4})}, [](auto& x) { return square(min_with_indices(x[0], 0, true).values); }}}),
      constant("any", {numbers({2, 3})}, [](auto& x) { return any(x[0], 1); }),
      constant("all", {numbers({2, 3})}, [](auto& x) { return all(x[0], 1); }),
      constant("count_nonzero", {numbers({2, 3})}, [](auto& x) { return count_nonzero(x[0], 1); }),
      general("softmax",
              {{"last axis", {numbers({3, 5})}, [](auto& x) { return softmax(x[0]); }},
               {"first axis", {numbers({3, 5})}, [](auto& x) { return softmax(x[0], 0); }},
               {"middle axis", {numbers({2, 3, 2})}, [](auto& x) { return softmax(x[0], -2); }},
               {"far apart", {wide({2, 4})}, [](auto& x) { return softmax(x[0]); }},
               {"one class", {numbers({3, 1})}, [](auto& x) { return softmax(x[0]); }},
               {"0-d", {numbers({})}, [](auto& x) { return softmax(x[0]) * x[0]; }},
               {"empty", {numbers({0, 3})}, [](auto& x) { return softmax(x[0]); }}}),
      general("softmin", {{"first axis", {numbers({3, 5})}, [](auto& x) { return softmin(x[0], 0); }}}),
      general("log_softmax",
              {{"last axis", {numbers({3, 5})}, [](auto& x) { return log_softmax(x[0]); }},
               {"first axis", {numbers({3, 5})}, [](auto& x) { return log_softmax(x[0], 0); }},
               {"middle axis", {numbers({2, 3, 2})}, [](auto& x) { return log_softmax(x[0], -2); }},
               {"far apart", {wide({2, 4})}, [](auto& x) { return log_softmax(x[0]); }},
               {"one class", {numbers({3, 1})}, [](auto& x) { return log_softmax(x[0]); }},
               {"0-d", {numbers({})}, [](auto& x) { return log_softmax(x[0], 0) + x[0]; }},
               {"empty", {numbers({0, 3})}, [](auto& x) { return log_softmax(x[0]); }}}),

  };
}

std::vector<Operation> statistics() {
  auto holes = [](const Variable& x) { return where(mask(x.shape()), x, NAN); };
  auto running = [](const char* name, WithIndices (*f)(const Variable&, std::ptrdiff_t)) {
    return general(name, {{"last axis", {numbers({3, 7})}, [f](auto& x) { return square(f(x[0], -1).values); }},
                          {"first axis", {numbers({4, 2, 2})}, [f](auto& x) { return square(f(x[0], 0).values); }},
                          {"0-d", {numbers({})}, [f](auto& x) { return square(f(x[0], 0).values); }},
                          {"empty", {numbers({2, 0})}, [f](auto& x) { return f(x[0], 1).values; }}});
  };
  auto integral = [](const char* name, auto f, auto g) {
    return general(name, {{"even", {numbers({3, 5})}, [f](auto& x) { return square(f(x[0], 0.5, -1)); }},
                          {"first axis", {numbers({4, 2})}, [f](auto& x) { return square(f(x[0], 1, 0)); }},
                          {"points of one axis", {numbers({4, 2}), numbers({4})}, [g](auto& x) { return g(x[0], x[1], 0); }},
                          {"all points", {numbers({2, 4}), numbers({2, 4})}, [g](auto& x) { return g(x[0], x[1], -1); }},
                          {"one point", {numbers({2, 1})}, [f](auto& x) { return f(x[0], 1, -1); }},
                          {"none", {numbers({2, 0})}, [f](auto& x) { return f(x[0], 1, -1); }}});
  };
  return {
      with(reduction("nansum", [](const auto& x, const auto& axes, bool keep) { return nansum(x, axes, keep); }),
           reduction("", [=](const auto& x, const auto& axes, bool keep) { return nansum(holes(x), axes, keep); }).samples),
      reduction("nanmean", [](const auto& x, const auto& axes, bool keep) { return nanmean(x, axes, keep); }, -2, 2, false),
      general("quantile", [] {
        std::vector<Sample> list;
        for (std::string kind : {"linear", "lower", "higher", "midpoint", "nearest"}) {
          list.push_back({kind, {numbers({3, 4})}, [kind](auto& x) { return square(quantile(x[0], 0.4, -1, false, kind)); }});
          list.push_back({kind + ", several, of all", {numbers({3, 2})},
                          [kind](auto& x) { return quantile(x[0], Variable({0, 0.75, 1}, x[0].dtype()), {}, true, kind); }});
        }
        list.push_back({"first axis, several", {numbers({3, 1, 2})},
                        [](auto& x) { return square(quantile(x[0], Variable({0.1, 0.9}, float64), 0, true)); }});
        list.push_back({"0-d", {numbers({})}, [](auto& x) { return square(quantile(x[0], 0.5) + quantile(x[0], 0.2, 0, true)); }});
        return list;
      }()),
      general("kthvalue", {{"last axis", {numbers({3, 5})}, [](auto& x) { return square(kthvalue(x[0], 2).values); }},
                           {"first axis", {numbers({4, 2})}, [](auto& x) { return square(kthvalue(x[0], 4, 0, true).values); }},
                           {"0-d", {numbers({})}, [](auto& x) { return square(kthvalue(x[0], 1).values); }}}),
      running("cummax", cummax),
      running("cummin", cummin),
      general("diff", {{"last axis", {numbers({3, 5})}, [](auto& x) { return square(diff(x[0])); }},
                       {"twice", {numbers({4, 2})}, [](auto& x) { return square(diff(x[0], 2, 0)); }},
                       {"to nothing", {numbers({2, 3})}, [](auto& x) { return diff(x[0], 5); }}}),
      integral("trapezoid", [](auto& y, double dx, int axis) { return trapezoid(y, dx, axis); },
               [](auto& y, auto& x, int axis) { return trapezoid(y, x, axis); }),
      integral("cumulative_trapezoid", [](auto& y, double dx, int axis) { return cumulative_trapezoid(y, dx, axis); },
               [](auto& y, auto& x, int axis) { return cumulative_trapezoid(y, x, axis); }),
      general("cov", {{"rows", {numbers({3, 5})}, [](auto& x) { return cov(x[0]); }},
                      {"biased", {numbers({2, 4})}, [](auto& x) { return cov(x[0], 0); }},
                      {"one variable", {numbers({6})}, [](auto& x) { return cov(x[0]); }}}),
      general("corrcoef", {{"one variable", {numbers({6})}, [](auto& x) { return corrcoef(x[0]); }},
                           {"rows", {numbers({3, 5})}, [](auto& x) { return triu(corrcoef(x[0]), 1); }}}),
  };
}

std::vector<Operation> distances() {
  auto along = [](const char* name, auto f) {
    return general(name, {{"vectors", {numbers({3}), numbers({3}, 0.3, 2)}, [f](auto& x) { return f(x[0], x[1], -1); }},
                          {"broadcast", {numbers({2, 3}), numbers({4, 1, 3})}, [f](auto& x) { return square(f(x[0], x[1], -1)); }},
                          {"first axis", {numbers({3, 2}), numbers({3, 1})}, [f](auto& x) { return square(f(x[0], x[1], 0)); }},
                          {"none", {numbers({0, 3}), numbers({3})}, [f](auto& x) { return f(x[0], x[1], -1); }}});
  };
  std::vector<Sample> pairwise, tables, pairs;
  for (double p : {1.0, 2.0, 3.0, HUGE_VAL}) {
    std::string text = "p = " + std::to_string(p);
    pairwise.push_back({text, {numbers({4, 3}), numbers({3})}, [p](auto& x) { return pairwise_distance(x[0], x[1], p); }});
    tables.push_back({text, {numbers({2, 3, 2}), numbers({4, 2}, -2.5, 2.5)}, [p](auto& x) { return square(cdist(x[0], x[1], p)); }});
    pairs.push_back({text, {numbers({4, 3})}, [p](auto& x) { return square(pdist(x[0], p)); }});
  }
  pairwise.push_back({"keepdims", {numbers({2, 3}), numbers({2, 3})}, [](auto& x) { return pairwise_distance(x[0], x[1], 2, 0.1, true); }});
  tables.push_back({"no rows", {numbers({0, 2}), numbers({3, 2})}, [](auto& x) { return cdist(x[0], x[1]); }});
  return {
      along("vecdot", [](auto& a, auto& b, int axis) { return vecdot(a, b, axis); }),
      along("cross", [](auto& a, auto& b, int axis) { return cross(a, b, axis); }),
      along("cosine_similarity", [](auto& a, auto& b, int axis) { return cosine_similarity(a, b, axis); }),
      general("normalize", {{"second axis", {numbers({2, 3})}, [](auto& x) { return square(normalize(x[0])); }},
                            {"first axis, p = 3", {numbers({4, 2})}, [](auto& x) { return square(normalize(x[0], 3, 0)); }},
                            {"short ones", {numbers({2, 3})}, [](auto& x) { return square(normalize(x[0], 2, 1, 100)); }}}),
      general("pairwise_distance", pairwise),
      general("cdist", tables),
      general("pdist", pairs),
  };
}

}  // namespace samples
