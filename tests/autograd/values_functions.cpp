// Values of functions at points, of factors of matrices and of distributions: closed forms, NumPy 1.24 and SciPy 1.10
// where a test says so.
#include <cmath>
#include <numbers>

#include "values_support.hpp"

using namespace xtape;
using xtape::testing::close;
using xtape::testing::doubles;
using xtape::testing::integers;
using xtape::testing::not_a_number;
using xtape::testing::same;
using xtape::testing::throws;

BOOST_AUTO_TEST_SUITE(values_functions)

// NumPy's documentation of np.interp, and its values
BOOST_AUTO_TEST_CASE(linear_interpolation) {
  Variable xp = doubles({1, 2, 3}), fp = doubles({3, 2, 0});
  close(interp(doubles({0, 1, 1.5, 2.72, 3.14, 7}), xp, fp), doubles({3, 3, 2.5, 0.56, 0, 0}), 1e-15);
  same(interp(doubles({0, 3, 7}), xp, fp, {.left = -99, .right = 99}), doubles({-99, 0, 99}));
  close(interp(doubles({-180, -170, -185, 185, -10, -5, 0, 365}), doubles({190, -190, 350, -350}),
               doubles({5, 10, 3, 4}), {.period = 360}),
        doubles({7.5, 5, 8.75, 6.25, 3, 3.25, 3.5, 3.75}), 1e-14);
  BOOST_TEST(interp(2.5, xp, fp).item() == 1);
  same(interp(doubles({1, 2, 3}), doubles({1, 2, 2, 3, 3}), doubles({1, 2, 5, 6, 7})), doubles({1, 5, 7}));  // steps
  same(interp(Variable{-1, 5}, Variable{2}, Variable{4}), Variable{4, 4});
  BOOST_TEST(std::isnan(interp(doubles({not_a_number}), xp, fp).item()));
  Variable x = doubles({0.5, 1.5, 2.5}).requires_grad_(), values = doubles({3, 2, 0}).requires_grad_();
  sum(interp(x, xp, values)).backward();
  same(x.grad(), doubles({0, -1, -2}));
  same(values.grad(), doubles({1.5, 1, 0.5}));
  throws<ValueError>([&] { interp(xp, doubles({2, 1}), doubles({0, 0})); }, {"interp", "ascending"});
  throws<ValueError>([&] { interp(xp, xp, fp, {.period = 0}); }, {"interp", "period of 0"});
  throws<ShapeError>([&] { interp(xp, xp, doubles({1})); }, {"interp", "(3,)", "(1,)"});
  throws<ShapeError>([&] { interp(xp, zeros({0}, float64), zeros({0}, float64)); }, {"interp", "(0,)"});
  throws<DTypeError>([&] { interp(xp, Variable{1, 2}, Variable{1, 2}); }, {"interp", "float64", "float32"});
}

// NumPy's: np.convolve([1, 2, 3, 4], [0, 1, 0.5, 2], mode), and of [1, 2] and [3, 4, 5, 6, 7]
BOOST_AUTO_TEST_CASE(convolved_sequences) {
  Variable a = doubles({1, 2, 3, 4}), v = doubles({0, 1, 0.5, 2});
  close(convolve(a, v), doubles({0, 1, 2.5, 6, 9.5, 8, 8}), 1e-14);
  close(convolve(a, v, "same"), doubles({1, 2.5, 6, 9.5}), 1e-14);
  close(convolve(a, v, "valid"), doubles({6}), 1e-14);
  Variable i = integers({1, 2}), j = integers({3, 4, 5, 6, 7});
  same(convolve(i, j), integers({3, 10, 13, 16, 19, 14}));
  same(convolve(j, i, "same"), integers({3, 10, 13, 16, 19}));
  same(convolve(i, j, "valid"), integers({10, 13, 16, 19}));
  throws<ValueError>([&] { convolve(a, v, "half"); }, {"convolve", "\"half\"", "\"full\""});
  throws<ShapeError>([&] { convolve(a, zeros({0}, float64)); }, {"convolve", "(0,)"});
  throws<ShapeError>([&] { convolve(a, zeros({2, 2}, float64)); }, {"convolve", "(2, 2)"});
  same(convolve(i, doubles({1, 0.5})), doubles({1, 2.5, 1}));
  throws<DTypeError>([&] { convolve(a, Variable{1, 2}); }, {"convolve", "float64", "float32"});
}

