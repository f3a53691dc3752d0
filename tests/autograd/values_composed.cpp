// Values of the operations that are compositions of others: closed forms, and the examples of NumPy's documentation.
#include <cmath>

#include "values_support.hpp"

using namespace xtape;
using xtape::testing::close;
using xtape::testing::doubles;
using xtape::testing::not_a_number;
using xtape::testing::same;
using xtape::testing::throws;

BOOST_AUTO_TEST_SUITE(values_composed)

BOOST_AUTO_TEST_CASE(quantiles) {
  Variable a = doubles({{10, 7, 4}, {3, 2, 1}});
  BOOST_TEST(quantile(a, 0.5).item() == 3.5);
  same(quantile(a, 0.5, 0), doubles({6.5, 4.5, 2.5}));
  same(quantile(a, 0.5, 1, true), doubles({{7}, {2}}));
  same(quantile(a, doubles({0, 1}), 1), doubles({{4, 1}, {10, 3}}));
  Variable b = doubles({1, 2, 3, 4});  // the rank of 0.45 is 1.35, that of 0.5 is 1.5
  for (auto [kind, expected] : {std::pair("linear", 2.35), {"lower", 2.0}, {"higher", 3.0}, {"midpoint", 2.5}, {"nearest", 2.0}})
    BOOST_TEST(quantile(b, 0.45, {}, false, kind).item() == expected, boost::test_tools::tolerance(1e-15));
  BOOST_TEST(quantile(b, 0.5, {}, false, "nearest").item() == 3);
  BOOST_TEST(std::isnan(quantile(doubles({1, not_a_number, 2}), 0.1).item()));
  same(quantile(Variable({1.0, 2.0}), 0.25), Variable(Array::scalar(1.25, float32)));
  Variable ends = doubles({1, INFINITY});
  BOOST_TEST(quantile(ends, 0.5, {}, false, "lower").item() == 1);
  BOOST_TEST(quantile(ends, 0.5, {}, false, "higher").item() == INFINITY);
  throws<ValueError>([&] { quantile(a, 1.5); }, {"quantile", "[0, 1]"});
  throws<ValueError>([&] { quantile(a, not_a_number); }, {"quantile", "[0, 1]"});
  throws<ValueError>([&] { quantile(a, 0.5, {}, false, "cubic"); }, {"quantile", "cubic", "midpoint"});
  throws<ShapeError>([&] { quantile(zeros({2, 0}), 0.5, 1); }, {"quantile", "(2, 0)", "no elements"});
  throws<ShapeError>([&] { quantile(a, zeros({2, 2})); }, {"quantile", "(2, 2)"});
  throws<DTypeError>([&] { quantile(arange(3), 0.5); }, {"quantile", "int64"});

  WithIndices third = kthvalue(a, 3);
  same(third.values, doubles({10, 3}));
  same(third.indices, Variable({0, 0}, int64));
  throws<ValueError>([&] { kthvalue(a, 0); }, {"kthvalue", "0th", "(2, 3)"});
  throws<ValueError>([&] { kthvalue(a, 4); }, {"kthvalue", "4th of 3"});
}

BOOST_AUTO_TEST_CASE(of_what_is_not_nan) {
  Variable a = doubles({{1, not_a_number}, {3, 4}});
  BOOST_TEST(nansum(a).item() == 8);
  same(nanmean(a, 0), doubles({2, 4}));
  BOOST_TEST(std::isnan(nanmean(doubles({not_a_number})).item()));
  BOOST_TEST(nansum(doubles({not_a_number})).item() == 0);
}

BOOST_AUTO_TEST_CASE(running_extrema) {
  auto [values, indices] = cummax(doubles({1, 3, 2, 3, 0}), 0);
  same(values, doubles({1, 3, 3, 3, 3}));
  same(indices, Variable({0, 1, 1, 3, 3}, int64));
  same(cummin(doubles({{2, 1}, {3, 0}, {1, 5}}), 0).values, doubles({{2, 1}, {2, 0}, {1, 0}}));
  BOOST_TEST(std::isnan(cummin(doubles({1, not_a_number, 0}), 0).values.value().at(2)));
  throws<ShapeError>([] { cummax(zeros({2}), 1); }, {"cummax", "axis 1"});
}

