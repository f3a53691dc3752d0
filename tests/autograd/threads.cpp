// Threads that build and walk graphs of their own at once, over shared parameters.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <tests/in_threads.hpp>

using namespace xtape;
using testing::in_threads;
using testing::same_numbers;

BOOST_AUTO_TEST_SUITE(threads)

BOOST_AUTO_TEST_CASE(concurrent_graphs) {
  Variable w = rand({8, 8}, float64).requires_grad_();
  Variable shared = tanh(w);  // a part of the graph that all of them have in common
  auto work = [&](int i) {
    Variable x = full({8}, i, float64), y = x;
    for (int k = 0; k < 20; ++k) y = tanh(matmul(w, y) * 0.1 + x);
    Variable through_shared = grad(sum(shared * y), w, {.retain_graph = true});
    return sum(through_shared * w).item();
  };
  std::vector<double> alone, together(4);
  for (int i = 0; i < 4; ++i) alone.push_back(work(i));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 20; ++repeat) together[i] = work(i);
    });
  for (auto& thread : threads) thread.join();
  BOOST_TEST(alone == together, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(gradients_of_a_shared_parameter_add_up) {
  Variable w = Variable({1.0, 2.0}, float64).requires_grad_();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int repeat = 0; repeat < 100; ++repeat) sum(w * w).backward();
    });
  for (auto& thread : threads) thread.join();
  BOOST_TEST(w.grad().value().at(0) == 400 * 2.0);
  BOOST_TEST(w.grad().value().at(1) == 400 * 4.0);
}

BOOST_AUTO_TEST_CASE(grad_mode_is_per_thread) {
  NoGrad guard;
  bool enabled_elsewhere = false;
  std::thread([&] { enabled_elsewhere = grad_enabled(); }).join();
  BOOST_TEST(enabled_elsewhere);
  BOOST_TEST(!grad_enabled());
}

BOOST_AUTO_TEST_CASE(a_graph_walked_in_another_thread) {
  Variable x = Variable({2.0}, float64).requires_grad_();
  Variable y;
  std::thread([&] { y = x * x * x; }).join();
  Variable z = y * x;  // made here, where the clock is behind
  z.backward();
  BOOST_TEST(x.grad().item() == 4 * 8.0);
}

// Of walks that release a part of the graph that they share, one at least passes, and another finds it released, or was
// through before: what comes of it are whole gradients, or an error.
BOOST_AUTO_TEST_CASE(walks_that_release_a_shared_trunk) {
  for (int repeat = 0; repeat < 200; ++repeat) {
    Variable w = Variable({1.0, 2.0, 3.0}, float64).requires_grad_();
    Variable trunk = w;
    for (int k = 0; k < 10; ++k) trunk = tanh(trunk * 1.1);
    std::vector<Variable> losses(4);
    for (Variable& loss : losses) loss = sum(trunk * trunk);
    const Variable expected = grad(losses[0], w, {.retain_graph = true});
    std::atomic<int> passed = 0;
    in_threads(4, [&](int i) {
      try {
        losses[static_cast<std::size_t>(i)].backward();
        ++passed;
      } catch (const GraphError& error) {
        if (std::string(error.what()).find("released") == std::string::npos) throw;
      }
    });
    BOOST_REQUIRE(passed > 0);
    BOOST_TEST(allclose(w.grad(), expected * static_cast<double>(passed)));
  }
}

BOOST_AUTO_TEST_CASE(a_walk_that_retains_beside_one_that_releases) {
  for (int repeat = 0; repeat < 200; ++repeat) {
    Variable w = Variable({1.0, 2.0}, float64).requires_grad_();
    Variable trunk = w;
    for (int k = 0; k < 10; ++k) trunk = sin(trunk * 1.1);
    const Variable releasing = sum(trunk), retaining = sum(trunk * trunk);
    const Variable expected = grad(retaining, w, {.retain_graph = true});
    std::vector<Variable> found(3);
    in_threads(3, [&](int i) {
      try {
        if (i == 0) releasing.backward();
        else found[static_cast<std::size_t>(i)] = grad(retaining, w, {.retain_graph = true});
      } catch (const GraphError&) {
      }
    });
    for (const Variable& gradient : found)
      if (gradient.defined()) BOOST_TEST(allclose(gradient, expected));
  }
}

// Each hook is there, and each Variable that keeps its gradient.
BOOST_AUTO_TEST_CASE(hooks_on_one_intermediate_result) {
  for (int repeat = 0; repeat < 500; ++repeat) {
    Variable x = Variable({2.0}, float64).requires_grad_(), y = x * 3.0;
    std::atomic<int> called = 0;
    in_threads(4, [&](int i) {
      if (i == 0) y.retain_grad();
      else y.register_hook([&](const Variable&) { return ++called, Variable(); });
    });
    y.backward();
    BOOST_REQUIRE(called == 3);
    BOOST_REQUIRE(y.grad().defined());
  }
}

BOOST_AUTO_TEST_CASE(checkpoints_with_random_numbers) {
  Variable w = ones({64}, float64).requires_grad_();
  std::atomic<int> wrong = 0;
  in_threads(4, [&](int) {
    for (int repeat = 0; repeat < 50; ++repeat) {
      Variable y = checkpoint([](const Variable& x) { return x * (rand({64}, float64) < 0.5) * 2.0; }, w);
      const Variable mask = y.detach();  // w is 1
      wrong += !(same_numbers(grad(sum(y), w), mask));
    }
  });
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(transforms_in_every_thread) {
  const Variable x = rand({4, 3}, float64);
  auto f = [](const Variable& v) { return sum(tanh(v) * v); };
  const Variable by_sample = vmap([&](const Variable& v) { return grad(f, v); }, x), whole = hessian(f, x[0]);
  std::atomic<int> wrong = 0;
  in_threads(4, [&](int) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      wrong += !(same_numbers(vmap([&](const Variable& v) { return grad(f, v); }, x), by_sample));
      wrong += !(same_numbers(hessian(f, x[0]), whole));
    }
  });
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()