// NumPy's: np.gradient(f), (f, 2), (f, x), (f, x, edge_order=2), (f, 0.5, edge_order=2)
BOOST_AUTO_TEST_CASE(finite_differences) {
  Variable f = doubles({1, 2, 4, 7, 11, 16}), x = doubles({0, 1, 1.5, 3.5, 4, 6});
  same(gradient(f)[0], doubles({1, 1.5, 2.5, 3.5, 4.5, 5}));
  same(gradient(f, 2)[0], doubles({0.5, 0.75, 1.25, 1.75, 2.25, 2.5}));
  close(gradient(f, {x})[0], doubles({1, 3, 3.5, 6.7, 6.9, 2.5}), 1e-14);
  close(gradient(f, {x}, {}, 2)[0], doubles({-1, 3, 3.5, 6.7, 6.9, -1.9}), 1e-13);
  close(gradient(f, 0.5, {}, 2)[0], doubles({1, 3, 5, 7, 9, 11}), 1e-13);
  std::vector<Variable> both = gradient(doubles({{1, 2, 6}, {3, 4, 5}}));
  same(both.at(0), doubles({{2, 2, -1}, {2, 2, -1}}));
  same(both.at(1), doubles({{1, 2.5, 4}, {1, 1, 1}}));
  same(gradient(doubles({{1, 2, 6}, {3, 4, 5}}), 1, -1).at(0), both[1]);
  BOOST_TEST(gradient(doubles({1, INFINITY, 2}))[0].value().at(1) == 0.5);
  throws<ShapeError>([] { gradient(zeros({1, 3})); }, {"gradient", "axis 0", "(1, 3)", "2 points"});
  throws<ShapeError>([] { gradient(zeros({2}), 1, {}, 2); }, {"gradient", "3 points"});
  throws<ValueError>([] { gradient(zeros({3}), 1, {}, 3); }, {"gradient", "edge_order", "3"});
  throws<ValueError>([] { gradient(zeros({3}), 0); }, {"gradient", "spacing of 0"});
  throws<ShapeError>([] { gradient(zeros({3}), {zeros({2})}); }, {"gradient", "(2,)", "(3,)"});
  throws<ShapeError>([] { gradient(zeros({3, 3}), {zeros({3})}); }, {"gradient", "1 spacings", "2 axes"});
  throws<DTypeError>([] { gradient(arange(3)); }, {"gradient", "int64"});
}

// SciPy's documentation of scipy.linalg.lu, and its values
BOOST_AUTO_TEST_CASE(elimination) {
  Variable a = doubles({{2, 5, 8, 7}, {5, 2, 2, 8}, {7, 5, 6, 6}, {5, 4, 4, 8}});
  auto [p, l, u] = lu(a);
  same(p, doubles({{0, 1, 0, 0}, {0, 0, 0, 1}, {1, 0, 0, 0}, {0, 0, 1, 0}}));
  close(l, doubles({{1, 0, 0, 0}, {2.0 / 7, 1, 0, 0}, {5.0 / 7, 0.12, 1, 0}, {5.0 / 7, -0.44, -6.0 / 13, 1}}), 1e-15);
  close(u, doubles({{7, 5, 6, 6}, {0, 25.0 / 7, 44.0 / 7, 37.0 / 7}, {0, 0, -1.04, 3.08}, {0, 0, 0, 97.0 / 13}}), 1e-14);
  for (const Shape& shape : {Shape{2, 5, 3}, Shape{3, 5}, Shape{1, 1}, Shape{0, 3}, Shape{3, 0}, Shape{0, 2, 2}}) {
    Generator generator(4);
    Variable b = randn(shape, float64, generator);
    LU factors = lu(b);
    close(matmul(factors.p, matmul(factors.l, factors.u)), b, 1e-14);
  }
  LU singular = lu(doubles({{1, 2}, {2, 4}}));
  same(singular.u, doubles({{2, 4}, {0, 0}}));
  throws<ShapeError>([] { lu(zeros({3})); }, {"lu", "(3,)"});
  throws<DTypeError>([] { lu(zeros({3, 3}, int64)); }, {"lu", "int64"});
}

BOOST_AUTO_TEST_CASE(ranks) {
  same(matrix_rank(doubles({{1, 2}, {2, 4}})), full({}, 1, int64));
  same(matrix_rank(stack({eye(3), zeros({3, 3})})), integers({3, 0}));
  Variable d = diag(doubles({1, 1e-3, 1e-20}));
  BOOST_TEST(matrix_rank(d).item() == 2);
  BOOST_TEST(matrix_rank(d, {.atol = 0.01}).item() == 1);
  BOOST_TEST(matrix_rank(d, {.rtol = 0}).item() == 3);
  BOOST_TEST(matrix_rank(doubles({{0, 9}, {1, 0}}), {.hermitian = true}).item() == 2);
  BOOST_TEST(matrix_rank(zeros({0, 3})).item() == 0);
  throws<ValueError>([&] { matrix_rank(d, {.atol = -1}); }, {"matrix_rank", "atol", "-1"});
  throws<ShapeError>([&] { matrix_rank(zeros({3})); }, {"matrix_rank", "(3,)"});
}