BOOST_AUTO_TEST_CASE(differences_and_integrals) {
  same(diff(doubles({1, 2, 4, 7, 0})), doubles({1, 2, 3, -7}));
  same(diff(doubles({1, 2, 4, 7, 0}), 2), doubles({1, 1, -10}));
  same(diff(doubles({{1, 3, 6, 10}, {0, 5, 6, 8}}), 1, 0), doubles({{-1, 2, 0, -2}}));
  BOOST_TEST(trapezoid(doubles({1, 2, 3})).item() == 4);
  BOOST_TEST(trapezoid(doubles({1, 2, 3}), 2).item() == 8);
  BOOST_TEST(trapezoid(doubles({1, 2, 3}), doubles({4, 6, 8})).item() == 8);
  same(trapezoid(doubles({{0, 1, 2}, {3, 4, 5}}), 1, 0), doubles({1.5, 2.5, 3.5}));
  same(cumulative_trapezoid(doubles({1, 2, 3}), doubles({4, 6, 8})), doubles({3, 8}));
  BOOST_TEST(trapezoid(doubles({5})).item() == 0);
  throws<ShapeError>([] { trapezoid(zeros({3, 2}), zeros({4})); }, {"trapezoid", "(4,)", "(3, 2)"});
}

BOOST_AUTO_TEST_CASE(covariances) {
  same(cov(doubles({{0, 1, 2}, {2, 1, 0}})), doubles({{1, -1}, {-1, 1}}));
  BOOST_TEST(cov(doubles({1, 2, 3, 4}), 0).item() == 1.25);
  close(corrcoef(doubles({{0, 1, 2}, {2, 1, 0}})), doubles({{1, -1}, {-1, 1}}), 1e-15);
  throws<ShapeError>([] { cov(zeros({2, 3, 4})); }, {"cov", "(2, 3, 4)", "observations"});
}

BOOST_AUTO_TEST_CASE(joining) {
  Variable a = doubles({1, 2}), b = doubles({3, 4});
  same(hstack({a, b}), doubles({1, 2, 3, 4}));
  same(vstack({a, b}), doubles({{1, 2}, {3, 4}}));
  same(dstack({a, b}), doubles({{{1, 3}, {2, 4}}}));
  same(hstack({doubles({{1}, {2}}), doubles({{3}, {4}})}), doubles({{1, 3}, {2, 4}}));
  same(block_diag({doubles({{1, 2}, {3, 4}}), doubles({5})}), doubles({{1, 2, 0}, {3, 4, 0}, {0, 0, 5}}));
  throws<ShapeError>([] { hstack({}); }, {"no arrays"});
  throws<ShapeError>([] { block_diag({zeros({1, 1, 1})}); }, {"block_diag", "(1, 1, 1)"});
  auto sizes = [](const std::vector<Variable>& parts) {
    std::vector<std::size_t> result;
    for (const Variable& part : parts) result.push_back(part.shape(0));
    return result;
  };
  BOOST_TEST(sizes(chunk(zeros({7}), 3)) == (std::vector<std::size_t>{3, 3, 1}), boost::test_tools::per_element());
  BOOST_TEST(sizes(array_split(zeros({7}), 3)) == (std::vector<std::size_t>{3, 2, 2}), boost::test_tools::per_element());
  BOOST_TEST(sizes(array_split(zeros({1}), 3)) == (std::vector<std::size_t>{1, 0, 0}), boost::test_tools::per_element());
  throws<ValueError>([] { chunk(zeros({7}), 0); }, {"chunk", "(7,)"});
  throws<ValueError>([] { chunk(zeros({7}), -1); }, {"chunk", "-1", "(7,)"});
  throws<ValueError>([] { array_split(zeros({7}), -1); }, {"array_split", "-1", "(7,)"});
  throws<ValueError>([] { array_split(zeros({7}), 0); }, {"array_split", "(7,)"});
}

