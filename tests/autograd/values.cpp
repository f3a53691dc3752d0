// Forward values, against the standard library and plain loops.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

#include "values.hpp"
#include "views_and_random.hpp"

using namespace xtape;

namespace {

template <class T>
void check_unary(const char* name, Variable (*f)(const Variable&), double (*reference)(double)) {
  Variable x = of(special, dtype_of<T>()), y = f(x);
  for (std::size_t i = 0; i < special.size(); ++i) {
    double in = x.value().at(i), expected = reference(in), found = y.value().at(i);
    // Each element alone, too: the position in the array must not matter.
    double alone = f(Variable(Array::scalar(in, x.dtype()))).item();
    BOOST_TEST(close<T>(found, expected), name << "(" << in << ") is " << found << ", not " << expected);
    BOOST_TEST((alone == found || (std::isnan(alone) && std::isnan(found))), name << "(" << in << ") alone");
  }
}

void check(const char* name, Variable (*f)(const Variable&), double (*reference)(double)) {
  check_unary<float>(name, f, reference);
  check_unary<double>(name, f, reference);
}

template <class T>
void check_binary(const char* name, Variable (*f)(const Variable&, const Variable&), double (*reference)(double, double)) {
  Variable a = reshape(of(special, dtype_of<T>()), {-1, 1}), b = of(special, dtype_of<T>()), y = f(a, b);
  std::size_t n = special.size();
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      double x = a.value().at(i), z = b.value().at(j);
      double expected = reference(x, z), found = y.value().at(i * n + j);
      BOOST_TEST(close<T>(found, expected), name << "(" << x << ", " << z << ") is " << found << ", not " << expected);
    }
}

void check(const char* name, Variable (*f)(const Variable&, const Variable&), double (*reference)(double, double)) {
  check_binary<float>(name, f, reference);
  check_binary<double>(name, f, reference);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(values)

BOOST_AUTO_TEST_CASE(unary_functions_agree_with_the_standard_library) {
  check("neg", neg, [](double x) { return -x; });
  check("square", square, [](double x) { return x * x; });
  check("sqrt", sqrt, [](double x) { return std::sqrt(x); });
  check("abs", abs, [](double x) { return std::abs(x); });
  check("sign", sign, [](double x) { return double((x > 0) - (x < 0)); });
  check("exp", exp, [](double x) { return std::exp(x); });
  check("expm1", expm1, [](double x) { return std::expm1(x); });
  check("log", log, [](double x) { return std::log(x); });
  check("log1p", log1p, [](double x) { return std::log1p(x); });
  check("sin", sin, [](double x) { return std::sin(x); });
  check("cos", cos, [](double x) { return std::cos(x); });
  check("tanh", tanh, [](double x) { return std::tanh(x); });
  check("sigmoid", sigmoid, [](double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); });
  check("relu", relu, [](double x) { return std::isnan(x) ? x : std::max(x, 0.0); });
  check("reciprocal", reciprocal, [](double x) { return 1 / x; });
  check("rsqrt", rsqrt, [](double x) { return 1 / std::sqrt(x); });
  check("floor", floor, [](double x) { return std::floor(x); });
  check("ceil", ceil, [](double x) { return std::ceil(x); });
  check("round", round, [](double x) { return std::nearbyint(x); });
  check("trunc", trunc, [](double x) { return std::trunc(x); });
  check("exp2", exp2, [](double x) { return std::exp2(x); });
  check("log2", log2, [](double x) { return std::log2(x); });
  check("log10", log10, [](double x) { return std::log10(x); });
  check("tan", tan, [](double x) { return std::tan(x); });
  check("asin", asin, [](double x) { return std::asin(x); });
  check("acos", acos, [](double x) { return std::acos(x); });
  check("atan", atan, [](double x) { return std::atan(x); });
  check("sinh", sinh, [](double x) { return std::sinh(x); });
  check("cosh", cosh, [](double x) { return std::cosh(x); });
  check("asinh", asinh, [](double x) { return std::asinh(x); });
  check("acosh", acosh, [](double x) { return std::acosh(x); });
  check("atanh", atanh, [](double x) { return std::atanh(x); });
  check("erf", erf, [](double x) { return std::erf(x); });
  check("erfc", erfc, [](double x) { return std::erfc(x); });
  check("lgamma", lgamma, [](double x) { return std::lgamma(x); });
  check("softplus", [](const Variable& x) { return softplus(x); },
        [](double x) { return x > 20 ? x : std::log1p(std::exp(x)); });
  check("logsigmoid", logsigmoid, [](double x) { return x > 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x)); });
}

