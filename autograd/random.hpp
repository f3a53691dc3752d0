// Random numbers, from generators that are seeded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <autograd/array.hpp>

namespace xtape {

/// A source of random numbers (the Mersenne Twister of 64 bits). The same seed gives the same numbers.
class Generator {
 public:
  explicit Generator(std::uint64_t seed = 0);
  ~Generator();

  void seed(std::uint64_t seed);
  /// The state as text, and back. @throws ValueError for what is no state.
  std::string state() const;
  void set_state(const std::string& state);

  /// Numbers in [low, high) of the dtype; `low` where the two are one number there.
  /// @throws ValueError unless high - low is finite and not negative.
  Array uniform(const Shape& shape, double low, double high, DType dtype);
  Array normal(const Shape& shape, double mean, double stddev, DType dtype);
  /// Integers in [low, high), as int64. @throws ValueError unless low < high.
  Array integers(const Shape& shape, std::int64_t low, std::int64_t high);
  /// The numbers 0 to n - 1 in random order, as int64.
  Array permutation(std::size_t n);

 private:
  struct Engine;  // keeps <random> out of what users compile
  std::unique_ptr<Engine> engine_;
};

/// The generator that everything random uses unless it is given another.
Generator& default_generator();
/// Seeds the default generator.
void seed(std::uint64_t seed);

}  // namespace xtape