BOOST_AUTO_TEST_CASE(turning) {
  Variable m = doubles({{1, 2}, {3, 4}});
  same(rot90(m), doubles({{2, 4}, {1, 3}}));
  same(rot90(m, 2), doubles({{4, 3}, {2, 1}}));
  same(rot90(m, -1), doubles({{3, 1}, {4, 2}}));
  same(rot90(m, 1, 1, 0), doubles({{3, 1}, {4, 2}}));
  throws<ShapeError>([&] { rot90(m, 1, 0, -2); }, {"rot90", "twice"});
  same(diag_embed(doubles({1, 2})), doubles({{1, 0}, {0, 2}}));
  same(diag_embed(doubles({{1}, {2}}), 1), doubles({{{0, 1}, {0, 0}}, {{0, 2}, {0, 0}}}));
  same(unflatten(doubles({1, 2, 3, 4}), 0, {2, -1}), doubles({{1, 2}, {3, 4}}));
  throws<ShapeError>([] { unflatten(zeros({2, 4}), 1, {3, -1}); }, {"unflatten"});
}

BOOST_AUTO_TEST_CASE(places) {
  Variable x = doubles({{1, 2, 3}, {4, 5, 6}}), first_and_last({0, -1}, int64), twice({1, 1}, int64);
  same(index_add(x, 1, twice, doubles({{10, 20}, {30, 40}})), doubles({{1, 32, 3}, {4, 75, 6}}));
  same(index_add(x, 1, twice, doubles({{10, 20}, {30, 40}}), -1), doubles({{1, -28, 3}, {4, -65, 6}}));
  same(index_copy(x, 1, first_and_last, doubles({{7, 8}, {9, 0}})), doubles({{7, 2, 8}, {9, 5, 0}}));
  same(index_fill(x, 1, twice, 0), doubles({{1, 0, 3}, {4, 0, 6}}));
  same(index_fill(x, 0, Variable({-1}, int64), 9), doubles({{1, 2, 3}, {9, 9, 9}}));
  same(masked_scatter(x, x > 2, doubles({9, 8, 7, 6, 5})), doubles({{1, 2, 9}, {8, 7, 6}}));
  same(masked_scatter(x, Variable({0, 0, 1}, boolean), doubles({9, 8})), doubles({{1, 2, 9}, {4, 5, 8}}));
  throws<ShapeError>([&] { masked_scatter(x, x > 2, zeros({3}, float64)); }, {"masked_scatter", "(3,)", "4 places"});
  throws<DTypeError>([&] { masked_scatter(x, x, x); }, {"masked_scatter", "bool"});
  throws<ValueError>([&] { index_copy(x, 1, twice, zeros({2, 2}, float64)); }, {"twice"});
  throws<ShapeError>([&] { index_add(x, 1, twice, zeros({2, 3}, float64)); }, {"index_add", "(2, 3)", "(2, 2)"});
  throws<ValueError>([&] { index_fill(x, 0, Variable({2}, int64), 0); }, {"index_fill", "2"});
  throws<DTypeError>([&] { index_add(x, 1, zeros({2}), x); }, {"index_add", "int64"});
}

