// Minima of smooth functions.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <cmath>
#include <numbers>

#include <optim/objective.hpp>

#include "smooth_problems.hpp"
#include "support.hpp"

using namespace xtape;
using namespace xtape::testing;
using namespace xtape::optim;

namespace {

const std::vector<Minimizer> methods{optim::lbfgs, newton_cg, trust_region};

Variable rosenbrock(const Variable& x) { return 100 * square(x[1] - square(x[0])) + square(1 - x[0]); }
const Variable rosenbrock_start({-1.2, 1}, float64);

double element(const Variable& x, std::size_t i) { return x.value().at(i); }

}  // namespace

BOOST_AUTO_TEST_SUITE(minimizers)

// Meyer's function is too badly scaled for methods that do not know that it is a sum of squares.
BOOST_DATA_TEST_CASE(more_garbow_and_hillstrom, boost::unit_test::data::make(methods), method) {
  for (const SmoothProblem& problem : smooth_problems()) {
    if (problem.name == "Meyer") continue;
    auto f = [&](const Variable& x) { return sum(square(problem.residuals(x))); };
    MinimizeResult result = minimize(f, problem.start,
                                     {.method = method, .gradient_tolerance = 1e-8, .value_tolerance = 1e-15});
    BOOST_TEST(is_among(result.value, problem.minima),
               problem.name << ": " << result.value << " after " << result.iterations << ": " << result.message);
    BOOST_TEST(result.value == sum(square(problem.residuals(result.x[0]))).item());
  }
}

// The defaults suffice for functions that are not badly scaled, and no method needs more evaluations than it should.
BOOST_DATA_TEST_CASE(evaluates_as_often_as_it_needs, boost::unit_test::data::make(methods), method) {
  struct Expected {
    const char* name;
    std::vector<std::int64_t> at_most;  // by methods
  };
  for (const Expected& expected : std::vector<Expected>{{"Rosenbrock", {55, 115, 35}}, {"Beale", {20, 18, 15}},
                                                        {"Bard", {30, 18, 14}}, {"Watson 6", {65, 20, 18}},
                                                        {"Broyden tridiagonal", {22, 14, 14}}}) {
    const SmoothProblem& problem = smooth_problem(expected.name);
    std::int64_t calls = 0;
    auto f = [&](const Variable& x) { return ++calls, sum(square(problem.residuals(x))); };
    MinimizeResult result = minimize(f, problem.start, {.method = method});
    BOOST_TEST(result.converged, problem.name);
    BOOST_TEST(result.evaluations == calls);
    BOOST_TEST(calls <= expected.at_most[static_cast<std::size_t>(method)], problem.name << ": " << calls);
    BOOST_TEST((result.hessian_products == 0) == (method == optim::lbfgs));
  }
}

BOOST_DATA_TEST_CASE(takes_several_inputs, boost::unit_test::data::make(methods), method) {
  Variable a = zeros({2, 3}, float64), b = ones({}, float64), steps = Variable{1, 2, 3}.to(int64);
  Variable c = zeros({2}, float32);
  auto f = [&](const Variable& a, const Variable& b, const Variable& steps, const Variable& c) {
    return sum(square(a - steps.to(float64) * b)) + square(b - 2) + sum(square(square(c) + c - 2).to(float64));
  };
  MinimizeResult result = minimize(f, {a, b, steps, c}, {.method = method});
  BOOST_TEST(result.converged);
  BOOST_REQUIRE(result.x.size() == 4u);
  close(result.x[0], Variable({{2, 4, 6}, {2, 4, 6}}, float64), 1e-4);
  close(result.x[1], full({}, 2, float64), 1e-4);
  same(result.x[2], steps);
  close(result.x[3], ones({2}, float32), 1e-4);
  same(a, zeros({2, 3}, float64));
}

BOOST_DATA_TEST_CASE(float32_goes_as_far_as_it_can, boost::unit_test::data::make(methods), method) {
  for (double tolerance : {1e-3, 0.0}) {
    MinimizeResult result = minimize(rosenbrock, rosenbrock_start.to(float32),
                                     {.method = method, .gradient_tolerance = tolerance, .max_iterations = 300});
    BOOST_TEST(result.reason != Stop::max_iterations);
    close(result.x[0], ones({2}, float32), 5e-3);
  }
}

// What f is linear in, or does not depend on, has no second derivatives.
BOOST_DATA_TEST_CASE(takes_functions_without_curvature, boost::unit_test::data::make(methods), method) {
  auto f = [](const Variable& x, const Variable&) { return square(x - 3); };
  MinimizeResult result = minimize(f, {zeros({}, float64), ones({3}, float64)}, {.method = method});
  close(result.x[0], full({}, 3, float64), 1e-5);
  same(result.x[1], ones({3}, float64));
  auto slope = [](const Variable& x) { return sum(2 * x); };
  result = minimize(slope, zeros({2}, float64), {.method = method, .max_iterations = 5});
  BOOST_TEST(!result.converged);
  BOOST_TEST(result.value < -1);
  auto constant = [](const Variable&) { return full({}, 3, float64); };
  BOOST_TEST(minimize(constant, zeros({2}, float64), {.method = method}).reason == Stop::gradient_tolerance);
}

