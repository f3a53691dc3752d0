// Values of matrix products, decompositions and what is made of them, against their definitions.
#include <algorithm>
#include <cmath>
#include <map>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

#include "values.hpp"

using namespace xtape;

BOOST_AUTO_TEST_SUITE(values)

BOOST_AUTO_TEST_CASE(matmul_agrees_with_its_definition) {
  Variable a = randn({2, 1, 3, 4}, float64), b = randn({5, 4, 2}, float64), c = matmul(a, b);
  BOOST_TEST((c.shape() == Shape{2, 5, 3, 2}));
  auto x = a.array<double>(), y = b.array<double>(), z = c.array<double>();
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 5; ++j)
      for (std::size_t m = 0; m < 3; ++m)
        for (std::size_t n = 0; n < 2; ++n) {
          double expected = 0;
          for (std::size_t k = 0; k < 4; ++k) expected += x(i, 0, m, k) * y(j, k, n);
          BOOST_TEST(z(i, j, m, n) == expected, boost::test_tools::tolerance(1e-13));
        }
  BOOST_TEST(matmul(arange(4).to(float32), ones({4})).item() == 6);
  BOOST_TEST((matmul(ones({3, 0}), ones({0, 2})).shape() == Shape{3, 2}));
  BOOST_TEST(sum(matmul(ones({3, 0}), ones({0, 2}))).item() == 0);
  BOOST_TEST((matmul(ones({4, 2, 3}), ones({3})).shape() == Shape{4, 2}));
  BOOST_TEST((matmul(ones({3}), ones({4, 3, 2})).shape() == Shape{4, 2}));
}

namespace {

// The definition of Einstein's summation: a loop over every value of every letter. No "...", no broadcasting.
Variable sum_of_products(const std::string& subscripts, const std::vector<Variable>& xs) {
  std::string terms = subscripts.substr(0, subscripts.find("->")) + ",", output = subscripts.substr(terms.size() + 1);
  std::vector<std::string> labels;
  for (std::size_t start = 0; start < terms.size(); start = terms.find(',', start) + 1)
    labels.push_back(terms.substr(start, terms.find(',', start) - start));
  std::map<char, std::size_t> extents, at;
  for (std::size_t k = 0; k < xs.size(); ++k)
    for (std::size_t i = 0; i < labels[k].size(); ++i) extents[labels[k][i]] = xs[k].shape()[i];
  auto element = [&](const std::string& names) {
    std::size_t position = 0;
    for (char name : names) position = position * extents[name] + at[name];
    return position;
  };
  Shape shape;
  for (char name : output) shape.push_back(extents[name]);
  Array result = Array::full(shape, 0, float64);
  std::size_t count = 1;
  for (auto& [name, extent] : extents) count *= extent;
  for (std::size_t n = 0; n < count; ++n) {
    std::size_t rest = n;
    for (auto& [name, extent] : extents) at[name] = rest % extent, rest /= extent;
    double product = 1;
    for (std::size_t k = 0; k < xs.size(); ++k) product *= xs[k].value().at(element(labels[k]));
    result.mutable_data<double>()[element(output)] += product;
  }
  return Variable(result);
}

}  // namespace

BOOST_AUTO_TEST_CASE(einsum_is_what_it_is_defined_as) {
  seed(3);
  std::map<char, std::size_t> extents{{'a', 2}, {'b', 3}, {'c', 4}, {'d', 1}, {'e', 2}};
  for (std::string subscripts :
       {"ab,bc->ac", "ab,bc->ca", "abc->cab", "abc->b", "aba->ab", "aaa->a", "ab,ab->", "ab,cb,ad->dc", "a,b,c->cba",
        "abc,cb,ab->a", "ab,bc,cd,de->ae", "abb,bcc->ac", "ea,ba,ec->bce", "a->a", "ab,a->b", "abcd,cdb->a", "->"}) {
    std::vector<Variable> xs;
    Shape shape;
    for (char name : subscripts.substr(0, subscripts.find('>')))
      if (extents.contains(name)) shape.push_back(extents[name]);
      else if (name == ',' || name == '-') xs.push_back(randn(shape, float64)), shape.clear();
    Variable expected = sum_of_products(subscripts, xs), found = einsum(subscripts, xs);
    BOOST_TEST_CONTEXT(subscripts) {
      BOOST_TEST((found.shape() == expected.shape()));
      BOOST_TEST((found.shape() == expected.shape() && all(abs(found - expected) < 1e-12).item() == 1));
    }
  }
}