// Against plain loops over what NumPy's documentation says of each place.
BOOST_AUTO_TEST_CASE(arrays_of_positions) {
  Variable x = reshape(arange(24).to(float64), {2, 3, 4});
  auto at = [](double i, double j, double k) { return 12 * i + 4 * j + k; };
  same(x[{Variable({1, 0}, int64), Variable({2, -1}, int64)}], stack({x[{1, 2}], x[{0, 2}]}));
  same(x[{Variable({{1}, {0}}, int64), Variable({0, 2}, int64), 3}],
       doubles({{at(1, 0, 3), at(1, 2, 3)}, {at(0, 0, 3), at(0, 2, 3)}}));
  // Apart: the picked axis comes first; neighbours: in their place.
  same(x[{Variable({1, 0}, int64), range(), Variable({3, 1}, int64)}], stack({x[{1, range(), 3}], x[{0, range(), 1}]}));
  same(x[{range(), Variable({2, 0}, int64), Variable({3, 1}, int64)}],
       doubles({{at(0, 2, 3), at(0, 0, 1)}, {at(1, 2, 3), at(1, 0, 1)}}));
  same(x[{ellipsis, Variable({1, 0, 1}, boolean), Variable({3, 1}, int64)}],
       doubles({{at(0, 0, 3), at(0, 2, 1)}, {at(1, 0, 3), at(1, 2, 1)}}));
  throws<ShapeError>([&] { x[{Variable({0, 1}, int64), Variable({0, 1, 2}, int64)}]; }, {"slice", "(2,)", "(3,)"});
  throws<ValueError>([&] { x[{Variable({0, 1}, int64), Variable({0, 3}, int64)}]; }, {"slice", "index 3"});
  throws<ShapeError>([&] { x[{Variable({1, 0}, boolean), Variable({1, 0}, boolean)}]; }, {"slice", "(2,)", "(3,)"});

  Variable m = doubles({{1, 2, 3}, {4, 5, 6}});
  same(slice_assign(m, {m > 4}, 0), doubles({{1, 2, 3}, {4, 0, 0}}));
  same(slice_assign(m, {m > 4}, doubles({8, 9})), doubles({{1, 2, 3}, {4, 8, 9}}));
  same(slice_assign(m, {range(), Variable({2, 0}, int64)}, doubles({{7, 8}})), doubles({{8, 2, 7}, {8, 5, 7}}));
  throws<ValueError>([&] { slice_assign(m, {Variable({0, 0}, int64)}, 1); }, {"slice_assign", "twice"});
  throws<DTypeError>([&] { slice_assign(m, {m > 4}, zeros({2})); }, {"slice_assign", "float32", "float64"});
  throws<ShapeError>([&] { slice_assign(m, {m > 4}, doubles({1, 2, 3})); }, {"slice_assign", "(3,)", "(2,)"});
  same(triu(ones({2, 2}, boolean), 1), Variable({{0, 1}, {0, 0}}, boolean));
  same(where(Variable({1, 0}, boolean), Variable({1, 1}, boolean), false), Variable({1, 0}, boolean));
  same(index_select(m, 1, Variable(2).to(int64)), doubles({{3}, {6}}));
}

BOOST_AUTO_TEST_CASE(refusals) {
  throws<ValueError>([] { lstsq(doubles({{1, 2}, {2, 4}, {3, 6}}), doubles({1, 2, 3})); }, {"lstsq", "(3, 2)", "independent"});
  throws<ValueError>([] { lstsq(doubles({{1, 1}, {1, 1}, {1, 1}}), doubles({1, 2, 3})); }, {"lstsq", "independent"});
  // Columns of other scales are not dependent.
  close(lstsq(doubles({{1e9, 0}, {0, 1e-9}, {0, 0}}), doubles({1e9, 1e-9, 5})), doubles({1, 1}), 1e-12);
  throws<ShapeError>([] { einsum("ii->i", {ones({1, 3})}); }, {"einsum", "(1, 3)", "\"i\""});
  throws<DTypeError>([] { dot(ones({3}), ones({3}, float64)); }, {"dot: ", "float32", "float64"});
}

// The gradient of a row is that of the mean over its occurrences.
BOOST_AUTO_TEST_CASE(embedding_by_frequency) {
  Variable table = parameter(doubles({{1, 2}, {3, 4}, {5, 6}})), rows({{2, 0}, {-1, 2}}, int64);
  Variable y = embedding(table, rows, {}, true);
  same(y, embedding(table, rows));
  close(grad(sum(y * doubles({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}})), table),
        doubles({{3, 4}, {0, 0}, {(1 + 5 + 7) / 3.0, (2 + 6 + 8) / 3.0}}), 1e-15);
}

BOOST_AUTO_TEST_CASE(attention_drops_weights) {
  Variable q = zeros({1, 4000}, float64), k = zeros({4000, 4000}, float64), v = ones({4000, 1}, float64);
  seed(3);
  // Each of 4000 equal weights is kept with probability 0.75, and then divided by it: 1 on average, deviation 0.0091.
  double y = scaled_dot_product_attention(q, k, v, {}, false, {}, 0.25).item();
  BOOST_TEST(std::abs(y - 1) < 0.05);
  BOOST_TEST(y != 1);
}

