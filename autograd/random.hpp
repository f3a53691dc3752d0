// Random numbers, from generators that are seeded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <vector>

#include <autograd/array.hpp>

namespace xtape {

class WithGenerator;
namespace detail {
class GeneratorScope;
class RandomFork;
}  // namespace detail

/// A source of random numbers (Philox4x32-10, see kernels/random.hpp). The same seed gives the same numbers, however many
/// threads compute them; on processors with other instructions, up to the last digit. Threads may draw from one Generator at once; in which order is up to chance.
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
  friend class WithGenerator;
  friend class detail::GeneratorScope;
  friend class detail::RandomFork;
  struct Engine;

  // What stands for this generator in this thread: its own engine, outside of all scopes.
  Engine& engine() const;

  std::unique_ptr<Engine> engine_;
};

/// The generator that everything random uses unless it is given another.
Generator& default_generator();
/// Seeds the default generator.
void seed(std::uint64_t seed);

namespace detail {

/// A scope in which, for this thread, other engines stand for those of generators.
class GeneratorScope {
 public:
  GeneratorScope(const GeneratorScope&) = delete;
  GeneratorScope& operator=(const GeneratorScope&) = delete;

 protected:
  friend class xtape::Generator;
  using Engine = Generator::Engine;

  GeneratorScope();
  ~GeneratorScope();
  virtual Engine& in_place_of(Engine& engine) = 0;
  /// What stands for an engine within `scope`, which may be null.
  static Engine& within(GeneratorScope* scope, Engine& engine) { return scope ? scope->in_place_of(engine) : engine; }

  GeneratorScope* outer_;
};

}  // namespace detail

/// Until the end of the scope, this thread draws from `generator` whatever it would draw from the default one, in
/// functions and layers alike: `WithGenerator scope(generator); Variable y = net(x);`
class WithGenerator : detail::GeneratorScope {
 public:
  explicit WithGenerator(Generator& generator) : generator_(generator) {}

 private:
  Engine& in_place_of(Engine& engine) override;

  Generator& generator_;
};

namespace detail {

/// Until the end of the scope, this thread draws from a new generator in the place of each one made before. It is
/// seeded by a number drawn from that one, or by the number that another fork had drawn: then both give the same.
class RandomFork : GeneratorScope {
 public:
  struct Seed {
    std::uint64_t generator, seed;
  };

  explicit RandomFork(std::vector<Seed> seeds = {});
  ~RandomFork();
  /// Those of the generators that were drawn from, after those that were given.
  const std::vector<Seed>& seeds() const { return seeds_; }

 private:
  Engine& in_place_of(Engine& engine) override;

  std::uint64_t newest_;  // of the generators made before
  std::vector<Seed> seeds_;
  std::vector<std::unique_ptr<Engine>> engines_;  // one for each seed; made when it is drawn from
};

/// Until the end of the scope, this thread draws past all forks: for what happens once, as the initialization of a
/// layer that finds its width at the first call, whoever forks to compute again.
class PastForks {
 public:
  PastForks();
  ~PastForks();
  PastForks(const PastForks&) = delete;
  PastForks& operator=(const PastForks&) = delete;

 private:
  bool before_;
};

}  // namespace detail

}  // namespace xtape