BOOST_AUTO_TEST_CASE(binary_functions_agree_with_the_standard_library) {
  check("add", add, [](double a, double b) { return a + b; });
  check("sub", sub, [](double a, double b) { return a - b; });
  check("mul", mul, [](double a, double b) { return a * b; });
  check("div", div, [](double a, double b) { return a / b; });
  check("pow", pow, [](double a, double b) { return std::pow(a, b); });
  check("maximum", maximum, [](double a, double b) { return std::isnan(a) || std::isnan(b) ? not_a_number : std::max(a, b); });
  check("minimum", minimum, [](double a, double b) { return std::isnan(a) || std::isnan(b) ? not_a_number : std::min(a, b); });
  check("atan2", atan2, [](double a, double b) { return std::atan2(a, b); });
  check("hypot", hypot, [](double a, double b) { return std::hypot(a, b); });
  check("fmod", fmod, [](double a, double b) { return std::fmod(a, b); });
  check("copysign", copysign, [](double a, double b) { return std::copysign(a, b); });
  check("fmax", fmax, [](double a, double b) { return std::fmax(a, b); });
  check("fmin", fmin, [](double a, double b) { return std::fmin(a, b); });
}

BOOST_AUTO_TEST_CASE(special_functions_at_known_values, *boost::unit_test::tolerance(1e-14)) {
  auto at = [](auto f, double x) { return f(Variable({x}, float64)).item(); };
  const double euler = 0.57721566490153286061, pi = 3.14159265358979323846;
  BOOST_TEST(at(digamma, 1) == -euler);
  BOOST_TEST(at(digamma, 0.5) == -euler - 2 * std::log(2.0));
  BOOST_TEST((at(digamma, 0) == -infinity));
  BOOST_TEST(std::isnan(at(digamma, -2)));
  BOOST_TEST(polygamma(1, Variable({1.0}, float64)).item() == pi * pi / 6);
  BOOST_TEST(polygamma(3, Variable({1.0}, float64)).item() == std::pow(pi, 4) / 15);
  for (int n : {1, 2, 3}) {
    auto polygamma_at = [n](double x) { return polygamma(n, Variable({x}, float64)).item(); };
    double at_pole = n == 2 ? -infinity : infinity;
    BOOST_TEST(std::isnan(polygamma_at(not_a_number)));
    BOOST_TEST(std::isnan(polygamma_at(-infinity)));
    BOOST_TEST(polygamma_at(infinity) == 0);
    for (double x : {0.0, -0.0, -2.0, -1e30}) BOOST_TEST((polygamma_at(x) == at_pole));
  }
  BOOST_TEST(at(erfinv, std::erf(0.7)) == 0.7);
  BOOST_TEST((at(erfinv, 1) == infinity));
  BOOST_TEST(std::isnan(at(erfinv, 1.5)));
  BOOST_TEST(at(gelu, 1) == 0.5 * (1 + std::erf(1 / std::sqrt(2.0))));
  BOOST_TEST(at(silu, 2) == 2 / (1 + std::exp(-2.0)));
  BOOST_TEST(at(mish, 1) == std::tanh(std::log1p(std::exp(1.0))));
  BOOST_TEST(at(selu, -1) == 1.0507009873554804934 * 1.6732632423543772848 * std::expm1(-1.0));
  BOOST_TEST(logaddexp(Variable({1000.0}, float64), 1000).item() == 1000 + std::log(2.0));
  BOOST_TEST((logaddexp(Variable({-infinity}, float64), -infinity).item() == -infinity));
  BOOST_TEST(xlogy(Variable({0.0}, float64), 0).item() == 0);
  BOOST_TEST(remainder(Variable({-3.5}, float64), 2).item() == 0.5);
  BOOST_TEST(at(hardswish, 2) == 2 * 5 / 6.0);
}

BOOST_AUTO_TEST_CASE(powers_by_scalars) {
  for (double e : {2.0, 0.5, 3.0, -1.0, 0.0})
    for (std::size_t i = 0; i < special.size(); ++i)
      BOOST_TEST(close<double>(pow(of(special, float64), e).value().at(i), std::pow(special[i], e)) ==
                 !(e == 0.5 && special[i] == -infinity));  // sqrt(-infinity) is NaN, as in PyTorch
}

