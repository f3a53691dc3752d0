// Random programs of ten to a hundred operations, to be run on Variables or on what else has the same functions.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace random_graphs {

inline constexpr std::size_t inputs = 3, extent = 3;

/// One operation: its number in `apply`, and the places of its operands among the values so far.
struct Instruction {
  std::size_t operation, a, b;
};
inline constexpr std::size_t operations = 19;

/// A program, the same for the same seed everywhere. Its values stay within a few units, and its functions are smooth.
struct Program {
  std::uint64_t seed;
  std::vector<Instruction> instructions;

  explicit Program(std::uint64_t number) : seed(number) {
    std::mt19937_64 random(seed);
    std::size_t count = 10 + random() % 91;
    for (std::size_t i = 0; i < count; ++i) {
      // Often the latest value, so that the graph grows deep; else any, so that values serve several times.
      std::size_t values = inputs + i, latest = values - 1;
      auto any = [&] { return random() % 2 ? latest : random() % values; };
      std::size_t operation = random() % operations, a = any(), b = any();
      instructions.push_back({operation, a, b});
    }
  }
};

/// The seeds to try: those of the test, or the one in XTAPE_GRAPH_SEED, which replays a failure. A quarter is enough for
/// the sanitizers, which take ten times as long.
inline std::vector<std::uint64_t> seeds(std::uint64_t count) {
#if defined(__SANITIZE_ADDRESS__)
  count /= 4;
#endif
  if (const char* one = std::getenv("XTAPE_GRAPH_SEED")) return {std::strtoull(one, nullptr, 10)};
  std::vector<std::uint64_t> result;
  for (std::uint64_t i = 0; i < count; ++i) result.push_back(i);
  return result;
}

/// All are of shape (extent, extent), and so is the result. `T` brings, beside the usual functions, `row_sums(x)` of
/// shape (extent, 1), `column_means(x)` of shape (1, extent), `turned(x)`, the transpose, and `scaled_sum(x)`, 0-d.
template <class T>
T apply(std::size_t operation, const T& a, const T& b) {
  switch (operation) {
    case 0: return tanh(a + b);
    case 1: return tanh(a - b);
    case 2: return tanh(a) * b;
    case 3: return a / (2 + b * b);
    case 4: return sin(a) + cos(b);
    case 5: return sigmoid(a) * sigmoid(b);
    case 6: return exp(-a * a) - b * 0.5;
    case 7: return log1p(a * a + exp(tanh(b)));
    case 8: return sqrt(1 + a * a) - sqrt(1 + b * b);
    case 9: return matmul(tanh(a), tanh(b)) * 0.5;
    case 10: return turned(a) + b * 0.1;
    case 11: return a * 0.5 + tanh(row_sums(b));
    case 12: return tanh(a) * column_means(tanh(b));
    case 13: return b * 0.3 + scaled_sum(tanh(a));
    case 14: return softmax(a, -1) + softmax(b, 0);
    case 15: return atan(a) * erf(b);
    case 16: return a * 0.25 + b * 0.75;
    case 17: return pow(1.5 + tanh(a), 2.5) * 0.3 - b * 0.2;
    default: return log(2 + tanh(a)) + expm1(tanh(b)) * 0.3;
  }
}

/// The value of the program: the last one, and a part of all that nothing else has used.
template <class T>
T run(const Program& program, const std::vector<T>& xs) {
  std::vector<T> values = xs;
  for (const Instruction& i : program.instructions)
    values.push_back(tanh(apply(i.operation, values[i.a], values[i.b])));
  T result = values.back();
  for (const T& x : values) result = result + x * 0.01;
  return result;
}

}  // namespace random_graphs
