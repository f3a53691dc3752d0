// Initializers of a given distribution or structure, against closed forms.
#include <cmath>
#include <numbers>

#include <autograd/threads.hpp>
#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;

namespace {

Variable drawn(const nn::Initializer& initializer, const Shape& shape, DType dtype = float64, std::uint64_t seed = 3) {
  Generator generator(seed);
  return nn::initialized("test", initializer, shape, dtype, generator).detach();
}

double pdf(double z) { return std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi); }
double cdf(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

double moment(const Variable& x, double about, int power) {
  return mean(pow(x - about, power)).item();
}

bool same_bits(const Variable& a, const Variable& b) { return all(a == b).item() == 1; }

}  // namespace

BOOST_AUTO_TEST_SUITE(distributions)

// With a and b the cuts and Z = cdf(b) - cdf(a), the mean is (pdf(a) - pdf(b)) / Z, and the variance is
// 1 + (a pdf(a) - b pdf(b)) / Z - mean^2.
BOOST_AUTO_TEST_CASE(truncated_normal_has_the_moments_of_the_truncated_distribution) {
  struct Cuts {
    double low, high;
  };
  for (auto [a, b] : {Cuts{-2, 2}, Cuts{-1, 1}, Cuts{-0.5, 3}, Cuts{1, 2}, Cuts{-8, 8}, Cuts{3, 4}}) {
    double z = cdf(b) - cdf(a), center = (pdf(a) - pdf(b)) / z;
    double variance = 1 + (a * pdf(a) - b * pdf(b)) / z - center * center;
    const double n = 400 * 500;
    Variable x = (drawn(nn::truncated_normal(2, 3, a, b), {400, 500}) - 2) / 3;
    BOOST_TEST_CONTEXT(a << " to " << b) {
      BOOST_TEST(min(x).item() >= a - 1e-12);
      BOOST_TEST(max(x).item() <= b + 1e-12);
      double found = mean(x).item(), spread = moment(x, center, 2);
      BOOST_TEST(std::abs(found - center) < 5 * std::sqrt(variance / n));
      // The standard error of the variance, from the sample's own fourth moment.
      BOOST_TEST(std::abs(spread - variance) < 5 * std::sqrt((moment(x, center, 4) - spread * spread) / n));
      // The share below some point between the cuts.
      double at = a + 0.3 * (b - a), share = (cdf(at) - cdf(a)) / z;
      BOOST_TEST(std::abs(mean((x < at).to(float64)).item() - share) < 5 * std::sqrt(share * (1 - share) / n));
    }
  }
  Variable plain = drawn(nn::truncated_normal(), {1000});
  BOOST_TEST(max(abs(plain)).item() <= 2);
  BOOST_TEST(max(abs(drawn(nn::truncated_normal(0, 0.02), {1000}))).item() <= 0.04);
}

BOOST_AUTO_TEST_CASE(gains_are_those_of_pytorch) {
  for (const char* name : {"linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
                           "conv_transpose3d", "conv", "conv_transpose", "sigmoid"})
    BOOST_TEST(nn::calculate_gain(name) == 1);
  BOOST_TEST(nn::calculate_gain("tanh") == 5.0 / 3);
  BOOST_TEST(nn::calculate_gain("relu") == std::sqrt(2.0));
  BOOST_TEST(nn::calculate_gain("leaky_relu") == std::sqrt(2 / (1 + 1e-4)));
  BOOST_TEST(nn::calculate_gain("leaky_relu", 0.2) == std::sqrt(2 / 1.04));
  BOOST_TEST(nn::calculate_gain("selu") == 0.75);
  throws<ValueError>([] { nn::calculate_gain("swish"); }, {"calculate_gain", "swish", "leaky_relu"});
  throws<ValueError>([] { nn::calculate_gain("leaky_relu", NAN); }, {"calculate_gain", "nan"});
}

BOOST_AUTO_TEST_CASE(he_and_lecun_go_by_one_fan) {
  // A normal variance of n samples has the relative standard error sqrt(2 / n), a uniform one sqrt(0.8 / n).
  const Shape shape{100, 300};
  const double n = 30000;
  auto variance = [&](const nn::Initializer& initializer) { return moment(drawn(initializer, shape), 0, 2); };
  auto near = [&](double found, double expected) { BOOST_TEST(std::abs(found / expected - 1) < 5 * std::sqrt(2 / n)); };
  near(variance(nn::he_normal()), 2.0 / 300);
  near(variance(nn::he_normal(1, nn::Fan::out)), 1.0 / 100);
  near(variance(nn::he_uniform(std::sqrt(2), nn::Fan::out)), 2.0 / 100);
  near(variance(nn::lecun_normal()), 1.0 / 300);
  near(variance(nn::lecun_uniform()), 1.0 / 300);
  double a = std::sqrt(3.0 / 300), largest = max(abs(drawn(nn::lecun_uniform(), shape))).item();
  BOOST_TEST(largest <= a);
  BOOST_TEST(largest > 0.999 * a);
}

