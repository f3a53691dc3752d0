// Differential equations with known solutions, and gradients against closed forms and finite differences.
#include <cmath>
#include <numbers>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <autograd/odeint.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::same;
using xtape::testing::throws;

namespace {

Variable decay(const Variable&, const Variable& y, const Variable& rate) { return -rate * y; }

Variable oscillator(const Variable&, const Variable& y) { return stack({y[1], -y[0]}); }

Variable prey_and_predators(const Variable&, const Variable& y, const Variable& p) {
  return stack({y[0] * (p[0] - p[1] * y[1]), y[1] * (p[2] * y[0] - p[3])});
}

// A satellite between earth and moon; Hairer, Norsett, Wanner 1993, equation II.0.1.
Variable arenstorf(const Variable&, const Variable& y) {
  const double mu = 0.012277471, nu = 1 - mu;
  Variable x = y[0], z = y[1];
  Variable d1 = pow(square(x + mu) + square(z), 1.5), d2 = pow(square(x - nu) + square(z), 1.5);
  return stack({y[2], y[3], x + 2 * y[3] - nu * (x + mu) / d1 - mu * (x - nu) / d2,
                z - 2 * y[2] - nu * z / d1 - mu * z / d2});
}

Variable numbers(std::initializer_list<double> values) { return Variable(std::vector<double>(values)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(differential_equations)

BOOST_AUTO_TEST_CASE(closed_solutions) {
  OdeStatistics taken;
  Variable y = odeint(decay, numbers({1, 2}), {0, 0.5, 1, 3}, {numbers({1, 0.3})},
                      {.rtol = 1e-10, .atol = 1e-12, .statistics = &taken});
  Variable t({{0.0}, {0.5}, {1.0}, {3.0}}, float64);
  close(y, numbers({1, 2}) * exp(-t * numbers({1, 0.3})), 1e-10);
  BOOST_TEST(taken.evaluations == 2 + 6 * (taken.steps + taken.rejected));
  const double pi = std::numbers::pi;
  y = odeint(oscillator, numbers({0, 1}), {0, pi / 6, pi / 2, 20 * pi}, {}, {.rtol = 1e-11, .atol = 1e-11});
  close(y[{all, 0}], numbers({0, 0.5, 1, 0}), 1e-8);
  // Backwards, with times in a Variable, and dy/dt = t.
  y = odeint([](auto& t, auto& y) { return t + 0 * y; }, numbers({2}), numbers({2, 1, -1}));
  close(y, Variable({{2.0}, {0.5}, {0.5}}, float64), 1e-7);
  same(odeint(oscillator, numbers({0, 1}), {3}), Variable({{0.0, 1.0}}, float64));
  BOOST_TEST((odeint(decay, ones({2}), {0, 1}, {ones({})}).dtype() == float32));
}

BOOST_AUTO_TEST_CASE(invariants_and_orbits) {
  Variable p = numbers({1.5, 1, 1, 3});
  auto invariant = [&](const Variable& y) {
    return p[2] * y[{all, 0}] - p[3] * log(y[{all, 0}]) + p[1] * y[{all, 1}] - p[0] * log(y[{all, 1}]);
  };
  Variable y = odeint(prey_and_predators, numbers({1, 1}), linspace(0, 20, 50, float64), {p},
                      {.rtol = 1e-9, .atol = 1e-9});
  Variable v = invariant(y);
  BOOST_TEST(max(abs(v - v[0])).item() < 1e-6);

  Variable y0 = numbers({0.994, 0, 0, -2.00158510637908252240537862224});
  y = odeint(arenstorf, y0, {0, 17.0652165601579625588917206249}, {}, {.rtol = 1e-12, .atol = 1e-12});
  close(y[1][range(0, 2)], y0[range(0, 2)], 1e-5);
}

// The error of one step is of order 6, that within it of order 5.
BOOST_AUTO_TEST_CASE(order_of_convergence) {
  auto errors = [](double h) {
    Variable y = odeint(oscillator, numbers({0, 1}), {0, 0.37 * h, h}, {},
                        {.rtol = 1, .atol = 1e3, .first_step = h});
    return std::pair(std::abs(y[2][0].item() - std::sin(h)), std::abs(y[1][0].item() - std::sin(0.37 * h)));
  };
  auto [end, inside] = errors(0.4);
  auto [half_end, half_inside] = errors(0.2);
  BOOST_TEST(std::log2(end / half_end) > 5.8);
  BOOST_TEST(std::log2(inside / half_inside) > 4.8);
}

BOOST_AUTO_TEST_CASE(tolerances_bound_errors) {
  for (double tolerance : {1e-4, 1e-7, 1e-10}) {
    Variable y = odeint(oscillator, numbers({0, 1}), {0, 10}, {}, {.rtol = tolerance, .atol = tolerance});
    BOOST_TEST(std::abs(y[1][0].item() - std::sin(10)) < 30 * tolerance);
  }
}

BOOST_AUTO_TEST_CASE(gradients_of_closed_solutions) {
  Variable y0 = parameter(numbers({2})), rate = parameter(numbers({0.7}));
  for (OdeOptions options : {OdeOptions{}, OdeOptions{.checkpoints = 3}, OdeOptions{.adjoint = true}}) {
    options.rtol = options.atol = 1e-11;
    for (bool captured : {false, true}) {
      Variable y = captured ? odeint([&](auto&, auto& y) { return -rate * y; }, y0, {0, 1, 2}, {}, options)
                            : odeint(decay, y0, {0, 1, 2}, {rate}, options);
      std::vector<Variable> g = grad({sum(y)}, {y0, rate});
      close(g[0], 1 + exp(-rate) + exp(-2 * rate), 1e-9);
      close(g[1], y0 * (-exp(-rate) - 2 * exp(-2 * rate)), 1e-9);
      // The second derivative by the rate.
      y = captured ? odeint([&](auto&, auto& y) { return -rate * y; }, y0, {0, 1, 2}, {}, options)
                   : odeint(decay, y0, {0, 1, 2}, {rate}, options);
      Variable first = grad(sum(y), rate, {.create_graph = true});
      close(grad(first, rate), y0 * (exp(-rate) + 4 * exp(-2 * rate)), 1e-8);
    }
  }
}

// Step sizes that are too coarse for the solution: gradients are those of the steps. They are given, and so constant.
BOOST_AUTO_TEST_CASE(gradients_of_the_steps) {
  OdeOptions coarse{.rtol = 1, .atol = 1e3, .first_step = 0.3, .max_step = 0.3};
  auto solve = [&](std::size_t checkpoints) {
    OdeOptions options = coarse;
    options.checkpoints = checkpoints;
    return [options](auto& y0, auto& p) { return odeint(prey_and_predators, y0, {0, 0.5, 0.9, 1.5}, {p}, options); };
  };
  std::vector<Variable> inputs{numbers({1, 1.2}), numbers({1.5, 1, 1, 3})};
  for (std::size_t checkpoints : {0, 2}) {
    GradcheckResult result = gradcheck(solve(checkpoints), inputs, {.order = 2});
    BOOST_TEST(result.ok, result.message);
  }
  std::vector<Variable> plain = jacobian(solve(0), inputs), again = jacobian(solve(2), inputs);
  close(solve(2)(inputs[0], inputs[1]), solve(0)(inputs[0], inputs[1]), 1e-15);
  for (std::size_t i = 0; i < 2; ++i) close(again[i], plain[i], 1e-13);
}

BOOST_AUTO_TEST_CASE(three_ways_to_one_gradient) {
  seed(1);
  Variable w = parameter(0.5 * randn({3, 3}, float64)), b = parameter(randn({3}, float64));
  Variable y0 = parameter(randn({2, 3}, float64));
  auto gradients = [&](OdeOptions options) {
    options.rtol = options.atol = 1e-10;
    auto f = [&](auto& t, auto& y, auto& b) { return tanh(matmul(y, w) + b * t); };
    Variable y = odeint(f, y0, {1, 0.5, -1}, {b}, options);
    return grad({sum(sin(y))}, {y0, w, b});
  };
  std::vector<Variable> steps = gradients({}), again = gradients({.checkpoints = 2});
  std::vector<Variable> adjoint = gradients({.adjoint = true});
  for (std::size_t i = 0; i < 3; ++i) {
    close(again[i], steps[i], 1e-13);
    close(adjoint[i], steps[i], 1e-8);
  }
}

// The right side's y is its own: what it writes there, neither the caller nor the solver sees.
BOOST_AUTO_TEST_CASE(right_sides_may_write_to_y) {
  auto f = [](auto&, const Variable& y, const Variable& k) { return -(k * y); };
  auto writing = [](auto&, const Variable& y0, const Variable& k) {
    Variable y = y0;
    y *= k;
    y *= -1;
    return y;
  };
  Variable k = parameter(Variable({0.7}, float64));
  for (bool is_leaf : {false, true})
    for (const OdeOptions& options : {OdeOptions{}, {.checkpoints = 2}, {.adjoint = true}}) {
      Variable y0({1, 2}, float64);
      if (is_leaf) y0.requires_grad_();
      Variable expected = odeint(f, y0, {0, 0.5, 1}, {k}, options), y = odeint(writing, y0, {0, 0.5, 1}, {k}, options);
      close(y.detach(), expected.detach(), 1e-14);
      close(grad(sum(square(y)), k), grad(sum(square(expected)), k), 1e-12);
      if (is_leaf) {
        y = odeint(writing, y0, {0, 0.5, 1}, {k}, options);
        expected = odeint(f, y0, {0, 0.5, 1}, {k}, options);
        close(grad(sum(square(y)), y0), grad(sum(square(expected)), y0), 1e-12);
      }
      NoGrad guard;
      close(odeint(writing, y0, {0, 0.5, 1}, {k}, options), expected.detach(), 1e-14);
      same(y0.detach(), Variable({1, 2}, float64));
    }
}

// Errors relative to y alone, where y is 0.
BOOST_AUTO_TEST_CASE(zeros_with_relative_errors_alone) {
  auto decay = [](auto&, auto& y) { return -y; };
  Variable y = odeint(decay, Variable({1, 0}, float64), {0, 1}, {}, {.atol = 0});  // the zero stays
  close(y[1], Variable({std::exp(-1.0), 0}, float64), 1e-6);
  auto circle = [](auto&, auto& y) { return stack({y[1], -y[0]}); };
  Variable start({0, 1}, float64);
  throws<ValueError>([&] { odeint(circle, start, {2, 3}, {}, {.atol = 0}); },
                     {"odeint", "element 0 of y is 0", "t = 2", "atol > 0", "first_step > 0"});
  close(odeint(circle, start, {2, 3}, {}, {.atol = 0, .first_step = 1e-3})[1],
        Variable({std::sin(1.0), std::cos(1.0)}, float64), 1e-5);
  Variable one = parameter(ones({2}, float64));
  y = odeint(circle, one, {0, 1}, {}, {.atol = 0, .adjoint = true});
  throws<ValueError>([&] { y[1][0].backward(); },
                     {"odeint", "element 3 of y and its gradient is 0", "t = 1", "atol > 0"});
}

BOOST_AUTO_TEST_CASE(times_near_each_other) {
  auto decay = [](auto&, auto& y) { return -y; };
  for (double end : {1e-200, 5e-324, -1e-200})
    same(odeint(decay, ones({1}, float64), {0, end}), ones({2, 1}, float64));
  throws<ValueError>([&] { odeint(decay, ones({1}, float64), {0, 1e-200, -1e-200}); }, {"odeint", "times[2]"});
}

BOOST_AUTO_TEST_CASE(errors) {
  Variable one = ones({1}, float64);
  auto constant = [](auto&, auto& y) { return ones_like(y); };
  for (double bad : {double(NAN), double(INFINITY)})
    throws<ValueError>([&] { odeint(constant, Variable({1, bad}, float64), {3, 4}); },
                       {"odeint", "element 1 of y is not finite", "t = 3"});
  // Values whose squares overflow.
  throws<ValueError>([&] { odeint([](auto&, auto& y) { return 1e300 * y; }, 1e200 * one, {0, 1}, {}, {.rtol = 0}); },
                     {"odeint", "t = 0"});
  auto f = [](auto&, auto& y) { return y; };
  throws<ValueError>([&] { odeint(f, one, {0, 1, 1}); }, {"odeint", "times[2] is 1 after 1"});
  throws<ValueError>([&] { odeint(f, one, {0, 1, 0.5}); }, {"odeint", "times[2]"});
  throws<ValueError>([&] { odeint(f, one, {0, NAN}); }, {"odeint", "times[1] is nan"});
  throws<ValueError>([&] { odeint(f, one, std::vector<double>{}); }, {"odeint", "no times"});
  throws<ValueError>([&] { odeint(f, one, {0, 1}, {}, {.rtol = -1}); }, {"odeint", "rtol -1"});
  throws<ValueError>([&] { odeint(f, one, {0, 1}, {}, {.checkpoints = 2, .adjoint = true}); },
                     {"odeint", "one of the two"});
  throws<ValueError>([&] { odeint(f, one, {0, 100}, {}, {.max_steps = 10}); }, {"odeint", "10 steps"});
  // y = 1 / (1 - t)
  throws<ValueError>([&] { odeint([](auto&, auto& y) { return y * y; }, one, {0, 2}); },
                     {"odeint", "too small at t = 1"});
  throws<ValueError>([&] { odeint([](auto&, auto& y) { return log(y - 2); }, one, {0, 2}); },
                     {"odeint", "derivative at t = 0", "not finite"});
  throws<ValueError>([&] { odeint([](auto&, auto& y) { return -1 / sqrt(y); }, one, {0, 2}); },
                     {"odeint", "t = 0.6666"});
  throws<ShapeError>([&] { odeint([](auto&, auto& y) { return sum(y); }, one, {0, 2}); }, {"odeint", "float64()"});
  throws<DTypeError>([&] { odeint([](auto&, auto& y) { return y.to(float32); }, one, {0, 2}); },
                     {"odeint", "float32(1,)"});
  throws<DTypeError>([&] { odeint(f, one.to(int64), {0, 2}); }, {"odeint", "int64"});
}

BOOST_AUTO_TEST_SUITE_END()