// Values and derivatives as small as can be, down to where they are 0; a step never leads to a greater value.
BOOST_DATA_TEST_CASE(goes_on_where_the_function_is_flat, boost::unit_test::data::make(methods), method) {
  Variable x({-2, -1, 1, 2}, float64), sign({-1, -1, 1, 1}, float64);
  auto exponential = [](const Variable& b) { return sum(exp(-b)); };
  auto logistic = [&](const Variable& b) { return sum(log1p(exp(-sign * (x * b)))); };
  auto check = [&](const Callable& f, std::size_t size) {
    double least = INFINITY;
    auto watched = [&](const Variable& b) {
      Variable y = f({b}, "");
      least = std::min(least, y.item());
      return y;
    };
    MinimizeResult result = minimize(watched, ones({size}, float64),
                                     {.method = method, .gradient_tolerance = 0, .max_iterations = 3000});
    BOOST_TEST(result.value == least);
    BOOST_TEST(result.value < 1e-80);
  };
  check(exponential, 1);
  check(exponential, 3);
  check(logistic, 1);
}

BOOST_DATA_TEST_CASE(functions_without_a_lower_bound, boost::unit_test::data::make(methods), method) {
  auto falls = [](const Variable& x) { return -sum(x) - sum(square(square(x))); };
  MinimizeResult result = minimize(falls, zeros({2}, float64), {.method = method});
  BOOST_TEST(!result.converged);
  BOOST_TEST(result.message.ends_with(" The function seems to have no lower bound."), result.message);
  result = minimize(rosenbrock, rosenbrock_start, {.method = method, .max_iterations = 3});
  BOOST_TEST(result.message == "There were max_iterations iterations.");
}

// A saddle, where Newton's step would lead up.
BOOST_DATA_TEST_CASE(leaves_saddles, boost::unit_test::data::make(methods), method) {
  auto f = [](const Variable& x) { return square(x[0]) - square(x[1]) + square(square(x[1])); };
  MinimizeResult result = minimize(f, Variable({1, 1e-3}, float64), {.method = method});
  BOOST_TEST(std::abs(result.value + 0.25) < 1e-9);
}

BOOST_DATA_TEST_CASE(stays_where_the_function_is_finite, boost::unit_test::data::make(methods), method) {
  for (double beyond : std::vector<double>{NAN, INFINITY, -INFINITY}) {
    auto f = [&](const Variable& x) {
      Variable loss = sum(-100 * x - 0.001 * log(1 - x));
      return x.item() < 1 ? loss : loss + beyond;
    };
    MinimizeResult result = minimize(f, Variable({0.5}, float64), {.method = method});
    BOOST_TEST(std::isfinite(result.value));
    BOOST_TEST(result.x[0].item() < 1);
    BOOST_TEST(result.x[0].item() > 0.9999);
  }
  // Far steps leave what float32 holds; f is not asked there.
  auto f = [](const Variable& x) {
    BOOST_TEST(all(isfinite(x)).item<bool>());
    return sum(-x);
  };
  MinimizeResult far = minimize(f, full({1}, 1e38, float32), {.method = method, .max_iterations = 60});
  BOOST_TEST(std::isfinite(far.value));
}

BOOST_DATA_TEST_CASE(says_why_it_stopped, boost::unit_test::data::make(methods), method) {
  auto run = [&](MinimizeOptions options) {
    options.method = method;
    return minimize(rosenbrock, rosenbrock_start, options);
  };
  MinimizeResult result = run({});
  BOOST_TEST(result.reason == Stop::gradient_tolerance);
  BOOST_TEST(result.message == "The gradient is within gradient_tolerance.");
  BOOST_TEST((result.converged && result.gradient_norm <= 1e-5));
  result = run({.gradient_tolerance = 0, .value_tolerance = 0.9});
  BOOST_TEST((result.reason == Stop::value_tolerance && result.converged));
  result = run({.gradient_tolerance = 0, .value_tolerance = 0, .step_tolerance = 0.1});
  BOOST_TEST((result.reason == Stop::step_tolerance && result.converged));
  result = run({.max_iterations = 3});
  BOOST_TEST((result.reason == Stop::max_iterations && !result.converged && result.iterations == 3));
  result = run({.max_evaluations = 5});
  BOOST_TEST((result.reason == Stop::max_evaluations && !result.converged && result.evaluations >= 5));
  // Up in every direction, which the derivative denies.
  auto wrong = [](const Variable& x) { return sum(2 * abs(x).detach() - x); };
  result = minimize(wrong, zeros({2}, float64), {.method = method});
  BOOST_TEST(result.reason == Stop::no_descent);
  BOOST_TEST(!result.converged);
  same(result.x[0], zeros({2}, float64));
  BOOST_TEST(minimize(rosenbrock, ones({2}, float64), {.method = method}).iterations == 0);
}