BOOST_AUTO_TEST_CASE(orthogonal_matrices) {
  for (const Shape& shape : {Shape{5, 5}, Shape{7, 3}, Shape{3, 7}, Shape{4, 3, 3}, Shape{20, 2, 3}}) {
    Variable w = drawn(nn::orthogonal(1.5), shape);
    std::ptrdiff_t rows = static_cast<std::ptrdiff_t>(shape[0]);
    Variable m = w.reshape({rows, -1});
    if (m.shape(0) > m.shape(1)) m = transpose(m);
    close(matmul(m, transpose(m)), 2.25 * eye(m.shape(0), m.shape(0), float64), 1e-13);
  }
  BOOST_TEST((drawn(nn::orthogonal(), {3, 2}, float32).dtype() == float32));
  BOOST_TEST((drawn(nn::orthogonal(), {0, 2}).shape() == Shape{0, 2}));
  // Uniformly random: an element of a 4 x 4 one has mean 0 and variance 1/4, and the determinant has either sign.
  double total = 0, squares = 0;
  int positive = 0;
  const int count = 400;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    Variable w = drawn(nn::orthogonal(), {4, 4}, float64, seed);
    total += w.value().at(0);
    squares += w.value().at(0) * w.value().at(0);
    positive += det(w).item() > 0;
  }
  BOOST_TEST(std::abs(total / count) < 5 * 0.5 / std::sqrt(count));
  BOOST_TEST(std::abs(squares / count - 0.25) < 5 * 0.25 * std::sqrt(2.0 / count));
  BOOST_TEST(std::abs(positive - count / 2) < 5 * std::sqrt(count) / 2);
  throws<ShapeError>([] { drawn(nn::orthogonal(), {3}); }, {"orthogonal", "(3,)", "two axes"});
  throws<ValueError>([] { nn::orthogonal(-1); }, {"orthogonal", "-1"});
}

BOOST_AUTO_TEST_CASE(sparse_matrices) {
  Variable w = drawn(nn::sparse(0.35, 2), {10, 400});
  close(sum((w == 0).to(float64), 0), full({400}, 4, float64));  // 3.5, rounded up
  Variable values = masked_select(w, w != 0);
  BOOST_TEST(std::abs(moment(values, 0, 2) / 4 - 1) < 5 * std::sqrt(2.0 / 2400));
  // Each row is chosen as often as the others.
  Variable dropped = sum((w == 0).to(float64), 1);
  BOOST_TEST(max(abs(dropped - 160)).item() < 5 * std::sqrt(400 * 0.4 * 0.6));
  BOOST_TEST(max(abs(drawn(nn::sparse(1), {3, 2}))).item() == 0);
  BOOST_TEST(sum((drawn(nn::sparse(0), {3, 2}) == 0).to(float64)).item() == 0);
  throws<ShapeError>([] { drawn(nn::sparse(0.5), {3, 2, 2}); }, {"sparse", "(3, 2, 2)", "two axes"});
  for (double bad : {-0.1, 1.1, double(NAN)}) throws<ValueError>([bad] { nn::sparse(bad); }, {"sparse", "0 to 1"});
  throws<ValueError>([] { nn::sparse(0.5, -1); }, {"sparse", "-1"});
}

BOOST_AUTO_TEST_CASE(one_seed_gives_the_same_bits_on_any_number_of_threads) {
  int before = num_threads();
  for (const auto& initializer : {nn::normal(), nn::uniform(), nn::truncated_normal(), nn::xavier_uniform(),
                                  nn::he_normal(),
                                  nn::lecun_normal(), nn::orthogonal(), nn::sparse(0.5)}) {
    set_num_threads(1);
    Variable one = drawn(initializer, {300, 200});
    set_num_threads(2);
    Variable two = drawn(initializer, {300, 200});
    BOOST_TEST(num_threads() == 2);
    BOOST_TEST(same_bits(one, two));
    BOOST_TEST(!same_bits(one, drawn(initializer, {300, 200}, float64, 4)));
  }
  set_num_threads(before);
}

BOOST_AUTO_TEST_CASE(bad_options_are_refused_when_made) {
  throws<ValueError>([] { nn::truncated_normal(0, 1, 2, 2); }, {"truncated_normal", "low < high"});
  throws<ValueError>([] { nn::truncated_normal(0, 1, NAN, 2); }, {"truncated_normal", "nan"});
  throws<ValueError>([] { nn::truncated_normal(0, 1, 50, 60); }, {"truncated_normal", "50", "double precision"});
  throws<ValueError>([] { nn::he_uniform(INFINITY, nn::Fan::out); }, {"he_uniform", "inf"});
}

BOOST_AUTO_TEST_CASE(initializing_in_place) {
  Generator generator(7);
  nn::Dense dense(300, 200);
  Variable handle = dense.weight;
  nn::init(dense.weight, nn::normal(0, 0.02), generator);
  BOOST_TEST(handle.impl() == dense.weight.impl());
  BOOST_TEST(dense.weight.requires_grad());
  close(handle.detach(), drawn(nn::normal(0, 0.02), {200, 300}, float32, 7));
  nn::init(dense.bias, nn::constant(0.25));
  close(dense.parameters()[1].detach(), full({200}, 0.25));
  nn::Dense lazy(3);
  throws<Error>([&] { nn::init(lazy.weight, nn::normal()); }, {"init", "(3, 0)", "first call"});
  throws<Error>([] { nn::init(Variable(), nn::normal()); }, {"init", "undefined"});
  throws<ValueError>([&] { nn::init(dense.weight, nullptr); }, {"init", "empty"});
}

// Drawing is an affair of the caller's: the number of threads stays, also while another thread computes.
BOOST_AUTO_TEST_CASE(initializers_leave_the_number_of_threads_alone) {
  int before = num_threads();
  set_num_threads(2);
  drawn([](const Shape& shape, DType dtype, Generator& g) {
    Array value = nn::orthogonal()(shape, dtype, g);
    BOOST_TEST(num_threads() == 2);
    return value;
  }, {30, 20});
  BOOST_TEST(num_threads() == 2);
  set_num_threads(before);
}

BOOST_AUTO_TEST_SUITE_END()
