// Numbers that keep their digits: sums of any length and direction, and random numbers within their bounds.
#include <cmath>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <autograd/fuse.hpp>
#include <nn/nn.hpp>

using namespace xtape;
namespace tools = boost::test_tools;

namespace {

constexpr std::size_t many = 20'000'000;

// Every element within a relative distance of a number.
void all_near(const Variable& x, double expected, double tolerance) {
  for (std::size_t i = 0; i < x.size(); ++i) BOOST_TEST(x.value().at(i) == expected, tools::tolerance(tolerance));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(accuracy)

// A single running sum in float32 stops growing at 2^24, and one of tenths goes wrong long before.
BOOST_AUTO_TEST_CASE(sums_along_any_axis) {
  const double tenth = 0.1f;
  for (std::size_t width : {1, 2, 3, 40}) {
    Variable x = full({many / width, width}, 0.1);
    all_near(sum(x, 0), static_cast<double>(many / width) * tenth, 1e-6);
    all_near(mean(x, 0), tenth, 1e-6);
    all_near(sum(reshape(x, {width, many / width}), 1), static_cast<double>(many / width) * tenth, 1e-6);
  }
  Variable x = full({1000, 4, 5000}, 0.1);
  all_near(sum(x, {0, 2}), 5e6 * tenth, 1e-6);
  all_near(sum(x, {0, 1}), 4e3 * tenth, 1e-6);
  all_near(sum(x, {1, 2}), 2e4 * tenth, 1e-6);
  all_near(mean(full({many, 2}, 1), 0), 1, 0);
  all_near(sum(ones({many, 1}), 0), many, 0);
}

// The same against sums in double, in all shapes that the kernel distinguishes: short and long rows, few and many.
BOOST_AUTO_TEST_CASE(sums_of_any_shape) {
  Generator generator(1);
  for (std::size_t rows : {0, 1, 7, 8, 9, 130, 3001})
    for (std::size_t columns : {1, 2, 7, 64, 130, 513, 1100}) {
      Variable x = randn({2, rows, columns}, float32, generator);
      for (Axes axes : {Axes{0}, Axes{1}, Axes{2}, Axes{0, 2}, Axes{1, 2}, Axes{0, 1}}) {
        Variable difference = sum(x.to(float64), axes) - sum(x, axes).to(float64);
        Variable size = sum(abs(x).to(float64), axes);
        BOOST_TEST(sum((abs(difference) > 1e-6 * size).to(int64)).item() == 0, rows << " x " << columns);
      }
      if (rows == 0) continue;
      Variable sorted = sort(x, 1).values;
      BOOST_TEST(sum(max(x, 1) != sorted[{range(), -1}]).item() == 0, rows << " x " << columns);
      BOOST_TEST(sum(min(x, 1) != sorted[{range(), 0}]).item() == 0, rows << " x " << columns);
    }
}

BOOST_AUTO_TEST_CASE(running_sums) {
  all_near(cumsum(ones({many}), 0)[-1], many, 0);
  all_near(cumsum(full({many / 4, 4}, 0.1), 0)[-1], many / 4 * double(0.1f), 1e-7);
  Variable x = ones({many}).requires_grad_();
  cumsum(x, 0).backward(ones({many}));
  all_near(x.grad()[0], many, 0);
}

// Gradients of what was repeated are sums.
BOOST_AUTO_TEST_CASE(gradients_that_are_sums) {
  Variable x = full({many / 4, 4}, 0.1), bias = zeros({4}).requires_grad_(), scale = ones({1, 1}).requires_grad_();
  double count = many / 4 * double(0.1f);
  sum((bias + x) * x).backward();
  all_near(bias.grad(), count, 1e-6);
  bias.zero_grad();
  sum(fuse([](auto x, auto b, auto s) { return (x + b) * s; }, x, bias, scale)).backward();
  all_near(bias.grad(), many / 4, 0);
  all_near(scale.grad(), 4 * count, 1e-6);
  // Many rows of a few elements, each of which goes into one sum.
  Variable columns = full({many / 20, 5, 4}, 0.1), each = ones({5, 1}).requires_grad_();
  sum(fuse([](auto x, auto w) { return x * w; }, columns, each)).backward();
  all_near(each.grad(), many / 20 * 4 * double(0.1f), 1e-6);
}

// Those of what was taken many times, too.
BOOST_AUTO_TEST_CASE(gradients_of_what_was_taken) {
  const double tenth = 0.1f;
  constexpr std::size_t often = 2'000'000;
  Variable rows = concatenate({zeros({often / 2}, int64), full({often / 2}, 2, int64)}, 0);
  Variable table = zeros({2, 3, 2}).requires_grad_();
  (take(table, rows, 1) * 0.1).backward(ones({2, often, 2}));
  all_near(table.grad()[{range(), 0}], often / 2 * tenth, 1e-6);
  all_near(table.grad()[{range(), 1}], 0, 0);
  all_near(table.grad()[{range(), 2}], often / 2 * tenth, 1e-6);
  Variable x = zeros({3}).requires_grad_();
  (take_along_axis(x, rows, 0) * 0.1).backward(ones({often}));
  all_near(x.grad()[2], often / 2 * tenth, 1e-6);
}

BOOST_AUTO_TEST_CASE(statistics_of_long_arrays) {
  Variable x = full({many / 4, 4}, 0.1);
  all_near(norm(x, 2, 0), std::sqrt(many / 4 * double(0.1f) * double(0.1f)), 1e-6);
  all_near(logsumexp(x, 0), double(0.1f) + std::log(many / 4), 1e-6);
  all_near(softmax(x, 0)[0], 4.0 / many, 1e-6);
  x = x + Variable({0.0, 1.0, 2.0, 3.0});
  all_near(var(x, 0), 0, 1e-10);
  all_near(nn::BatchNorm1D(4)(x)[0], 0, 1e-3);
}

BOOST_AUTO_TEST_CASE(random_numbers_stay_below_the_end) {
  seed(158);  // which draws 0.99999998061612738 as number 476627
  Variable x = rand({520'000});
  BOOST_TEST(x[476'627].item() == 1 - std::ldexp(1.0, -24));
  BOOST_TEST(max(x).item() < 1);
  // An interval of one number and the next: half of what is drawn lies nearer to the end.
  Generator generator(2);
  const double next = std::nextafter(1.f, 2.f), next64 = std::nextafter(1.0, 2.0);
  for (double found : {max(Variable(generator.uniform({1000}, 1, next, float32))).item(),
                       max(Variable(generator.uniform({1000}, 1, next64, float64))).item(),
                       max(Variable(generator.uniform({1000}, 1, 1, float64))).item()})
    BOOST_TEST(found == 1);
}

// Weights' gradients sum over the rows of a batch. BLAS adds up blocks of a few hundred in one running sum.
BOOST_AUTO_TEST_CASE(long_products) {
  Variable a = full({many}, 0.1), ones_ = ones({many});
  const double tenth = 0.1f;
  all_near(matmul(a, ones_), many * tenth, 1e-6);
  all_near(matmul(reshape(a, {2, -1}), reshape(ones_, {-1, 2})), many / 2 * tenth, 1e-6);
  Variable w = full({2, 2}, 1).requires_grad_();
  sum(matmul(reshape(a, {-1, 2}), w)).backward();
  all_near(w.grad(), many / 2 * tenth, 1e-6);
}

// A p-norm has the value c |v|_p and the gradient of |v|_p at v for the vector c v.
BOOST_AUTO_TEST_CASE(norms_neither_overflow_nor_vanish) {
  for (DType dtype : {float32, float64})
    for (double p : {2.0, 3.0, 1.5, 0.5, -1.0, -2.0, 1.0, std::numeric_limits<double>::infinity()})
      for (double power : {20.0, 30.0, -20.0, -30.0, -37.0}) {
        double c = std::ldexp(1, static_cast<int>(power * (dtype == float32 ? 3.3 : 27)));
        Variable v = Variable({{3, -4, 1}, {1, 2, 2}}, dtype).requires_grad_(), x = (v.detach() * c).requires_grad_();
        Variable small = norm(v, p, 1), large = norm(x, p, 1);
        double tolerance = dtype == float32 ? 1e-5 : 1e-13;
        for (std::size_t i : {0, 1})
          BOOST_TEST(large[i].item() == c * small[i].item(), tools::tolerance(tolerance));
        Variable g = grad(sum(small), v), h = grad(sum(large), x);
        BOOST_TEST(max(abs(g - h)).item() < tolerance, "p = " << p << ", c = " << c << ": " << h);
      }
  Variable x = full({4}, 1e20).requires_grad_();
  norm(x).backward();
  all_near(norm(x), 2e20, 1e-6);
  all_near(x.grad(), 0.5, 1e-6);
  Variable zero = zeros({3}).requires_grad_();
  norm(zero).backward();
  all_near(zero.grad(), 0, 0);
  all_near(norm(Variable({{1e30, 1e30}, {0.0, 0.0}}), 2, 1)[1], 0, 0);
}

BOOST_AUTO_TEST_CASE(what_is_made_of_norms) {
  for (double c : {1e25, 1.0, 1e-25}) {
    Variable x = (Variable({{3.0, 4.0}, {-4.0, 3.0}}) * c).requires_grad_();
    all_near(normalize(x, 2, 1, 0)[0][0], 0.6, 1e-6);
    all_near(cosine_similarity(x[0], x[0], -1, 0), 1, 1e-6);
    all_near(cosine_similarity(x[0], -x[0], -1, 0), -1, 1e-6);
    all_near(pairwise_distance(x, -x, 2, 0), 10 * c, 1e-6);
    all_near(cdist(x, -x)[0][0], 10 * c, 1e-6);
    all_near(matrix_norm(x), std::sqrt(50) * c, 1e-6);
    Variable spread = stddev(x, 1);
    all_near(spread[0], 0.5 * c, 1e-6);
    all_near(grad(sum(spread), x)[0][1], 0.5, 1e-5);
    if (c > 1) all_near(hypot(x[0][0], x[0][1]), 5 * c, 1e-6);
    Variable angle = grad(sum(atan2(x[1], x[0])), x);  // -y / r^2 and x / r^2
    all_near(angle[0][0] * c, 4.0 / 25, 1e-6);
    all_near(angle[1][0] * c, 3.0 / 25, 1e-6);
    std::vector<Variable> parameters{x};
    sum(x * c).backward();
    BOOST_TEST(clip_grad_norm(parameters, 1) == 2 * c, tools::tolerance(1e-6));
  }
  all_near(mean(full({4}, 3e38)), 3e38, 1e-6);
  all_near(mean(full({4, 2}, 1e308, float64), 0), 1e308, 1e-15);
}

// In float32 against float64: an error of the factor times the condition number is left.
BOOST_AUTO_TEST_CASE(gradients_of_wide_qr) {
  Generator generator(3);
  for (auto [rows, columns] : {std::pair(4, 40), std::pair(12, 20), std::pair(20, 20), std::pair(20, 12)}) {
    Variable a = randn({std::size_t(rows), std::size_t(columns)}, float64, generator);
    Variable weights = randn({std::size_t(rows), std::size_t(columns)}, float64, generator);
    auto gradient = [&, columns = columns](DType dtype) {
      Variable x = a.to(float32).to(dtype).requires_grad_();
      auto [q, r] = qr(x);
      Variable kept = r.shape()[0] == weights.shape()[0] ? weights : weights[range(0, columns)];
      return grad(sum(r * kept.to(dtype)) + sum(q * q * 0.5), x).to(float64);
    };
    Variable expected = gradient(float64), leading = svdvals(a[{range(), range(0, std::min(rows, columns))}]);
    double condition = leading[0].item() / leading[-1].item();
    double error = norm(gradient(float32) - expected).item() / norm(expected).item();
    BOOST_TEST(error < 3e-7 * condition, rows << " x " << columns << ": " << error << ", condition " << condition);
  }
}

namespace {

// The greatest error of f(a, b), in units in the last place of `exact`, whose numbers have more digits than those of T.
// Where that is beyond the normal numbers of T, nothing is compared.
template <class T, class F, class G>
double greatest_error(const Variable& a, const Variable& b, F f, G exact) {
  const Array x = a.value(), y = b.value(), result = f(a, b).value();
  double greatest = 0;
  for (std::size_t i = 0; i < result.size(); ++i) {
    long double expected = exact(static_cast<long double>(x.data<T>()[i]), static_cast<long double>(y.data<T>()[i]));
    T size = static_cast<T>(std::abs(expected));
    if (!(size > 2 * std::numeric_limits<T>::min()) || !(size < std::numeric_limits<T>::max() / 2)) continue;
    long double unit = static_cast<long double>(std::nextafter(size, std::numeric_limits<T>::infinity())) - size;
    greatest = std::max(greatest, static_cast<double>(std::abs(result.data<T>()[i] - expected) / unit));
  }
  return greatest;
}

}  // namespace

// Against those of the C library in long double.
BOOST_AUTO_TEST_CASE(powers_and_lengths_within_two_units) {
  Generator generator(4);
  auto uniform = [&](double low, double high, DType dtype) {
    return low + (high - low) * rand({100'003}, dtype, generator);
  };
  auto power = [](const Variable& a, const Variable& b) { return pow(a, b); };
  auto length = [](const Variable& a, const Variable& b) { return hypot(a, b); };
  auto exact_power = [](long double a, long double b) { return std::pow(a, b); };
  auto exact_length = [](long double a, long double b) { return std::hypot(a, b); };
  struct Range {
    double size, exponent;  // of a power of 2, and of a to it
  };
  for (auto [size, exponent] : {Range{3, 5}, Range{0.01, 3000}, Range{100, 1.2}, Range{3, 40}}) {
    for (DType dtype : {float32, float64}) {
      Variable a = exp2(uniform(-size, size, dtype)), b = uniform(-exponent, exponent, dtype);
      Variable whole = floor(b), sign = 1 - 2 * (uniform(-1, 1, dtype) < 0).to(dtype);
      auto error = [&](const Variable& a, const Variable& b) {
        return dtype == float32 ? greatest_error<float>(a, b, power, exact_power)
                                : greatest_error<double>(a, b, power, exact_power);
      };
      BOOST_TEST(error(a, b) < 1.5, "size " << size << ", " << dtype);
      BOOST_TEST(error(a * sign, whole) < 1.5, "of both signs, size " << size << ", " << dtype);
    }
  }
  for (double size : {1.0, 60.0, 126.0}) {
    Variable a = exp2(uniform(-size, size, float32)), b = exp2(uniform(-size, size, float32));
    BOOST_TEST(greatest_error<float>(a, -b, length, exact_length) < 1.5);
    BOOST_TEST(greatest_error<double>(pow(a.to(float64), 8.0), b.to(float64), length, exact_length) < 1.5);
  }
}

namespace {

// f(a, b) for all pairs of special numbers, or of one and an ordinary number: as the C library has it, in a register with
// others, and alone.
template <class F, class G>
void agrees_with_c(const std::vector<double>& special, F f, G exact, double tolerance32, double tolerance64) {
  for (DType dtype : {float32, float64})
    for (double a : special)
      for (double b : special) {
        double expected = dtype == float32 ? exact(static_cast<float>(a), static_cast<float>(b)) : exact(a, b);
        auto among = [&](double x, double other) {
          return concatenate({full({3}, x, dtype), full({20}, other, dtype)});
        };
        double together = f(among(a, 1.5), among(b, 1.25)).value().at(2);
        for (double result : {together, f(full({1}, a, dtype), full({1}, b, dtype)).item()}) {
          bool near = result == expected || std::abs(result / expected - 1) < (dtype == float32 ? tolerance32 : tolerance64);
          bool same = std::isnan(expected) ? std::isnan(result)
                                           : near && std::signbit(result) == std::signbit(expected);
          BOOST_TEST(same, "of " << a << " and " << b << " in " << dtype << ": " << result << ", not " << expected);
        }
      }
}

}  // namespace

BOOST_AUTO_TEST_CASE(powers_of_special_numbers) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  agrees_with_c({0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 2.5, -2.5, 1e9, -1e9, 1e16, inf, -inf, nan, 1e-310, 1e-40,
                 -1e-40, 1e300, 1e30, 1025, -1080, 126.5, -149},
                [](const Variable& a, const Variable& b) { return pow(a, b); },
                [](auto a, auto b) { return std::pow(a, b); }, 1e-6, 1e-15);
}

namespace {

// As `greatest_error`, in the dtype of the operands.
template <class F, class G>
double error_of(const Variable& a, const Variable& b, F f, G exact) {
  return a.dtype() == float32 ? greatest_error<float>(a, b, f, exact) : greatest_error<double>(a, b, f, exact);
}

}  // namespace

BOOST_AUTO_TEST_CASE(angles_within_two_units) {
  Generator generator(5);
  auto angle = [](const Variable& y, const Variable& x) { return atan2(y, x); };
  auto exact = [](long double y, long double x) { return std::atan2(y, x); };
  for (DType dtype : {float32, float64})
    for (double size : {0.01, 1.0, 10.0, 50.0, 120.0, dtype == float32 ? 140.0 : 1000.0}) {
      auto numbers = [&] {
        Variable sizes = exp2(size * (2 * rand({100'003}, dtype, generator) - 1));
        return sizes * (1 - 2 * (rand({100'003}, dtype, generator) < 0.5).to(dtype));
      };
      Variable y = numbers(), x = numbers();
      BOOST_TEST(error_of(y, x, angle, exact) < 1.5, "size " << size << ", " << dtype);
      // At an eighth and a quarter of a turn, where one polynomial follows another.
      BOOST_TEST(error_of(x * (1 + 1e-3 * rand({100'003}, dtype, generator)), x, angle, exact) < 1.5);
      BOOST_TEST(error_of(x * (0.414 + 1e-3 * rand({100'003}, dtype, generator)), x, angle, exact) < 1.5);
    }
}

BOOST_AUTO_TEST_CASE(angles_of_special_numbers) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  agrees_with_c({0.0, -0.0, 1, -1, 0.5, 3, inf, -inf, nan, 1e-310, -1e-310, 1e-40, -1e-40, 1e308, -1e308, 1e30},
                [](const Variable& y, const Variable& x) { return atan2(y, x); },
                [](auto y, auto x) { return std::atan2(y, x); }, 2e-7, 4e-16);
}

BOOST_AUTO_TEST_CASE(error_functions_within_two_units) {
  Generator generator(6);
  auto error = [](const Variable& x, const Variable&) { return erf(x); };
  auto complement = [](const Variable& x, const Variable&) { return erfc(x); };
  auto exact_error = [](long double x, long double) { return std::erf(x); };
  auto exact_complement = [](long double x, long double) { return std::erfc(x); };
  struct Range {
    double low, high;
  };
  for (DType dtype : {float32, float64}) {
    for (auto [low, high] : {Range{-1, 1}, Range{-7, 7}, Range{0.4, 0.6}, Range{0.9, 1.1}, Range{1, 3}, Range{3, 9},
                             Range{9, 26.5}}) {
      Variable x = low + (high - low) * rand({200'003}, dtype, generator);
      BOOST_TEST(error_of(x, x, error, exact_error) < 1.5, "erf from " << low << " to " << high << ", " << dtype);
      BOOST_TEST(error_of(x, x, complement, exact_complement) < 1.5, "erfc from " << low << " to " << high << ", " << dtype);
    }
    Variable small = exp2((dtype == float32 ? -149.0 : -1074.0) * rand({100'003}, dtype, generator));
    BOOST_TEST(error_of(small, small, error, exact_error) < 1.5, dtype);
    BOOST_TEST(error_of(-small, small, complement, exact_complement) < 1.5, dtype);
    const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    const double greatest = dtype == float32 ? 3e38 : 1e308;
    for (double x : {0.0, -0.0, inf, -inf, nan, greatest, -greatest, 30.0, -30.0}) {
      double e = erf(full({9}, x, dtype)).value().at(3), c = erfc(full({9}, x, dtype)).value().at(3);
      BOOST_TEST((std::isnan(x) ? std::isnan(e) : e == std::erf(x) && std::signbit(e) == std::signbit(x)),
                 "erf of " << x << ": " << e);
      BOOST_TEST((std::isnan(x) ? std::isnan(c) : c == std::erfc(x)), "erfc of " << x << ": " << c);
    }
  }
}

// Near the zeros at 1 and 2, too.
BOOST_AUTO_TEST_CASE(logarithms_of_gamma_within_two_units) {
  Generator generator(7);
  auto log_gamma = [](const Variable& x, const Variable&) { return lgamma(x); };
  auto exact = [](long double x, long double) { return std::lgamma(x); };
  struct Range {
    double low, high;
  };
  for (DType dtype : {float32, float64}) {
    for (auto [low, high] : {Range{0.001, 1}, Range{0.999, 1.001}, Range{1, 2}, Range{1.999, 2.001}, Range{2, 3},
                             Range{3, 5}, Range{5, 300}}) {
      Variable x = low + (high - low) * rand({100'003}, dtype, generator);
      BOOST_TEST(error_of(x, x, log_gamma, exact) < 2, "from " << low << " to " << high << ", " << dtype);
    }
    Variable x = exp2((dtype == float32 ? 120 : 1000) * (2 * rand({100'003}, dtype, generator) - 1));
    BOOST_TEST(error_of(x, x, log_gamma, exact) < 2, dtype);
    const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    for (double x : {0.0, -0.0, inf, -inf, nan, -1.0, -2.5, 1.0, 2.0, 1e-40, 1e-310}) {
      double found = lgamma(full({9}, x, dtype)).value().at(3), of = full({1}, x, dtype).item(), expected = std::lgamma(of);
      BOOST_TEST((std::isnan(expected) ? std::isnan(found) : found == expected || std::abs(found / expected - 1) < 1e-7),
                 "lgamma of " << x << ": " << found);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
