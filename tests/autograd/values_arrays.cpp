// Values of what makes, searches and counts arrays: closed forms, and NumPy 1.24 where a test says so.
#include <cmath>

#include "values_support.hpp"

using namespace xtape;
using xtape::testing::close;
using xtape::testing::doubles;
using xtape::testing::integers;
using xtape::testing::not_a_number;
using xtape::testing::same;
using xtape::testing::throws;

namespace {

Variable bools(std::initializer_list<Nested> values) { return Variable(values, boolean); }

}  // namespace

BOOST_AUTO_TEST_SUITE(values_arrays)

BOOST_AUTO_TEST_CASE(new_arrays) {
  BOOST_TEST((empty({2, 3}, int64).shape() == Shape{2, 3}));
  BOOST_TEST((empty({2}, int64).dtype() == int64));
  BOOST_TEST((empty_like(ones({0, 2}, float64)).dtype() == float64));
  throws<ShapeError>([] { empty({-1}); }, {"empty", "(-1,)"});
  throws<Error>([] { empty_like({}); }, {"empty_like", "undefined"});
}

BOOST_AUTO_TEST_CASE(random_integers) {
  Generator generator(3), same_seed(3);
  Variable x = randint(-2, 3, {4000}, int64, generator);
  BOOST_TEST(min(x).item() == -2);
  BOOST_TEST(max(x).item() == 2);
  // Each number is there about 800 times, with a standard deviation of 25.3 (binomial).
  for (int i = -2; i < 3; ++i) BOOST_TEST(std::abs(count_nonzero(equal(x, i)).item() - 800) < 5 * 25.3);
  same(randint(-2, 3, {4000}, int64, same_seed), x);
  BOOST_TEST((randint(2, {3}, float64).dtype() == float64));
  same(randint(1, {2, 2}), zeros({2, 2}, int64));
  throws<ValueError>([] { randint(2, 2, {1}); }, {"randint", "from 2 to 2", "low < high"});
  same(sort(randperm(6, generator)).values, arange(6));
  same(randperm(0), zeros({0}, int64));
}

BOOST_AUTO_TEST_CASE(random_likes) {
  Generator generator(1), again(1);
  Variable x = rand_like(zeros({1000}, float64), generator);
  BOOST_TEST((x.dtype() == float64));
  BOOST_TEST(min(x).item() >= 0);
  BOOST_TEST(max(x).item() < 1);
  BOOST_TEST(std::abs(mean(x).item() - 0.5) < 5 * std::sqrt(1.0 / 12 / 1000));
  same(rand({1000}, float64, again), x);
  BOOST_TEST(std::abs(mean(randn_like(zeros({10000}), generator)).item()) < 5 * 0.01);
  throws<DTypeError>([] { rand_like(arange(3)); }, {"rand_like", "int64"});
  throws<DTypeError>([] { randn_like(arange(3)); }, {"randn_like", "int64"});
}

BOOST_AUTO_TEST_CASE(coins) {
  Generator generator(5);
  Variable p = expand(doubles({0, 0.25, 1}), {10000, -1}), x = bernoulli(p, generator);
  BOOST_TEST((x.dtype() == float64));
  Variable share = mean(x, 0);
  BOOST_TEST(share[0].item() == 0);
  BOOST_TEST(share[2].item() == 1);
  BOOST_TEST(std::abs(share[1].item() - 0.25) < 5 * std::sqrt(0.25 * 0.75 / 10000));
  throws<ValueError>([] { bernoulli(Variable{1.5}); }, {"bernoulli", "[0, 1]"});
  throws<ValueError>([] { bernoulli(doubles({not_a_number})); }, {"bernoulli", "[0, 1]"});
  throws<DTypeError>([] { bernoulli(arange(2)); }, {"bernoulli", "int64"});
}

