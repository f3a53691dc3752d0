// Checkpoints against the same computation without them.
#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <tests/peak_memory.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::peak_memory;
using xtape::testing::same;

namespace {

struct Net {
  Variable w = parameter(randn({3, 3}, float64)), scale = parameter(randn({3}, float64));
  Variable operator()(const Variable& x) const { return tanh(matmul(x, w)) * scale; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(checkpoints)

BOOST_AUTO_TEST_CASE(gradients_are_the_same) {
  seed(1);
  Net net;
  Variable x = parameter(randn({2, 3}, float64));
  auto plain = grad({sum(square(net(net(x))))}, {x, net.w, net.scale});
  auto layer = [&](const Variable& x) { return net(x); };
  Variable y = checkpoint(layer, {checkpoint(layer, {x})});
  same(y, net(net(x)));
  auto found = grad({sum(square(y))}, {x, net.w, net.scale});
  for (std::size_t i = 0; i < 3; ++i) same(found[i], plain[i]);
  sum(square(checkpoint(layer, {checkpoint(layer, {x})}))).backward();
  same(net.w.grad(), plain[1]);
}

BOOST_AUTO_TEST_CASE(inputs_one_by_one) {
  Variable x = parameter(Variable({1.0, 2.0}, float64)), w = parameter(Variable({3.0}, float64));
  auto f = [](auto& x, auto& w) { return sum(square(x) * w); };
  Variable y = checkpoint(f, x, w);
  BOOST_TEST(y.item() == 15);
  BOOST_TEST(grad(y, w).item() == 5);
  BOOST_TEST(checkpoint([](const Variable& x) { return sum(x); }, x).item() == 3);
}

BOOST_AUTO_TEST_CASE(any_order) {
  seed(2);
  Net net;
  auto f = [](auto& x, auto& w) {
    return checkpoint([w = w * 2](const Variable& x) { return exp(sin(matmul(x, w))) * x; }, {x});
  };
  GradcheckResult result = gradcheck(f, {randn({2, 2}, float64), randn({2, 2}, float64)}, {.order = 3});
  BOOST_TEST(result.ok, result.message);
}

BOOST_AUTO_TEST_CASE(captured_values_count_once) {
  // b leads to a, and both are captured; x leads to b as well.
  Variable x = parameter(Variable{2.0}), b = x * 3, a = b * b;
  Variable y = checkpoint([&](const Variable& z) { return z * a * b; }, {b});
  // y = b b^2 b = (3 x)^4
  same(grad(y, x), Variable{4.0 * 81 * 8});
}

BOOST_AUTO_TEST_CASE(random_numbers_are_the_same) {
  seed(3);
  Variable x = parameter(ones({1000}));
  Variable y = checkpoint([](const Variable& x) { return dropout(x); }, {x});
  Variable following = rand({3});
  std::string state = default_generator().state();
  Variable g = grad(sum(y), x);
  same(g, y.detach());
  BOOST_TEST(default_generator().state() == state);
  seed(3);
  same(dropout(x), y);
  same(rand({3}), following);
}

BOOST_AUTO_TEST_CASE(several_inputs_of_which_some_are_constant) {
  Variable x = parameter(Variable{2.0}), c = Variable{5.0}, i = Variable{0}.to(int64);
  Variable y = checkpoint([](auto& x, auto& c, auto& i) { return take(x * c, i); }, {x, c, i});
  same(grad(y, x), c);
  BOOST_TEST(!checkpoint([](const Variable& c) { return c * 2; }, {c}).requires_grad());
  NoGrad guard;
  BOOST_TEST(!checkpoint([](const Variable& x) { return x * 2; }, {x}).requires_grad());
}

BOOST_AUTO_TEST_CASE(nothing_is_kept) {
  Variable x = parameter(ones({4}));
  Variable kept;
  bool first = true;
  Variable y = checkpoint([&](const Variable& x) {
    Variable h = exp(x);
    if (std::exchange(first, false)) kept = h.detach();
    return h * h;
  }, {x});
  Array elements = kept.value();
  kept = Variable();
  BOOST_TEST(elements.unique());  // the record of f, which had saved h, is gone
  y.backward(ones({4}));
}

BOOST_AUTO_TEST_CASE(changes_since_are_noticed) {
  Net net;
  Variable x = parameter(ones({1, 3}, float64));
  auto says = [](const GraphError& error) {
    return std::string(error.what()).find("backward of checkpoint") != std::string::npos;
  };
  Variable y = sum(checkpoint([&](const Variable& x) { return net(x); }, {x}));
  {
    NoGrad guard;
    net.w *= 2;
  }
  BOOST_CHECK_EXCEPTION(y.backward(), GraphError, says);
  y = sum(checkpoint([&](const Variable& x) { return net(x); }, {x}));
  Variable expected = grad(sum(net(x)), x);
  x.mutable_data<double>()[0] = 3;
  y.backward();
  same(x.grad(), expected);  // inputs are kept as they were
}

// What f returns as it is: an input, and what it captured, a leaf or not.
BOOST_AUTO_TEST_CASE(functions_that_compute_nothing) {
  Variable p = parameter(Variable{2.0}), q = parameter(Variable{3.0});
  sum(checkpoint([&](auto&) { return p; }, {q})).backward();
  BOOST_TEST(p.grad().item() == 1);
  Variable h = p * p;
  sum(checkpoint([&](auto&) { return h; }, {q}) + h).backward();
  BOOST_TEST(p.grad().item() == 1 + 8);
  sum(checkpoint([](const Variable& x) { return x; }, {q}) * 5).backward();
  BOOST_TEST(q.grad().item() == 5);
}

#if !defined(__SANITIZE_ADDRESS__)  // which keeps what is freed

// 64 residual blocks in eight parts: the memory is that of the parts' ends and of one part's inside.
BOOST_AUTO_TEST_CASE(a_deep_network_takes_a_fourth_of_the_memory) {
  constexpr std::size_t blocks = 64, part = 8, width = 64;
  std::vector<Variable> weights;
  for (std::size_t i = 0; i < blocks; ++i) weights.push_back(parameter(randn({width, width}) * 0.1));
  auto run_part = [&](const Variable& x, std::size_t first) {
    Variable y = x;
    for (std::size_t i = first; i < first + part; ++i) y = y + gelu(matmul(layer_norm(y), weights[i]));
    return y;
  };
  auto step = [&](bool checkpointed) {
    return [&, checkpointed] {
      set_num_threads(1);
      Variable y = randn({4096, width});
      for (std::size_t first = 0; first < blocks; first += part)
        y = checkpointed ? checkpoint([&, first](const Variable& x) { return run_part(x, first); }, {y}) : run_part(y, first);
      mean(square(y)).backward();
    };
  };
  double kept = peak_memory(step(false)), computed_again = peak_memory(step(true));
  BOOST_TEST(computed_again * 4 <= kept, kept / 1e6 << " and " << computed_again / 1e6 << " MB");
}

#endif

BOOST_AUTO_TEST_SUITE_END()