BOOST_AUTO_TEST_CASE(decompositions_multiply_back) {
  seed(7);
  auto near = [](const Variable& a, const Variable& b, double tolerance = 1e-11) {
    BOOST_TEST_REQUIRE((a.shape() == b.shape()));
    BOOST_TEST(max(abs(a - b)).item() < tolerance);
  };
  for (DType dtype : {float64, float32}) {
    double tolerance = dtype == float64 ? 1e-11 : 2e-4;
    Variable a = randn({2, 3, 5, 5}, dtype) + 3 * eye(5, 5, dtype), b = randn({3, 5, 2}, dtype);
    Variable one = broadcast_to(eye(5, 5, dtype), a.shape());
    near(matmul(inverse(a), a), one, tolerance);
    near(matmul(a, solve(a, b)), broadcast_to(b, {2, 3, 5, 2}), tolerance);
    near(matmul(tril(a), solve_triangular(a, b)), broadcast_to(b, {2, 3, 5, 2}), tolerance);
    Variable s = matmul(a, swapaxes(a, -1, -2)), l = cholesky(s);
    near(matmul(l, swapaxes(l, -1, -2)), s, 10 * tolerance);
    near(tril(l), l, tolerance);
    auto [w, v] = eigh(s);
    near(matmul(v * expand_dims(w, -2), swapaxes(v, -1, -2)), s, 10 * tolerance);
    near(matmul(swapaxes(v, -1, -2), v), one, tolerance);
    BOOST_TEST(all(w[{ellipsis, range(1, none)}] >= w[{ellipsis, range(none, -1)}]).item() == 1);
    Variable tall = a[{ellipsis, range(0, 3)}];
    auto [q, r] = qr(tall);
    near(matmul(q, r), tall, tolerance);
    near(matmul(swapaxes(q, -1, -2), q), broadcast_to(eye(3, 3, dtype), {2, 3, 3, 3}), tolerance);
    near(triu(r), r, tolerance);
    near(matmul(pinv(tall), tall), broadcast_to(eye(3, 3, dtype), {2, 3, 3, 3}), tolerance);
    near(lstsq(tall, b), matmul(pinv(tall), b), tolerance);
    Variable wide = swapaxes(tall, -1, -2), c = b[{ellipsis, range(0, 3), range()}];
    near(matmul(wide, lstsq(wide, c)), broadcast_to(c, {2, 3, 3, 2}), tolerance);
    near(swapaxes(pinv(wide), -1, -2), pinv(tall), tolerance);
    auto [wide_q, wide_r] = qr(wide);
    near(matmul(wide_q, wide_r), wide, tolerance);
    near(triu(wide_r), wide_r, tolerance);
    near(eigvalsh(s), w, 10 * tolerance);
    for (const Variable& x : {a, tall, wide}) {
      auto [u, values, vh] = svd(x);
      Variable unit = eye(values.shape(-1), values.shape(-1), dtype);
      near(matmul(u * expand_dims(values, -2), vh), x, tolerance);
      near(matmul(swapaxes(u, -1, -2), u), broadcast_to(unit, {2, 3, values.shape(-1), values.shape(-1)}), tolerance);
      near(matmul(vh, swapaxes(vh, -1, -2)), broadcast_to(unit, {2, 3, values.shape(-1), values.shape(-1)}), tolerance);
      Variable basis = swapaxes(svd(swapaxes(x, -1, -2), true).vh, -1, -2);  // of the space of x's columns
      std::size_t m = x.shape(-2), n = x.shape(-1), k = std::min(m, n);
      near(matmul(swapaxes(basis, -1, -2), basis), broadcast_to(eye(m, m, dtype), {2, 3, m, m}), tolerance);
      near(matmul(x, swapaxes(svd(x, true).vh, -1, -2)),
           concatenate({u * expand_dims(values, -2), zeros({2, 3, m, n - k}, dtype)}, -1), tolerance);
      auto [complete_q, complete_r] = qr(x, "complete");
      near(matmul(complete_q, complete_r), x, tolerance);
      near(triu(complete_r), complete_r, tolerance);
      near(matmul(swapaxes(complete_q, -1, -2), complete_q), broadcast_to(eye(m, m, dtype), {2, 3, m, m}), tolerance);
      near(svdvals(x), values, tolerance);
      BOOST_TEST(all(values[{ellipsis, range(1, none)}] <= values[{ellipsis, range(none, -1)}]).item() == 1);
      BOOST_TEST(all(values > 0).item() == 1);
      near(matrix_norm(x, 2), max(values, -1), tolerance);
      near(matrix_norm(x, "nuc"), sum(values, -1), tolerance);
      near(matrix_norm(x), sqrt(sum(square(values), -1)), tolerance);
      near(matrix_norm(x, 1), max(sum(abs(x), -2), -1), tolerance);
      near(matrix_norm(x, -infinity), min(sum(abs(x), -1), -1), tolerance);
    }    near(matrix_power(a, 3), matmul(matmul(a, a), a), tolerance * 100);
    near(matmul(matrix_power(a, -2), matmul(a, a)), one, tolerance * 10);
  }
}

BOOST_AUTO_TEST_CASE(rows_to_solve_for_are_no_columns) {
  Variable a = eye(2) * 2 + zeros({2, 2, 2}), b({{2, 4}, {6, 8}});
  Variable x = solve(a, b, false);
  BOOST_TEST((x.shape() == Shape{2, 2, 2}));
  equal(x[0], {{1, 2}, {3, 4}});
  equal(x[1], {{1, 2}, {3, 4}});
}

BOOST_AUTO_TEST_CASE(determinants) {
  Variable a({{0, 2, 0}, {1, 0, 0}, {0, 0, -5}}, float64);
  BOOST_TEST(det(a).item() == 10);
  auto [sign, logabsdet] = slogdet(-a);
  BOOST_TEST(sign.item() == -1);
  BOOST_TEST(std::abs(logabsdet.item() - std::log(10)) < 1e-14);
  BOOST_TEST(det(zeros({2, 2})).item() == 0);
  BOOST_TEST(slogdet(zeros({2, 2})).sign.item() == 0);
  BOOST_TEST(slogdet(zeros({2, 2})).logabsdet.item() == -infinity);
  BOOST_TEST(det(zeros({0, 0})).item() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