BOOST_AUTO_TEST_CASE(distances) {
  same(cross(doubles({1, 2, 3}), doubles({4, 5, 6})), doubles({-3, 6, -3}));
  Variable u = doubles({{1, 0, 2}, {2, 1, 0}, {3, 5, 1}}), ones_and = doubles({4, 5, 6});
  same(cross(u, ones_and, 0), cross(u, broadcast_to(ones_and, {3, 3}), 0));
  throws<ShapeError>([] { cross(zeros({2}), zeros({3})); }, {"cross", "(2,)", "(3,)"});
  throws<ShapeError>([] { cross(zeros({2, 4}), zeros({4})); }, {"cross", "(2, 4)", "3 elements"});
  BOOST_TEST(vecdot(doubles({1, 2}), doubles({3, 4})).item() == 11);
  close(normalize(doubles({{3, 4}, {0, 0}})), doubles({{0.6, 0.8}, {0, 0}}), 1e-15);
  close(cosine_similarity(doubles({{1, 0}, {1, 1}}), doubles({{0, 2}, {3, 3}})), doubles({0, 1}), 1e-15);
  close(pairwise_distance(doubles({{3, 4}}), doubles({{0, 0}}), 2, 0), doubles({5}), 1e-15);
  close(cdist(doubles({{0, 0}, {3, 0}}), doubles({{3, 4}})), doubles({{5}, {4}}), 1e-15);
  same(cdist(doubles({{0, 0}, {3, 0}}), doubles({{3, 4}}), 1), doubles({{7}, {4}}));
  close(pdist(doubles({{0, 0}, {3, 4}, {3, 0}})), doubles({5, 3, 4}), 1e-15);
  throws<ShapeError>([] { cdist(zeros({2, 3}), zeros({2, 4})); }, {"cdist", "(2, 3)", "(2, 4)"});
  throws<ShapeError>([] { pdist(zeros({2})); }, {"pdist", "(2,)"});
  throws<DTypeError>([] { normalize(arange(3), 2, 0); }, {"normalize", "int64"});
}

BOOST_AUTO_TEST_CASE(functions_of_matrices) {
  close(matrix_exp(doubles({{0, 1}, {0, 0}})), doubles({{1, 1}, {0, 1}}), 1e-15);
  for (double t : {0.3, 2.0, 40.0})
    close(matrix_exp(doubles({{0, -t}, {t, 0}})), doubles({{std::cos(t), -std::sin(t)}, {std::sin(t), std::cos(t)}}), 1e-13);
  close(matrix_exp(diag(doubles({1, -3, 0.5}))), diag(exp(doubles({1, -3, 0.5}))), 1e-15);
  Variable small = doubles({{0.1, 0.2}, {-0.3, 0.05}});
  same(matrix_exp(stack({small, 1e3 * doubles({{0, -1}, {1, 0}})}))[0], matrix_exp(small));
  throws<ShapeError>([] { matrix_exp(zeros({2, 3})); }, {"matrix_exp", "(2, 3)", "square"});
  throws<ValueError>([] { matrix_exp(doubles({{INFINITY}})); }, {"matrix_exp", "finite"});

  BOOST_TEST(logdet(doubles({{2, 1}, {1, 3}})).item() == std::log(5.0), boost::test_tools::tolerance(1e-15));
  BOOST_TEST(std::isnan(logdet(doubles({{0, 1}, {1, 0}})).item()));
  BOOST_TEST(logdet(doubles({{1, 1}, {1, 1}})).item() == -INFINITY);
  Variable l = doubles({{2, 0}, {1, 3}}), b = doubles({{4}, {11}});
  close(matmul(matmul(l, transpose(l)), cholesky_solve(b, l)), b, 1e-14);
  close(cholesky_solve(b, transpose(l), true), cholesky_solve(b, l), 1e-15);
  same(multi_dot({doubles({{1, 2}}), doubles({{3}, {4}}), doubles({{5, 6}})}), doubles({{55, 66}}));
  BOOST_TEST(multi_dot({doubles({1, 2}), doubles({{0, 1}, {1, 0}}), doubles({3, 4})}).item() == 10);
  throws<ShapeError>([] { multi_dot({}); }, {"multi_dot", "no matrices"});
  throws<ShapeError>([] { multi_dot({zeros({2, 3}), zeros({2, 3})}); }, {"multi_dot", "(2, 3)", "3 columns"});
  throws<ShapeError>([] { multi_dot({zeros({2, 3}), zeros({3}), zeros({3, 2})}); }, {"multi_dot", "(3,)", "place 1"});
  same(vander(doubles({1, 2, 3, 5}), 3), doubles({{1, 1, 1}, {4, 2, 1}, {9, 3, 1}, {25, 5, 1}}));
  same(vander(doubles({2, 3}), 3, true), doubles({{1, 2, 4}, {1, 3, 9}}));
}