BOOST_AUTO_TEST_CASE(comparisons_follow_ieee) {
  Variable x({1.0, 2.0, not_a_number, -0.0}, float64), y({1.0, 1.0, not_a_number, 0.0}, float64);
  BOOST_TEST(same(x == y, Variable({1, 0, 0, 1}, boolean)));
  BOOST_TEST(same(x != y, Variable({0, 1, 1, 0}, boolean)));
  BOOST_TEST(same(x > y, Variable({0, 1, 0, 0}, boolean)));
  BOOST_TEST(same(x >= y, Variable({1, 1, 0, 1}, boolean)));
  BOOST_TEST(same(x < y, Variable({0, 0, 0, 0}, boolean)));
  BOOST_TEST(same(x <= y, Variable({1, 0, 0, 1}, boolean)));
  BOOST_TEST(same(!(x > y), Variable({1, 0, 1, 1}, boolean)));
  BOOST_TEST(same((x > 0) && (y > 0), Variable({1, 1, 0, 0}, boolean)));
  BOOST_TEST(same((x > 1.5) || (y == 0), Variable({0, 1, 0, 1}, boolean)));
  BOOST_TEST(same(arange(5) >= 3, Variable({0, 0, 0, 1, 1}, boolean)));
}

BOOST_AUTO_TEST_CASE(integers_have_exact_arithmetic) {
  Variable a({5, -7, 9007199254740993.0}, int64), b = arange(3) + 1;
  BOOST_TEST(same(a * b, Variable({5, -14, 3 * 9007199254740992.0}, int64)));
  BOOST_TEST(same(-abs(a), -maximum(a, -a)));
  BOOST_TEST(sum(arange(100)).item() == 4950);
  BOOST_TEST((sum(arange(3)).dtype() == int64));
  BOOST_TEST(max(arange(100) * 3).item() == 297);
  BOOST_TEST(prod(arange(1, 11)).item() == 3628800);
  BOOST_TEST((sum(randn({100}) > 0).dtype() == int64));
}

BOOST_AUTO_TEST_CASE(reductions_agree_with_plain_loops) {
  // (3, 4, 5), reduced over each set of axes by counting in each element's place.
  Variable x = randn({3, 4, 5}, float64);
  auto a = x.array<double>();
  for (unsigned set = 1; set < 8; ++set) {
    std::vector<std::ptrdiff_t> axes;
    for (int axis = 0; axis < 3; ++axis)
      if (set >> axis & 1) axes.push_back(axis);
    Shape kept{set & 1 ? 1u : 3u, set & 2 ? 1u : 4u, set & 4 ? 1u : 5u};
    const xt::xarray<double> zero(std::vector<std::size_t>(kept.begin(), kept.end()), 0.0);
    xt::xarray<double> total = zero, squares = zero, count = zero;
    xt::xarray<double> product = zero + 1, greatest = zero - 100, least = zero + 100;
    auto each = [&](auto&& visit) {
      for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 4; ++j)
          for (std::size_t k = 0; k < 5; ++k) visit(a(i, j, k), set & 1 ? 0 : i, set & 2 ? 0 : j, set & 4 ? 0 : k);
    };
    each([&](double v, auto... at) {
      total(at...) += v, product(at...) *= v, count(at...) += 1;
      greatest(at...) = std::max(greatest(at...), v), least(at...) = std::min(least(at...), v);
    });
    xt::xarray<double> average = total / count;
    each([&](double v, auto... at) { squares(at...) += (v - average(at...)) * (v - average(at...)); });
    auto compare = [](const Variable& found, const xt::xarray<double>& expected) {
      BOOST_REQUIRE((found.shape() == Shape(expected.shape().begin(), expected.shape().end())));
      for (std::size_t i = 0; i < found.size(); ++i) BOOST_TEST(close<double>(found.value().at(i), expected.flat(i), 64));
    };
    compare(sum(x, axes, true), total);
    compare(mean(x, axes, true), average);
    compare(prod(x, axes, true), product);
    compare(max(x, axes, true), greatest);
    compare(min(x, axes, true), least);
    compare(var(x, axes, true), squares / count);
    compare(logsumexp(log(square(x)), axes, true), xt::log(squares + count * average * average));
    BOOST_TEST(same(reshape(sum(x, axes), kept), sum(x, axes, true)));
  }
  BOOST_TEST(close<double>(var(x, {}, false, 1).item(), var(x).item() * 60 / 59));
}