BOOST_AUTO_TEST_CASE(closeness) {
  // NumPy's: np.isclose([1, 1e10, 1, inf, inf, nan, 0], [1.00001, 1.00001e10, 1.0001, inf, -inf, nan, 1e-9])
  Variable a = doubles({1, 1e10, 1, INFINITY, INFINITY, not_a_number, 0});
  Variable b = doubles({1.00001, 1.00001e10, 1.0001, INFINITY, -INFINITY, not_a_number, 1e-9});
  same(isclose(a, b), bools({true, true, false, true, false, false, true}));
  same(isclose(a, b, 1e-5, 1e-8, true), bools({true, true, false, true, false, true, true}));
  same(isclose(doubles({1, 2}), doubles({{1}, {2}})), bools({{true, false}, {false, true}}));
  same(isclose(integers({1000000, 5}), integers({1000001, 6})), bools({true, false}));
  same(isclose(bools({true, false}), bools({true, true})), bools({true, false}));
  BOOST_TEST(allclose(doubles({0.1, 0.1}), 0.1, 0, 0));  // the scalar is not rounded to float32
  BOOST_TEST(allclose(zeros({0}), zeros({0})));
  BOOST_TEST(!allclose(doubles({1, 2}), doubles({1, 2.1})));
  BOOST_TEST(allclose(INFINITY + zeros({2}), full({2}, INFINITY)));
  BOOST_TEST(!allclose(ones({1}), full({1}, INFINITY)));
  throws<ValueError>([&] { isclose(a, b, -1); }, {"isclose", "rtol", "-1"});
  throws<ShapeError>([&] { allclose(zeros({2}), zeros({3})); }, {"allclose", "(2,)", "(3,)"});
  throws<DTypeError>([&] { isclose(zeros({2}), zeros({2}, float64)); }, {"isclose", "float32", "float64"});
}

BOOST_AUTO_TEST_CASE(repeating_and_flattening) {
  Variable x = doubles({{1}, {2}});
  same(expand(x, {-1, 3}), doubles({{1, 1, 1}, {2, 2, 2}}));
  same(expand(x, {2, -1, -1}), doubles({{{1}, {2}}, {{1}, {2}}}));
  throws<ShapeError>([&] { expand(x, {-1, 2, 1}); }, {"expand", "(-1, 2, 1)", "negative"});
  throws<ShapeError>([&] { expand(x, {3, -1}); }, {"expand", "(2, 1)", "(3, 1)"});
  same(ravel(doubles({{1, 2}, {3, 4}})), doubles({1, 2, 3, 4}));
  BOOST_TEST((ravel(zeros({})).shape() == Shape{1}));
}

BOOST_AUTO_TEST_CASE(draws_in_proportion) {
  Generator generator(7);
  Variable w = doubles({0, 1, 3, 0}), drawn = multinomial(w, 10000, true, generator);
  same(bincount(drawn, {}, 4)[0], zeros({}, int64));
  same(bincount(drawn, {}, 4)[3], zeros({}, int64));
  BOOST_TEST(std::abs(bincount(drawn)[1].item() - 2500) < 5 * std::sqrt(10000 * 0.25 * 0.75));
  // Without replacement, the first is drawn in proportion; all that can be are.
  Variable pairs = multinomial(expand(w, {4000, -1}), 2, false, generator);
  BOOST_TEST((pairs.shape() == Shape{4000, 2}));
  same(sort(pairs).values, expand(integers({1, 2}), {4000, -1}));
  BOOST_TEST(std::abs(count_nonzero(equal(pairs[{range(), 0}], 1)).item() - 1000) < 5 * std::sqrt(4000 * 0.25 * 0.75));
  same(sort(multinomial(full({5}, 1e308, float64), 5)).values, arange(5));
  throws<ValueError>([&] { multinomial(w, 3); }, {"multinomial", "3 numbers", "(4,)", "not 0"});
  throws<ValueError>([&] { multinomial(zeros({2}), 1, true); }, {"multinomial", "(2,)"});
  throws<ValueError>([&] { multinomial(doubles({-1, 2}), 1); }, {"multinomial", "negative"});
  throws<ValueError>([&] { multinomial(doubles({not_a_number, 2}), 1); }, {"multinomial", "not finite"});
  throws<ShapeError>([&] { multinomial(zeros({}), 1); }, {"multinomial", "()"});
}

