// Layers and initializers, against closed forms and finite differences.
#include <cmath>
#include <numbers>

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;

BOOST_AUTO_TEST_SUITE(layers)

BOOST_AUTO_TEST_CASE(dense_is_an_affine_map) {
  nn::Dense dense(2, 3);
  dense.load_state_dict({{"weight", Variable{{1, 4}, {2, 5}, {3, 6}}}, {"bias", Variable{10, 20, 30}}});
  close(dense(Variable{{1, 1}, {0, 2}}), Variable{{15, 27, 39}, {18, 30, 42}});
  close(dense(Variable{1, 1}), Variable{15, 27, 39});
  BOOST_TEST((dense(zeros({4, 5, 2})).shape() == Shape{4, 5, 3}));
  nn::Dense linear(2, 3, {.weight_init = nn::ones(), .bias = false});
  BOOST_TEST(!linear.bias.defined());
  BOOST_TEST(linear.parameters().size() == 1);
  close(linear(Variable{1, 2}), Variable{3, 3, 3});
}

BOOST_AUTO_TEST_CASE(dense_begins_as_its_initializers_say) {
  nn::Dense dense(300, 100);
  double bound = std::sqrt(6.0 / 400);
  BOOST_TEST(max(abs(dense.weight)).item() <= bound);
  BOOST_TEST(max(abs(dense.weight)).item() > 0.99 * bound);
  close(dense.bias, zeros({100}));
  Generator a(5), b(5);
  nn::Dense first(3, 2, {.bias_init = nn::uniform(1, 2), .generator = a});
  nn::Dense second(3, 2, {.bias_init = nn::uniform(1, 2), .generator = b});
  close(first.weight, second.weight);
  close(first.bias, second.bias);
  nn::Dense third(3, 2, {.dtype = float64, .generator = a});
  BOOST_TEST((third.weight.dtype() == float64));
}

BOOST_AUTO_TEST_CASE(dense_refuses_what_does_not_fit) {
  throws<ValueError>([] { nn::Dense(0, 2); }, {"Dense(0, 2)", "1 or more"});
  throws<ValueError>([] { nn::Dense(1, 2, {.weight_init = nullptr}); }, {"Dense(1, 2): weight", "empty"});
  auto wrong = [](const Shape&, DType dtype, Generator&) { return Array::full({7}, 0, dtype); };
  throws<ShapeError>([&] { nn::Dense(1, 2, {.bias_init = wrong}); }, {"bias", "float32(7,)", "float32(2,)"});
  nn::Dense dense(784, 400);
  throws<ShapeError>([&] { dense(zeros({128, 10})); }, {"Dense(784, 400)", "(128, 10)", "784"});
  throws<ShapeError>([&] { dense(Variable(1.0)); }, {"Dense(784, 400)", "()"});
  throws<DTypeError>([&] { dense(zeros({1, 784}, float64)); }, {"float64", "float32"});
}

BOOST_AUTO_TEST_CASE(modules_are_checked_with_all_their_parameters) {
  nn::Sequential net{nn::Dense(3, 4, {.bias_init = nn::normal()}), [](const Variable& x) { return tanh(x); },
                     nn::Dense(4, 2, {.bias = false})};
  net.to(float64);
  StateDict before = net.state_dict();
  auto result = nn::gradcheck_module(net, randn({5, 3}, float64), {.order = 2});
  BOOST_TEST(result.ok, result.message);
  for (const auto& [name, x] : net.state_dict()) close(x, before.at(name));
  for (const Variable& x : net.parameters()) BOOST_TEST((x.is_leaf() && x.requires_grad() && !x.grad().defined()));

  struct Wrong : nn::Module {
    Variable used = add("used", parameter(Variable({1.0, 2.0}, float64)));
    Variable lost = add("lost", parameter(Variable({1.0, 2.0}, float64)));
    Variable forward(const Variable& x) override { return x * used + square(lost).detach(); }
  };
  result = nn::gradcheck_module(Wrong(), Variable({3.0, 4.0}, float64));
  BOOST_TEST(!result.ok);
  for (const char* part : {"input 2", "0 is x", "1 is used", "2 is lost"})
    BOOST_TEST((result.message.find(part) != std::string::npos), result.message << " lacks " << part);
  throws<DTypeError>([] { nn::gradcheck_module(nn::Dense(2, 2), zeros({1, 2}, float64)); }, {"float64"});
}