// Nothing is recorded for the caller, whatever its mode, and nothing of the caller's is written.
BOOST_DATA_TEST_CASE(leaves_the_caller_alone, boost::unit_test::data::make(methods), method) {
  Variable x0 = parameter(rosenbrock_start.copy()), scale = parameter(Variable(2.0).to(float64).copy());
  auto f = [&](const Variable& x) { return scale * rosenbrock(x); };
  MinimizeResult result = minimize(f, x0, {.method = method});
  BOOST_TEST(grad_enabled());
  BOOST_TEST(!result.x[0].requires_grad());
  BOOST_TEST(!x0.grad().defined());
  BOOST_TEST(!scale.grad().defined());
  same(x0, rosenbrock_start);
  NoGrad guard;
  same(minimize(f, x0, {.method = method}).x, result.x);
  BOOST_TEST(!grad_enabled());

  int left = 4;
  auto failing = [&](const Variable& x) {
    if (--left == 0) throw std::runtime_error("the function fails");
    return rosenbrock(x);
  };
  BOOST_CHECK_THROW(minimize(failing, x0, {.method = method}), std::runtime_error);
  same(x0, rosenbrock_start);
}

// Hock and Schittkowski, Test examples for nonlinear programming codes, 1981: those with bounds alone, by their
// numbers. The functions are never called outside the bounds.
BOOST_AUTO_TEST_CASE(keeps_to_bounds) {
  struct Bounded {
    int number;
    std::vector<double> start, lower, upper, minima;
    std::function<Variable(const Variable&)> f;
  };
  constexpr double inf = INFINITY, pi = std::numbers::pi;
  auto wood = [](const Variable& x) { return sum(square(smooth_problem("Wood").residuals(x))); };
  std::vector<Bounded> problems{
      {1, {-2, 1}, {-inf, -1.5}, {inf, inf}, {0}, rosenbrock},
      {2, {-2, 1}, {-inf, 1.5}, {inf, inf}, {0.0504261879, 4.94122931}, rosenbrock},
      {3, {10, 1}, {-inf, 0}, {inf, inf}, {0}, [](const Variable& x) { return x[1] + 1e-5 * square(x[1] - x[0]); }},
      {4, {1.125, 0.125}, {1, 0}, {inf, inf}, {8. / 3}, [](const Variable& x) { return pow(x[0] + 1, 3) / 3 + x[1]; }},
      {5, {0, 0}, {-1.5, -3}, {4, 3}, {-std::sqrt(3) / 2 - pi / 3},
       [](const Variable& x) { return sin(x[0] + x[1]) + square(x[0] - x[1]) - 1.5 * x[0] + 2.5 * x[1] + 1; }},
      {38, {-3, -1, -3, -1}, {-10, -10, -10, -10}, {10, 10, 10, 10}, {0}, wood},
      {45, {2, 2, 2, 2, 2}, {0, 0, 0, 0, 0}, {1, 2, 3, 4, 5}, {1},
       [](const Variable& x) { return 2 - prod(x) / 120; }}};
  for (const Bounded& p : problems) {
    Variable lower(p.lower), upper(p.upper);
    auto f = [&](const Variable& x) {
      BOOST_REQUIRE(all(logical_and(x >= lower, x <= upper)).item<bool>());
      return p.f(x);
    };
    MinimizeResult result = minimize(f, Variable(p.start),
                                     {.gradient_tolerance = 1e-8, .lower = {lower}, .upper = {upper}});
    BOOST_TEST(result.converged, p.number << ": " << result.message);
    BOOST_TEST(is_among(result.value, p.minima), p.number << ": " << result.value << " after " << result.evaluations);
    BOOST_TEST(result.evaluations < 150, p.number << ": " << result.evaluations);
  }
}