BOOST_AUTO_TEST_CASE(triangles) {
  same(tril_indices(3, 3), integers({{0, 1, 1, 2, 2, 2}, {0, 0, 1, 0, 1, 2}}));
  same(tril_indices(2, 3, 1), integers({{0, 0, 1, 1, 1}, {0, 1, 0, 1, 2}}));
  same(triu_indices(3, 3, 1), integers({{0, 0, 1}, {1, 2, 2}}));
  same(triu_indices(0, 2), zeros({2, 0}, int64));
  auto places = unbind(tril_indices(2, 2));
  same(slice_assign(zeros({2, 2}), {places[0], places[1]}, Variable{1, 2, 3}), Variable{{1, 0}, {2, 3}});
  same(vec_to_tril_matrix(Variable{1, 2, 3}), Variable{{1, 0}, {2, 3}});
  same(vec_to_tril_matrix(Variable{1, 2, 3}, -1), Variable{{0, 0, 0}, {1, 0, 0}, {2, 3, 0}});
  same(vec_to_tril_matrix(Variable{1, 2, 3, 4}, 1), Variable{{1, 2}, {3, 4}});
  Variable m{{1, 2, 3}, {4, 5, 6}};
  same(tril_matrix_to_vec(m), Variable{1, 4, 5});
  same(tril_matrix_to_vec(m, 1), Variable{1, 2, 4, 5, 6});
  throws<ShapeError>([] { vec_to_tril_matrix(zeros({2, 4})); }, {"vec_to_tril_matrix", "4 elements", "(2, 4)"});
  throws<ShapeError>([] { tril_matrix_to_vec(zeros({4})); }, {"tril_matrix_to_vec", "(4,)"});
}

BOOST_AUTO_TEST_CASE(places_of_elements) {
  Variable x = doubles({{0, 2, 0}, {not_a_number, 0, -1}});
  same(nonzero(x), integers({{0, 1}, {1, 0}, {1, 2}}));
  same(argwhere(x), nonzero(x));
  same(nonzero(bools({false, true, true})), integers({{1}, {2}}));
  BOOST_TEST((nonzero(ones({})).shape() == Shape{1, 0}));
  BOOST_TEST((nonzero(zeros({})).shape() == Shape{0, 0}));
  BOOST_TEST((nonzero(zeros({2, 0, 3})).shape() == Shape{0, 3}));
}

BOOST_AUTO_TEST_CASE(distinct_elements) {
  auto [values, inverse, counts] = unique(integers({{3, 1}, {2, 3}}));
  same(values, integers({1, 2, 3}));
  same(inverse, integers({{2, 0}, {1, 2}}));
  same(counts, integers({1, 1, 2}));
  // NumPy's: np.unique([[1, 0], [1, 0], [0, 3]], axis=0, return_inverse=True, return_counts=True), and along axis 1
  Unique rows = unique(doubles({{1, 0}, {1, 0}, {0, 3}}), 0);
  same(rows.values, doubles({{0, 3}, {1, 0}}));
  same(rows.inverse, integers({1, 1, 0}));
  same(rows.counts, integers({1, 2}));
  Unique columns = unique(integers({{2, 1, 2}, {5, 1, 5}}), -1);
  same(columns.values, integers({{1, 2}, {1, 5}}));
  same(columns.inverse, integers({1, 0, 1}));
  same(columns.counts, integers({1, 2}));
  same(unique(bools({true, false, true})).values, bools({false, true}));
  same(unique(full({}, 4, int64)).values, integers({4}));
  BOOST_TEST((unique(full({}, 4, int64)).inverse.shape() == Shape{}));
  same(unique(zeros({0, 2})).values, zeros({0}));
  BOOST_TEST((unique(zeros({2, 0}), 1).values.shape() == Shape{2, 0}));
  same(unique(zeros({2, 0}), 0).counts, integers({2}));
  BOOST_TEST((unique(doubles({not_a_number, 1, not_a_number})).values.shape() == Shape{3}));
  throws<ShapeError>([] { unique(zeros({2}), 1); }, {"unique", "axis 1"});
}

