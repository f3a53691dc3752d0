// Derivatives of functions, against closed forms, and against each other.
#include <cmath>

#include <autograd/autograd.hpp>
#include <autograd/checkpoint.hpp>
#include <autograd/implicit.hpp>
#include <autograd/odeint.hpp>
#include <autograd/scan.hpp>
#include <tests/support.hpp>

using namespace xtape;

namespace {

void close(const Variable& found, const Variable& expected, double tolerance = 1e-12) {
  xtape::testing::close(found, expected, tolerance);
}

Variable numbers(std::initializer_list<Nested> values) { return Variable(values, float64); }

const Variable A = numbers({{2, 1, 0}, {-1, 3, 0.5}, {0.25, -2, 1}});

// x' A x: its gradient is (A + A') x, its Hessian A + A'.
Variable quadratic(const Variable& x) { return dot(x, mv(A, x)); }

// (x0 x1, sin x0, x1^2)
Variable curve(const Variable& x) { return stack({x[0] * x[1], sin(x[0]), square(x[1])}); }

Variable jacobian_of_curve(const Variable& x) {
  Variable zero = zeros({}, float64);
  return stack({stack({x[1], x[0]}), stack({cos(x[0]), zero}), stack({zero, 2 * x[1]})});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(transforms)

// What runs again on the way back may refer to the arguments of the function that the transform was given.
BOOST_AUTO_TEST_CASE(functions_that_run_again) {
  const Variable one = ones({}, float64), k = Variable(2.0).to(float64);
  auto all = [&](auto f, double first, double second) {
    const Variable slope = Variable(first).to(float64);
    close(grad(f, k), slope, 1e-6);
    close(jacobian(f, k), slope, 1e-6);
    close(jvp(f, k, one).tangent, slope, 1e-6);
    close(hvp(f, k, one).grads, Variable(second).to(float64), 1e-6);
    auto line = linearize(f, k);
    close(line(one), slope, 1e-6);
    close(line.transpose(one), slope, 1e-6);
  };
  const Variable start = ones({}, float64);
  all([&](const Variable& k) { return checkpoint([&](auto& x) { return x * k * k; }, start); }, 4, 2);
  all([&](const Variable& k) { return scan([&](auto& h, auto&) { return h * k; }, start, 3); }, 12, 12);
  all([&](const Variable& k) { return scan([&](auto& h, auto&) { return h * k; }, start, 4, {.checkpoints = 2}); }, 32, 48);
  const double root = std::sqrt(2.0);
  all([&](const Variable& k) { return custom_root([&](auto& x) { return x * x - k; }, start); }, 1 / (2 * root),
      -1 / (8 * root));
  all([&](const Variable& k) { return fixed_point([&](auto& x) { return 0.5 * (x + k / x); }, start); }, 1 / (2 * root),
      -1 / (8 * root));
  for (OdeOptions options : {OdeOptions{}, OdeOptions{.checkpoints = 2}, OdeOptions{.adjoint = true}}) {
    options.rtol = 1e-10, options.atol = 1e-12;
    all([&](const Variable& k) { return odeint([&](auto&, auto& y) { return -k * y; }, start, {0, 1}, {}, options)[1]; },
        -std::exp(-2), std::exp(-2));
  }
}

BOOST_AUTO_TEST_CASE(gradients_of_functions) {
  Variable x = numbers({1, -2, 0.5});
  close(grad(quadratic, {x})[0], mv(A + transpose(A), x));
  auto [value, grads] = value_and_grad([](auto& x, auto& y) { return sum(x * exp(y)); }, {x, 2 * x});
  close(value, sum(x * exp(2 * x)));
  close(grads[0], exp(2 * x));
  close(grads[1], x * exp(2 * x));
  BOOST_TEST(!value.requires_grad());
  BOOST_TEST(!grads[0].requires_grad());
  BOOST_TEST(!x.requires_grad());
}

// Lists give lists, as in PyTorch, and a Variable for a Variable gives one.
BOOST_AUTO_TEST_CASE(all_forms_of_grad) {
  Variable x = parameter(numbers({1, 2, 3})), w = parameter(numbers({2}));
  auto y = [&] { return sum(square(x) * w); };
  Variable expected = 2 * x.detach() * w.detach();
  close(grad(y(), x), expected);
  close(grad({y()}, {x})[0], expected);
  close(grad(y(), {x})[0], expected);
  BOOST_TEST(grad({y()}, {x}).size() == 1u);
  BOOST_TEST(grad(y(), {x, w}).size() == 2u);
  close(grad({y()}, {x, w})[1], numbers({14}));
}

BOOST_AUTO_TEST_CASE(any_callable) {
  Variable x = numbers({1, 2}), w = numbers({3});
  close(grad([](auto v) { return sum(v * v); }, {x})[0], 2 * x);
  close(grad([](const auto& v, auto& u) { return sum(v * u); }, {x, w})[1], numbers({3}));
  close(grad([](auto... v) { return (sum(v * v) + ...); }, {x, w})[1], numbers({6}));
  close(grad([](const std::vector<Variable>& v) { return sum(v[0] * v[1]); }, {x, w})[0], numbers({3, 3}));
  xtape::testing::throws<ValueError>([&] { grad([](const Variable& v) { return sum(v); }, {x, w}); }, {"grad: ", "2 Variables"});
}

BOOST_AUTO_TEST_CASE(what_plays_no_part_has_zeros) {
  Variable x = numbers({1, 2}), y = numbers({3}), i = arange(2).to(int64);
  auto grads = grad([](auto& x, auto&, auto& i) { return sum(take(x, i)); }, {x, y, i});
  close(grads[0], ones({2}, float64));
  close(grads[1], zeros({1}, float64));
  BOOST_TEST(!grads[2].defined());
  close(grad([](const Variable&) { return Variable(numbers({1})); }, {x})[0], zeros({2}, float64));
  close(jvp([](const Variable&) { return Variable(numbers({1})); }, {x}, {x}).tangent, zeros({1}, float64));
}

BOOST_AUTO_TEST_CASE(jacobians) {
  Variable x = numbers({0.5, 2}), J = jacobian_of_curve(x);
  close(jacobian(curve, {x})[0], J);
  Variable v = numbers({1, -1, 0.5}), t = numbers({2, 3});
  auto [value, pulled] = vjp(curve, {x}, v);
  close(value, curve(x));
  close(pulled[0], matmul(v, J));
  auto [same, tangent] = jvp(curve, {x}, {t});
  close(same, curve(x));
  close(tangent, matmul(J, t));
  Variable y = numbers({{1, 2, 3}});
  auto both = jacobian([](auto& x, auto& y) { return expand_dims(x, 1) * y; }, {x, y});
  BOOST_TEST((both[0].shape() == Shape{2, 3, 2}));
  BOOST_TEST((both[1].shape() == Shape{2, 3, 1, 3}));
  close(both[0][{1, 2}], numbers({0, 3}));
  close(both[1][{1, 2, 0}], numbers({0, 0, 2}));
  BOOST_TEST((jacobian([](const Variable& x) { return x[range(0, 0)]; }, {x})[0].shape() == Shape{0, 2}));
}

BOOST_AUTO_TEST_CASE(second_derivatives) {
  Variable x = numbers({1, -2, 0.5}), v = numbers({1, 2, 3});
  close(hessian(quadratic, {x})[0][0], A + transpose(A));
  auto [value, product] = hvp(quadratic, {x}, {v});
  close(value, quadratic(x));
  close(product[0], mv(A + transpose(A), v));

  Variable y = numbers({0.25});
  auto f = [](auto& x, auto& y) { return sum(square(x) * exp(y)); };
  auto H = hessian(f, {x, y});
  close(H[0][0], diag(2 * exp(broadcast_to(y, {3}))));
  close(H[0][1], expand_dims(2 * x * exp(y), 1));
  close(H[1][0], transpose(H[0][1]));
  close(H[1][1], expand_dims(sum(square(x)) * exp(y), 0));
  Variable w = numbers({-1});
  auto products = hvp(f, {x, y}, {v, w}).grads;
  close(products[0], mv(H[0][0], v) + mv(H[0][1], w));
  close(products[1], mv(H[1][0], v) + mv(H[1][1], w));
}

BOOST_AUTO_TEST_CASE(a_hundred_inputs) {
  // Rosenbrock's function, whose Hessian is tridiagonal.
  Variable x = 1 + 0.1 * sin(arange(100).to(float64));
  auto f = [](const Variable& x) {
    Variable head = x[range(none, -1)], tail = x[range(1, none)];
    return sum(100 * square(tail - square(head)) + square(1 - head));
  };
  Variable zero = zeros({1}, float64), head = x[range(none, -1)], tail = x[range(1, none)];
  Variable main = concatenate({1200 * square(head) - 400 * tail + 2, zero}) +
                  concatenate({zero, full({99}, 200, float64)});
  close(hessian(f, {x})[0][0], diag(main) + diag(-400 * head, 1) + diag(-400 * head, -1), 1e-9);
}

BOOST_AUTO_TEST_CASE(they_nest) {
  Variable x = numbers({0.5, 2}).requires_grad_();
  // The gradient of a gradient's squared length, as in a gradient penalty.
  Variable penalty = sum(square(grad([](const Variable& x) { return sum(x * x * x); }, {x})[0]));
  close(grad(penalty, x), 36 * x * x * x);
  BOOST_TEST(gradcheck([](const Variable& x) { return jacobian(curve, {x})[0]; }, {x}).ok);
  BOOST_TEST(gradcheck([](auto& x, auto& t) { return jvp(curve, {x}, {t}).tangent; }, {x, numbers({1, 2})}).ok);
  BOOST_TEST(gradcheck([](auto& x, auto& v) { return vjp(curve, {x}, v).grads[0]; }, {x, numbers({1, 2, 3})}).ok);
  BOOST_TEST(gradcheck([](const Variable& x) { return hessian([](const Variable& x) { return sum(exp(curve(x))); },
                                                               {x})[0][0]; }, {x}).ok);
  Variable third = grad([](const Variable& x) {
    return sum(grad([](const Variable& x) {
      return sum(grad([](const Variable& x) { return sum(sin(x)); }, {x})[0]);
    }, {x})[0]);
  }, {x})[0];
  close(third, -cos(x));
}

BOOST_AUTO_TEST_CASE(without_recording_they_work_the_same) {
  NoGrad guard;
  Variable x = numbers({0.5, 2}).requires_grad_();
  Variable J = jacobian(curve, {x})[0];
  close(J, jacobian_of_curve(x));
  BOOST_TEST(!J.requires_grad());
  close(jvp(curve, {x}, {x}).tangent, matmul(J, x));
  BOOST_TEST(hessian(quadratic, {numbers({1, 2, 3})})[0][0].requires_grad() == false);
}

BOOST_AUTO_TEST_CASE(misuse) {
  Variable x = numbers({1, 2});
  auto says = [](const char* part) {
    return [part](const Error& error) { return std::string(error.what()).find(part) != std::string::npos; };
  };
  BOOST_CHECK_EXCEPTION(grad(curve, {x}), ShapeError, says("shape (3,), needs one element"));
  BOOST_CHECK_EXCEPTION(hessian(curve, {x}), ShapeError, says("hessian"));
  BOOST_CHECK_EXCEPTION(vjp(curve, {x}, x), ShapeError, says("vjp: vector 0 is float64(2,), its value float64(3,)"));
  BOOST_CHECK_EXCEPTION(jvp(curve, {x}, {x, x}), ShapeError, says("jvp: 2 vectors for 1 inputs"));
  BOOST_CHECK_EXCEPTION(grad([](auto& x, auto& y) { return x * y; }, {x}), ValueError, says("take 1 Variables"));
  BOOST_CHECK_EXCEPTION(grad(quadratic, {Variable()}), Error, says("undefined"));
  BOOST_CHECK_EXCEPTION(vjp(curve, {x}, ones({3})), DTypeError, says("vjp: vector 0 is float32(3,)"));
  BOOST_CHECK_EXCEPTION(hvp(quadratic, {x}, {ones({2})}), DTypeError, says("hvp: vector 0 is float32(2,)"));
  BOOST_CHECK_EXCEPTION(jvp(curve, {x}, {Variable()}), ShapeError, says("jvp: vector 0 is an undefined Variable"));
  BOOST_CHECK_EXCEPTION(jvp([](const Variable& x) { return argmax(x); }, {x}, {x}), DTypeError, says("jvp: needs float32 or float64, got int64"));
  BOOST_CHECK_EXCEPTION(grad([](const Variable&) { return Variable(); }, {x}), Error, says("grad: the function"));
  std::function<Variable(const Variable&)> empty;
  BOOST_CHECK_EXCEPTION(grad(empty, {x}), ValueError, says("grad: the function is empty"));
  std::function<Variable(const std::vector<Variable>&)> of_many;
  BOOST_CHECK_EXCEPTION(checkpoint(of_many, {x}), ValueError, says("checkpoint: the function is empty"));
}

BOOST_AUTO_TEST_SUITE_END()
