// Checkpoints against the same computation without them.
#include <atomic>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <tests/peak_memory.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::close;
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

// Both runs draw from generators of their own: the gradient of a dropout of ones is what it gave.
BOOST_AUTO_TEST_CASE(random_numbers_are_the_same) {
  seed(3);
  Generator given(4);
  Variable x = parameter(ones({1000}));
  Variable y = checkpoint([&](const Variable& x) { return dropout(dropout(x), 0.2, given); }, {x});
  std::string state = default_generator().state(), other = given.state();
  same(grad(sum(y), x, {.retain_graph = true}), y.detach());
  rand({5});
  given.seed(6);
  same(grad(sum(y), x), y.detach());
  seed(3);
  rand({}, float64);  // one number, from which the others follow
  BOOST_TEST(default_generator().state() == state);
  BOOST_TEST(Generator(4).state() != other);
}

BOOST_AUTO_TEST_CASE(random_numbers_do_not_depend_on_recording) {
  auto drawn = [](bool recorded) {
    seed(3);
    GradMode mode(recorded);
    Variable y = checkpoint([](const Variable& x) { return dropout(x); }, {parameter(ones({100}))});
    return stack({y.detach(), rand({100})});
  };
  same(drawn(true), drawn(false));
}

BOOST_AUTO_TEST_CASE(random_numbers_of_nested_checkpoints) {
  seed(3);
  auto noisy = [](const Variable& x) { return dropout(x, 0.3); };
  Variable x = parameter(ones({1000}));
  Variable y = checkpoint([&](const Variable& x) { return checkpoint(noisy, noisy(x)) * checkpoint(noisy, x); }, {x});
  // At ones, the derivative of a constant times the square is twice the value.
  close(grad(sum(y), x), 2 * y.detach(), 1e-5);
  // A generator that f makes itself is the same in each call.
  y = checkpoint([](const Variable& x) {
    Generator a(1);
    Variable first = dropout(x, 0.5, a);
    Generator b(2);
    return first * dropout(x, 0.5, b);
  }, {x});
  close(grad(sum(y), x), 2 * y.detach(), 1e-5);
}

// Threads that draw from one generator at once: none takes numbers from another's second run.
BOOST_AUTO_TEST_CASE(random_numbers_in_threads) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int repeat = 0; repeat < 50; ++repeat) {
        Variable x = parameter(ones({100}));
        Variable y = checkpoint([](const Variable& x) { return dropout(x); }, {x});
        wrong += max(abs(grad(sum(y), x) - y.detach())).item() != 0;
      }
    });
  for (auto& thread : threads) thread.join();
  BOOST_TEST(wrong == 0);
}

// What f writes to in place the second run finds as the first one did, and leaves as it is.
BOOST_AUTO_TEST_CASE(writes_happen_once) {
  Variable state = Variable({2.0}, float64), count = 0, total = Variable({0.0}, float64);
  auto f = [&](const Variable& x) {
    Variable y = x * state.copy();  // which depends on the state
    y += x;                  // and a write that nobody sees
    NoGrad guard;
    state.assign(state * 3);
    count += 1;
    total += y;
    return y;
  };
  auto recorded = [&](const Variable& x) {
    Variable y = f(x);
    return y * 1;
  };
  for (bool nested : {false, true})
    BOOST_TEST_CONTEXT((nested ? "nested" : "one")) {
      state.assign(2), count.assign(0), total.assign(0);
      Variable x = parameter(Variable({5.0}, float64));
      Variable y = nested ? checkpoint([&](const Variable& x) { return checkpoint(recorded, x); }, x)
                          : checkpoint(recorded, x);
      BOOST_TEST(y.item() == 15);
      for (int walk = 0; walk < 2; ++walk) BOOST_TEST(grad(y, x, {.retain_graph = true}).item() == 3);
      BOOST_TEST(state.item() == 6);
      BOOST_TEST(count.item() == 1);
      BOOST_TEST(total.item() == 15);
      state.assign(7);  // somebody else's write
      BOOST_TEST(grad(y, x, {.create_graph = true}).item() == 3);
      BOOST_TEST(state.item() == 7);
    }
}

// The hooks of what f captured see the whole gradient, once; those of what f made see it as without a checkpoint.
BOOST_AUTO_TEST_CASE(hooks_run_once) {
  Variable x = parameter(Variable({2.0}, float64)), w = parameter(Variable({3.0}, float64)), h = w * w;
  int calls = 0;
  auto twice = [&](const Variable& g) { return ++calls, 2 * g; };
  for (const Variable& v : {w, h}) v.register_hook(twice);
  Variable y = checkpoint([&](const Variable& x) {
    Variable z = x * w;
    z.register_hook(twice);
    return z * h;
  }, {x});
  calls = 0;
  // y = z h with z = x w and h = w w, each with a hook that doubles: dy/dw = 2 (2 h x + 2 z 2 w).
  BOOST_TEST(grad(y, w).item() == 2 * (2 * 9 * 2 + 2 * 6 * 2 * 3));
  BOOST_TEST(calls == 3);
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

// Gradients are those at the values of the first run.
BOOST_AUTO_TEST_CASE(changes_since_play_no_part) {
  Net net;
  Variable x = parameter(ones({1, 3}, float64));
  auto expected = grad({sum(net(x))}, {x, net.w, net.scale}, {.create_graph = true});
  Variable y = sum(checkpoint([&](const Variable& x) { return net(x); }, {x}));
  {
    NoGrad guard;
    net.w *= 2;
    net.scale.assign(7);
    x.mutable_data<double>()[0] = 3;
  }
  Variable changed = net.w.copy();
  auto found = grad({y}, {x, net.w, net.scale}, {.create_graph = true});
  for (std::size_t i = 0; i < 3; ++i) same(found[i], expected[i]);
  same(net.w, changed);
}

BOOST_AUTO_TEST_CASE(another_result_is_noticed) {
  Variable x = parameter(ones({2}, float64)), w = parameter(ones({2}, float64)), v = w;
  auto walk = [&](auto f) {
    Variable y = checkpoint(f, {x});
    v = w * 2;
    return [y] { sum(y).backward(); };
  };
  xtape::testing::throws<GraphError>(walk([&](const Variable& x) { return x * v; }),
                                     {"backward of checkpoint", "with other Variables"});
  int size = 3;
  xtape::testing::throws<GraphError>(walk([&](const Variable& x) { return x.reshape({--size, -1}); }),
                                     {"backward of checkpoint", "another result", "float64(1, 2)", "float64(2, 1)"});
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
