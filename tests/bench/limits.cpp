#include "limits.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>
#include <xsimd/xsimd.hpp>

namespace bench {
namespace {

double seconds(const std::function<void()>& f) {
  auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// How much of `amount` is done in a second by all threads, each of which does it with a `make()` of its own; the best
// of several runs.
double rate(int threads, double amount, const std::function<std::function<void()>()>& make) {
  std::vector<double> best(static_cast<std::size_t>(threads));
  {
    std::vector<std::jthread> pool;
    for (double& mine : best)
      pool.emplace_back([&] {
        auto f = make();
        for (int run = 0; run < 10; ++run) mine = std::max(mine, amount / seconds(f));
      });
  }
  double sum = 0;
  for (double mine : best) sum += mine;
  return sum;
}

// Ten sums: as many as hide how long one addition takes, and few enough for sixteen registers.
constexpr std::size_t sums = 10, additions = 1 << 20;

template <class T>
void multiply_and_add() {
  using Register = xsimd::batch<T>;
  Register factor(T(0.5)), term(T(1));
  benchmark::DoNotOptimize(factor);
  std::array<Register, sums> sum;
  sum.fill(term);
  for (std::size_t i = 0; i < additions; ++i)
    for (Register& s : sum) s = xsimd::fma(s, factor, term);
  for (Register& s : sum) benchmark::DoNotOptimize(s);
}

template <class T>
double peak(int threads) {
  return rate(threads, 2.0 * sums * additions * xsimd::batch<T>::size, [] { return multiply_and_add<T>; });
}

double bandwidth(int threads) {
  constexpr std::size_t size = std::size_t(128) << 20;  // beyond all caches
  return rate(threads, 2.0 * size, [] {
    return [from = std::vector<char>(size, 1), to = std::vector<char>(size)]() mutable {
      std::memcpy(to.data(), from.data(), size);
      benchmark::DoNotOptimize(to.data());
      benchmark::ClobberMemory();
    };
  });
}

}  // namespace

Limits measure_limits(int threads) { return {peak<float>(threads), peak<double>(threads), bandwidth(threads)}; }

}  // namespace bench
