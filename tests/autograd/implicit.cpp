// Roots and fixed points against closed forms and finite differences.
#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <autograd/implicit.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::same;
using xtape::testing::throws;

namespace {

Variable square_root(const Variable& a) {
  return custom_root([](auto& x, auto& a) { return x * x - a; }, ones_like(a), {a});
}

// Three equations with three parameters and a matrix.
Variable coupled(const Variable& x, const Variable& p, const Variable& w) {
  return x + 0.3 * tanh(matmul(w, x)) * p - sin(p);
}

void check_derivatives(const Callable& f, const std::vector<Variable>& inputs, int order) {
  GradcheckResult result = gradcheck(f, inputs, {.order = order});
  BOOST_TEST(result.ok, result.message);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(implicit)

BOOST_AUTO_TEST_CASE(roots_to_the_fourth_derivative) {
  Variable a = parameter(Variable({2.0}, float64)), y = square_root(a);
  close(y, sqrt(a), 1e-15);
  Variable expected = sqrt(a);
  for (int order = 1; order <= 4; ++order) {
    y = grad(sum(y), a, {.create_graph = true});
    expected = grad(sum(expected), a, {.create_graph = true});
    close(y, expected, 1e-13);
  }
}

BOOST_AUTO_TEST_CASE(systems_of_equations) {
  seed(1);
  std::vector<Variable> parameters{randn({3}, float64), randn({3, 3}, float64)};
  auto root = [](auto& p, auto& w) { return custom_root(coupled, zeros({3}, float64), {p, w}); };
  close(coupled(root(parameters[0], parameters[1]), parameters[0], parameters[1]), zeros({3}, float64), 1e-14);
  check_derivatives(root, parameters, 3);
}

// x may have any shape, and the function may capture what it depends on.
BOOST_AUTO_TEST_CASE(captured_variables_and_matrices) {
  auto inverse_root = [](const Variable& a) {  // X with X X = A
    return custom_root([b = a * 1](const Variable& x) { return matmul(x, x) - b; }, eye(2, float64));
  };
  Variable a({{2.0, 0.5}, {0.3, 1.5}}, float64), x = inverse_root(a);
  close(matmul(x, x), a, 1e-14);
  check_derivatives(inverse_root, {a}, 2);
  Variable p = parameter(a.copy());
  sum(inverse_root(p)).backward();
  close(p.grad(), grad([&](const Variable& a) { return sum(inverse_root(a)); }, {a})[0], 1e-15);
}

// Kepler's equation, by bisection: the derivatives do not depend on how the root was found.
BOOST_AUTO_TEST_CASE(solvers_of_ones_own) {
  int calls = 0;
  auto bisection = [&](const Callable& f, const Variable& x0) {
    double low = x0.item() - 4, high = x0.item() + 4;
    for (int i = 0; i < 60; ++i, ++calls) {
      Variable middle = Variable({(low + high) / 2}, float64);
      (f({middle}).item() < 0 ? low : high) = middle.item();
    }
    return Variable({high}, float64);
  };
  auto anomaly = [&](auto& mean, auto& eccentricity) {
    return custom_root([](auto& e, auto& m, auto& k) { return e - k * sin(e) - m; }, zeros({1}, float64),
                       {mean, eccentricity}, {.solver = bisection});
  };
  Variable m = parameter(Variable({1.2}, float64)), k = parameter(Variable({0.3}, float64)), e = anomaly(m, k);
  BOOST_TEST(calls == 60);
  close(grad(e, m, {.retain_graph = true}), 1 / (1 - k * cos(e)), 1e-13);
  close(grad(e, k), sin(e) / (1 - k * cos(e)), 1e-13);
  BOOST_TEST(calls == 60);
  check_derivatives(anomaly, {m.detach(), k.detach()}, 2);
}

// The best weights of a ridge regression as a root of the gradient, and their derivative by the penalty.
BOOST_AUTO_TEST_CASE(minima_within_functions) {
  seed(2);
  Variable x = randn({8, 3}, float64), y = randn({8}, float64);
  auto loss = [&](const Variable& w, const Variable& penalty) {
    return sum(square(matmul(x, w) - y)) + penalty * sum(square(w));
  };
  auto best = [&](const Variable& penalty) {
    return custom_root([&](auto& w, auto& c) { return grad([&](auto& w) { return loss(w, c); }, {w})[0]; },
                       zeros({3}, float64), {penalty});
  };
  auto closed = [&](const Variable& penalty) {
    return solve(matmul(transpose(x), x) + penalty * eye(3, float64), matmul(transpose(x), y));
  };
  Variable penalty(0.7);
  penalty = penalty.to(float64);
  close(best(penalty), closed(penalty), 1e-13);
  close(jacobian(best, {penalty})[0], jacobian(closed, {penalty})[0], 1e-13);
  auto total = [](auto f) { return [f](auto& c) { return sum(square(f(c))); }; };
  close(hessian(total(best), {penalty})[0][0], hessian(total(closed), {penalty})[0][0], 1e-12);
}

BOOST_AUTO_TEST_CASE(fixed_points_to_the_third_derivative) {
  seed(3);
  auto equilibrium = [](auto& w, auto& b) {
    return fixed_point([](auto& x, auto& w, auto& b) { return tanh(matmul(x, w) + b); }, zeros({2, 3}, float64), {w, b},
                       {.tolerance = 1e-15});
  };
  Variable w = 0.3 * randn({3, 3}, float64), b = randn({2, 3}, float64), x = equilibrium(w, b);
  close(x, tanh(matmul(x, w) + b), 1e-15);
  check_derivatives(equilibrium, {w, b}, 3);
  auto root = [](auto& w, auto& b) {
    return custom_root([](auto& x, auto& w, auto& b) { return x - tanh(matmul(x, w) + b); }, zeros({2, 3}, float64),
                       {w, b});
  };
  std::vector<Variable> found = jacobian(equilibrium, {w, b}), expected = jacobian(root, {w, b});
  for (std::size_t i = 0; i < 2; ++i) close(found[i], expected[i], 1e-13);
}

BOOST_AUTO_TEST_CASE(captured_parameters_of_fixed_points) {
  seed(4);
  Variable w = parameter(0.3 * randn({3, 3}, float64)), b = parameter(randn({3}, float64));
  auto captured = [&] { return fixed_point([&](auto& x) { return tanh(matmul(w, x) + b); }, zeros({3}, float64)); };
  auto given = [&] {
    return fixed_point([](auto& x, auto& w, auto& b) { return tanh(matmul(w, x) + b); }, zeros({3}, float64), {w, b});
  };
  same(captured(), given());
  auto penalty = [&](const Variable& x) {
    std::vector<Variable> first = grad(sum(square(x)), std::vector<Variable>{w, b}, {.create_graph = true});
    return sum(square(first[0])) + sum(exp(first[1]));
  };
  std::vector<Variable> found = grad(penalty(captured()), std::vector<Variable>{w, b});
  std::vector<Variable> expected = grad(penalty(given()), std::vector<Variable>{w, b});
  for (std::size_t i = 0; i < 2; ++i) close(found[i], expected[i], 1e-13);
}

BOOST_AUTO_TEST_CASE(float32_and_other_dtypes_of_parameters) {
  Variable a = parameter(Variable{3}), i = Variable{1}.to(int64);
  Variable x = custom_root([](auto& x, auto& a, auto& i) { return x * x - take(a, i - 1); }, ones({1}), {a, i});
  close(x, Variable{std::sqrt(3.0)}, 1e-6);
  close(grad(x, a), Variable{0.5 / std::sqrt(3.0)}, 1e-6);
  Variable y = fixed_point([](auto& x, auto& a) { return 0.5 * (x + a / x); }, ones({1}), {a});
  close(grad(y, a), Variable{0.5 / std::sqrt(3.0)}, 1e-6);
}

// The record holds the solution alone; and there is none where nothing needs a gradient.
BOOST_AUTO_TEST_CASE(iterations_are_not_recorded) {
  Variable a = parameter(Variable({2.0}, float64));
  int calls = 0;
  Variable x = fixed_point([&](auto& x, auto& a) { return ++calls, cos(x) * a / 2; }, zeros({1}, float64), {a});
  BOOST_TEST(calls > 50);
  BOOST_TEST(x.operation() == "fixed_point");
  calls = 0;
  close(grad(x, a), cos(x) / (2 + a * sin(x)), 1e-11);
  BOOST_TEST(calls == 1);  // its walks are many
  BOOST_TEST(!square_root(a.detach()).requires_grad());
  NoGrad guard;
  BOOST_TEST(!square_root(a).requires_grad());
}

// A graph that is kept can be walked again, and values are those of the time of the call.
BOOST_AUTO_TEST_CASE(walks_again_after_writes) {
  Variable a = parameter(Variable({4.0}, float64));
  Variable x = custom_root([&](auto& x) { return x * x - a; }, ones({1}, float64));
  {
    NoGrad guard;
    a.assign(100);
  }
  for (int walk = 0; walk < 2; ++walk) close(grad(x, a, {.retain_graph = true}), Variable({0.25}, float64), 1e-15);
}

// Each call draws the same numbers, or there would be no fixed point.
BOOST_AUTO_TEST_CASE(random_numbers_are_the_same_in_each_call) {
  seed(5);
  Variable b = parameter(ones({50}, float64));
  Variable x = fixed_point([](auto& x, auto& b) { return 0.25 * dropout(x) + b; }, zeros({50}, float64), {b});
  // Each element is 1 / (1 - 0.25 * 2) or 1.
  Variable slope = grad(sum(x), b);
  close(slope, x.detach(), 1e-11);
  BOOST_TEST(max(x).item() > 1.99);
  BOOST_TEST(min(x).item() < 1.01);
}

// The x that a function gets is its own.
BOOST_AUTO_TEST_CASE(functions_may_write_to_x) {
  auto f = [](const Variable& x0, const Variable& a) {
    Variable x = x0;
    x *= x0.copy();
    return x - a;
  };
  auto half = [](const Variable& x0, const Variable& a) {
    Variable x = x0;
    x *= 0.5;
    x += a;
    return x;
  };
  Variable start({1, 2}, float64), a = parameter(Variable({2, 5}, float64));
  for (bool is_leaf : {false, true}) {
    if (is_leaf) start.requires_grad_();
    Variable x = custom_root(f, start, {a}), y = fixed_point(half, start, {a});
    close(x.detach(), sqrt(a).detach(), 1e-14);
    close(grad(sum(x), a), 0.5 / sqrt(a).detach(), 1e-14);
    close(y.detach(), 2 * a.detach(), 1e-11);
    close(grad(sum(y), a), 2 * ones({2}, float64), 1e-11);
    check_derivatives([&](auto& a) { return custom_root(f, start, {a}); }, {a.detach()}, 2);
    NoGrad guard;
    close(custom_root(f, start, {a}), x.detach(), 1e-14);
    close(fixed_point(half, start, {a}), y.detach(), 1e-11);
    same(start.detach(), Variable({1, 2}, float64));
  }
}

BOOST_AUTO_TEST_CASE(errors) {
  Variable a = parameter(Variable({2.0}, float64)), one = ones({1}, float64);
  throws<ValueError>([&] { custom_root([](auto& x) { return x * x + 1; }, 1.5 * one); },
                     {"custom_root", "no convergence"});
  throws<ValueError>([&] { custom_root([](auto& x) { return exp(x); }, one, {}, {.max_iterations = 5}); },
                     {"custom_root", "no convergence", "5 iterations"});
  throws<ValueError>([&] { custom_root([](auto& x) { return 0 * x + 1; }, one); }, {"custom_root", "singular"});
  throws<ValueError>([&] { custom_root([](auto& x) { return log(x); }, -one); }, {"custom_root", "not finite"});
  throws<ShapeError>([&] { custom_root([](auto& x) { return sum(x); }, one); },
                     {"custom_root", "float64()", "float64(1,)"});
  throws<DTypeError>([&] { custom_root([](auto& x) { return x.to(float32); }, one); }, {"custom_root", "float32(1,)"});
  throws<DTypeError>([&] { custom_root([](auto& x) { return x; }, one.to(int64)); }, {"custom_root", "int64"});
  auto wrong = [](auto&, auto&) { return zeros({2}); };
  throws<ShapeError>([&] { custom_root([](auto& x) { return x; }, one, {}, {.solver = wrong}); },
                     {"custom_root", "the solver returned", "float32(2,)"});
  for (double bad : {double(NAN), double(INFINITY), -1.0}) {  // the logarithm of -1 is not finite
    auto leads_to = [&](auto&, auto&) { return bad * one; };
    throws<ValueError>([&] { custom_root([](auto& x) { return log(x); }, one, {}, {.solver = leads_to}); },
                       {"custom_root", "the solver returned", "not finite"});
  }
  throws<ValueError>([&] { custom_root([](auto& x) { return x; }, one, {}, {.max_iterations = 0}); },
                     {"custom_root", "max_iterations 0, needs at least 1"});
  throws<ValueError>([&] { fixed_point([](auto& x) { return x; }, one, {}, {.max_iterations = 0}); },
                     {"fixed_point", "max_iterations 0, needs at least 1"});
  throws<ValueError>([&] { custom_root([](auto& x) { return x; }, one, {}, {.tolerance = -1}); },
                     {"custom_root", "tolerance"});
  throws<ValueError>([&] { fixed_point([](auto& x) { return x + 1; }, one); },
                     {"fixed_point", "1000 iterations", "change is 1"});
  throws<ValueError>([&] { fixed_point([](auto& x) { return x * x + 3; }, one); },
                     {"fixed_point", "not finite"});
  throws<ShapeError>([&] { fixed_point([](auto& x) { return sum(x); }, one); }, {"fixed_point", "float64()"});
  // Two is a fixed point, but no iteration comes back from it.
  Variable x = fixed_point([](auto& x, auto& a) { return a * x - 2; }, 2 * one, {a});
  throws<ValueError>([&] { grad(x, a); }, {"fixed_point", "on the way back", "custom_root"});
  // A double root: there is no derivative.
  x = custom_root([](auto& x, auto& a) { return square(x - a); }, a, {a});
  throws<ValueError>([&] { grad(x, a); }, {"custom_root", "singular"});
}

BOOST_AUTO_TEST_SUITE_END()