BOOST_AUTO_TEST_CASE(counted_numbers) {
  same(bincount(integers({0, 1, 1, 3})), integers({1, 2, 0, 1}));
  same(bincount(integers({1, 1}), doubles({0.5, 2}), 4), doubles({0, 2.5, 0, 0}));
  same(bincount(zeros({0}, int64)), zeros({0}, int64));
  throws<ValueError>([] { bincount(Variable({-1}, int64)); }, {"bincount", "negative"});
  throws<ShapeError>([] { bincount(zeros({2, 2}, int64)); }, {"bincount", "(2, 2)"});
  throws<ShapeError>([] { bincount(zeros({2}, int64), zeros({3})); }, {"bincount", "(3,)"});
  throws<DTypeError>([] { bincount(zeros({2})); }, {"bincount", "float32"});
}

BOOST_AUTO_TEST_CASE(histograms) {
  // NumPy's: np.histogram([1, 2, 1, 0, 5, 2.5, nan], 4, (0, 5)), np.histogram([1, 2, 1, 4], [0, 1, 2, 3, 9], density=True)
  auto [hist, edges] = histogram(doubles({1, 2, 1, 0, 5, 2.5, not_a_number}), 4, {.range = {{0, 5}}});
  same(hist, integers({3, 1, 1, 1}));
  same(edges, doubles({0, 1.25, 2.5, 3.75, 5}));
  Histogram density = histogram(integers({1, 2, 1, 4}), doubles({0, 1, 2, 3, 9}), {.density = true});
  close(density.hist, doubles({0, 0.5, 0.25, 0.041666666666666664}), 1e-17);
  same(histogram(doubles({3, 3})).hist, integers({0, 0, 0, 0, 0, 2, 0, 0, 0, 0}));
  same(histogram(doubles({3, 3}), 2).bin_edges, doubles({2.5, 3, 3.5}));
  same(histogram(zeros({0}), 2).bin_edges, Variable{0, 0.5, 1});
  same(histogram(Variable{{1, 2}, {1, 2}}, Variable{0, 1, 2}, {.weights = Variable{{1, 2}, {3, 4}}}).hist, Variable{0, 10});
  throws<ValueError>([] { histogram(zeros({2}), 0); }, {"histogram", "no bins"});
  throws<ValueError>([] { histogram(doubles({1, not_a_number})); }, {"histogram", "nan", "finite"});
  throws<ValueError>([] { histogram(zeros({2}), 3, {.range = {{2, 1}}}); }, {"histogram", "in order"});
  throws<ValueError>([] { histogram(zeros({2}), Variable{1, 0}); }, {"histogram", "ascending"});
  throws<ShapeError>([] { histogram(zeros({2}), Variable{1}); }, {"histogram", "(1,)"});
  throws<ShapeError>([] { histogram(zeros({2}), 2, {.weights = zeros({3})}); }, {"histogram", "(3,)", "(2,)"});
}

BOOST_AUTO_TEST_CASE(places_in_an_order) {
  // NumPy's: np.searchsorted([1, 2, 2, 3, nan], [0, 2, 2.5, 9, nan]), and from the right
  Variable row = doubles({1, 2, 2, 3, not_a_number}), x = doubles({0, 2, 2.5, 9, not_a_number});
  same(searchsorted(row, x), integers({0, 1, 3, 4, 4}));
  same(searchsorted(row, x, true), integers({0, 3, 3, 4, 5}));
  BOOST_TEST(searchsorted(row, 2.5).item() == 3);
  same(searchsorted(integers({{1, 5}, {2, 9}}), integers({{5}, {5}})), integers({{1}, {1}}));
  same(searchsorted(doubles({3, 1, 2}), doubles({1.5}), false, integers({1, 2, 0})), integers({1}));
  same(searchsorted(zeros({0}), ones({2})), integers({0, 0}));
  // PyTorch's documentation of torch.bucketize
  same(bucketize(integers({{3, 6, 9}, {3, 6, 9}}), integers({1, 3, 5, 7, 9})), integers({{1, 3, 4}, {1, 3, 4}}));
  same(bucketize(integers({{3, 6, 9}, {3, 6, 9}}), integers({1, 3, 5, 7, 9}), true), integers({{2, 3, 5}, {2, 3, 5}}));
  throws<ShapeError>([] { searchsorted(zeros({2, 3}), zeros({3, 1})); }, {"searchsorted", "(3, 1)", "(2, 3)"});
  throws<ShapeError>([] { bucketize(zeros({3}), zeros({2, 2})); }, {"bucketize", "(2, 2)"});
  throws<DTypeError>([] { searchsorted(zeros({3}), zeros({2}, float64)); }, {"searchsorted", "float32", "float64"});
}