// Many at their bounds, some not, and an input without any.
BOOST_AUTO_TEST_CASE(bounds_of_several_inputs) {
  seed(5);
  Variable wanted = randn({200}, float64);
  auto f = [&](const Variable& x, const Variable& y) {
    return sum(square(x - wanted)) + square(y + 7) + square(y) * sum(x);
  };
  MinimizeResult result = minimize(f, {zeros({200}, float64), ones({}, float64)},
                                   {.gradient_tolerance = 1e-6, .value_tolerance = 0,
                                    .lower = {0.0, {}}, .upper = {1.0, {}}});
  BOOST_TEST(result.converged, result.message);
  BOOST_TEST(result.gradient_norm <= 1e-6);
  Variable y = result.x[1], x = result.x[0];
  close(x, clip(wanted - square(y) / 2, 0.0, 1.0), 1e-6);
  result = minimize([](const Variable& x) { return square(x - 3); }, full({}, 9, float32), {.upper = {1}});
  BOOST_TEST(result.x[0].item() == 1);
  BOOST_TEST(result.gradient_norm == 0);
  // Of what float32 has no number for, the nearest one counts.
  result = minimize([](const Variable& x) { return -x; }, zeros({}, float32), {.upper = {full({}, 0.1, float64)}});
  BOOST_TEST(result.x[0].item<float>() == 0.1F);
}

BOOST_AUTO_TEST_CASE(misuse) {
  auto f = [](const Variable& x) { return sum(square(x)); };
  Variable x = ones({2}, float64);
  auto refuses = [&](const MinimizeOptions& options, const char* message) {
    throws<ValueError>([&] { minimize(f, x, options); }, {"minimize: ", message});
  };
  refuses({.gradient_tolerance = NAN}, "gradient_tolerance is nan, needs 0 or more");
  refuses({.value_tolerance = -1}, "value_tolerance is -1, needs 0 or more");
  refuses({.step_tolerance = INFINITY}, "step_tolerance is inf");
  refuses({.max_iterations = 0}, "max_iterations is 0, needs 1 or more");
  refuses({.max_evaluations = -3}, "max_evaluations is -3, needs 1 or more");
  refuses({.history_size = 0}, "history_size is 0, needs 1 or more");
  refuses({.trust_radius = 0}, "trust_radius is 0, needs more than 0");
  refuses({.trust_radius = 3, .max_trust_radius = 2}, "trust_radius is 3, needs at most max_trust_radius, 2");
  refuses({.method = newton_cg, .lower = {0.0}}, "lower and upper: only lbfgs takes bounds");
  refuses({.method = static_cast<Minimizer>(7)}, "method is 7, which is none");
  refuses({.lower = {0.0, 0.0}}, "lower has 2 bounds for 1 inputs");
  refuses({.upper = {NAN}}, "upper 0 has a NaN");
  refuses({.lower = {1.0}, .upper = {0.0}}, "lower is above upper");
  throws<ShapeError>([&] { minimize(f, x, {.lower = {zeros({3})}}); }, {"minimize: lower 0 has shape (3,)", "(2,)"});
  throws<ValueError>([&] { minimize(f, Variable()); }, {"minimize: input 0 is undefined"});
  throws<ValueError>([&] { minimize(f, std::vector<Variable>{}); },
                     {"minimize: the inputs have no floating-point elements"});
  throws<ValueError>([&] { minimize(f, Variable({1, NAN}, float64)); },
                     {"minimize: input 0 has elements that are not"});
  throws<ValueError>([&] { minimize(f, {x, x}); }, {"minimize: the function does not take 2 Variables"});
  throws<ShapeError>([&] { minimize([](const Variable& x) { return 2 * x; }, x); },
                     {"minimize: the function's value has shape (2,), needs one element"});
  throws<DTypeError>([&] { minimize([](const Variable&) { return Variable(3); }, x); },
                     {"minimize: the function's value is"});
  throws<ValueError>([&] { minimize([](const Variable&) { return Variable(); }, x); },
                     {"minimize: the function returned"});
  throws<ValueError>([&] { minimize([](const Variable& x) { return sum(log(-x)); }, x); },
                     {"minimize: the function or its gradient is not finite at the start"});
  std::function<Variable(const Variable&)> empty;
  throws<ValueError>([&] { minimize(empty, x); }, {"minimize: the function is empty"});
}

// The product that is read off the recorded gradient is that of the whole matrix.
BOOST_AUTO_TEST_CASE(hessian_products) {
  const SmoothProblem& problem = smooth_problem("Osborne 1");
  Callable f = [&](const Variable& x) { return sum(square(problem.residuals(x))); };
  optim::detail::FlatInputs inputs("test", {problem.start});
  optim::detail::Objective objective(inputs, f, true);
  auto point = objective.start(problem.start);
  Variable v({1, -2, 3, 0.5, -1}, float64), expected = hvp(f, {problem.start}, {v}).grads[0];
  for (int again = 0; again < 2; ++again)
    close(objective.hessian_times(point, v), expected, 1e-9 * max(abs(expected)).item());
  BOOST_TEST(element(point.gradient, 0) == element(grad(f, {problem.start})[0], 0));
}

BOOST_AUTO_TEST_SUITE_END()