BOOST_AUTO_TEST_CASE(sums_keep_their_precision) {
  // A single running sum in float32 stops growing at 2^24.
  BOOST_TEST(sum(ones({20'000'000})).item() == 20'000'000.0);
  Variable x = full({3'000'000}, 0.1f);
  BOOST_TEST(sum(x).item() == 3e6 * double(0.1f), boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(extremes_of_special_values) {
  BOOST_TEST(std::isnan(max(Variable({1.0, not_a_number, 2.0}, float64)).item()));
  BOOST_TEST(std::isnan(min(Variable({{not_a_number, 1.0}, {0.0, 1.0}}, float64), 0).value().at(0)));
  BOOST_TEST(max(Variable({-infinity, -infinity}, float64)).item() == -infinity);
  BOOST_TEST(same(argmax(Variable({{1, 3, 3}, {0, -1, -2}}), 1), Variable({1, 0}, int64)));
  BOOST_TEST(argmax(Variable({1.0, not_a_number, 5.0, not_a_number}, float64)).item() == 1);
  BOOST_TEST(argmin(Variable({{4, 2}, {1, 3}})).item() == 2);
  BOOST_TEST(same(argmin(Variable({{4, 2}, {1, 3}}), 0, true), Variable({{1, 0}}, int64)));
  BOOST_TEST(logsumexp(Variable({-infinity, -infinity}, float64)).item() == -infinity);
  BOOST_TEST(logsumexp(Variable({infinity, 1.0}, float64)).item() == infinity);
  BOOST_TEST(logsumexp(Variable({1000.0, 1000.0}, float64)).item() == 1000 + std::log(2), boost::test_tools::tolerance(1e-15));
  BOOST_TEST(std::isnan(mean(zeros({0})).item()));
  BOOST_TEST(prod(zeros({0})).item() == 1);
}

BOOST_AUTO_TEST_CASE(softmax_agrees_with_its_definition) {
  Variable x = randn({4, 7}, float64) * 3;
  for (std::ptrdiff_t axis : {0, 1}) {
    Variable e = exp(x), expected = e / sum(e, axis, true);
    BOOST_TEST(max(abs(softmax(x, axis) - expected)).item() < 1e-15);
    BOOST_TEST(max(abs(log_softmax(x, axis) - log(expected))).item() < 1e-14);
  }
  Variable far({1000.0, 0.0, -1000.0}, float64);
  BOOST_TEST(same(softmax(far), Variable({1.0, 0.0, 0.0}, float64)));
  BOOST_TEST(same(log_softmax(far), Variable({0.0, -1000.0, -2000.0}, float64)));
}

BOOST_AUTO_TEST_CASE(slices_agree_with_xtensor) {
  xt::xarray<double> a = xt::random::randn<double>({6, 5, 4});
  Variable x = a;
  using xt::placeholders::_;
  auto equals = [](const Variable& v, const auto& expected) { return same(v, Variable(expected)); };
  BOOST_TEST(equals(x[1], xt::view(a, 1)));
  BOOST_TEST(equals(x[-1], xt::view(a, 5)));
  BOOST_TEST(equals(x[range(1, 4)], xt::view(a, xt::range(1, 4))));
  BOOST_TEST(equals(x[{range(), range(0, none, 2)}], xt::view(a, xt::all(), xt::range(0, _, 2))));
  BOOST_TEST(equals(x[{range(none, none, -1), 2}], xt::view(a, xt::range(_, _, -1), 2)));
  BOOST_TEST(equals(x[{range(4, 1, -2)}], xt::view(a, xt::range(4, 1, -2))));
  BOOST_TEST(equals(x[{ellipsis, range(-3, -1)}], xt::view(a, xt::all(), xt::all(), xt::range(1, 3))));
  BOOST_TEST(equals(x[{2, newaxis, range(), newaxis, 3}], xt::view(a, 2, xt::newaxis(), xt::all(), xt::newaxis(), 3)));
  BOOST_TEST((x[range(3, 100)].shape() == Shape{3, 5, 4}));
  BOOST_TEST((x[range(-100, 2)].shape() == Shape{2, 5, 4}));
  BOOST_TEST((x[range(4, 2)].shape() == Shape{0, 5, 4}));
  BOOST_TEST(equals(transpose(x, {2, 0, 1}), xt::transpose(a, {2, 0, 1})));
}

BOOST_AUTO_TEST_CASE(arrangements) {
  Variable x = arange(6).reshape({2, 3});
  BOOST_TEST(same(concatenate({x, x[{range(0, 1)}]}), Variable({{0, 1, 2}, {3, 4, 5}, {0, 1, 2}}, int64)));
  BOOST_TEST(same(concatenate({x, x[{range(), range(0, 1)}]}, -1), Variable({{0, 1, 2, 0}, {3, 4, 5, 3}}, int64)));
  BOOST_TEST(same(stack({x[0], x[1]}, 1), Variable({{0, 3}, {1, 4}, {2, 5}}, int64)));
  BOOST_TEST(same(split(x, 3, 1)[1], Variable({{1}, {4}}, int64)));
  BOOST_TEST(same(take(x, Variable({-1, 0}, int64), 1), Variable({{2, 0}, {5, 3}}, int64)));
  BOOST_TEST(same(take_along_axis(x, Variable({{2}, {0}}, int64), 1), Variable({{2}, {3}}, int64)));
  BOOST_TEST(same(broadcast_to(arange(2).reshape({2, 1}), {2, 2}), Variable({{0, 0}, {1, 1}}, int64)));
  BOOST_TEST(same(eye(2, 3), Variable({{1, 0, 0}, {0, 1, 0}})));
  BOOST_TEST(same(arange(1, 0, -0.25), Variable({1.0, 0.75, 0.5, 0.25})));
  BOOST_TEST(same(where(x > 2, x, -1), Variable({{-1, -1, -1}, {3, 4, 5}}, int64)));
  BOOST_TEST(same(clip(x, 1, 4), Variable({{1, 1, 2}, {3, 4, 4}}, int64)));
  BOOST_TEST((squeeze(zeros({1, 2, 1})).shape() == Shape{2}));
  BOOST_TEST((expand_dims(zeros({2}), {0, 2}).shape() == Shape{1, 2, 1}));
}

BOOST_AUTO_TEST_CASE(random_numbers_are_seeded_and_distributed) {
  Generator a(3), b(3);
  BOOST_TEST(same(randn({1000}, float64, a), randn({1000}, float64, b)));
  std::string state = a.state();
  Variable first = rand({10}, float32, a);
  a.set_state(state);
  BOOST_TEST(same(first, rand({10}, float32, a)));
  Variable z = randn({100000}, float64, a), u = rand({100000}, float64, a);
  BOOST_TEST(std::abs(mean(z).item()) < 0.02);
  BOOST_TEST(std::abs(var(z).item() - 1) < 0.03);
  BOOST_TEST(std::abs(mean(u).item() - 0.5) < 0.01);
  BOOST_TEST(min(u).item() >= 0);
  BOOST_TEST(max(u).item() < 1);
  seed(5);
  Variable x = randn({3});
  seed(5);
  BOOST_TEST(same(x, randn({3})));
}

BOOST_AUTO_TEST_CASE(what_equal_values_and_missing_rank_leave) {
  // A multiple of the identity: every singular value is 2. Their sum's derivative is U V' = 1, whatever U is.
  Variable a = (2 * eye(3, 3, float64)).copy().requires_grad_();
  BOOST_TEST(max(abs(grad(sum(svdvals(a)), a) - eye(3, 3, float64))).item() < 1e-14);
  BOOST_TEST(max(abs(grad(sum(eigvalsh(a)), a) - eye(3, 3, float64))).item() < 1e-14);
  BOOST_TEST(max(abs(grad(sum(eigh(a).values), a) - eye(3, 3, float64))).item() < 1e-14);
  // What the tolerances leave of diag(4, -2, 1).
  Variable d = diag(Variable({4.0, -2.0, 1.0}, float64));
  auto leaves = [&](const PinvOptions& options, const Variable& expected) {
    BOOST_TEST(max(abs(pinv(d, options) - diag(expected))).item() < 1e-15);
  };
  for (bool hermitian : {false, true}) {
    leaves({.hermitian = hermitian}, Variable({0.25, -0.5, 1.0}, float64));
    leaves({.atol = 1.5, .hermitian = hermitian}, Variable({0.25, -0.5, 0.0}, float64));
    leaves({.rtol = 0.6, .hermitian = hermitian}, Variable({0.25, 0.0, 0.0}, float64));
    leaves({.atol = 2.5, .rtol = 0.3, .hermitian = hermitian}, Variable({0.25, 0.0, 0.0}, float64));
  }
  BOOST_TEST(max(abs(pinv(d + triu(ones_like(d), 1), {.hermitian = true}) - pinv(d))).item() < 1e-15);
  BOOST_TEST(all(svd(zeros({3, 0}), true).u == eye(3)).item() == 1);
  BOOST_TEST(all(qr(zeros({2, 3, 0}), "complete").q == eye(3)).item() == 1);
  // Of rank 1: (x y')+ = y x' / |x|^2 |y|^2, and the four equations of Penrose hold.
  Variable x({{1}, {2}, {-1}}, float64), y({{3, 0.5}}, float64), m = matmul(x, y), p = pinv(m);
  BOOST_TEST(max(abs(p - transpose(m) / (6 * 9.25))).item() < 1e-15);
  BOOST_TEST(max(abs(matmul(matmul(m, p), m) - m)).item() < 1e-14);
  auto of_rank_one = [](const std::vector<Variable>& v) { return pinv(matmul(v[0], v[1])); };
  auto result = gradcheck(of_rank_one, {x, y}, {.order = 2});
  BOOST_TEST(result.ok, result.message);
}

BOOST_AUTO_TEST_CASE(powers_at_zero_have_derivatives) {
  Variable x = Variable({0.0, 3.0}, float64).requires_grad_();
  for (double n : {0.0, 1.0, 2.0, 3.0}) {
    Variable first = grad(sum(pow(x, n)), x, {.create_graph = true});
    Variable second = grad(sum(first * x), x, {.allow_unused = true});
    BOOST_TEST(first.data<double>()[0] == (n == 1));
    BOOST_TEST(second.data<double>()[0] == (n == 1));
    BOOST_TEST(second.data<double>()[1] == n * n * std::pow(3, n - 1));
  }
}

// Abramowitz and Stegun, tables 9.1 and 9.8, and what is wanted where functions pass from one formula to another.
BOOST_AUTO_TEST_CASE(special_functions) {
  Variable one({1.0}, float64);
  // The Wronskian (Abramowitz and Stegun 9.6.15), also where the unscaled functions overflow and underflow.
  Variable sizes({1e-3, 0.5, 1.0, 3.0, 30.0, 699.0, 701.0, 1e4, 1e9}, float64);
  Variable k0e = scaled_modified_bessel_k0(sizes), k1e = scaled_modified_bessel_k1(sizes);
  BOOST_TEST(max(abs((i0e(sizes) * k1e + i1e(sizes) * k0e) * sizes - 1)).item() < 1e-12);
  BOOST_TEST(std::abs(modified_bessel_k0(one).item() - 0.42102443824070833) < 1e-15);
  BOOST_TEST(std::abs(modified_bessel_k1(one).item() - 0.6019072301972346) < 1e-15);
  for (auto k : {modified_bessel_k0, modified_bessel_k1, scaled_modified_bessel_k0, scaled_modified_bessel_k1}) {
    BOOST_TEST((k(Variable({0.0}, float64)).item() == infinity && k(Variable({infinity}, float64)).item() == 0));
    BOOST_TEST(sum(isnan(k(Variable({-1.0, not_a_number}, float64)))).item() == 2);
  }
  BOOST_TEST(std::abs(spherical_bessel_j0(one).item() - std::sin(1.0)) < 1e-15);
  BOOST_TEST(spherical_bessel_j0(Variable({0.0}, float64)).item() == 1);
  BOOST_TEST(std::abs(bessel_j0(one).item() - 0.7651976865579666) < 1e-15);
  BOOST_TEST(std::abs(bessel_j1(one).item() - 0.4400505857449335) < 1e-15);
  BOOST_TEST(std::abs(bessel_y0(one).item() - 0.08825696421567696) < 1e-15);
  BOOST_TEST(std::abs(bessel_y1(one).item() + 0.7812128213002887) < 1e-15);
  BOOST_TEST(std::abs(i0e(one).item() - 0.4657596075936404) < 1e-15);
  BOOST_TEST(std::abs(i1e(one).item() - 0.2079104153497085) < 1e-15);
  auto meets_at = [](Variable (*f)(const Variable&), double x) {
    Variable y = f(Variable({x * (1 - 1e-14), x * (1 + 1e-14)}, float64));
    return std::abs(y[1].item() / y[0].item() - 1) < 1e-11;
  };
  BOOST_TEST((meets_at(i0e, 700) && meets_at(i1e, -700) && meets_at(erfcx, 25) && meets_at(log_ndtr, -1)));
  BOOST_TEST(std::abs(erfcx(Variable({22.8831}, float64)).item() / 0.024631819843113258 - 1) < 1e-15);
  equal(erfcx(Variable({-30.0, -infinity, infinity})), {infinity, infinity, 0});
  equal(ldexp(Variable({1.5}), 2), {6});
  BOOST_TEST(std::abs(log_ndtr(Variable({-1e5}, float64)).item() / -5000000012.4318642 - 1) < 1e-15);
  equal(floor_divide(Variable{-7, 7, 1}, Variable{2, -2, 0.1}), {-4, -4, 9});
  equal(div(Variable{-7, 7, 1}, Variable{2, -2, 0.1}, "floor"), {-4, -4, 9});
  equal(div(Variable{-7, 7, 5}, Variable{2, -2, 3}, "trunc"), {-3, -3, 1});
  equal(ndtri(Variable({0.0, 0.5, 1.0})), {-infinity, 0, infinity});
  equal(nan_to_num(Variable({NAN, -infinity, 2.0}), 1, {}, 3), {1, 3, 2});
  equal(round(Variable({126.0, 0.26}), -1), {130, 0});
  BOOST_TEST(signbit(Variable({-0.0}, float64)).item() == 1);
  equal(heaviside(Variable({NAN, -1.0, 0.0, 2.0}), 0.5), {0, 0, 0.5, 1});
  equal(i0(Variable({infinity, -infinity, 1e6})), {infinity, infinity, infinity});
  equal(i1(Variable({infinity, -infinity, -1e6})), {infinity, -infinity, -infinity});
}

// Where a formula has 0 / 0, 0 * infinity or infinity / infinity.
BOOST_AUTO_TEST_CASE(derivatives_of_special_functions_at_their_ends) {
  auto derivatives = [](const std::function<Variable(const Variable&)>& f, double at, DType dtype) {
    Variable x = Variable({at}, float64).to(dtype).requires_grad_();
    Variable first = grad(sum(f(x)), x, {.create_graph = true});
    return std::pair(first.item(), grad(sum(first), x).item());
  };
  using Pair = std::pair<double, double>;
  auto gamma_of_1 = [](const Variable& x) { return gammainc(1, x); };
  BOOST_TEST((derivatives(gamma_of_1, 0, float64) == Pair(1, -1)));
  BOOST_TEST((derivatives(log_ndtr, 40, float64) == Pair(0, 0)));
  BOOST_TEST(std::abs(derivatives(log_ndtr, 14, float32).second) < 1e-30);
  auto [hazard, slope] = derivatives(log_ndtr, -1, float64);
  double expected = std::exp(-0.5) / std::sqrt(2 * std::numbers::pi) / (0.5 * std::erfc(std::sqrt(0.5)));
  BOOST_TEST(std::abs(hazard - expected) < 1e-14);
  BOOST_TEST(std::abs(slope - expected * (1 - expected)) < 1e-14);
  auto [at_top, bend] = derivatives(sinc, 0, float64);
  BOOST_TEST(at_top == 0);
  BOOST_TEST(std::abs(bend + std::numbers::pi * std::numbers::pi / 3) < 1e-15);
}

// Not by way of an identity matrix.
BOOST_AUTO_TEST_CASE(one_hot_takes_as_much_memory_as_its_result) {
  Variable y = one_hot(Variable({1'000'000, 0}, int64));
  BOOST_TEST((y.shape() == Shape{2, 1'000'001}));
  BOOST_TEST(sum(y).item() == 2);
  BOOST_TEST(y.data<float>()[1'000'000] == 1);
  BOOST_TEST(y.data<float>()[1'000'001] == 1);
}

BOOST_AUTO_TEST_SUITE_END()
