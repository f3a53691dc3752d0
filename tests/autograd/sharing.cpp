// One rule for sharing: what is written through a Variable is seen by copies of its handle, and by nothing else.
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

#include "../support.hpp"
#include "samples.hpp"

using namespace xtape;
using samples::Variables;

namespace {

Variables fresh(const Variables& xs, bool recorded) {
  Variables result;
  for (const Variable& x : xs) result.push_back(x.copy().requires_grad_(recorded));
  return result;
}

Variables copies(const Variables& xs) {
  Variables result;
  for (const Variable& x : xs) result.push_back(x.defined() ? x.detach().copy() : Variable());
  return result;
}

// Other elements everywhere.
void overwrite(const Variable& x) {
  if (!x.defined()) return;
  visit(x.dtype(), [&]<class T>(T) {
    T* elements = x.mutable_data<T>();
    for (std::size_t i = 0; i < x.size(); ++i) elements[i] = elements[i] == T(1) ? T(0) : T(1);
  });
}

bool identical(const Variable& a, const Variable& b) {
  if (a.defined() != b.defined() || (a.defined() && (a.shape() != b.shape() || a.dtype() != b.dtype()))) return false;
  for (std::size_t i = 0; a.defined() && i < a.size(); ++i) {
    double p = a.value().at(i), q = b.value().at(i);
    if (p != q && (p == p || q == q)) return false;
  }
  return true;
}

bool identical(const Variables& a, const Variables& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto& x, auto& y) { return identical(x, y); });
}

Variables gradients(const Variable& y, const Variables& xs) {
  Variable weights = samples::numbers(y.shape()).to(y.dtype());
  return grad({y}, xs, {.retain_graph = true, .allow_unused = true, .grad_outputs = {weights}});
}

void check_values(const samples::Sample& sample, bool recorded) {
  Variables xs = fresh(sample.inputs, recorded), before = copies(xs);
  Variable y = sample.f(xs), again = sample.f(xs), result = again.detach().copy();
  overwrite(y);
  BOOST_TEST(identical(xs, before));
  BOOST_TEST(identical(again, result));
  for (const Variable& x : xs) overwrite(x);
  BOOST_TEST(identical(again, result));
}

void check_gradients(const samples::Sample& sample) {
  Variables xs = fresh(sample.inputs, true);
  Variable y = sample.f(xs);
  if (!y.requires_grad()) return;
  Variables first = gradients(y, xs), expected = copies(first);
  for (const Variable& x : xs) overwrite(x);
  BOOST_TEST(identical(first, expected));
  BOOST_TEST(identical(gradients(y, xs), expected));
  for (const Variable& g : first) overwrite(g);
  overwrite(y);
  BOOST_TEST(identical(gradients(y, xs), expected));
}

template <class V>
concept writes_to_temporaries = requires(V x) { (x * 2) += 1; } || requires(V x) { x.grad() *= 0.5; } ||
                                requires(V x) { x.grad() = x; };

}  // namespace

BOOST_AUTO_TEST_SUITE(sharing)

BOOST_DATA_TEST_CASE(every_operation, samples::operations(), operation) {
  for (const auto& sample : operation.samples) {
    BOOST_TEST_CONTEXT(operation.name << ", " << sample.text) {
      check_values(sample, operation.differentiable);
      {
        NoGrad guard;
        check_values(sample, false);
      }
      if (operation.differentiable) check_gradients(sample);
    }
  }
}

BOOST_AUTO_TEST_CASE(operations_that_have_nothing_to_do) {
  Variable x({1, 2, 3, 4}, float64);
  Variables results{x.reshape({4}), flatten(x), squeeze(x), x.detach(), roll(x, 0), dropout(x, 0), x.to(float64),
                    broadcast_to(x, {4}), +x, expand_dims(x, {}), x[range()], swapaxes(x, 0, 0), pad(x, {{0, 0}})};
  for (const Variable& y : results) {
    BOOST_TEST(y.impl() != x.impl());
    overwrite(y);
  }
  testing::same(x, Variable({1, 2, 3, 4}, float64));
}

BOOST_AUTO_TEST_CASE(assigning_takes_the_value_not_the_leaf) {
  Variable w = parameter(ones({2})), y = zeros({2});
  y.assign(w);
  y *= 2;
  testing::same(w.detach(), ones({2}));
  sum(y).backward();
  testing::same(w.grad(), full({2}, 2));
}

BOOST_AUTO_TEST_CASE(gradients_of_two_leaves) {
  for (bool create_graph : {false, true}) {
    Variable a = parameter(ones({2})), b = parameter(ones({2})), seed = full({2}, 3);
    (a + b).backward(seed, {.create_graph = create_graph});
    overwrite(a.grad());
    testing::same(b.grad().detach(), full({2}, 3));
    testing::same(seed, full({2}, 3));
    Variables both = grad({a + b}, {a, b}, {.create_graph = create_graph, .grad_outputs = {seed}});
    overwrite(both[0]);
    testing::same(both[1].detach(), full({2}, 3));
    a.set_grad(seed);
    overwrite(seed);
    testing::same(a.grad().detach(), full({2}, 3));
  }
}

BOOST_AUTO_TEST_CASE(results_that_a_gradient_is_made_of) {
  Variable a = Variable({{2, 1}, {1, 3}}, float64).requires_grad_();
  auto [w, v] = eigh(a);
  Variable expected = grad(sum(w), a, {.retain_graph = true});
  v *= 2;
  testing::same(grad(sum(w), a), expected);
}

BOOST_AUTO_TEST_CASE(hooks_write_to_gradients_of_their_own) {
  Variable a = parameter(ones({2})), b = parameter(ones({2})), h = a * 1;
  h.register_hook([](const Variable& g) {
    overwrite(g);
    return g;
  });
  (h + b).backward(full({2}, 3));
  testing::same(b.grad(), full({2}, 3));
  testing::same(a.grad(), ones({2}));
}

BOOST_AUTO_TEST_CASE(backward_after_a_step) {
  Variable w = parameter(full({2}, 3)), x = full({2}, 2), y = sum(w * w * x);
  {
    NoGrad guard;
    w += 1;
    x *= 5;
  }
  y.backward();
  testing::same(w.grad(), full({2}, 12));  // 2 w x at the values of the forward
}

BOOST_AUTO_TEST_CASE(what_has_no_name_is_not_written_to) {
  static_assert(!std::is_assignable_v<Variable, Variable>);
  static_assert(!writes_to_temporaries<Variable>);
  static_assert(std::is_assignable_v<Variable&, Variable>);
}

BOOST_AUTO_TEST_SUITE_END()
