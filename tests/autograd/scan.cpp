// Loops with checkpoints against plain ones.
#include <algorithm>
#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <autograd/scan.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::same;
using xtape::testing::throws;

namespace {

struct Cell {
  Variable w = parameter(0.5 * randn({4, 4}, float64));
  Variable operator()(const Variable& h, const Variable& x) const { return tanh(matmul(h, w) + x); }
};

// (c + r)! / (c! r!)
std::size_t binomial(std::size_t c, std::size_t r) {
  std::size_t result = 1;
  for (std::size_t i = 1; i <= r; ++i) result = result * (c + i) / i;
  return result;
}

// The least number of steps computed to reverse n steps with c snapshots, apart from those that are recorded:
// r n - beta(c + 1, r - 1), Griewank and Walther 2000, equation 3.
std::size_t least_steps(std::size_t n, std::size_t c) {
  std::size_t r = 0;
  while (binomial(c, r) < n) ++r;
  return r == 0 ? 0 : r * n - binomial(c + 1, r - 1);
}

// The same from its definition: go on k steps, reverse the right part with one snapshot less, then the left one.
std::size_t least_steps_by_trying(std::size_t n, std::size_t c, std::vector<std::vector<std::size_t>>& known) {
  if (n <= 1) return 0;
  if (c == 1) return n * (n - 1) / 2;
  std::size_t& least = known[n][c];
  if (least > 0) return least;
  for (std::size_t k = 1; k < n; ++k) {
    std::size_t steps = k + least_steps_by_trying(n - k, c - 1, known) + least_steps_by_trying(k, c, known);
    least = least == 0 ? steps : std::min(least, steps);
  }
  return least;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scans)

BOOST_AUTO_TEST_CASE(gradients_are_those_of_the_plain_loop_bit_for_bit) {
  seed(1);
  Cell cell;
  Variable h = parameter(randn({2, 4}, float64)), xs = parameter(randn({13, 2, 4}, float64));
  Variable plain = h;
  for (std::size_t t = 0; t < 13; ++t) plain = cell(plain, xs[t]);
  std::vector<Variable> inputs{h, xs, cell.w}, expected = grad({sum(square(plain))}, inputs);
  for (std::size_t c : {0, 1, 2, 3, 5, 13, 50})
    BOOST_TEST_CONTEXT(c << " checkpoints") {
      Variable y = scan(cell, h, xs, {.checkpoints = c});
      same(y, plain);
      same(grad({sum(square(y))}, inputs), expected);
    }
}

BOOST_AUTO_TEST_CASE(steps_by_their_number) {
  Variable a = parameter(Variable({2.0}, float64));
  // a^6 + a^3 + 2 a^2 + 3 a + 4
  Variable y = scan([&](auto& s, auto& i) { return s * a + i; }, a, 5, {.checkpoints = 2});
  BOOST_TEST(y.item() == 64 + 8 + 8 + 6 + 4);
  BOOST_TEST(grad(y, a).item() == 6 * 32 + 3 * 4 + 2 * 2 * 2 + 3);
  same(scan([](auto& s, auto&) { return 2 * s; }, a, 0), a);
  BOOST_TEST(!scan([](auto& s, auto&) { return 2 * s; }, a.detach(), 3).requires_grad());
  NoGrad guard;
  BOOST_TEST(!scan([](auto& s, auto&) { return 2 * s; }, a, 3).requires_grad());
}

// As few calls as there can be: those of the schedule, n of them to record, and the last step of the first pass.
BOOST_AUTO_TEST_CASE(calls_are_as_few_as_can_be) {
  std::vector<std::vector<std::size_t>> known(41, std::vector<std::size_t>(10));
  for (std::size_t n = 1; n <= 40; ++n)
    for (std::size_t c = 1; c < 10; ++c) BOOST_TEST(least_steps(n, c) == least_steps_by_trying(n, c, known));
  for (auto [n, c] : std::vector<std::pair<std::size_t, std::size_t>>{
           {1, 1}, {2, 1}, {2, 2}, {9, 1}, {10, 2}, {10, 3}, {10, 9}, {10, 10}, {10, 30}, {35, 3}, {36, 3}, {100, 5},
           {126, 4}, {127, 4}, {300, 8}, {1000, 10}})
    BOOST_TEST_CONTEXT(n << " steps, " << c << " checkpoints") {
      std::size_t calls = 0;
      Variable s = parameter(Variable({0.5}, float64));
      Variable y = scan([&](auto& s, auto&) { return ++calls, sin(s); }, s, n, {.checkpoints = c});
      BOOST_TEST(calls == n);
      Variable g = grad(y, s, {.retain_graph = true});
      BOOST_TEST(calls == least_steps(n, c) + n + 1);
      // A second walk has only the first state to begin with.
      calls = 0;
      same(grad(y, s), g);
      BOOST_TEST(calls == least_steps(n, c) + n);
    }
}

BOOST_AUTO_TEST_CASE(no_step_is_computed_again_more_than_twice_by_default) {
  std::vector<int> calls(200);
  Variable s = parameter(Variable({0.5}, float64));
  Variable y = scan([&](auto& s, auto& i) { return ++calls[i.template item<std::size_t>()], sin(s); }, s, 200);
  grad(y, s);
  BOOST_TEST(*std::ranges::max_element(calls) <= 1 + 1 + 1);
}

// Of the states there have been, those that something but this test holds.
BOOST_AUTO_TEST_CASE(states_at_once_are_as_many_as_the_checkpoints) {
  for (std::size_t c : {1, 3, 8}) {
    std::vector<Array> seen;
    std::size_t most = 0;
    auto step = [&](const Variable& s, const Variable&) {
      Variable next = sin(s);
      std::erase_if(seen, [](const Array& a) { return a.unique(); });
      seen.push_back(next.value());
      most = std::max(most, seen.size());
      return next;
    };
    Variable s = parameter(ones({3}, float64));
    Variable y = scan(step, s, 120, {.checkpoints = c});
    BOOST_TEST(most <= c + 2);  // and the two of the step
    grad(sum(y), s);
    BOOST_TEST(most <= c + 3);  // and the result
    BOOST_TEST(most >= c);
  }
}

BOOST_AUTO_TEST_CASE(states_of_several_variables_with_outputs) {
  seed(2);
  Variable a = parameter(randn({3}, float64)), b = parameter(randn({2}, float64)), w = parameter(randn({3}, float64));
  auto step = [&](const std::vector<Variable>& s, const Variable& i) {
    Variable first = sin(s[0] * w) + sum(s[1]);
    Variable output = i.item<int>() % 3 == 1 ? sum(s[0]) * s[1] : Variable();
    return ScanStep{{first, s[1] * cos(s[1]), s[2] + 1}, output};
  };
  auto total = [](const Scanned& s) {
    Variable sum = xtape::sum(s.state[0]);
    for (const Variable& y : s.outputs)
      if (y.defined()) sum = sum + xtape::sum(square(y));
    return sum;
  };
  auto plain = [&] {
    Scanned s{{a, b, Variable(Array::scalar(0, int64))}, {}};
    for (int i = 0; i < 11; ++i) {
      ScanStep next = step(s.state, i);
      s.state = next.state;
      s.outputs.push_back(next.output);
    }
    return s;
  };
  Scanned expected = plain();
  for (std::size_t c : {1, 2, 4}) {
    Scanned found = scan(step, std::vector<Variable>{a, b, Variable(Array::scalar(0, int64))}, 11, {.checkpoints = c});
    for (std::size_t i = 0; i < 3; ++i) same(found.state[i], expected.state[i]);
    BOOST_TEST(found.state[2].item() == 11);
    BOOST_TEST(!found.outputs[0].defined());
    same(found.outputs[4], expected.outputs[4]);
    std::vector<Variable> xs{a, b, w}, g = grad({total(found)}, xs), h = grad({total(plain())}, xs);
    for (std::size_t i = 0; i < 3; ++i) close(g[i], h[i], 1e-13);
    // Of the outputs alone, of which the last steps play no part.
    found = scan(step, std::vector<Variable>{a, b, Variable(Array::scalar(0, int64))}, 11, {.checkpoints = c});
    close(grad(sum(found.outputs[1]), b), grad(sum(plain().outputs[1]), b), 1e-15);
  }
}

BOOST_AUTO_TEST_CASE(any_order) {
  seed(3);
  auto f = [](auto& h, auto& w, auto& xs) {
    return scan([w = w * 2](auto& h, auto& x) { return sin(matmul(h, w)) * x; }, h, xs, {.checkpoints = 2});
  };
  GradcheckResult result =
      gradcheck(f, {randn({2, 2}, float64), randn({2, 2}, float64), randn({5, 2}, float64)}, {.order = 3});
  BOOST_TEST(result.ok, result.message);
}

BOOST_AUTO_TEST_CASE(inputs_that_play_no_part_or_need_no_gradient) {
  Variable s = parameter(Variable({1.0, 2.0}, float64)), xs = parameter(ones({4, 2}, float64));
  Variable y = scan([](auto& s, auto&) { return s * s; }, s, xs, {.checkpoints = 2});
  close(grad(sum(y), xs, {.retain_graph = true}), zeros({4, 2}, float64));
  close(grad(sum(y), s), 16 * pow(s, 15.0), 1e-8);
  Variable indices = Variable({2, 0, 1}, int64), w = parameter(Variable({2.0, 3.0, 5.0}, float64));
  y = scan([&](auto& s, auto& i) { return s * take(w, i); }, s, indices, {.checkpoints = 2});
  same(grad(sum(y), w), Variable({45.0, 30.0, 18.0}, float64));
}

// A loop in a loop, and in a checkpoint.
BOOST_AUTO_TEST_CASE(nested) {
  seed(4);
  Variable s = parameter(randn({3}, float64)), w = parameter(randn({3}, float64));
  auto inner = [&](auto& s, auto&) { return sin(s * w); };
  auto plain = [&](Variable s) {
    for (int i = 0; i < 20; ++i) s = sin(s * w);
    return s;
  };
  Variable y = scan([&](auto& s, auto&) { return scan(inner, s, 5, {.checkpoints = 2}); }, s, 4, {.checkpoints = 2});
  std::vector<Variable> xs{s, w}, expected = grad({sum(plain(s))}, xs);
  auto compare = [&](const Variable& y) {
    std::vector<Variable> found = grad({sum(y)}, xs);
    for (std::size_t i = 0; i < 2; ++i) close(found[i], expected[i], 1e-15);
  };
  compare(y);
  compare(checkpoint([&](auto& s) { return scan(inner, s, 20, {.checkpoints = 3}); }, s));
}

// Random numbers, writes in place and changed parameters, as for a checkpoint.
BOOST_AUTO_TEST_CASE(steps_compute_the_same_again) {
  seed(5);
  Variable x = parameter(ones({100}, float64));
  Variable y = scan([](auto& s, auto&) { return dropout(s, 0.1); }, x, 7, {.checkpoints = 2});
  same(grad(sum(y), x), y.detach());

  Variable count = Variable({1.0}, float64), w = parameter(Variable({3.0}, float64));
  auto step = [&](const Variable& s, const Variable&) {
    Variable next = s * count.copy() * w;
    NoGrad guard;
    count += 1;
    return next;
  };
  Variable one = parameter(Variable({1.0}, float64));
  y = scan(step, one, 5, {.checkpoints = 2});
  BOOST_TEST(y.item() == 120 * 243);
  {
    NoGrad guard;
    w.assign(7);
  }
  std::vector<Variable> found = grad({y}, {one, w}, {.create_graph = true});
  BOOST_TEST(found[0].item() == 120 * 243);
  BOOST_TEST(found[1].item() == 120 * 5 * 81);
  found = grad({y}, {one, w});
  BOOST_TEST(found[0].item() == 120 * 243);
  BOOST_TEST(found[1].item() == 120 * 5 * 81);
  BOOST_TEST(count.item() == 6);
  BOOST_TEST(w.item() == 7);
}

// The state and the input that a step gets are its own, in all three ways: within NoGrad, with gradients, and with those
// of gradients.
BOOST_AUTO_TEST_CASE(steps_may_write_to_state_and_input) {
  auto step = [](const std::vector<Variable>& s, const Variable& x) {
    Variable h = s[0], n = s[1], input = x;
    input *= h;
    h *= 3;
    h += input;
    n += 1;
    return ScanStep{{h, n}, h};
  };
  auto plain = [](const std::vector<Variable>& s, const Variable& x) {
    Variable h = s[0] * 3 + x * s[0];
    return ScanStep{{h, s[1] + 1}, h};
  };
  for (bool is_leaf : {false, true}) {
    Variable h({1, 2}, float64), n = zeros({2}, int64), xs({{1, 2}, {3, 4}, {5, 6}, {7, 8}}, float64);
    if (is_leaf) h.requires_grad_(), xs.requires_grad_();
    auto compare = [&] {
      Scanned y = scan(step, std::vector<Variable>{h, n}, xs, {.checkpoints = 2});
      Scanned expected = scan(plain, std::vector<Variable>{h, n}, xs, {.checkpoints = 2});
      for (std::size_t i = 0; i < 2; ++i) same(y.state[i].detach(), expected.state[i].detach());
      for (std::size_t t = 0; t < 4; ++t) same(y.outputs[t].detach(), expected.outputs[t].detach());
      same(h.detach(), Variable({1, 2}, float64));
      same(n, zeros({2}, int64));
      if (!y.state[0].requires_grad()) return;
      auto gradients = [&](const Scanned& made) {
        Variable total = sum(made.state[0]) + sum(square(made.outputs[1])) + sum(made.outputs[3]);
        std::vector<Variable> first = grad({total}, {h, xs}, {.create_graph = true});
        std::vector<Variable> second = grad({sum(square(first[0]))}, {h, xs});
        return std::vector<Variable>{first[0].detach(), first[1].detach(), second[0], second[1]};
      };
      std::vector<Variable> found = gradients(y), needed = gradients(expected);
      for (std::size_t i = 0; i < found.size(); ++i) close(found[i], needed[i], 1e-13);
    };
    compare();
    NoGrad guard;
    compare();
  }
  Variable h({1, 2}, float64);
  auto add = [](const Variable& h0, const Variable&) {
    Variable h = h0;
    h += 1;
    return h;
  };
  same(scan(add, h, 3), Variable({4, 5}, float64));
  Variable after_none = scan(add, h, 0);
  after_none += 1;
  same(h, Variable({1, 2}, float64));
}

BOOST_AUTO_TEST_CASE(errors) {
  Variable s = parameter(ones({2}, float64));
  auto same_state = [](const Variable& s, const Variable&) { return s; };
  throws<ShapeError>([&] { scan(same_state, s, Variable(1.0)); }, {"scan", "axis for the steps"});
  throws<ValueError>([&] { scan([](const Variable& s) { return s; }, s, 3); }, {"scan", "2 Variables"});
  throws<GraphError>([&] { scan([](auto&, auto&) { return Variable(); }, s, 3); }, {"scan: step 0", "undefined"});
  auto drops = [](const std::vector<Variable>& s, const Variable&) { return ScanStep{{s[0]}}; };
  throws<GraphError>([&] { scan(drops, std::vector<Variable>{s, s}, 3); },
                     {"scan: step 0", "1 Variables for one of 2"});
  Variable v = s;
  Variable y = scan([&](auto& s, auto&) { return s * v; }, s, 3);
  v = s * 2;
  throws<GraphError>([&] { grad(sum(y), s); }, {"backward of scan", "with other Variables"});
}

BOOST_AUTO_TEST_SUITE_END()
