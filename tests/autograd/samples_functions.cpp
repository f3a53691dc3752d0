// Samples of functions at points, of factors of matrices and of distributions.
#include "sample_families.hpp"

namespace samples {

using namespace xtape;

namespace {

// Symmetric and positive definite.
Variable definite(const Variable& a) {
  return matmul(a, swapaxes(a, -1, -2)) + eye(a.shape(-1), a.dtype());
}

}  // namespace

std::vector<Operation> signals() {
  auto derivatives = [](const std::vector<Variable>& parts) {
    Variable sum = square(part(parts, 0));
    for (std::size_t i = 1; i < parts.size(); ++i) sum = sum + parts[i];
    return sum;
  };
  std::vector<Sample> convolutions;
  for (const char* mode : {"full", "same", "valid"}) {
    convolutions.push_back({mode, {numbers({5}), numbers({2})}, [=](auto& x) { return convolve(x[0], x[1], mode); }});
    convolutions.push_back({std::string(mode) + ", the shorter first", {numbers({3}), numbers({4})},
                            [=](auto& x) { return square(convolve(x[0], x[1], mode)); }});
  }
  return {
      general("interp",
              {{"inside and outside", {numbers({2, 6}, -3, 3), ascending({4}), numbers({4})},
                [](auto& x) { return square(interp(x[0], x[1], x[2])); }},
               {"other ends", {numbers({7}, -3, 3), ascending({3}), numbers({3})},
                [](auto& x) { return interp(x[0], x[1], x[2], {.left = -7, .right = 5}); }},
               {"a period", {numbers({6}, -6, 6), numbers({3}), numbers({3})},
                [](auto& x) { return square(interp(x[0], x[1], x[2], {.period = 4.3})); }},
               {"one point", {numbers({4}), numbers({1}), numbers({1})}, [](auto& x) { return square(interp(x[0], x[1], x[2])); }},
               {"0-d", {numbers({}), ascending({3}), numbers({3})}, [](auto& x) { return interp(x[0], x[1], x[2]); }},
               {"a scalar", {ascending({3}), numbers({3})}, [](auto& x) { return interp(0.1, x[0], x[1]); }},
               {"nowhere", {numbers({0}), ascending({3}), numbers({3})}, [](auto& x) { return interp(x[0], x[1], x[2]); }}}),
      general("convolve", convolutions),
      general("gradient",
              {{"all axes", {numbers({3, 4})}, [=](auto& x) { return derivatives(gradient(x[0])); }},
               {"second order at the ends", {numbers({3, 4})},
                [=](auto& x) { return derivatives(gradient(x[0], 0.7, {-1, 0}, 2)); }},
               {"two points", {numbers({2, 3})}, [=](auto& x) { return derivatives(gradient(x[0], -2, 0)); }},
               {"spacings", {numbers({4, 3}), ascending({4}), numbers({}, 0.5, 2)},
                [=](auto& x) { return derivatives(gradient(x[0], {x[1], x[2]})); }},
               {"coordinates, second order at the ends", {numbers({2, 4}), ascending({4})},
                [=](auto& x) { return derivatives(gradient(x[0], {x[1]}, 1, 2)); }},
               {"empty", {numbers({0, 3})}, [=](auto& x) { return derivatives(gradient(x[0], 1, 1)); }}}),
  };
}

std::vector<Operation> factors() {
  auto both = [](const LU& f) { return square(matmul(f.p, f.l)) + sum(square(f.u)); };
  Variable square_ones = numbers({2, 3, 3}) + 3 * eye(3, float64);
  return {
      general("lu", {{"square", {square_ones}, [=](auto& x) { return both(lu(x[0])); }},
                     {"exchanged rows", {flip(square_ones, 1)}, [=](auto& x) { return both(lu(x[0])); }},
                     {"wide", {numbers({2, 4})}, [=](auto& x) { return both(lu(x[0])); }},
                     {"tall", {numbers({4, 2})}, [=](auto& x) { return both(lu(x[0])); }},
                     {"one", {numbers({1, 1})}, [=](auto& x) { return both(lu(x[0])); }},
                     {"none", {numbers({0, 2, 2})}, [=](auto& x) { return lu(x[0]).u; }}}),
      constants("matrix_rank",
                {{"values", {numbers({2, 3, 2})}, [](auto& x) { return matrix_rank(x[0]); }},
                 {"symmetric", {numbers({3, 3})}, [](auto& x) { return matrix_rank(x[0], {.hermitian = true}); }}}),
      general("cond",
              {{"by singular values", {numbers({2, 3, 2})}, [](auto& x) { return cond(x[0]); }},
               {"the inverse of that", {numbers({2, 3})}, [](auto& x) { return cond(x[0], -2); }},
               {"columns", {square_ones}, [](auto& x) { return cond(x[0], 1); }},
               {"rows", {square_ones}, [](auto& x) { return cond(x[0], -HUGE_VAL); }},
               {"a kind", {square_ones}, [](auto& x) { return cond(x[0], "fro"); }}}),
      general("beta",
              [] {
                std::vector<Sample> list;
                for (auto& [a, b] : std::vector<std::pair<Shape, Shape>>{{{}, {}}, {{5}, {}}, {{2, 1}, {3}}, {{0}, {1}}, {{1, 19}, {2, 19}}})
                  list.push_back({to_string(a) + " and " + to_string(b), {numbers(a, 0.4, 3), numbers(b, 0.4, 3)},
                                  [](auto& x) { return beta(x[0], x[1]); }});
                list.push_back({"negative", {numbers({5}, -0.9, -0.1), numbers({5}, 1.1, 1.9)},
                                [](auto& x) { return beta(x[0], x[1]); }});
                list.push_back({"a scalar", {numbers({5}, 0.4, 3)}, [](auto& x) { return beta(2, x[0]); }});
                return list;
              }()),
  };
}

std::vector<Operation> distributions() {
  return {
      general("normal_log_prob",
              {{"broadcast", {numbers({2, 3}), numbers({3}), numbers({2, 1}, 0.5, 2)},
                [](auto& x) { return normal_log_prob(x[0], x[1], x[2]); }},
               {"scalars", {numbers({})}, [](auto& x) { return normal_log_prob(x[0], 0, 2); }},
               {"empty", {numbers({0}), numbers({})}, [](auto& x) { return normal_log_prob(x[0], x[1], 1); }}}),
      general("normal_rsample",
              {{"broadcast", {numbers({2, 1}), numbers({3}, 0.5, 2)},
                [](auto& x) {
                  Generator generator(1);
                  return square(normal_rsample(x[0], x[1], {4}, generator));
                }}}),
      general("student_t_log_prob",
              {{"broadcast", {numbers({2, 3}, -3, 3), numbers({2, 1}, 0.5, 9), numbers({3}), numbers({}, 0.5, 2)},
                [](auto& x) { return student_t_log_prob(x[0], x[1], x[2], x[3]); }},
               {"standard", {numbers({5}, -3, 3)}, [](auto& x) { return student_t_log_prob(x[0], 1.5); }}}),
      general("student_t_rsample",
              {{"broadcast", {numbers({2, 1}, 2, 5), numbers({3}), numbers({}, 0.5, 2)},
                [](auto& x) {
                  Generator generator(2);
                  return student_t_rsample(x[0], x[1], x[2], {2}, generator);
                }}}),
      general("multivariate_normal_log_prob",
              {{"a triangle", {numbers({3, 2}), numbers({2}), numbers({2, 2}, 0.5, 2)},
                [](auto& x) { return multivariate_normal_log_prob(x[0], x[1], {.scale_tril = x[2]}); }},
               {"a covariance", {numbers({4, 3}), numbers({3}), numbers({3, 3})},
                [](auto& x) { return multivariate_normal_log_prob(x[0], x[1], {.covariance_matrix = definite(x[2])}); }},
               {"several", {numbers({2}), numbers({3, 1, 2}), numbers({3, 2, 2})},
                [](auto& x) { return multivariate_normal_log_prob(x[0], x[1], {.covariance_matrix = definite(x[2])}); }},
               {"a precision", {numbers({3, 2}), numbers({2}), numbers({2, 2})},
                [](auto& x) { return multivariate_normal_log_prob(x[0], x[1], {.precision_matrix = definite(x[2])}); }}}),
      general("multivariate_normal_rsample",
              {{"a triangle", {numbers({2}), numbers({2, 2}, 0.5, 2)},
                [](auto& x) {
                  Generator generator(5);
                  return multivariate_normal_rsample(x[0], {.scale_tril = x[1]}, {3}, generator);
                }},
               {"a covariance", {numbers({3}), numbers({3, 3})},
                [](auto& x) {
                  Generator generator(3);
                  return square(multivariate_normal_rsample(x[0], {.covariance_matrix = definite(x[1])}, {4}, generator));
                }},
               {"precisions", {numbers({2}), numbers({3, 2, 2})},
                [](auto& x) {
                  Generator generator(4);
                  return multivariate_normal_rsample(x[0], {.precision_matrix = definite(x[1])}, {2}, generator);
                }}}),
      general("categorical_log_prob",
              {{"rows", {numbers({2, 3})}, [](auto& x) { return categorical_log_prob(Variable({2, 0}, int64), x[0]); }},
               {"broadcast", {numbers({3, 1, 2})}, [](auto& x) { return categorical_log_prob(Variable({1, 1, 0}, int64), x[0]); }},
               {"one distribution", {numbers({3})}, [](auto& x) { return categorical_log_prob(Variable({{2, 0, 2}}, int64), x[0]); }}}),
      constant("categorical_sample", {numbers({2, 3})}, [](auto& x) { return categorical_sample(x[0], {4}); }),
  };
}

}  // namespace samples