// NumPy's: np.linalg.cond([[1, 2], [3, 4]], p); it is sigma_1 / sigma_2 with sigma_1 sigma_2 = 2, their squares sum 30
BOOST_AUTO_TEST_CASE(conditions) {
  Variable a = doubles({{1, 2}, {3, 4}});
  BOOST_TEST(cond(a).item() == 14.933034373659265, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(cond(a, -2).item() == 0.06696562634074718, boost::test_tools::tolerance(1e-14));
  for (auto [p, value] : {std::pair(1.0, 21.0), {-1.0, 6.0}, {HUGE_VAL, 21.0}, {-HUGE_VAL, 6.0}})
    BOOST_TEST(cond(a, p).item() == value, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(cond(a, "fro").item() == 15, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(cond(a, "nuc").item() == 17, boost::test_tools::tolerance(1e-14));
  Variable two = stack({eye(2), ones({2, 2})});
  same(cond(two, 1), Variable{1, HUGE_VAL});
  BOOST_TEST(cond(zeros({2, 2})).item() == HUGE_VAL);
  throws<ValueError>([&] { cond(a, 3); }, {"cond", "p is 3"});
  throws<ShapeError>([&] { cond(zeros({2, 3}), 1); }, {"cond", "(2, 3)", "square"});
}

// mpmath 1.2.1, with 40 digits
BOOST_AUTO_TEST_CASE(beta_function) {
  for (auto [a, b, value] : {std::tuple(2.5, 0.5, 1.1780972450961724), {1e6, 2.5, 1.3293378956699076e-15},
                             {-0.5, 1.5, -std::numbers::pi}, {-2.0, 1.0, -0.5}, {0.1, 1e10, 0.9513507698711541}})
    BOOST_TEST(beta(doubles({a}), b).item() == value, boost::test_tools::tolerance(1e-13));
  BOOST_TEST(beta(doubles({-1.5}), 0.5).item() == 0);
  BOOST_TEST(beta(doubles({-2}), 0.5).item() == HUGE_VAL);
  BOOST_TEST(std::isnan(beta(doubles({not_a_number}), 1).item()));
  same(beta(Variable{2}, Variable{3}), Variable{1 / 12.0f});
  // No digits are lost in the difference of digammas, in float32 neither.
  for (auto [a, b, by_a, by_b] : {std::tuple(1e8, 1.5, -1.3293403798707597e-20, -1.6292564810775994e-11),
                                  {2.5, 0x1p-30, -0.49035775540552176, -1.152921504606847e+18},
                                  {0.3125, 50.0, -6.1437768438101871, -0.005323031415742632}})
    for (DType dtype : {float32, float64}) {
      Variable x = Variable({a}, float64).requires_grad_(), y = Variable({b}, float64).requires_grad_();
      beta(x.to(dtype), y.to(dtype)).backward();
      double tolerance = dtype == float32 ? 1e-5 : 1e-12;
      BOOST_TEST(x.grad().item() == by_a, boost::test_tools::tolerance(tolerance));
      BOOST_TEST(y.grad().item() == by_b, boost::test_tools::tolerance(tolerance));
    }
}

// SciPy's: scipy.stats.norm.logpdf, t.logpdf and multivariate_normal.logpdf; mpmath where parameters are extreme
BOOST_AUTO_TEST_CASE(log_densities) {
  close(normal_log_prob(doubles({0.3, -2}), doubles({0, 0.5}), doubles({1, 2})),
        doubles({-0.9639385332046727, -2.393335713764618}), 1e-15);
  close(student_t_log_prob(doubles({0.3, -2}), doubles({1.5, 5}), doubles({0, 0.5}), doubles({1, 2})),
        doubles({-1.1494864199868604, -2.4775679160655946}), 1e-15);
  close(student_t_log_prob(doubles({1e20, 0.7}), doubles({3, 1e10})), doubles({-183.01047171181096, -1.1639385332481702}), 1e-13);
  BOOST_TEST(std::isfinite(student_t_log_prob(Variable{1e30}, 3).item()));  // of float32, where the square is infinite
  Variable x = doubles({{0.3, -1}, {2, 0.5}}), mean = doubles({0.5, 1}), c = doubles({{2, 0.5}, {0.5, 1}});
  Variable expected = doubles({-4.3005421032342, -3.1176849603770567});
  close(multivariate_normal_log_prob(x, mean, {.covariance_matrix = c}), expected, 1e-14);
  close(multivariate_normal_log_prob(x, mean, {.precision_matrix = inverse(c)}), expected, 1e-14);
  close(multivariate_normal_log_prob(x, mean, {.scale_tril = cholesky(c)}), expected, 1e-14);
  close(multivariate_normal_log_prob(x[0], mean, {.covariance_matrix = stack({c, c})}), expand(expected[0], {2}), 1e-14);
  Variable logits = log(doubles({{1, 2, 5}, {2, 1, 1}}));
  close(categorical_log_prob(integers({2, 1}), logits), log(doubles({0.625, 0.25})), 1e-15);
  close(categorical_log_prob(integers({{0}, {2}}), logits), log(doubles({{0.125, 0.5}, {0.625, 0.25}})), 1e-15);

  throws<ValueError>([&] { normal_log_prob(x, 0, -1); }, {"normal_log_prob", "scale of 0 or less"});
  throws<ValueError>([&] { student_t_log_prob(x, 0); }, {"student_t_log_prob", "df of 0 or less"});
  throws<DTypeError>([&] { normal_log_prob(integers({1}), 0, 1); }, {"normal_log_prob", "int64"});
  throws<ValueError>([&] { multivariate_normal_log_prob(x, mean, {}); }, {"multivariate_normal_log_prob", "0 matrices"});
  throws<ValueError>([&] { multivariate_normal_log_prob(x, mean, {.covariance_matrix = c, .scale_tril = c}); },
                     {"multivariate_normal_log_prob", "2 matrices"});
  throws<ValueError>([&] { multivariate_normal_log_prob(x, mean, {.covariance_matrix = -c}); },
                     {"multivariate_normal_log_prob", "not positive definite"});
  throws<ValueError>([&] { multivariate_normal_log_prob(x, mean, {.scale_tril = -c}); },
                     {"multivariate_normal_log_prob", "diagonal of scale_tril"});
  throws<ShapeError>([&] { multivariate_normal_log_prob(x, mean, {.covariance_matrix = eye(3, float64)}); },
                     {"multivariate_normal_log_prob", "(2,)", "(3, 3)"});
  throws<ValueError>([&] { categorical_log_prob(integers({3, 0}), logits); }, {"categorical_log_prob", "out of range"});
  throws<ValueError>([&] { categorical_log_prob(integers({-1, 0}), logits); }, {"categorical_log_prob", "out of range"});
}

BOOST_AUTO_TEST_CASE(samples_of_distributions) {
  Generator generator(11);
  constexpr std::size_t n = 40000;
  auto near = [](const Variable& x, const Variable& expected, double deviation) {
    close(x, expected, 5 * deviation / std::sqrt(n));
  };
  Variable x = normal_rsample(doubles({1, -2}), doubles({0.5, 3}), {n}, generator);
  BOOST_TEST((x.shape() == Shape{n, 2}));
  near(mean(x, 0), doubles({1, -2}), 3);
  near(stddev(x, 0), doubles({0.5, 3}), 3);
  BOOST_TEST((normal_rsample(0, 1).dtype() == float32));

  // The variance of Student's t is df / (df - 2), its fourth moment 3 df^2 / ((df - 2) (df - 4)); a quarter of it lies
  // below its lower quartile, for df = 1 at -1.
  Variable t = student_t_rsample(doubles({9}), 0, 1, {n}, generator);
  near(var(t, 0), doubles({9.0 / 7}), std::sqrt(3 * 81 / (7.0 * 5) - 81 / 49.0));
  Variable cauchy = student_t_rsample(1, 2, 3, {n}, generator);
  near(mean(cauchy < -1).to(float64), full({}, 0.25, float64), std::sqrt(0.25 * 0.75));

  Variable c = doubles({{2, 0.5}, {0.5, 1}});
  for (const Covariance& covariance : {Covariance{.covariance_matrix = c}, Covariance{.precision_matrix = inverse(c)},
                                       Covariance{.scale_tril = cholesky(c)}}) {
    Variable v = multivariate_normal_rsample(doubles({3, -1}), covariance, {n}, generator);
    near(mean(v, 0), doubles({3, -1}), std::sqrt(2));
    near(cov(transpose(v)), c, std::sqrt(8));
  }
  Variable k = categorical_sample(log(doubles({{1, 3, 0}, {0, 0, 2}})), {n}, generator);
  BOOST_TEST((k.shape() == Shape{n, 2}));
  near(mean(equal(k, 1), 0).to(float64), doubles({0.75, 0}), std::sqrt(0.25 * 0.75));
  BOOST_TEST(all(equal(k[{range(), 1}], 2)).item() == 1);
  throws<ValueError>([] { normal_rsample(0, zeros({2})); }, {"normal_rsample", "scale"});
  throws<ValueError>([] { categorical_sample(full({2}, -HUGE_VAL)); }, {"categorical_sample", "(2,)", "-infinity"});
  throws<ValueError>([] { categorical_sample(full({2}, NAN)); }, {"categorical_sample", "NaN"});
}

BOOST_AUTO_TEST_SUITE_END()
