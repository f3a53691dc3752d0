// Recurrence: against the same sums made of matmul and add, in values and derivatives.
#include <autograd/autograd.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;
using Variables = std::vector<Variable>;

namespace {

constexpr std::size_t count = 4, batch = 3, narrow = 2, wide = 5;

Variables inputs() {
  seed(3);
  return {randn({count, batch, wide}, float64), randn({narrow, wide}, float64), randn({wide}, float64),
          randn({batch, narrow}, float64)};
}

// The states that follow from h by a function of each step's sum; the step makes the sum.
template <class Step>
Variable states(Variable h, Step step) {
  Variables all;
  for (std::size_t t = 0; t < count; ++t) {
    h = tanh(slice(step(t, h), {range(), range(0, narrow)}));
    all.push_back(h);
  }
  return stack(all);
}

Variable by_recurrence(const Variables& x, bool reverse = false) {
  Recurrence recurrence(x[0], x[1], x[2], reverse);
  return states(x[3], [&](std::size_t, const Variable& h) { return recurrence.step(h); });
}

Variable by_operations(const Variables& x, bool reverse = false) {
  return states(x[3], [&](std::size_t t, const Variable& h) {
    return x[0][reverse ? count - 1 - t : t] + matmul(h, x[1]) + x[2];
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recurrence)

BOOST_AUTO_TEST_CASE(agrees_with_the_operations_it_stands_for) {
  for (bool reverse : {false, true}) {
    Variables xs = inputs();
    for (Variable& x : xs) x.requires_grad_();
    Variable own = by_recurrence(xs, reverse), other = by_operations(xs, reverse);
    close(own, other, 1e-15);
    Variables own_gradients = grad({sum(square(own))}, xs), other_gradients = grad({sum(square(other))}, xs);
    for (std::size_t i = 0; i < xs.size(); ++i) close(own_gradients[i], other_gradients[i], 1e-13);
  }
}

BOOST_AUTO_TEST_CASE(derivatives_to_the_second_order) {
  auto result = gradcheck([](const Variables& x) { return by_recurrence(x); }, inputs(), {.order = 2});
  BOOST_TEST(result.ok, result.message);
  result = gradcheck([](const Variables& x) {
    Recurrence recurrence(count, x[0]);
    return states(x[1], [&](std::size_t, const Variable& h) { return recurrence.step(h); });
  }, {inputs()[1], inputs()[3]}, {.order = 2});
  BOOST_TEST(result.ok, result.message);
}

// A step of which nothing is used, and a state that needs no gradient, take part with zeros.
BOOST_AUTO_TEST_CASE(steps_without_a_gradient) {
  Variables xs = inputs();
  for (std::size_t i : {0, 1, 2}) xs[i].requires_grad_();
  Recurrence recurrence(xs[0], xs[1], xs[2]);
  recurrence.step(xs[3]);
  sum(square(recurrence.step(xs[3]))).backward();
  Variables same = {xs[0].detach().requires_grad_(), xs[1].detach().requires_grad_(), xs[2].detach().requires_grad_()};
  sum(square(same[0][1] + matmul(xs[3], same[1]) + same[2])).backward();
  for (std::size_t i : {0, 1, 2}) close(xs[i].grad(), same[i].grad(), 1e-14);
}

BOOST_AUTO_TEST_CASE(only_what_is_asked_for) {
  Variables xs = inputs();
  for (Variable& x : xs) x.requires_grad_();
  Variable own = sum(square(by_recurrence(xs))), other = sum(square(by_operations(xs)));
  for (const Variable& x : xs)
    close(grad({own}, {x}, {.retain_graph = true})[0], grad({other}, {x}, {.retain_graph = true})[0], 1e-13);
  {
    NoGrad guard;
    BOOST_TEST(!by_recurrence(xs).requires_grad());
  }
  BOOST_TEST(!by_recurrence(inputs()).requires_grad());
}

BOOST_AUTO_TEST_CASE(later_changes_do_not_reach_the_gradient) {
  Variables xs = inputs();
  for (Variable& x : xs) x.requires_grad_();
  Recurrence recurrence(xs[0], xs[1]);
  Variable expected = sum(xs[1], 1).detach();
  Variable z = recurrence.step(xs[3]);
  {
    NoGrad guard;
    xs[1].assign(zeros({narrow, wide}, float64));
  }
  sum(z).backward();  // d sum(h W) / dh = W 1
  close(xs[3].grad(), broadcast_to(expected, xs[3].shape()), 1e-13);
}

BOOST_AUTO_TEST_CASE(refuses_what_does_not_fit) {
  Variable x = zeros({2, 3, 4}), weight = zeros({5, 4}), h = zeros({3, 5});
  throws<ShapeError>([&] { Recurrence(x, zeros({5, 3})); }, {"recurrence: x float32(2, 3, 4)", "(5, 3)", "(k, n)"});
  throws<ShapeError>([&] { Recurrence(zeros({3, 4}), weight); }, {"recurrence:", "(3, 4)", "(steps, batch, n)"});
  throws<ShapeError>([&] { Recurrence(x, weight, zeros({5})); }, {"recurrence:", "bias float32(5,)"});
  throws<DTypeError>([&] { Recurrence(x, weight.to(float64)); }, {"recurrence:", "float64(5, 4)", "dtypes differ"});
  throws<Error>([&] { Recurrence(Variable(), weight); }, {"recurrence: the operand is an undefined Variable"});
  Recurrence recurrence(x, weight);
  throws<ShapeError>([&] { recurrence.step(zeros({2, 5})); }, {"recurrence: h of shape (2, 5)", "(3, 5)"});
  throws<DTypeError>([&] { recurrence.step(h.to(float64)); }, {"recurrence: h of float64", "float32"});
  recurrence.step(h);
  recurrence.step(h);
  throws<Error>([&] { recurrence.step(h); }, {"recurrence: a step after all 2"});
}

BOOST_AUTO_TEST_SUITE_END()
