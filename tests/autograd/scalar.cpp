// The scalar type: its operations against closed forms and finite differences, its containers, what nests, and what
// goes on at the edges. Numbers from mpmath and the formulas of calculus.
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <complex>
#include <functional>
#include <numbers>
#include <sstream>
#include <thread>
#include <vector>

#include <autograd/scalar/derivatives.hpp>

using namespace xtape;

namespace {

using Vector = std::vector<double>;

void check_close(double a, double b, double tolerance) {
  if (std::isnan(b)) BOOST_TEST(std::isnan(a));
  else if (a != b) BOOST_TEST(std::abs(a - b) <= tolerance * (1 + std::abs(b)), a << " is not " << b);
}

// A function of one number or two, in any type, and points inside of its domain.
struct Sample {
  const char* name;
  std::size_t operands;
  std::function<double(const Vector&)> plain;
  std::function<Real(const std::vector<Real>&)> recorded;
  std::function<BasicReal<Real>(const std::vector<BasicReal<Real>>&)> twice;
  std::function<Dual<double, 2>(const std::vector<Dual<double, 2>>&)> dual;
  std::vector<Vector> points;
};

template <class F>
Sample sample(const char* name, F f, std::vector<Vector> points) {
  return {name, points[0].size(), f, f, f, f, std::move(points)};
}

// Every function, and every operator.
const std::vector<Sample>& samples() {
  using std::abs, std::acos, std::acosh, std::asin, std::asinh, std::atan, std::atan2, std::atanh, std::cbrt, std::ceil,
      std::copysign, std::cos, std::cosh, std::erf, std::erfc, std::exp, std::exp2, std::expm1, std::fabs, std::fdim,
      std::floor, std::fma, std::fmax, std::fmin, std::fmod, std::hypot, std::ldexp, std::lerp, std::lgamma, std::log, std::log10,
      std::log1p, std::log2, std::nearbyint, std::pow, std::remainder, std::rint, std::round, std::scalbn, std::sin, std::sinh,
      std::sqrt, std::tan, std::tanh, std::tgamma, std::trunc;
  static const std::vector<Sample> all = {
      sample("+", [](const auto& x) { return x[0] + x[1]; }, {{1.5, -2}}),
      sample("-", [](const auto& x) { return x[0] - x[1]; }, {{1.5, -2}}),
      sample("*", [](const auto& x) { return x[0] * x[1]; }, {{1.5, -2}}),
      sample("/", [](const auto& x) { return x[0] / x[1]; }, {{1.5, -2}}),
      sample("unary -", [](const auto& x) { return -x[0]; }, {{1.5}}),
      sample("unary +", [](const auto& x) { return +x[0]; }, {{1.5}}),
      sample("numbers on both sides", [](const auto& x) { return 2 - 3 / (1 + x[0]) * 2.5f + x[0] / 4u - 1; }, {{1.5}}),
      sample("+= -= *= /=", [](const auto& x) { auto y = x[0]; y += x[1], y -= 3, y *= x[0], y /= x[1]; return y; }, {{1.5, -2}}),
      sample("x *= x", [](const auto& x) { auto y = x[0] * x[1]; y *= y; y += y; y -= 0.5 * y; y /= 1 + y; return y; }, {{1.5, -2}}),
      sample("++ --", [](const auto& x) { auto y = x[0]; ++y; auto z = y++; --y; return y * z--; }, {{1.5}}),
      sample("sqrt", [](const auto& x) { return sqrt(x[0]); }, {{1.5}, {1e-10}}),
      sample("cbrt", [](const auto& x) { return cbrt(x[0]); }, {{1.5}, {-2}}),
      sample("abs", [](const auto& x) { return abs(x[0]); }, {{1.5}, {-2}}),
      sample("fabs", [](const auto& x) { return fabs(x[0]); }, {{1.5}, {-2}}),
      sample("floor", [](const auto& x) { return floor(x[0]) + x[0]; }, {{1.5}, {-2.25}}),
      sample("ceil", [](const auto& x) { return ceil(x[0]) * x[0]; }, {{1.5}, {-2.25}}),
      sample("round", [](const auto& x) { return round(x[0]) * x[0]; }, {{2.4}, {-2.6}}),
      sample("nearbyint", [](const auto& x) { return nearbyint(x[0]) * x[0]; }, {{2.4}, {-2.6}}),
      sample("rint", [](const auto& x) { return rint(x[0]) * x[0]; }, {{2.4}, {-2.6}}),
      sample("trunc", [](const auto& x) { return trunc(x[0]) * x[0]; }, {{2.4}, {-2.6}}),
      sample("exp", [](const auto& x) { return exp(x[0]); }, {{1.5}, {-2}}),
      sample("exp2", [](const auto& x) { return exp2(x[0]); }, {{1.5}, {-2}}),
      sample("expm1", [](const auto& x) { return expm1(x[0]); }, {{1.5}, {1e-4}}),
      sample("log", [](const auto& x) { return log(x[0]); }, {{1.5}, {0.01}}),
      sample("log1p", [](const auto& x) { return log1p(x[0]); }, {{1.5}, {1e-4}}),
      sample("log2", [](const auto& x) { return log2(x[0]); }, {{1.5}}),
      sample("log10", [](const auto& x) { return log10(x[0]); }, {{1.5}}),
      sample("sin", [](const auto& x) { return sin(x[0]); }, {{1.5}, {-2}}),
      sample("cos", [](const auto& x) { return cos(x[0]); }, {{1.5}, {-2}}),
      sample("tan", [](const auto& x) { return tan(x[0]); }, {{0.5}, {-2}}),
      sample("asin", [](const auto& x) { return asin(x[0]); }, {{0.5}, {-0.7}}),
      sample("acos", [](const auto& x) { return acos(x[0]); }, {{0.5}, {-0.7}}),
      sample("atan", [](const auto& x) { return atan(x[0]); }, {{0.5}, {-7}}),
      sample("sinh", [](const auto& x) { return sinh(x[0]); }, {{0.5}, {-2}}),
      sample("cosh", [](const auto& x) { return cosh(x[0]); }, {{0.5}, {-2}}),
      sample("tanh", [](const auto& x) { return tanh(x[0]); }, {{0.5}, {-2}}),
      sample("asinh", [](const auto& x) { return asinh(x[0]); }, {{0.5}, {-2}}),
      sample("acosh", [](const auto& x) { return acosh(x[0]); }, {{1.5}, {3}}),
      sample("atanh", [](const auto& x) { return atanh(x[0]); }, {{0.5}, {-0.7}}),
      sample("erf", [](const auto& x) { return erf(x[0]); }, {{0.5}, {-0.7}}),
      sample("erfc", [](const auto& x) { return erfc(x[0]); }, {{0.5}, {-0.7}}),
      sample("lgamma", [](const auto& x) { return lgamma(x[0]); }, {{0.5}, {3.7}}),
      sample("tgamma", [](const auto& x) { return tgamma(x[0]); }, {{0.5}, {3.7}}),
      sample("pow", [](const auto& x) { return pow(x[0], x[1]); }, {{1.5, 2.5}, {0.5, -3}}),
      sample("pow of a number", [](const auto& x) { return pow(2.5, x[0]); }, {{1.5}}),
      sample("pow by a number", [](const auto& x) { return pow(x[0], 3) + pow(x[0], -0.5) * pow(x[0], 2.0f); }, {{1.5}}),
      sample("pow of a negative number by a whole one", [](const auto& x) { return pow(x[0], 3) + pow(x[0], 2.0) / x[0]; },
             {{-1.5}, {1.5}}),
      sample("hypot", [](const auto& x) { return hypot(x[0], x[1]); }, {{1.5, -2}}),
      sample("hypot of three", [](const auto& x) { return hypot(x[0], x[1], x[2]) * hypot(x[0], 2.0, x[1]); },
             {{1.5, -2, 0.5}}),
      sample("lerp", [](const auto& x) { return lerp(x[0], x[1], x[2]); }, {{1.5, -2, 0.25}, {1.5, -2, 0.75}}),
      sample("atan2", [](const auto& x) { return atan2(x[0], x[1]); }, {{1.5, -2}, {-0.5, 0.1}}),
      sample("copysign", [](const auto& x) { return copysign(x[0], x[1]) * x[1]; }, {{1.5, -2}, {-1.5, 3}}),
      sample("fmax", [](const auto& x) { return fmax(x[0], x[1]); }, {{1.5, -2}, {-1.5, 3}}),
      sample("fmin", [](const auto& x) { return fmin(x[0], x[1]); }, {{1.5, -2}, {-1.5, 3}}),
      sample("fdim", [](const auto& x) { return fdim(x[0], x[1]) + x[0]; }, {{1.5, -2}, {-1.5, 3}}),
      sample("fmod", [](const auto& x) { return fmod(x[0], x[1]); }, {{7.5, -2}, {-7.3, 3}}),
      sample("remainder", [](const auto& x) { return remainder(x[0], x[1]); }, {{7.6, 2.1}, {-7.3, 3}}),
      sample("fma", [](const auto& x) { return fma(x[0], x[1], x[2]) + fma(x[0], 2.0, x[1]); }, {{1.5, -2, 3}}),
      sample("ldexp", [](const auto& x) { return ldexp(x[0], 3) + scalbn(x[0], -2); }, {{1.5}}),
      sample("std::max", [](const auto& x) { return std::max(x[0] * x[1], x[0] + x[1]); }, {{1.5, -2}, {3, 4}}),
      sample("a conditional", [](const auto& x) { return x[0] < x[1] ? x[0] * x[1] : x[0] + 2 * x[1]; }, {{1.5, -2}, {3, 4}}),
      sample("temporaries on both sides",
             [](const auto& x) { return (x[0] * x[1] + x[1] * x[1]) * (sin(x[0]) - x[1] / x[0]) - -exp(x[0] * x[1]); }, {{1.5, -0.2}}),
      sample("a name used twice",
             [](const auto& x) { auto m = x[0] * x[1]; auto a = m * x[0], b = m * x[1], c = m; return a + b * c - std::move(m); },
             {{1.5, -0.2}}),
      sample("a copy of a temporary",
             [](const auto& x) { auto m = x[0] * x[1]; auto same = m; auto n = std::move(m) * 2; return n + same; }, {{1.5, -0.2}}),
      sample("a name moved beside its use",
             [](const auto& x) { auto m = x[0] * x[1]; auto y = std::move(m) - m * x[0]; y += y * x[1]; return y; }, {{1.5, -0.2}}),
      sample("a function that returns a name",
             [](const auto& x) {
               auto m = x[0] * x[1];
               auto get = [&]() { return m; };
               auto y = get() * 2 + get() * x[0];
               return y + m;
             }, {{1.5, -0.2}}),
  };
  return all;
}

Vector numeric_gradient(const Sample& s, const Vector& x) {
  Vector result;
  for (std::size_t i = 0; i < x.size(); ++i) {
    // Of fourth order, (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h.
    const double h = 1e-3 * std::min(1.0, std::abs(x[i]));
    auto f = [&](double d) { Vector y = x; y[i] += d; return s.plain(y); };
    result.push_back((8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h));
  }
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scalar_type)

BOOST_AUTO_TEST_CASE(every_function_has_the_values_of_double_and_derivatives_of_finite_differences) {
  for (const Sample& s : samples())
    for (const Vector& x : s.points) {
      BOOST_TEST_CONTEXT(s.name << " at " << x[0]) {
        auto [value, g] = scalar::value_and_gradient(s.recorded, x);
        BOOST_TEST(value == s.plain(x));
        const Vector numeric = numeric_gradient(s, x);
        for (std::size_t i = 0; i < x.size(); ++i) check_close(g[i], numeric[i], 1e-9);
      }
    }
}

BOOST_AUTO_TEST_CASE(forward_mode_is_reverse_mode) {
  for (const Sample& s : samples())
    for (const Vector& x : s.points) {
      BOOST_TEST_CONTEXT(s.name << " at " << x[0]) {
        const Vector g = scalar::gradient(s.recorded, x);
        std::vector<Dual<double, 2>> inputs(x.begin(), x.end());
        for (std::size_t i = 0; i < std::min<std::size_t>(2, x.size()); ++i) inputs[i].tangent(i) = 1;
        const Dual<double, 2> y = s.dual(inputs);
        BOOST_TEST(y.value() == s.plain(x));
        for (std::size_t i = 0; i < std::min<std::size_t>(2, x.size()); ++i) check_close(y.tangent(i), g[i], 1e-14);
      }
    }
}

BOOST_AUTO_TEST_CASE(second_derivatives_by_nesting_by_programs_and_by_differences) {
  for (const Sample& s : samples())
    for (const Vector& x : s.points) {
      BOOST_TEST_CONTEXT(s.name << " at " << x[0]) {
        // Reverse over reverse, and forward over reverse.
        const auto nested = scalar::jacobian([&](const std::vector<Real>& at) { return scalar::gradient(s.twice, at); }, x);
        const auto written = scalar::hessian(s.recorded, x);
        for (std::size_t j = 0; j < x.size(); ++j) {
          const double h = 1e-3 * std::min(1.0, std::abs(x[j]));
          auto slopes = [&](double d) { Vector y = x; y[j] += d; return scalar::gradient(s.recorded, y); };
          const Vector a = slopes(h), b = slopes(-h), c = slopes(2 * h), d = slopes(-2 * h);
          for (std::size_t i = 0; i < x.size(); ++i) {
            const double numeric = (8 * (a[i] - b[i]) - (c[i] - d[i])) / (12 * h);
            check_close(nested[i][j], numeric, 1e-8);
            check_close(written[i][j], nested[i][j], 1e-13);
            check_close(written[i][j], written[j][i], 1e-13);
          }
        }
      }
    }
}

BOOST_AUTO_TEST_CASE(written_down_functions_give_the_same_at_other_points) {
  for (const Sample& s : samples()) {
    BOOST_TEST_CONTEXT(s.name) {
      RecordedFunction f(s.recorded, s.points[0]);
      Vector x = s.points[0];
      for (double& v : x) v += 1e-3;
      BOOST_TEST(f(x)[0] == s.plain(x));
      const Vector g = scalar::gradient(s.recorded, x), h = f.gradient(x), row = f.jacobian(x)[0];
      for (std::size_t i = 0; i < x.size(); ++i) check_close(h[i], g[i], 1e-14), check_close(row[i], g[i], 1e-14);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_rule_has_a_sample) {
  // Each is used in the samples, as a program of them all shows: inputs and constants aside.
  std::vector<bool> used(scalar::Rules::size);
  for (const Sample& s : samples()) {
    RecordedFunction f(s.recorded, s.points[0]);
    for (std::size_t rule : f.program().rules()) used[rule] = true;
  }
  std::size_t missing = 0;
  for (std::size_t rule = 0; rule < used.size(); ++rule) missing += !used[rule];
  BOOST_TEST(missing == 1);  // polygamma, of the derivatives of lgamma
}

BOOST_AUTO_TEST_CASE(derivatives_of_high_order) {
  // The fourth derivative of sin(2 x) / x by nesting four times, against mpmath's diff, 30 digits.
  auto f = [](const auto& x) { return sin(2 * x[0]) / x[0]; };
  auto d = [](auto g) { return [g](const auto& x) { return scalar::gradient(g, x)[0]; }; };
  const double fourth = d(d(d(d(f))))(std::vector{0.75});
  check_close(fourth, 1.962651379769086048, 1e-13);
}

BOOST_AUTO_TEST_CASE(jacobians_by_rows_and_by_columns) {
  auto tall = []<class T>(const std::vector<T>& x) {
    std::vector<T> y;
    for (int i = 0; i < 20; ++i) y.push_back(sin(i * x[0]) * x[1] + i);
    return y;
  };
  const auto j = scalar::jacobian(tall, Vector{0.3, 2});
  BOOST_TEST(j.size() == 20);
  for (int i = 0; i < 20; ++i) {
    check_close(j[i][0], i * std::cos(i * 0.3) * 2, 1e-14);
    check_close(j[i][1], std::sin(i * 0.3), 1e-14);
  }
  auto wide = []<class T>(const std::vector<T>& x) {
    T sum = 0, product = 1;
    for (const T& v : x) sum += v * v, product *= v;
    return std::array<T, 3>{sum, product, T(7)};
  };
  Vector x;
  for (int i = 0; i < 19; ++i) x.push_back(1 + 0.1 * i);
  const auto w = scalar::jacobian(wide, x);
  double product = 1;
  for (double v : x) product *= v;
  for (std::size_t i = 0; i < x.size(); ++i) {
    check_close(w[0][i], 2 * x[i], 1e-14);
    check_close(w[1][i], product / x[i], 1e-13);
    BOOST_TEST(w[2][i] == 0);
  }
  auto of_two = [](const auto& x) { return std::array{x[0] * x[1], x[0], x[1] * x[1]}; };
  BOOST_TEST(scalar::jacobian(of_two, std::array{0.3, 2.0})[2][1] == 4);
}

BOOST_AUTO_TEST_CASE(hessian_of_many_inputs) {
  // sum over i of x_i^2 x_(i+1)
  auto f = []<class T>(const std::vector<T>& x) {
    T sum = 0;
    for (std::size_t i = 0; i + 1 < x.size(); ++i) sum += x[i] * x[i] * x[i + 1];
    return sum;
  };
  Vector x;
  for (int i = 0; i < 21; ++i) x.push_back(std::sin(1.0 + i));
  const auto h = scalar::hessian(f, x);
  for (std::size_t i = 0; i < 21; ++i)
    for (std::size_t j = 0; j < 21; ++j) {
      double expected = i == j && i < 20 ? 2 * x[i + 1] : 0;
      if (j == i + 1) expected = 2 * x[i];
      if (i == j + 1) expected = 2 * x[j];
      check_close(h[i][j], expected, 1e-14);
    }
}

BOOST_AUTO_TEST_CASE(functions_capture_the_numbers_of_others) {
  // d/dx of x * (d/dy of x y^2 at y = 3) = d/dx of 6 x^2: what the inner function captures counts.
  auto outer = [](const auto& x) {
    using T = std::decay_t<decltype(x[0])>;
    auto inner = [&](const auto& y) { return x[0] * y[0] * y[0]; };
    return x[0] * scalar::gradient(inner, std::vector<T>{3})[0];
  };
  check_close(scalar::gradient(outer, Vector{2})[0], 24, 1e-14);
  // An inner derivative by plain numbers is a plain number.
  auto plain = [](const auto& x) { return x[0] * scalar::gradient([&](const auto& y) { return y[0] * y[0]; }, Vector{3})[0]; };
  check_close(scalar::gradient(plain, Vector{2})[0], 6, 1e-14);
  // Captured Reals of the same level are constants to the inner function, and the outer one goes on as before.
  auto same = [](const std::vector<Real>& x) {
    Real before = x[0] * x[0];
    const double slope = scalar::gradient([&](const std::vector<Real>& y) { return y[0] * x[0] * before; }, Vector{1})[0];
    return before * x[0] + slope;
  };
  auto [value, g] = scalar::value_and_gradient(same, Vector{2});
  check_close(value, 16, 0);
  check_close(g[0], 12, 1e-14);
}

BOOST_AUTO_TEST_CASE(numbers_that_are_left_over_are_constants) {
  Real left;
  scalar::gradient([&](const std::vector<Real>& x) { return left = x[0] * x[0]; }, Vector{3});
  BOOST_TEST(left.value() == 9);
  Real twice = left * 2 + left;
  BOOST_TEST(twice.value() == 27);
  BOOST_TEST(scalar::gradient([&](const std::vector<Real>& x) { return left * x[0] + left; }, Vector{3})[0] == 9);
  BOOST_TEST(scalar::hessian([&](const std::vector<Real>& x) { return left * x[0] * x[0]; }, Vector{3})[0][0] == 18);
  BOOST_TEST(scalar::gradient([&](const std::vector<Real>&) { return left; }, Vector{3, 4})[1] == 0);
  scalar::Tape<double>::release();
  BOOST_TEST(scalar::gradient([&](const std::vector<Real>& x) { return x[0] + left + 0 * x[0] * x[0]; }, Vector{3})[0] == 1);
}

BOOST_AUTO_TEST_CASE(temporaries_of_elsewhere_are_not_added_to) {
  // What was the last operation of a call that has ended.
  Real left;
  scalar::gradient([&](const std::vector<Real>& x) { return left = x[0] * x[0]; }, Vector{3});
  BOOST_TEST(Real(std::move(left) * 2).value() == 18);
  // What was the last operation before an inner call, and after it.
  auto outer = [](const std::vector<Real>& x) {
    Real before = x[0] * x[0];
    const double slope = scalar::gradient([&](const std::vector<Real>& y) { return std::move(before) * y[0]; }, Vector{1})[0];
    return x[0] * x[0] * scalar::gradient([](const std::vector<Real>& y) { return y[0] * y[0]; }, Vector{slope})[0];
  };
  BOOST_TEST(scalar::gradient(outer, Vector{3})[0] == 2 * 3 * 2 * 9);
  // Numbers of a function that was written down, in a later call with as many operations.
  std::vector<Real> lines;
  RecordedFunction f([&](const std::vector<Real>& x) {
    for (int i = 0; i < 20; ++i) lines.push_back(x[0] * i);
    return lines.back();
  }, Vector{1});
  auto later = [&](const std::vector<Real>& x) {
    Real y = x[0] * 2;
    for (const Real& line : lines) y = y * 1 + line;
    return y;
  };
  BOOST_TEST(scalar::gradient(later, Vector{1})[0] == 2);
}

BOOST_AUTO_TEST_CASE(an_exception_leaves_nothing_behind) {
  auto f = [](const std::vector<Real>& x) { return x[0] * x[0]; };
  auto failing = [&](const std::vector<Real>& x) -> Real {
    Real y = x[0] * 3;
    scalar::gradient([&](const std::vector<Real>& z) -> Real { throw std::runtime_error(z[0].value() > y.value() ? "a" : "b"); }, Vector{1});
    return y;
  };
  BOOST_CHECK_THROW(scalar::gradient(failing, Vector{1}), std::runtime_error);
  BOOST_CHECK_THROW(scalar::hessian(failing, Vector{1}), std::runtime_error);
  BOOST_TEST(scalar::gradient(f, Vector{5})[0] == 10);
  auto caught = [&](const std::vector<Real>& x) {
    Real y = x[0] * 3;
    try { failing(x); } catch (const std::runtime_error&) {}
    return y * x[0];
  };
  BOOST_TEST(scalar::gradient(caught, Vector{5})[0] == 30);
}

BOOST_AUTO_TEST_CASE(many_operations_over_many_blocks) {
  auto f = []<class T>(const std::vector<T>& x) {
    T y = x[0];
    for (int i = 0; i < 300'000; ++i) y = y + x[1] * (i % 2 ? 1 : -1) * y * 1e-6;
    return y;
  };
  auto [value, g] = scalar::value_and_gradient(f, Vector{1, 0.5});
  // y = x0 (1 - a^2)^150000 with a = 1e-6 x1
  const double a = 0.5e-6, expected = std::pow(1 - a * a, 150'000);
  check_close(value, expected, 1e-10);
  check_close(g[0], expected, 1e-10);
  check_close(g[1], expected * 150'000 * -2 * a * 1e-6 / (1 - a * a), 1e-12);
  auto sum = []<class T>(const std::vector<T>& x) {
    // One expression of 600 arguments.
    auto y = x[0] * 1;
    for (int i = 0; i < 600; ++i) y = std::move(y) + x[1] * i;
    return y;
  };
  BOOST_TEST(scalar::gradient(sum, Vector{1, 2})[1] == 600 * 599 / 2);
}

BOOST_AUTO_TEST_CASE(many_inputs_beside_many_statements_of_one_argument) {
  for (std::size_t n : {1'000, 30'000, 32'768, 32'769, 65'536, 100'000}) {
    auto f = []<class T>(const std::vector<T>& x) {
      T y = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const T sine = sin(x[i]), twice = sine * 2;
        y += twice;
      }
      return y;
    };
    const Vector slopes = scalar::gradient(f, Vector(n, 0.5));
    BOOST_TEST((slopes == Vector(n, 2 * std::cos(0.5))));
  }
}

BOOST_AUTO_TEST_CASE(long_chains_of_statements_of_one_argument) {
  auto f = []<class T>(const std::vector<T>& x) {
    T y = x[0];
    for (int i = 0; i < 200'000; ++i) y = abs(y);
    for (const T& v : x) y += v;
    return y;
  };
  BOOST_TEST((scalar::gradient(f, Vector(4, 0.5)) == Vector{2, 1, 1, 1}));
}

BOOST_AUTO_TEST_CASE(second_derivatives_of_rosenbrock) {
  auto rosenbrock = [](const auto& x) { return pow(1 - x[0], 2) + 100 * pow(x[1] - x[0] * x[0], 2); };
  const auto h = scalar::hessian(rosenbrock, Vector{-1.2, 1});
  check_close(h[0][0], 1330, 1e-14);
  check_close(h[0][1], 480, 1e-14);
  check_close(h[1][0], 480, 1e-14);
  check_close(h[1][1], 200, 1e-14);
}

BOOST_AUTO_TEST_CASE(infinite_slopes_go_nowhere_else) {
  auto f = []<class T>(const std::vector<T>& x) { return std::vector<T>{sqrt(x[0]), 2 * x[0], x[1]}; };
  const auto columns = scalar::jacobian(f, Vector{0, 1}), rows = scalar::jacobian(f, Vector{0, 1, 2, 3});
  for (const auto& j : {columns, rows}) {
    BOOST_TEST((std::isinf(j[0][0]) && j[0][1] == 0));
    BOOST_TEST((j[1][0] == 2 && j[1][1] == 0 && j[2][0] == 0 && j[2][1] == 1));
  }
  const Vector g = scalar::gradient([](const auto& x) { return hypot(x[0], x[1], x[2]); }, Vector{0, 0, 1});
  BOOST_TEST((g == Vector{0, 0, 1}));
}

BOOST_AUTO_TEST_CASE(threads_record_for_themselves) {
  std::vector<std::thread> threads;
  std::array<double, 4> found{};
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&found, t] {
      for (int repeat = 0; repeat < 100; ++repeat)
        found[t] = scalar::gradient([&](const std::vector<Real>& x) { return pow(x[0], static_cast<double>(t + 1)); }, Vector{2})[0];
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < 4; ++t) check_close(found[t], static_cast<double>(t + 1) * std::pow(2.0, static_cast<double>(t)), 1e-14);
}

BOOST_AUTO_TEST_CASE(it_behaves_like_double) {
  static_assert(std::numeric_limits<Real>::is_specialized && std::numeric_limits<Real>::digits == 53);
  static_assert(std::is_same_v<decltype(Real() + 1), Real> && std::is_same_v<decltype(1.0f * Real()), Real>);
  static_assert(!std::is_convertible_v<Real, double> && std::is_constructible_v<double, Real>);
  static_assert(sizeof(Real) == 16);
  BOOST_TEST(std::numeric_limits<Real>::epsilon().value() == std::numeric_limits<double>::epsilon());
  BOOST_TEST((Real(1) < 2 && 2 > Real(1) && Real(1) <= 1 && 1 >= Real(1) && Real(1) == 1 && 1 != Real(2)));
  BOOST_TEST((!(Real(NAN) == NAN) && Real(NAN) != NAN && !(Real(NAN) < 1) && isnan(Real(NAN)) && isinf(Real(INFINITY))));
  BOOST_TEST((isfinite(Real(1)) && signbit(Real(-0.0)) && static_cast<int>(Real(2.75)) == 2 && static_cast<bool>(Real(0.5))));
  BOOST_TEST((Real(1) ? true : false));
  BOOST_TEST(lround(Real(2.5)) == 3);
  BOOST_TEST((ilogb(Real(9)) == 3 && ilogb(Real(std::nextafter(8.0, 0))) == 2 && logb(Real(0.3)) == -2));
  BOOST_TEST((lround(Real(2.5)) == 3 && llround(Real(-2.5)) == -3));
  BOOST_TEST((ldexp(Real(1e300), -1100) == std::ldexp(1e300, -1100) && ldexp(Real(5e-324), 1100) == std::ldexp(5e-324, 1100)));
  BOOST_TEST((ldexp(Real(1), 5000) == INFINITY && ldexp(Real(1), -5000) == 0));
  BOOST_TEST(lerp(Real(1e17), 1.0, 1.0).value() == 1);
  int exponent = 0;
  BOOST_TEST((frexp(Real(-10.0), &exponent) == -0.625 && exponent == 4));
  BOOST_TEST((frexp(Real(0.0), &exponent) == 0 && exponent == 0));
  Real alias = 3.75;
  BOOST_TEST((modf(alias, &alias) == 0.75 && alias == 3));
  BOOST_TEST((modf(Real(-INFINITY), &alias) == 0 && alias == -INFINITY));
  check_close(scalar::gradient([](const auto& x) { return fmod(x[0], x[1]); }, Vector{1, 0.1})[1], -9, 0);
  constexpr Real half = 0.5, epsilon = std::numeric_limits<Real>::epsilon();
  BOOST_TEST((half * 2 == 1 && epsilon > 0));
  Real whole;
  BOOST_TEST(modf(Real(-2.75), &whole).value() == -0.75);
  BOOST_TEST(whole.value() == -2);
  std::stringstream text("1.5 x");
  Real read;
  text >> read;
  BOOST_TEST(read.value() == 1.5);
  std::ostringstream written;
  written << read * 2;
  BOOST_TEST(written.str() == "3");
  std::vector<Real> sorted{3, 1, 2};
  std::sort(sorted.begin(), sorted.end());
  BOOST_TEST(sorted[0].value() == 1);
}

BOOST_AUTO_TEST_CASE(complex_numbers) {
  // |(x + i y)^2 * exp(i x)| = x^2 + y^2
  auto f = []<class T>(const std::vector<T>& x) {
    std::complex<T> z(x[0], x[1]), turn(cos(x[0]), sin(x[0]));
    z = z * z * turn;
    return sqrt(z.real() * z.real() + z.imag() * z.imag());
  };
  const Vector g = scalar::gradient(f, Vector{1.5, -0.7});
  check_close(g[0], 3, 1e-14);
  check_close(g[1], -1.4, 1e-14);
}

BOOST_AUTO_TEST_CASE(a_branch_that_is_not_taken_counts_nothing) {
  // sqrt's slope at 0 is infinite, and is multiplied by nothing.
  auto f = [](const std::vector<Real>& x) {
    Real root = sqrt(x[0]);
    return x[0] > 0 ? root : x[0] * 2 + 0 * x[1];
  };
  const Vector g = scalar::gradient(f, Vector{0, 1});
  BOOST_TEST(g[0] == 2);
  BOOST_TEST(g[1] == 0);
}

BOOST_AUTO_TEST_CASE(a_branch_that_would_change_is_named) {
  RecordedFunction f([](const std::vector<Real>& x) { return x[0] < x[1] ? x[0] * x[1] : x[0]; }, Vector{1, 2});
  BOOST_TEST(f(Vector{2, 3})[0] == 6);
  BOOST_CHECK_EXCEPTION(f(Vector{3, 2}), GraphError, [](const Error& e) {
    return std::string(e.what()).find("3 < 2 was true") != std::string::npos;
  });
  BOOST_CHECK_THROW(f.gradient(Vector{3, 2}), GraphError);
  BOOST_CHECK_THROW(f.hessian(Vector{3, 2}), GraphError);
  BOOST_CHECK_THROW(f(Vector{3}), ShapeError);
  RecordedFunction index([](const std::vector<Real>& x) { return x[static_cast<std::size_t>(x[0])] * 2; }, Vector{1.5, 2, 3});
  BOOST_TEST(index(Vector{1.75, 5, 6})[0] == 10);
  BOOST_CHECK_THROW(index(Vector{2.5, 5, 6}), GraphError);
  RecordedFunction finite([](const std::vector<Real>& x) { return isfinite(x[0]) ? x[0] : Real(0); }, Vector{1.5});
  BOOST_CHECK_THROW(finite(Vector{INFINITY}), GraphError);
  RecordedFunction rounded([](const std::vector<Real>& x) { return x[0] * static_cast<float>(x[0]); }, Vector{0.1});
  BOOST_TEST(rounded(Vector{0.1})[0] == 0.1 * 0.1f);
  BOOST_CHECK_THROW(rounded(Vector{0.2}), GraphError);
  // What an inner function asks of numbers of the next level.
  auto asks = [](auto ask) {
    return RecordedFunction(
        [ask](const std::vector<Real>& x) {
          return x[0] * scalar::gradient([&](const auto& y) { return ask(y[0]) * y[0]; }, x)[0];
        },
        Vector{1.5});
  };
  RecordedFunction integer = asks([](const auto& y) { return static_cast<int>(y); });
  BOOST_TEST(integer(Vector{1.75})[0] == 1.75);
  BOOST_CHECK_THROW(integer(Vector{2.5}), GraphError);
  BOOST_CHECK_THROW(asks([](const auto& y) { return signbit(y) ? -1 : 1; })(Vector{-1.5}), GraphError);
  BOOST_CHECK_THROW(asks([](const auto& y) { return y > 0 ? 1 : -1; })(Vector{-1.5}), GraphError);
  // Derivatives by plain numbers are known where they were taken.
  RecordedFunction inner(
      [](const std::vector<Real>& x) {
        return x[0] * scalar::gradient([&](const std::vector<Real>& y) { return x[0] > 0 ? 5 * y[0] : y[0]; }, Vector{1})[0];
      },
      Vector{1});
  BOOST_TEST(inner(Vector{1})[0] == 5);
  BOOST_CHECK_THROW(inner(Vector{-1}), GraphError);
  RecordedFunction pair([](const std::vector<Real>& x) { return std::array{x[0], x[0] * x[0]}; }, Vector{2});
  BOOST_TEST(pair.jacobian(Vector{3})[1][0] == 6);
  BOOST_CHECK_THROW(pair.gradient(Vector{3}), ShapeError);
}

BOOST_AUTO_TEST_CASE(functions_without_inputs_or_of_constants) {
  BOOST_TEST(scalar::gradient([](const std::vector<Real>&) { return Real(3); }, Vector{}).empty());
  BOOST_TEST(scalar::gradient([](const std::vector<Real>& x) { return x[1]; }, Vector{1, 2})[1] == 1);
  BOOST_TEST(scalar::hessian([](const std::vector<Real>& x) { return x[1]; }, Vector{1, 2})[1][1] == 0);
  BOOST_TEST(scalar::jacobian([](const std::vector<Real>&) { return std::vector<Real>(); }, Vector{1, 2}).empty());
}

BOOST_AUTO_TEST_SUITE_END()
