#include "sample_families.hpp"

#include <cmath>

namespace samples {

using namespace xtape;

namespace {

// Operands of a matrix product, also transposed: the flags of BLAS take part in the derivatives.
std::vector<Sample> products() {
  std::vector<Sample> result;
  const std::vector<std::pair<Shape, Shape>> pairs{
      {{3}, {3}},          {{3}, {3, 2}},          {{2, 3}, {3}},        {{2, 3}, {3, 4}},     {{1, 1}, {1, 1}},
      {{2, 0}, {0, 3}},    {{0, 2}, {2, 3}},       {{5, 2, 3}, {3, 4}},  {{2, 3}, {5, 3, 2}},  {{5, 2, 3}, {5, 3, 2}},
      {{2, 1, 2, 3}, {4, 3, 1}}, {{3}, {2, 3, 2}}, {{2, 2, 3}, {3}},     {{1, 2, 3}, {4, 3, 2}}, {{0, 2, 3}, {3, 2}}};
  for (auto& [a, b] : pairs)
    result.push_back({to_string(a) + " x " + to_string(b), {numbers(a), numbers(b)},
                      [](auto& x) { return matmul(x[0], x[1]); }});
  result.push_back({"transposed operands", {numbers({3, 2}), numbers({4, 3})},
                    [](auto& x) { return matmul(transpose(x[0]), transpose(x[1])); }});
  result.push_back({"by itself", {numbers({3, 3})}, [](auto& x) { return matmul(x[0], x[0]); }});
  return result;
}

Sample summed(const char* subscripts, std::vector<Shape> shapes) {
  Variables xs;
  for (const Shape& shape : shapes) xs.push_back(numbers(shape));
  return {subscripts, xs, [subscripts](auto& x) { return einsum(subscripts, x); }};
}

// Well away from singular, with distinct eigenvalues.
Variable regular(const Shape& shape) {
  std::size_t n = shape.back();
  return numbers(shape, -1, 1) + diag(3.0 * (1 + arange(n).to(float64)));
}

Variable positive_definite(const Variable& a) { return matmul(a, swapaxes(a, -1, -2)); }

// The sign of a vector is arbitrary.
Variable unsigned_vectors(const Eigen& e) { return expand_dims(e.values, -2) * square(e.vectors); }

}  // namespace

std::vector<Operation> linear_algebra() {
  return {
      general("matmul", products()),
      general("dot", {{"vectors", {numbers({3}), numbers({3})}, [](auto& x) { return dot(x[0], x[1]); }},
                      {"empty", {numbers({0}), numbers({0})}, [](auto& x) { return dot(x[0], x[1]); }}}),
      general("inner", {{"vectors", {numbers({3}), numbers({3})}, [](auto& x) { return inner(x[0], x[1]); }},
                        {"a scalar", {numbers({}), numbers({3})}, [](auto& x) { return inner(x[0], x[1]); }},
                        {"many axes", {numbers({2, 1, 3}), numbers({4, 3})}, [](auto& x) { return inner(x[0], x[1]); }}}),
      general("outer", {{"vectors", {numbers({3}), numbers({2})}, [](auto& x) { return outer(x[0], x[1]); }},
                        {"empty", {numbers({0}), numbers({2})}, [](auto& x) { return outer(x[0], x[1]); }}}),
      general("mv", {{"wide", {numbers({2, 3}), numbers({3})}, [](auto& x) { return mv(x[0], x[1]); }}}),
      general("bmm", {{"batch", {numbers({2, 3, 1}), numbers({2, 1, 4})}, [](auto& x) { return bmm(x[0], x[1]); }}}),
      general("addmm",
              {{"a row", {numbers({3}), numbers({2, 2}), numbers({2, 3})}, [](auto& x) { return addmm(x[0], x[1], x[2]); }},
               {"weighted", {numbers({2, 1}), numbers({2, 2}), numbers({2, 3})},
                [](auto& x) { return addmm(x[0], x[1], x[2], 0.5, -2); }},
               {"without the input", {numbers({2, 2}), numbers({2, 3})},
                [](auto& x) { return addmm(full({}, NAN, float64), x[0], x[1], 0); }}}),
      general("tensordot",
              {{"two axes", {numbers({2, 3, 4}), numbers({3, 4, 2})}, [](auto& x) { return tensordot(x[0], x[1]); }},
               {"no axis", {numbers({2}), numbers({3, 1})}, [](auto& x) { return tensordot(x[0], x[1], 0); }},
               {"named axes", {numbers({2, 3, 4}), numbers({4, 5, 2})},
                [](auto& x) { return tensordot(x[0], x[1], {-1, 0}, {0, 2}); }}}),
      general("kron",
              {{"matrices", {numbers({2, 3}), numbers({3, 1})}, [](auto& x) { return kron(x[0], x[1]); }},
               {"of other ranks", {numbers({2}), numbers({2, 2, 3})}, [](auto& x) { return kron(x[0], x[1]); }}}),
      general("einsum",
              {summed("ij,jk->ik", {{2, 3}, {3, 4}}), summed("bij,bjk->bik", {{2, 2, 3}, {2, 3, 2}}),
               summed("ij,kl,jk->il", {{2, 3}, {4, 2}, {3, 4}}), summed("ii->i", {{3, 3}}), summed("ii", {{3, 3}}),
               summed("iji->j", {{2, 3, 2}}), summed("ij->", {{2, 3}}), summed("ba", {{2, 3}}),
               summed("i,i,i->i", {{3}, {3}, {3}}), summed("i,j", {{2}, {3}}), summed("...ij,...j->...i", {{2, 2, 3}, {3}}),
               summed("a...,...->...a", {{2, 3}, {4, 1}}), summed("ij,ij->j", {{1, 3}, {2, 3}}),
               summed("bi,bi->b", {{2, 3}, {2, 3}}), summed("ij,j->i", {{2, 0}, {0}}), summed(",->", {{}, {}}),
               {"one operand twice", {numbers({2, 2})}, [](auto& x) { return einsum("ij,jk", {x[0], x[0]}); }}}),
  };
}

std::vector<Operation> decompositions() {
  auto of_matrices = [](const char* name, auto f) {
    Operation result{name, true, {}};
    for (const Shape& shape : std::vector<Shape>{{3, 3}, {1, 1}, {2, 2, 2}, {0, 2, 2}})
      result.samples.push_back({to_string(shape), {regular(shape)}, [f](auto& x) { return f(x[0]); }});
    return result;
  };
  return {
      of_matrices("inverse", [](auto& a) { return inverse(a); }),
      [&] {
        Operation result = of_matrices("det", [](auto& a) { return det(a); });
        // Of rank n - 1 where the samples stand, and regular beside them.
        result.samples.push_back({"singular", {numbers({2, 3, 2}), numbers({2, 2, 3})},
                                  [](auto& x) { return det(matmul(x[0], x[1])); }});
        result.samples.push_back({"singular from all sides", {Variable({{1, 2, 3}, {2, 1, 0}, {3, 3, 3}}, float64)},
                                  [](auto& x) { return det(x[0]); }});
        return result;
      }(),
      of_matrices("slogdet", [](auto& a) { return slogdet(a).logabsdet; }),
      of_matrices("cholesky", [](auto& a) { return cholesky(positive_definite(a)) + cholesky(positive_definite(a), true); }),
      with(of_matrices("eigh", [](auto& a) { return unsigned_vectors(eigh(a)); }),
           {{"the lower triangle", {regular({2, 3, 3})},
             [](auto& x) { return unsigned_vectors(eigh(x[0] + swapaxes(x[0], -1, -2), "L")); }},
            {"the upper triangle", {regular({3, 3})},
             [](auto& x) { return unsigned_vectors(eigh(x[0] + transpose(x[0]), "U")); }}}),
      with(of_matrices("eigvalsh", [](auto& a) { return eigvalsh(a); }),
           {{"the lower triangle", {regular({2, 3, 3})},
             [](auto& x) { return eigvalsh(x[0] + swapaxes(x[0], -1, -2), "L"); }}}),
      general("svd", [&] {
        std::vector<Sample> list;
        // The sign of a pair of vectors is arbitrary.
        for (const Shape& shape : {Shape{3, 3}, Shape{4, 2}, Shape{2, 2, 3}, Shape{1, 1}, Shape{0, 2, 2}, Shape{3, 0}})
          list.push_back({to_string(shape), {numbers(shape)}, [](auto& x) {
                            auto [u, s, vh] = svd(x[0]);
                            return matmul(square(u) * expand_dims(s, -2), exp(square(vh)));
                          }});
        list.push_back({"full", {numbers({4, 2})}, [](auto& x) {
                          auto [u, s, vh] = svd(x[0], true);
                          return matmul(square(u[{ellipsis, range(0, 2)}]) * s, square(vh));
                        }});
        return list;
      }()),
      general("svdvals", {{"tall", {numbers({4, 2})}, [](auto& x) { return svdvals(x[0]); }},
                          {"a batch", {numbers({2, 2, 3})}, [](auto& x) { return svdvals(x[0]); }}}),
      general("matrix_norm", [&] {
        std::vector<Sample> list;
        for (double p : {1.0, -1.0, 2.0, -2.0, HUGE_VAL, -HUGE_VAL})
          list.push_back({std::to_string(p), {numbers({3, 2})}, [p](auto& x) { return matrix_norm(x[0], p); }});
        for (std::string kind : {"fro", "nuc"})
          for (bool keepdims : {false, true})
            list.push_back({kind, {numbers({3, 2, 4})},
                            [=](auto& x) { return matrix_norm(x[0], kind, {-1, 0}, keepdims); }});
        return list;
      }()),
      of_matrices("matrix_power", [](auto& a) { return matrix_power(a, 5) * 1e-3 + matrix_power(a, -2) + matrix_power(a, 0); }),
      general("qr", {{"square", {regular({3, 3})}, [](auto& x) { auto [q, r] = qr(x[0]); return matmul(square(q), square(r)); }},
                     {"wide", {numbers({2, 4})}, [](auto& x) { auto [q, r] = qr(x[0]); return matmul(square(q), square(r)); }},
                     {"tall", {numbers({2, 4, 2})}, [](auto& x) { auto [q, r] = qr(x[0]); return matmul(square(q), square(r)); }},
                     {"wide, complete", {numbers({2, 4})},
                      [](auto& x) { auto [q, r] = qr(x[0], "complete"); return matmul(square(q), square(r)); }}}),
      general("solve",
              {{"a vector", {regular({3, 3}), numbers({3})}, [](auto& x) { return solve(x[0], x[1]); }},
               {"a batch", {regular({2, 1, 2, 2}), numbers({3, 2, 4})}, [](auto& x) { return solve(x[0], x[1]); }},
               {"a batch of vectors", {regular({2, 3, 3}), numbers({2, 3})}, [](auto& x) { return solve(x[0], x[1]); }},
               {"from the right", {regular({2, 3, 3}), numbers({4, 3})}, [](auto& x) { return solve(x[0], x[1], false); }},
               {"no columns", {regular({2, 2}), numbers({2, 0})}, [](auto& x) { return solve(x[0], x[1]); }}}),
      general("solve_triangular",
              {{"lower", {regular({3, 3}), numbers({3, 2})}, [](auto& x) { return solve_triangular(x[0], x[1]); }},
               {"upper", {regular({3, 3}), numbers({3})}, [](auto& x) { return solve_triangular(x[0], x[1], true); }},
               {"from the right", {regular({3, 3}), numbers({2, 3})},
                [](auto& x) { return solve_triangular(x[0], x[1], true, false, false) + solve_triangular(x[0], x[1], false, true, false); }},
               {"unit diagonal", {regular({3, 3}), numbers({3, 2})},
                [](auto& x) { return solve_triangular(x[0], x[1], false, true) + solve_triangular(x[0], x[1], true, true); }}}),
      general("lstsq", {{"tall", {numbers({4, 2}), numbers({4})}, [](auto& x) { return lstsq(x[0], x[1]); }},
                        {"a batch of vectors", {numbers({2, 3, 2}), numbers({2, 3})}, [](auto& x) { return lstsq(x[0], x[1]); }},
                        {"wide", {numbers({2, 4}), numbers({2, 3})}, [](auto& x) { return lstsq(x[0], x[1]); }}}),
      general("pinv", {{"tall", {numbers({4, 2})}, [](auto& x) { return pinv(x[0]); }},
                       {"wide", {numbers({2, 3})}, [](auto& x) { return pinv(x[0]); }},
                       {"tolerances", {numbers({2, 3})},
                        [](auto& x) { return pinv(x[0], {.atol = 1e-3, .rtol = 1e-3}); }},
                       {"symmetric", {numbers({2, 3, 3})},
                        [](auto& x) { return pinv(x[0] + swapaxes(x[0], -1, -2), {.hermitian = true}); }}}),
  };
}

std::vector<Operation> matrix_functions() {
  return {
      general("matrix_exp", {{"small", {numbers({2, 3, 3})}, [](auto& x) { return matrix_exp(x[0]); }},
                             {"large", {numbers({2, 2}, -9, 9)}, [](auto& x) { return matrix_exp(x[0]) * 1e-4; }},
                             {"none", {numbers({0, 2, 2})}, [](auto& x) { return matrix_exp(x[0]); }}}),
      general("logdet", {{"batch", {regular({2, 3, 3})}, [](auto& x) { return logdet(x[0]); }}}),
      general("cholesky_solve",
              {{"lower", {regular({2, 3, 3}), numbers({3, 2})}, [](auto& x) { return cholesky_solve(x[1], x[0]); }},
               {"upper", {regular({3, 3}), numbers({3, 1})}, [](auto& x) { return cholesky_solve(x[1], x[0], true); }}}),
      general("multi_dot",
              {{"matrices", {numbers({2, 5}), numbers({5, 1}), numbers({1, 3})}, [](auto& x) { return multi_dot(x); }},
               {"a row and a column", {numbers({2}), numbers({2, 3}), numbers({3})}, [](auto& x) { return multi_dot(x); }},
               {"one", {numbers({2, 3})}, [](auto& x) { return square(multi_dot(x)); }}}),
      general("vander", {{"square", {numbers({2, 3})}, [](auto& x) { return vander(x[0]); }},
                         {"more powers", {numbers({2})}, [](auto& x) { return vander(x[0], 4, true); }},
                         {"of 0", {Variable({0.0, 1.5}, float64)}, [](auto& x) { return vander(x[0], 4); }},
                         {"one power", {numbers({2})}, [](auto& x) { return vander(x[0], 1) * x[0][0]; }},
                         {"none", {numbers({2, 0})}, [](auto& x) { return vander(x[0]); }}}),
  };
}

}  // namespace samples