BOOST_AUTO_TEST_CASE(grouped_reductions) {
  // PyTorch's documentation of Tensor.scatter_reduce_
  Variable source = doubles({1, 2, 3, 4, 5, 6}), x = doubles({1, 2, 3, 4}), index = integers({0, 1, 0, 1, 2, 1});
  same(scatter_reduce(x, 0, index, source, "sum"), doubles({5, 14, 8, 4}));
  same(scatter_reduce(x, 0, index, source, "sum", false), doubles({4, 12, 5, 4}));
  same(scatter_reduce(doubles({5, 4, 3, 2}), 0, index, source, "amax"), doubles({5, 6, 5, 2}));
  same(scatter_reduce(doubles({5, 4, 3, 2}), 0, index, source, "amax", false), doubles({3, 6, 5, 2}));
  same(scatter_reduce(x, 0, index, source, "prod"), doubles({3, 96, 15, 4}));
  same(scatter_reduce(x, 0, index, source, "amin", false), doubles({1, 2, 5, 4}));
  same(scatter_reduce(x, 0, index, source, "mean"), doubles({5.0 / 3, 3.5, 4, 4}));
  same(scatter_reduce(integers({1, 5}), 0, integers({0, 0}), integers({2, 5}), "mean"), integers({2, 5}));
  same(scatter_reduce(integers({7, 5}), 0, integers({0, 0}), 3, "prod"), integers({63, 5}));
  BOOST_TEST(std::isnan(scatter_reduce(x, 0, integers({1}), doubles({not_a_number}), "amax").value().at(1)));
  // The gradient of the greatest is shared by all four that are.
  Variable leaf = doubles({1, 1, 0}).requires_grad_(), self = doubles({1, 0}).requires_grad_();
  sum(scatter_reduce(self, 0, integers({0, 0, 0}), leaf, "amax")).backward();
  same(self.grad(), doubles({1.0 / 3, 1}));
  same(leaf.grad(), doubles({1.0 / 3, 1.0 / 3, 0}));
  // The gradient of a product is right where a factor is 0.
  Variable factors = doubles({0, 2, 3}).requires_grad_();
  sum(scatter_reduce(ones({1}, float64), 0, integers({0, 0, 0}), factors, "prod")).backward();
  same(factors.grad(), doubles({6, 0, 0}));
  same(segment_sum(Variable{{1, 2}, {3, 4}, {5, 6}}, integers({2, 0, 2})), Variable{{3, 4}, {0, 0}, {6, 8}});
  same(segment_sum(integers({1, 2}), integers({0, 0}), 2), integers({3, 0}));
  throws<ValueError>([&] { scatter_reduce(x, 0, index, source, "max"); }, {"scatter_reduce", "\"max\"", "\"amax\""});
  throws<ValueError>([&] { scatter_reduce(x, 0, integers({4}), source, "sum"); }, {"scatter_reduce", "index 4"});
  throws<ShapeError>([&] { scatter_reduce(x, 0, index, zeros({2}, float64), "sum"); }, {"scatter_reduce", "(2,)", "(6,)"});
  throws<ValueError>([] { segment_sum(zeros({1}), Variable({-1}, int64)); }, {"segment_sum", "negative"});
  throws<ValueError>([] { segment_sum(zeros({1}), Variable({3}, int64), 2); }, {"segment_sum", "index 3"});
  throws<ShapeError>([] { segment_sum(zeros({2}), zeros({3}, int64)); }, {"segment_sum", "(2,)", "(3,)"});
}

