// Samples of what makes, searches and counts arrays.
#include "sample_families.hpp"

namespace samples {

using namespace xtape;

std::vector<Operation> arrays() {
  return {
      constant("empty", {}, [](auto&) { return empty({2, 0}, float64); }),
      constant("empty_like", {numbers({2})}, [](auto& x) { return empty_like(x[0]); }),
      constant("rand_like", {numbers({2})}, [](auto& x) { return rand_like(x[0]); }),
      constant("randn_like", {numbers({2})}, [](auto& x) { return randn_like(x[0]); }),
      constants("randint", {{"between", {}, [](auto&) { return randint(-2, 3, {4}); }},
                            {"below", {}, [](auto&) { return randint(3, {4}, float32); }}}),
      constant("randperm", {}, [](auto&) { return randperm(5); }),
      constant("bernoulli", {numbers({3}, 0, 1)}, [](auto& x) { return bernoulli(x[0]); }),
      constants("multinomial", {{"one row", {numbers({4}, 0.1, 1)}, [](auto& x) { return multinomial(x[0], 2); }},
                                {"rows", {numbers({2, 3}, 0.1, 1)}, [](auto& x) { return multinomial(x[0], 5, true); }}}),
      constant("tril_indices", {}, [](auto&) { return tril_indices(3, 2, -1); }),
      constant("triu_indices", {}, [](auto&) { return triu_indices(3, 2, 1); }),
      general("vec_to_tril_matrix",
              {{"a vector", {numbers({6})}, [](auto& x) { return square(vec_to_tril_matrix(x[0])); }},
               {"below the diagonal", {numbers({2, 3})}, [](auto& x) { return square(vec_to_tril_matrix(x[0], -1)); }},
               {"nothing", {numbers({2, 0})}, [](auto& x) { return vec_to_tril_matrix(x[0]); }}}),
      general("tril_matrix_to_vec",
              {{"a matrix", {numbers({3, 3})}, [](auto& x) { return square(tril_matrix_to_vec(x[0])); }},
               {"wide ones", {numbers({2, 2, 3})}, [](auto& x) { return square(tril_matrix_to_vec(x[0], 1)); }}}),
      constants("isclose", {{"one shape", {numbers({3}), numbers({3})}, [](auto& x) { return isclose(x[0], x[1]); }},
                            {"a scalar", {numbers({3})}, [](auto& x) { return isclose(x[0], 0.1, 0, 1); }}}),
      constants("allclose", {{"one shape", {numbers({3}), numbers({3})},
                              [](auto& x) { return Variable(allclose(x[0], x[1])); }}}),
      general("ravel", {{"all", {numbers({2, 3})}, [](auto& x) { return square(ravel(x[0])); }},
                        {"0-d", {numbers({})}, [](auto& x) { return square(ravel(x[0])); }},
                        {"empty", {numbers({2, 0})}, [](auto& x) { return ravel(x[0]); }}}),
      general("expand",
              {{"kept and new axes", {numbers({2, 1})}, [](auto& x) { return square(expand(x[0], {3, -1, 2})); }},
               {"kept only", {numbers({2, 3})}, [](auto& x) { return square(expand(x[0], {-1, -1})); }},
               {"0-d", {numbers({})}, [](auto& x) { return square(expand(x[0], {2})); }},
               {"empty", {numbers({1, 0})}, [](auto& x) { return expand(x[0], {3, -1}); }}}),
  };
}

std::vector<Operation> searches() {
  return {
      constants("nonzero", {{"a matrix", {numbers({2, 3})}, [](auto& x) { return nonzero(x[0]); }},
                            {"a mask", {numbers({2, 3})}, [](auto& x) { return nonzero(x[0] > 0); }},
                            {"0-d", {numbers({})}, [](auto& x) { return nonzero(x[0]); }}}),
      constant("argwhere", {numbers({2, 3})}, [](auto& x) { return argwhere(x[0]); }),
      general("unique",
              {{"all", {numbers({2, 3})}, [](auto& x) { return square(unique(x[0]).values); }},
               {"equal ones", {numbers({3})}, [](auto& x) { return square(unique(concatenate({x[0], x[0].detach()})).values); }},
               {"rows", {numbers({3, 2})}, [](auto& x) { return square(unique(x[0], 0).values); }},
               {"columns", {numbers({2, 3, 2})}, [](auto& x) { return square(unique(x[0], -2).values); }},
               {"empty", {numbers({0})}, [](auto& x) { return unique(x[0]).values; }}}),
      general("bincount",
              {{"weights", {numbers({5})}, [](auto& x) { return square(bincount(Variable({1, 0, 3, 1, 1}, int64), x[0])); }},
               {"no elements", {numbers({0})}, [](auto& x) { return bincount(zeros({0}, int64), x[0], 3); }}}),
      general("histogram",
              {{"weights", {numbers({2, 7}), numbers({2, 7})},
                [](auto& x) { return square(histogram(x[0], 3, {.weights = x[1]}).hist); }},
               {"density between edges", {numbers({7}), numbers({7}, 0.5, 2)},
                [](auto& x) {
                  Variable edges({-1, 0.5, 1, 1.5}, x[0].dtype());
                  return histogram(x[0], edges, {.weights = x[1], .density = true}).hist;
                }}}),
      constants("searchsorted",
                {{"rows", {ascending({2, 3}), numbers({2, 4})}, [](auto& x) { return searchsorted(x[0], x[1]); }},
                 {"a scalar", {numbers({5})}, [](auto& x) { return searchsorted(x[0], 0.5, true, argsort(x[0])); }}}),
      constant("bucketize", {numbers({2, 3}), ascending({4})}, [](auto& x) { return bucketize(x[0], x[1]); }),
  };
}

std::vector<Operation> segments() {
  std::vector<Sample> list;
  for (const char* reduce : {"sum", "prod", "mean", "amax", "amin"})
    for (bool self : {true, false}) {
      std::string text = std::string(reduce) + (self ? "" : ", without x");
      auto reduced = [=](auto& x, std::ptrdiff_t axis, const Variable& indices, const Variable& source) {
        return square(scatter_reduce(x, axis, indices, source, reduce, self));
      };
      list.push_back({text, {numbers({3, 4}), numbers({2, 3}, -1.7, 1.9)}, [=](auto& x) {
                        return reduced(x[0], 1, Variable({{0, 0, 3}, {2, 2, 2}}, int64), x[1]);
                      }});
      list.push_back({text + ", first axis", {numbers({3}), numbers({8}, -1.9, 2.1)}, [=](auto& x) {
                        return reduced(x[0], -1, Variable({0, 2, 2, 0, 2, 2, 2, 0}, int64), x[1]);
                      }});
      list.push_back({text + ", 0-d", {numbers({}), numbers({}, 0.5, 3)},
                      [=](auto& x) { return reduced(x[0], 0, zeros({}, int64), x[1]); }});
      list.push_back({text + ", nothing", {numbers({3}), numbers({0})},
                      [=](auto& x) { return reduced(x[0], 0, zeros({0}, int64), x[1]); }});
    }
  return {
      general("scatter_reduce", list),
      general("segment_sum",
              {{"rows", {numbers({4, 2})}, [](auto& x) { return square(segment_sum(x[0], Variable({1, 0, 1, 1}, int64))); }},
               {"a number of segments", {numbers({3})}, [](auto& x) { return square(segment_sum(x[0], Variable({2, 2, 0}, int64), 4)); }},
               {"empty", {numbers({0, 2})}, [](auto& x) { return segment_sum(x[0], zeros({0}, int64), 2); }}}),
  };
}

}  // namespace samples
