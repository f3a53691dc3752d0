// What the tests of several threads share. Boost.Test checks in one thread alone: the others count what is wrong.
#pragma once

#include <thread>
#include <vector>

#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reductions.hpp>

namespace xtape::testing {

inline bool same_numbers(const Variable& a, const Variable& b) { return all(a == b).item<bool>(); }

/// Calls f(i) in so many threads at once.
template <class F>
void in_threads(int count, F&& f) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&, i] { f(i); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace xtape::testing