BOOST_AUTO_TEST_CASE(integers_beyond_sums) {
  Variable a = integers({7, -7, 7, -7, INT64_C(1)}), b = integers({3, 3, -3, -3, INT64_C(9)});
  same(floor_divide(a, b), integers({2, -3, -3, 2, 0}));  // Python's
  same(remainder(a, b), integers({1, 2, -2, -1, 1}));
  same(fmod(a, b), integers({1, -1, 1, -1, 1}));  // C's
  same(div(a, b, "trunc"), integers({2, -2, -2, 2, 0}));
  same(div(a, b, "floor"), floor_divide(a, b));
  Variable least = -Variable(Array::full({1}, 0x1p62, int64)) * 2;
  same(floor_divide(least, -1), least);  // what does not fit wraps around, as in NumPy
  same(remainder(least, -1), integers({0}));
  same(fmod(least, -1), integers({0}));
  same(pow(integers({3, -2, 0, 5}), integers({4, 3, 0, 1})), integers({81, -8, 1, 5}));
  same(pow(integers({3, -2}), 2), integers({9, 4}));
  same(pow(integers({3}), 39) - pow(integers({3}), 38) * 3, integers({0}));  // beyond what float64 holds
  same(remainder(pow(integers({3}), 39), 1000000007), integers({651090399}));
  same(-a, integers({-7, 7, -7, 7, -1}));
  same(a - b, integers({4, -10, 10, -4, -8}));
  throws<ValueError>([&] { floor_divide(a, 0); }, {"floor_divide", "by 0"});
  throws<ValueError>([&] { remainder(a, 0); }, {"remainder", "by 0"});
  throws<ValueError>([&] { fmod(a, b - b); }, {"fmod", "by 0"});
  throws<ValueError>([&] { pow(a, -1); }, {"pow", "negative power"});

  Variable m = integers({{1, 2}, {3, 4}}), n = integers({{5, 6}, {7, 8}});
  same(matmul(m, n), integers({{19, 22}, {43, 50}}));
  same(matmul(stack({m, n}), integers({1, -1})), integers({{-1, -1}, {-1, -1}}));
  same(matmul(transpose(m), n), integers({{26, 30}, {38, 44}}));
  same(einsum("ij,kj->ik", {m, n}), integers({{17, 23}, {39, 53}}));
  same(einsum("ii", {m}), full({}, 5, int64));
  same(dot(integers({1, 2}), integers({3, 4})), full({}, 11, int64));
  same(tensordot(m, n, 1), matmul(m, n));
  same(kron(integers({{1, 2}}), m), integers({{1, 2, 2, 4}, {3, 4, 6, 8}}));
  same(matmul(zeros({2, 0}, int64), zeros({0, 3}, int64)), zeros({2, 3}, int64));
  same(matmul(m, n > 5), integers({{2, 3}, {4, 7}}));
  throws<DTypeError>([&] { matmul(m > 1, n > 5); }, {"matmul", "bool"});
  same(matmul(m, ones({2, 2})), Variable{{3, 3}, {7, 7}});
  same(cross(integers({1, 0, 0}), integers({0, 1, 0})), integers({0, 0, 1}));

  same(mean(integers({1, 2})), full({}, 1.5));
  same(mean(bools({{true, false}, {true, true}}), 0), Variable{1, 0.5});
  same(scatter(zeros({4}, int64), 0, integers({3, 1}), integers({5, 6})), integers({0, 6, 0, 5}));
  same(scatter(bools({true, true, false}), 0, integers({2, 0}), bools({true, false})), bools({false, true, true}));
  same(scatter_add(integers({1, 1}), 0, integers({1, 1}), integers({2, 3})), integers({1, 6}));
  same(index_add(integers({1, 1}), 0, integers({1, 1}), integers({2, 3})), integers({1, 6}));
  same(index_copy(integers({1, 1}), 0, integers({1}), integers({9})), integers({1, 9}));
  same(index_fill(integers({1, 1}), 0, integers({1}), 9), integers({1, 9}));
  same(slice_assign(integers({1, 1}), {integers({1})}, 9), integers({1, 9}));
}

BOOST_AUTO_TEST_SUITE_END()
