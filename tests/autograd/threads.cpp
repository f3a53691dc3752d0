// Threads that build and walk graphs of their own at once, over shared parameters.
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

using namespace xtape;

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

BOOST_AUTO_TEST_SUITE_END()