// The places of the identity are those of the pixels.
BOOST_AUTO_TEST_CASE(images_at_places) {
  Variable x = reshape(arange(24).to(float64), {1, 2, 3, 4}), identity = doubles({{{1, 0, 0}, {0, 1, 0}}});
  for (bool align : {false, true})
    for (bool nearest : {false, true}) {
      Variable places = affine_grid(identity, {1, 2, 3, 4}, align);
      close(grid_sample(x, places, {.nearest = nearest, .align_corners = align}), x, 1e-13);
    }
  // Three quarters of a pixel beyond the last one of the second row; the middle between four pixels.
  Variable right = doubles({{{{1.5, 0}}}}), middle = doubles({{{{0, -0.5}}}});
  auto at = [&](const Variable& place, GridPadding padding) {
    return grid_sample(x, place, {.padding = padding, .align_corners = true})[{0, 0, 0, 0}].item();
  };
  BOOST_TEST(at(right, GridPadding::zeros) == 7 * 0.25);
  BOOST_TEST(at(right, GridPadding::border) == 7);
  BOOST_TEST(at(right, GridPadding::reflection) == 6.25);
  BOOST_TEST(grid_sample(zeros({0, 2, 3, 4}), zeros({0, 5, 6, 2})).shape() == (Shape{0, 2, 5, 6}), boost::test_tools::per_element());
  BOOST_TEST(at(middle, GridPadding::zeros) == (1 + 2 + 5 + 6) / 4.0);
  throws<ShapeError>([&] { grid_sample(x, zeros({1, 2, 2, 3}, float64)); }, {"grid_sample", "(1, 2, 3, 4)", "(1, 2, 2, 3)"});
  throws<ShapeError>([&] { affine_grid(identity, {1, 1, 2, 2, 2}); }, {"affine_grid", "(1, 2, 3)", "(1, 1, 2, 2, 2)"});
}

BOOST_AUTO_TEST_CASE(spaced_numbers) {
  same(linspace(2, 3, 5), Variable({2.0, 2.25, 2.5, 2.75, 3.0}));
  same(linspace(0, -1, 2, float64), doubles({0, -1}));
  same(linspace(0, 100, 101, int64), arange(101));
  same(linspace(4, 9, 1), Variable({4.0}));
  BOOST_TEST(linspace(0, 1, 0).size() == 0);
  close(logspace(2, 3, 4, 10, float64), doubles({100, 215.44346900318823, 464.15888336127773, 1000}), 1e-11);
  throws<ValueError>([] { linspace(0, INFINITY, 3); }, {"linspace", "finite"});
  same(full_like(doubles({1, 2}), 3), doubles({3, 3}));
}

BOOST_AUTO_TEST_CASE(layers_as_functions) {
  same(linear(doubles({1, 2}), doubles({{1, 0}, {0, 1}, {1, 1}}), doubles({0, 0, 1})), doubles({1, 2, 4}));
  throws<ShapeError>([] { linear(zeros({2, 3}), zeros({4, 3}), zeros({5, 4})); }, {"linear", "(5, 4)", "(4, 3)"});
  BOOST_TEST(modified_bessel_k1(doubles({1e-305})).item() == 1e305, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(modified_bessel_k0(doubles({1e-310})).item() == 310 * std::log(10.0) + std::log(2.0) - 0.57721566490153286,
             boost::test_tools::tolerance(1e-14));
  throws<ShapeError>([] { linear(zeros({2, 3}), zeros({3, 4})); }, {"linear", "(2, 3)", "(3, 4)"});
  // Two channels around each: 1, 1 + 4, 4 + 9 squares, of which size 3 makes means of three.
  Variable x = doubles({{1, 2, 3}});
  close(local_response_norm(x, 3, 3, 1, 1), doubles({{1 / (1 + 5.0), 2 / (1 + 14.0), 3 / (1 + 13.0)}}), 1e-15);
  throws<ShapeError>([&] { local_response_norm(x, 0); }, {"local_response_norm", "(1, 3)"});
}

BOOST_AUTO_TEST_SUITE_END()