BOOST_AUTO_TEST_CASE(relu_and_lambda) {
  close(nn::ReLU()(Variable{-1, 0, 2}), Variable{0, 0, 2});
  nn::Lambda twice([](const Variable& x) { return 2 * x; }, "twice");
  close(twice(Variable{1, 2}), Variable{2, 4});
  BOOST_TEST(twice.description() == "twice");
  throws<ValueError>([] { nn::Lambda(nn::Lambda::Function{}); }, {"Lambda", "empty"});
}

BOOST_AUTO_TEST_CASE(sequential_runs_its_layers_in_order) {
  auto plus_one = [](const Variable& x) { return x + 1; };
  nn::Sequential net{plus_one, std::make_shared<nn::ReLU>(), nn::Sequential{plus_one, plus_one}};
  net.append(relu);
  BOOST_TEST(net.size() == 4);
  close(net(Variable{-3, 1}), Variable{2, 4});
  close(nn::Sequential()(Variable{-3, 1}), Variable{-3, 1});
  BOOST_TEST(net[2]->name() == "Sequential");
  throws<ValueError>([&] { net[4]; }, {"Sequential", "layer 4 of 4"});
  nn::Sequential same{net};  // one Sequential is copied as a handle, not put into another
  BOOST_TEST(same.size() == 4);
  struct Net : nn::Sequential {
    Net() : Sequential{nn::Dense(2, 3), nn::Dense(3, 1)} {}
  };
  Net derived;
  Net copy = derived;
  BOOST_TEST(copy.size() == 2);
  BOOST_TEST(copy.parameters()[0].impl() == derived.parameters()[0].impl());
}

BOOST_AUTO_TEST_CASE(a_convolutional_network) {
  seed(8);
  nn::Sequential net{nn::Conv2D(1, 4, 3, {.padding = 1, .dtype = float64}), nn::BatchNorm2D(4, {.dtype = float64}),
                     [](const Variable& x) { return tanh(x); }, nn::AvgPool2D(2), nn::Flatten(),
                     nn::Dense(16, 3, {.dtype = float64}), nn::LayerNorm(3, {.dtype = float64})};
  Variable x = randn({3, 1, 4, 4}, float64);
  BOOST_TEST((net(x).shape() == Shape{3, 3}));
  net.eval();  // in training, each call would change the running statistics
  auto result = nn::gradcheck_module(net, x);
  BOOST_TEST(result.ok, result.message);
  nn::MaxPool2D pool(2);
  close(pool(arange(4).to(float32).reshape({1, 1, 2, 2})), Variable{3}.to(float32).reshape({1, 1, 1, 1}));
}

