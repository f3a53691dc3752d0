// The tape and its walk: seeds, accumulation, release, hooks, higher orders.
#include <cstdint>
#include <map>
#include <random>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <autograd/gradient_exchange.hpp>
#include <autograd/node_table.hpp>
#include <autograd/tape.hpp>
#include <tests/support.hpp>

using namespace xtape;
using testing::message;

namespace {

Variable leaf(double value) { return Variable({value}, float64).requires_grad_(); }

// Notes what a walk tells it, and gives back twice each gradient.
struct NotingExchange : detail::GradientExchange {
  std::vector<std::string> notes;
  std::map<const VariableImpl*, std::string> names;
  std::vector<std::pair<Variable, Variable>> gradients;

  ~NotingExchange() override {
    for (const auto& [x, gradient] : gradients) let_go_of(x);
  }
  void add(const Variable& x, const std::string& name) {
    take_charge_of(x);
    names[x.impl()] = name;
    gradients.emplace_back(x, Variable());
  }
  double begin(bool) override { return notes.push_back("begin"), 0.5; }
  void ready(const VariableImpl* leaf, Variable gradient) override {
    notes.push_back(names.at(leaf));
    for (auto& [x, own] : gradients)
      if (x.impl() == leaf) own = gradient * 2.0;
  }
  void go_on() override {}
  void complete() override {}
  std::vector<std::pair<Variable, Variable>> end() override {
    notes.push_back("end");
    auto found = gradients;
    std::erase_if(found, [](const auto& entry) { return !entry.second.defined(); });
    return found;
  }
  void fail() noexcept override { notes.push_back("fail"); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(tape)

BOOST_AUTO_TEST_CASE(a_diamond_is_walked_once) {
  Variable x = leaf(3);
  int visits = 0;
  Variable middle = x * x;
  middle.register_hook([&](const Variable&) { ++visits; return Variable(); });
  sum(middle * middle + middle).backward();
  BOOST_TEST(visits == 1);
  BOOST_TEST(x.grad().item() == 4 * 27.0 + 6);
}

BOOST_AUTO_TEST_CASE(gradients_accumulate_until_zeroed) {
  Variable x = leaf(3);
  for (int i = 0; i < 3; ++i) (x * x).backward();
  BOOST_TEST(x.grad().item() == 18);
  x.zero_grad();
  BOOST_TEST(!x.grad().defined());
  (x * x).backward();
  BOOST_TEST(x.grad().item() == 6);
}

BOOST_AUTO_TEST_CASE(seeds_weigh_the_output) {
  Variable x = Variable({1.0, 2.0}, float64).requires_grad_();
  (x * x).backward(Variable({10.0, 1.0}, float64));
  BOOST_TEST(x.grad().value().at(0) == 20);
  BOOST_TEST(x.grad().value().at(1) == 4);
  Variable y = leaf(2);
  (y * y).backward(Variable({3.0}, float64));
  BOOST_TEST(y.grad().item() == 12);
  Variable z = Variable(Array::scalar(2, float64)).requires_grad_();
  (z * z).backward(3);
  BOOST_TEST(z.grad().item() == 12);
}

BOOST_AUTO_TEST_CASE(gradients_that_are_handed_out_stay) {
  Variable x = leaf(3);
  (x * x).backward();
  Variable kept = x.grad();
  (x * x).backward();
  BOOST_TEST(kept.item() == 6);
  BOOST_TEST(x.grad().item() == 12);
}

BOOST_AUTO_TEST_CASE(gradients_do_not_share_elements) {
  Variable a = leaf(1), b = leaf(2);
  (a + b).backward();
  a.grad().mutable_data<double>()[0] = 5;
  BOOST_TEST(b.grad().item() == 1);
}

BOOST_AUTO_TEST_CASE(retain_graph_allows_a_second_walk) {
  Variable x = leaf(2), y = exp(x * x);
  y.backward({}, {.retain_graph = true});
  double once = x.grad().item();
  y.backward();
  BOOST_TEST(x.grad().item() == 2 * once);
}

BOOST_AUTO_TEST_CASE(derivatives_of_any_order) {
  Variable x = leaf(0.5), y = x * x * x * x;
  double expected[]{4 * 0.125, 12 * 0.25, 24 * 0.5, 24, 0};
  for (int order = 0; order < 4; ++order) {
    y = grad(y, x, {.create_graph = true});
    BOOST_TEST(y.item() == expected[order], boost::test_tools::tolerance(1e-14));
  }
  Variable last = leaf(0.7), s = sin(last);
  for (int order = 0; order < 8; ++order) s = grad(s, last, {.create_graph = true});
  BOOST_TEST(s.item() == std::sin(0.7), boost::test_tools::tolerance(1e-14));  // the eighth derivative is sin again
}

BOOST_AUTO_TEST_CASE(backward_of_a_gradient) {
  Variable x = leaf(2);
  Variable first = grad(x * x * x, x, {.create_graph = true});
  (first * first).backward();  // d (3x^2)^2 = 36 x^3
  BOOST_TEST(x.grad().item() == 36 * 8.0);
}

BOOST_AUTO_TEST_CASE(several_outputs_and_inputs) {
  Variable a = leaf(2), b = leaf(3), unused = leaf(4);
  Variable p = a * b, q = a + b;
  auto g = grad({p, q}, {b, a, unused, p}, {.allow_unused = true, .grad_outputs = {Variable({1.0}, float64), Variable({10.0}, float64)}});
  BOOST_TEST(g[0].item() == 12);
  BOOST_TEST(g[1].item() == 13);
  BOOST_TEST(!g[2].defined());
  BOOST_TEST(g[3].item() == 1);
  BOOST_TEST(!a.grad().defined());
}

BOOST_AUTO_TEST_CASE(gradients_by_intermediate_results) {
  Variable x = leaf(2), y = x * x, z = y * y;
  auto g = grad({z}, {y, x});
  BOOST_TEST(g[0].item() == 8);
  BOOST_TEST(g[1].item() == 32);
}

BOOST_AUTO_TEST_CASE(intermediate_results_keep_gradients_when_asked) {
  Variable x = leaf(2), y = x * x, z = y * 3;
  y.retain_grad();
  z.backward();
  BOOST_TEST(y.grad().item() == 3);
  BOOST_TEST(!z.grad().defined());
}

BOOST_AUTO_TEST_CASE(hooks_see_and_replace_gradients) {
  Variable x = leaf(2), y = x * x;
  std::vector<double> seen;
  auto handle = y.register_hook([&](const Variable& g) { seen.push_back(g.item()); return g * 2; });
  x.register_hook([&](const Variable& g) { seen.push_back(g.item()); return Variable(); });
  (y * 3).backward({}, {.retain_graph = true});
  BOOST_TEST(x.grad().item() == 24);
  handle.remove();
  handle.remove();
  x.zero_grad();
  (y * 3).backward();
  BOOST_TEST(x.grad().item() == 12);
  BOOST_TEST(seen == (std::vector<double>{3, 24, 12}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_hook_of_another_shape_is_refused) {
  Variable x = leaf(2), y = x * x;
  y.register_hook([](const Variable&) { return zeros({3}, float64); });
  BOOST_CHECK_THROW(y.backward(), ShapeError);
  BOOST_TEST(!x.grad().defined());
}

// A hook that holds its own Variable is freed with the graph, and by hand. One of a leaf is to hold a detached one.
BOOST_AUTO_TEST_CASE(hooks_are_freed) {
  auto sentinel = std::make_shared<int>(0);
  {
    Variable x = leaf(2), y = x * x;
    x.register_hook([sentinel, x = x.detach()](const Variable& g) { return g * x; });
    y.register_hook([sentinel, y](const Variable& g) { return g + y; });
    (y * 3).backward();
    BOOST_TEST(x.grad().item() == (3 + 4) * 4 * 2);
    BOOST_TEST(sentinel.use_count() == 2);
  }
  BOOST_TEST(sentinel.use_count() == 1);
  HookHandle handle;
  {
    Variable x = leaf(2);
    handle = x.register_hook([sentinel, x](const Variable& g) { return g * x; });
  }
  BOOST_TEST(sentinel.use_count() == 2);
  handle.remove();
  BOOST_TEST(sentinel.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(nothing_is_recorded_under_no_grad) {
  Variable x = leaf(2);
  {
    NoGrad guard;
    BOOST_TEST(!(x * x).requires_grad());
    EnableGrad inner;
    BOOST_TEST((x * x).requires_grad());
  }
  BOOST_TEST((x * x).requires_grad());
  BOOST_TEST(!(ones({2}) * 3).requires_grad());
}

BOOST_AUTO_TEST_CASE(leaves_and_results) {
  Variable x = leaf(1), y = x * 2;
  BOOST_TEST(x.is_leaf());
  BOOST_TEST(!y.is_leaf());
  BOOST_TEST(ones({1}).is_leaf());
  BOOST_TEST(!y.detach().requires_grad());
  x.requires_grad_(false);
  BOOST_TEST(!(x * 2).requires_grad());
  y.backward();  // recorded while x still took part
  BOOST_TEST(!x.grad().defined());
  Variable p = parameter(ones({2}));
  BOOST_TEST(p.requires_grad());
}

BOOST_AUTO_TEST_CASE(a_walk_releases_what_was_saved) {
  Variable x = rand({100}).requires_grad_();
  Variable y = sum(exp(x * x));
  const NodePtr exp = y.impl()->node->edges()[0].node, square = exp->edges()[0].node;
  y.backward();
  for (const NodePtr& node : {y.impl()->node, exp, square}) {
    BOOST_TEST(node->released());
    BOOST_TEST(!node->operation());
  }
}

// A released part of a graph is an error where its gradient is asked for, and none where it is not.
BOOST_AUTO_TEST_CASE(walks_through_what_was_released) {
  for (bool whole : {true, false}) {
    Variable x = leaf(2), y = leaf(3);
    Variable of_x = x * x, of_y = y * y, first = of_x * of_y;
    if (whole) of_x.backward();
    else grad(first, x);  // leaves of_y alone
    BOOST_TEST(grad(of_x * of_y, y, {.retain_graph = true}).item() == 4 * 2 * 3);
    BOOST_TEST(message([&] { grad(of_x * of_y, x); }).find("was walked before and released (at mul)") != std::string::npos);
    BOOST_TEST(message([&] { grad({of_x * of_y}, {x, y}); }).find("released (at mul)") != std::string::npos);
    BOOST_TEST(grad(of_x * of_y, of_x).item() == 9);
  }
}

BOOST_AUTO_TEST_CASE(a_parameter_may_go_before_its_graph) {
  Variable y;
  {
    Variable x = leaf(2);
    y = x * x;
  }
  y.backward();  // the gradient has nowhere to go, and that is fine
  Variable z, w = leaf(3);
  {
    Variable kept = w * w;
    kept.retain_grad();
    z = kept * 2;
  }
  z.backward();
  BOOST_TEST(w.grad().item() == 12);
}

BOOST_AUTO_TEST_CASE(create_graph_keeps_no_cycle) {
  // The gradient refers to the graph, which must not refer back to the Variable that holds the gradient.
  Variable probe;
  {
    Variable x = leaf(2);
    Variable y = x * x * x;
    y.backward({}, {.create_graph = true});
    probe = Variable(x.value());
    BOOST_TEST(!probe.value().unique());
  }
  BOOST_TEST(probe.value().unique());
}

BOOST_AUTO_TEST_CASE(a_vjp_of_ones_own) {
  Variable x = leaf(3);
  Variable y = record("triple", [](const Array& v) { return (Variable(v) * 3).value(); }, wrt(x, [](const Variable& g) { return g * 3; }));
  y.backward();
  BOOST_TEST(x.grad().item() == 3);
}

BOOST_AUTO_TEST_CASE(gradients_at_ties_and_kinks) {
  auto at = [](auto f, std::initializer_list<Nested> values) {
    Variable x = Variable(values, float64).requires_grad_();
    return grad(sum(f(x)), x);
  };
  BOOST_TEST(at([](auto& x) { return abs(x); }, {0.0}).item() == 0);
  BOOST_TEST(at([](auto& x) { return relu(x); }, {0.0}).item() == 0);
  BOOST_TEST(at([](auto& x) { return maximum(x, 1); }, {1.0}).item() == 0.5);
  BOOST_TEST(at([](auto& x) { return clip(x, 0, 1); }, {1.0}).item() == 1);
  BOOST_TEST(at([](auto& x) { return max(x); }, {2.0, 2.0, 1.0}).value().at(1) == 0.5);
  BOOST_TEST(at([](auto& x) { return pow(x, 0); }, {0.0}).item() == 0);
  BOOST_TEST(at([](auto& x) { return pow(x, 1); }, {0.0}).item() == 1);
  BOOST_TEST(at([](auto& x) { return prod(x); }, {0.0, 2.0, 3.0}).value().at(0) == 6);
  BOOST_TEST(at([](auto& x) { return prod(x); }, {0.0, 0.0, 3.0}).value().at(2) == 0);
}

// Against std::map, with addresses as those of nodes are, so many that they get in each other's way.
BOOST_AUTO_TEST_CASE(a_table_of_nodes_finds_what_it_was_told) {
  std::mt19937 random(1);
  detail::NodeTable table;
  std::map<std::uintptr_t, std::uint32_t> expected;
  auto node = [](std::uintptr_t address) { return reinterpret_cast<const Node*>(address); };
  bool right = true;
  for (std::uint32_t step = 0; step < 20000; ++step) {
    const std::uintptr_t address = 0x7f0000000000 + random() % 700 * 112;
    if (random() % 3 > 0) {
      right = right && table.insert(node(address), step) == expected.emplace(address, step).first->second;
    } else if (expected.erase(address) > 0) {
      table.erase(node(address));
    }
    const std::uintptr_t other = 0x7f0000000000 + random() % 700 * 112;
    const auto place = expected.find(other);
    right = right && table.find(node(other)) == (place == expected.end() ? detail::NodeTable::none : place->second);
  }
  BOOST_TEST(right);
  for (auto [address, number] : expected) right = right && table.find(node(address)) == number;
  BOOST_TEST(right);
}

// Gradients of leaves are handed over as soon as nothing more can come to them, though leaves are older than all else.
BOOST_AUTO_TEST_CASE(an_exchange_gets_gradients_on_the_way) {
  Variable first = leaf(2), second = leaf(3), third = leaf(5), other = leaf(7), unused = leaf(11);
  auto exchange = std::make_shared<NotingExchange>();
  exchange->add(first, "first"), exchange->add(second, "second"), exchange->add(third, "third"), exchange->add(unused, "unused");
  Variable a = first * other, b = a * second, c = b * third;
  a.register_hook([&](const Variable&) { return exchange->notes.push_back("a"), Variable(); });
  b.register_hook([&](const Variable&) { return exchange->notes.push_back("b"), Variable(); });
  sum(c * third + c * 0.0).backward();
  BOOST_TEST(exchange->notes == (std::vector<std::string>{"begin", "third", "b", "second", "a", "first", "end"}),
             boost::test_tools::per_element());
  // The loss is 2 * 7 * 3 * 5 * 5; half of its gradient, doubled; the leaf without an exchange gets the half.
  BOOST_TEST(first.grad().item() == 525);
  BOOST_TEST(second.grad().item() == 350);
  BOOST_TEST(third.grad().item() == 420);
  BOOST_TEST(other.grad().item() == 75);
  BOOST_TEST(!unused.grad().defined());
}

BOOST_AUTO_TEST_CASE(an_exchange_is_for_walks_that_come_to_it) {
  Variable mine = leaf(2), other = leaf(3);
  auto exchange = std::make_shared<NotingExchange>(), second = std::make_shared<NotingExchange>();
  exchange->add(mine, "mine");
  (other * other).backward();
  BOOST_TEST(exchange->notes.empty());
  BOOST_TEST(grad(mine * other, std::vector{mine})[0].item() == 3);  // adds to no leaf
  BOOST_TEST(exchange->notes.empty());
  BOOST_TEST(message([&] { second->add(mine, "mine"); }).find("in charge") != std::string::npos);
  mine.requires_grad_(false), mine.requires_grad_();  // another leaf, the same Variable
  mine.backward();  // the leaf itself
  BOOST_TEST(exchange->notes == (std::vector<std::string>{"begin", "mine", "end"}), boost::test_tools::per_element());
  BOOST_TEST(mine.grad().item() == 1);
}

BOOST_AUTO_TEST_CASE(an_exchange_hears_of_a_walk_that_fails) {
  Variable x = leaf(2);
  auto exchange = std::make_shared<NotingExchange>();
  exchange->add(x, "x");
  Variable y = x * x;
  y.register_hook([](const Variable&) -> Variable { throw ValueError("no"); });
  BOOST_TEST(message([&] { (y * x).backward(); }) == "no");
  BOOST_TEST(exchange->notes == (std::vector<std::string>{"begin", "fail"}), boost::test_tools::per_element());
  BOOST_TEST(!x.grad().defined());
  exchange->let_go_of(x);
  (x * x).backward();
  BOOST_TEST(x.grad().item() == 4);
}

BOOST_AUTO_TEST_CASE(an_exchange_that_is_given_up_on_the_way_ends_with_the_walk) {
  Variable x = leaf(2);
  auto exchange = std::make_shared<NotingExchange>();
  exchange->add(x, "x");
  std::weak_ptr<NotingExchange> seen = exchange;
  Variable y = x * x;
  y.register_hook([&](const Variable&) { return exchange.reset(), Variable(); });
  y.backward();
  BOOST_TEST(x.grad().item() == 4);  // half of the loss, twice the gradient
  BOOST_TEST(seen.expired());
  y = x * x;
  y.backward();
  BOOST_TEST(x.grad().item() == 8);
}

BOOST_AUTO_TEST_SUITE_END()
