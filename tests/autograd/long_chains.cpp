// Chains of two million operations: nothing on the way recurses. The stack is what the system gives, 8 MB.
#include <cmath>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

using namespace xtape;

namespace {

constexpr int length = 2'000'000;

// 1.0000001^n x, by multiplications and additions of one element.
Variable chain(const Variable& x) {
  Variable y = x, factor({1 + 1e-7}, float64), nothing({0.0}, float64);
  for (int i = 0; i < length / 2; ++i) {
    y = y * factor;
    y = y + nothing;
  }
  return y;
}

const double derivative = std::pow(1 + 1e-7, length / 2);

}  // namespace

BOOST_AUTO_TEST_SUITE(long_chains)

BOOST_AUTO_TEST_CASE(walked_back, *boost::unit_test::tolerance(1e-12)) {
  Variable x = Variable({1.0}, float64).requires_grad_();
  chain(x).backward();
  BOOST_TEST(x.grad().item() == derivative);
}

BOOST_AUTO_TEST_CASE(walked_back_with_create_graph, *boost::unit_test::tolerance(1e-12)) {
  Variable x = Variable({1.0}, float64).requires_grad_();
  Variable y = chain(x);
  y.backward({}, {.create_graph = true});
  BOOST_TEST(x.grad().item() == derivative);
  BOOST_TEST(x.grad().requires_grad() == false);  // the chain is linear, the factors are constants
}

BOOST_AUTO_TEST_CASE(twice_walked_back, *boost::unit_test::tolerance(1e-9)) {
  Variable x = Variable({1.0}, float64).requires_grad_(), y = x;
  int n = 200'000;
  for (int i = 0; i < n; ++i) y = sin(y);
  Variable first = grad(y, x, {.create_graph = true});
  BOOST_TEST(first.requires_grad());
  Variable second = grad(first, x);
  // d/dx of the first derivative, by a central difference of it.
  auto slope = [&](double at) {
    Variable x = Variable({at}, float64).requires_grad_(), y = x;
    for (int i = 0; i < n; ++i) y = sin(y);
    return grad(y, x).item();
  };
  double numeric = (slope(1 + 1e-4) - slope(1 - 1e-4)) / 2e-4;
  BOOST_TEST(std::abs(second.item() / numeric - 1) < 1e-5);
}

BOOST_AUTO_TEST_CASE(dropped_without_a_walk) {
  Variable x = Variable({1.0}, float64).requires_grad_();
  { Variable y = chain(x); }
  BOOST_TEST(!x.grad().defined());
}

// Each step takes a gradient by the state, which a hundred thousand steps have led to: none of them looks at those.
BOOST_AUTO_TEST_CASE(a_gradient_in_each_step) {
  constexpr int steps = 100'000;
  constexpr double rate = 1e-5;
  Variable x = Variable({1.0}, float64).requires_grad_(), y = x;
  for (int i = 0; i < steps; ++i) y = y - rate * grad([](const Variable& y) { return 0.5 * y * y; }, {y})[0];
  BOOST_TEST(grad(y, x).item() == std::pow(1 - rate, steps), boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(pruned_search) {
  Variable x = Variable({1.0}, float64).requires_grad_(), other = Variable({1.0}, float64).requires_grad_();
  Variable y = chain(x) * other;
  BOOST_TEST(grad(y, other).item() == derivative, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_SUITE_END()