BOOST_AUTO_TEST_CASE(dropout_acts_in_training_only) {
  nn::Dropout drop(0.5);
  Variable x = ones({1000});
  double kept = count_nonzero(drop(x)).item();
  BOOST_TEST(std::abs(kept - 500) < 80);  // five standard deviations
  drop.eval();
  close(drop(x), x);
  BOOST_TEST(drop.description() == "0.5");
  throws<ValueError>([] { nn::Dropout(-0.1); }, {"Dropout", "the probability is -0.1"});
  throws<ValueError>([] { nn::Dropout(NAN); }, {"Dropout", "nan"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(initializers)

namespace {

Variable drawn(const nn::Initializer& initializer, const Shape& shape, DType dtype = float64) {
  Generator generator(3);
  return nn::initialized("test", initializer, shape, dtype, generator);
}

// The mean and the standard deviation of `count` samples are within five standard errors of what they should be;
// `kurtosis` is that of the distribution, E[(x - mean)^4] / stddev^4.
void has_moments(const Variable& x, double expected_mean, double expected_stddev, double kurtosis) {
  auto n = static_cast<double>(x.size());
  double stddev = std::sqrt(var(x).item());
  BOOST_TEST(std::abs(mean(x).item() - expected_mean) < 5 * expected_stddev / std::sqrt(n));
  BOOST_TEST(std::abs(stddev / expected_stddev - 1) < 5 * std::sqrt((kurtosis - 1) / n) / 2);
}

constexpr double normal_kurtosis = 3, uniform_kurtosis = 1.8;

}  // namespace

BOOST_AUTO_TEST_CASE(plain_distributions) {
  has_moments(drawn(nn::normal(2, 0.5), {200, 500}), 2, 0.5, normal_kurtosis);
  has_moments(drawn(nn::uniform(-1, 3), {200, 500}), 1, 4 / std::sqrt(12.0), uniform_kurtosis);
  // The variance of a normal distribution cut at +-a: 1 - 2 a pdf(a) / (cdf(a) - cdf(-a)).
  double a = 2, pdf = std::exp(-a * a / 2) / std::sqrt(2 * std::numbers::pi);
  double truncated_stddev = std::sqrt(1 - 2 * a * pdf / std::erf(a / std::numbers::sqrt2));
  Variable truncated = drawn(nn::truncated_normal(1, 3), {200, 500});
  has_moments(truncated, 1, 3 * truncated_stddev, normal_kurtosis);
  BOOST_TEST(max(abs(truncated - 1)).item() <= 6);
  BOOST_TEST(max(abs(truncated - 1)).item() > 5.9);
  close(drawn(nn::constant(2.5), {2, 3}), full({2, 3}, 2.5, float64));
  close(drawn(nn::zeros(), {2, 3}), zeros({2, 3}, float64));
  close(drawn(nn::ones(), {4}), ones({4}, float64));
}

BOOST_AUTO_TEST_CASE(fans_of_dense_and_convolution_weights) {
  auto dense = nn::fans({100, 300});
  BOOST_TEST(dense.in == 300);
  BOOST_TEST(dense.out == 100);
  auto convolution = nn::fans({16, 8, 3, 5});
  BOOST_TEST(convolution.in == 8 * 15);
  BOOST_TEST(convolution.out == 16 * 15);
  throws<ShapeError>([] { nn::fans({3}); }, {"(3,)", "two axes"});
}

BOOST_AUTO_TEST_CASE(xavier_and_he_have_the_papers_variances) {
  struct Case {
    Shape shape;
    double in, out;
  };
  for (const auto& [shape, in, out] : {Case{{100, 300}, 300, 100}, Case{{50, 20, 5, 5}, 500, 1250}}) {
    double xavier = std::sqrt(2 / (in + out)), he = std::sqrt(2 / in);
    has_moments(drawn(nn::xavier_normal(), shape), 0, xavier, normal_kurtosis);
    has_moments(drawn(nn::xavier_normal(3), shape), 0, 3 * xavier, normal_kurtosis);
    has_moments(drawn(nn::xavier_uniform(), shape), 0, xavier, uniform_kurtosis);
    has_moments(drawn(nn::he_normal(), shape), 0, he, normal_kurtosis);
    has_moments(drawn(nn::he_uniform(), shape), 0, he, uniform_kurtosis);
    has_moments(drawn(nn::he_normal(1), shape), 0, he / std::sqrt(2.0), normal_kurtosis);
    // A uniform distribution on [-a, a) has the standard deviation a / sqrt(3).
    for (const auto& [initializer, stddev] : {std::pair{nn::xavier_uniform(), xavier}, {nn::he_uniform(), he}}) {
      double largest = max(abs(drawn(initializer, shape))).item(), a = stddev * std::sqrt(3.0);
      BOOST_TEST(largest <= a);
      BOOST_TEST(largest > 0.999 * a);
    }
  }
}

BOOST_AUTO_TEST_CASE(one_seed_gives_one_value) {
  Generator a(1), b(1), c(2);
  auto draw = [](Generator& g) { return nn::initialized("x", nn::he_normal(), {4, 5}, float32, g); };
  Variable first = draw(a);
  close(first, draw(b));
  BOOST_TEST(max(abs(first - draw(a))).item() > 0);
  BOOST_TEST(max(abs(first - draw(c))).item() > 0);
  BOOST_TEST(first.requires_grad());
}

BOOST_AUTO_TEST_CASE(bad_options_are_refused_when_made) {
  throws<ValueError>([] { nn::normal(0, -1); }, {"normal", "-1"});
  throws<ValueError>([] { nn::truncated_normal(NAN, 1); }, {"truncated_normal", "nan"});
  throws<ValueError>([] { nn::uniform(2, 1); }, {"uniform", "low <= high"});
  throws<ValueError>([] { nn::constant(INFINITY); }, {"constant", "inf"});
  throws<ValueError>([] { nn::xavier_uniform(-1); }, {"xavier_uniform", "-1"});
  throws<ValueError>([] { nn::he_normal(NAN); }, {"he_normal", "nan"});
  throws<ShapeError>([] { nn::Dense(2, 2, {.bias_init = nn::xavier_normal()}); }, {"(2,)", "fan-in"});
}

BOOST_AUTO_TEST_SUITE_END()
