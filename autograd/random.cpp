#include <autograd/random.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <numeric>
#include <random>
#include <sstream>
#include <utility>

namespace xtape {
namespace {

thread_local detail::GeneratorScope* innermost = nullptr;
thread_local bool past_forks = false;

// 53 random bits as a number in [0, 1).
double unit(std::mt19937_64& engine) { return static_cast<double>(engine() >> 11) * 0x1p-53; }

// x as a T of [low, high): it may be rounded up to the end, which then gives way to the number before it.
template <class T>
T below(double x, double low, double high) {
  T first = static_cast<T>(low), end = static_cast<T>(high), result = static_cast<T>(x);
  return result < end || first == end ? result : std::nextafter(end, first);
}

template <class Draw>
Array fill(const char* operation, const Shape& shape, DType dtype, Draw draw) {
  Array result(shape, dtype);
  visit_floating(operation, dtype, [&]<class T>(T) {
    T* out = result.mutable_data<T>();
    for (std::size_t i = 0; i < result.size(); ++i) out[i] = draw(T());
  });
  return result;
}

void require_spread(const char* operation, double mean, double stddev) {
  if (!std::isfinite(mean) || !std::isfinite(stddev) || stddev < 0)
    throw ValueError(std::string(operation) + ": mean " + Scalar(mean).text() + " and stddev " +
                     Scalar(stddev).text() + ": needs finite numbers and stddev >= 0");
}

}  // namespace

struct Generator::Engine {
  explicit Engine(std::uint64_t seed) : twister(seed) {}

  static inline std::atomic<std::uint64_t> last_id = 0;
  const std::uint64_t id = ++last_id;
  std::mutex mutex;
  std::mt19937_64 twister;
};

Generator::Generator(std::uint64_t seed) : engine_(new Engine(seed)) {}
Generator::~Generator() = default;

void Generator::seed(std::uint64_t seed) {
  Engine& own = engine();
  std::scoped_lock lock(own.mutex);
  own.twister.seed(seed);
}

std::string Generator::state() const {
  Engine& own = engine();
  std::scoped_lock lock(own.mutex);
  std::ostringstream text;
  text << own.twister;
  return text.str();
}

void Generator::set_state(const std::string& state) {
  std::istringstream text(state);
  std::mt19937_64 twister;
  if (!(text >> twister)) throw ValueError("generator: the text is no state of a generator");
  Engine& own = engine();
  std::scoped_lock lock(own.mutex);
  own.twister = twister;
}

Array Generator::uniform(const Shape& shape, double low, double high, DType dtype) {
  if (!std::isfinite(high - low) || low > high)
    throw ValueError("uniform: from " + Scalar(low).text() + " to " + Scalar(high).text() +
                     ": needs bounds in order, with a finite difference");
  Engine& own = engine();
  std::scoped_lock lock(own.mutex);
  return fill("uniform", shape, dtype, [&]<class T>(T) { return below<T>(low + (high - low) * unit(own.twister), low, high); });
}

Array Generator::normal(const Shape& shape, double mean, double stddev, DType dtype) {
  require_spread("normal", mean, stddev);
  Engine& own = engine();
  std::scoped_lock lock(own.mutex);
  std::normal_distribution<double> distribution;
  return fill("normal", shape, dtype, [&]<class T>(T) { return static_cast<T>(mean + stddev * distribution(own.twister)); });
}

Array Generator::integers(const Shape& shape, std::int64_t low, std::int64_t high) {
  if (low >= high)
    throw ValueError("integers: from " + std::to_string(low) + " to " + std::to_string(high) + ": needs low < high");
  Engine& own = engine();
  std::scoped_lock lock(own.mutex);
  std::uniform_int_distribution<std::int64_t> distribution(low, high - 1);
  Array result(shape, DType::int64);
  auto* out = result.mutable_data<std::int64_t>();
  std::generate_n(out, result.size(), [&] { return distribution(own.twister); });
  return result;
}

Array Generator::permutation(std::size_t n) {
  Engine& own = engine();
  std::scoped_lock lock(own.mutex);
  Array result({n}, DType::int64);
  auto* first = result.mutable_data<std::int64_t>();
  std::iota(first, first + n, 0);
  std::shuffle(first, first + n, own.twister);
  return result;
}

Generator& default_generator() {
  static Generator generator;
  return generator;
}

void seed(std::uint64_t seed) { default_generator().seed(seed); }

Generator::Engine& Generator::engine() const { return detail::GeneratorScope::within(innermost, *engine_); }

detail::GeneratorScope::GeneratorScope() : outer_(std::exchange(innermost, this)) {}
detail::GeneratorScope::~GeneratorScope() { innermost = outer_; }

Generator::Engine& WithGenerator::in_place_of(Engine& engine) {
  bool is_default = &engine == default_generator().engine_.get();
  return within(outer_, is_default ? *generator_.engine_ : engine);
}

detail::RandomFork::RandomFork(std::vector<Seed> seeds) : seeds_(std::move(seeds)), engines_(seeds_.size()) {
  default_generator();  // which is made at its first use
  newest_ = Engine::last_id;
}
detail::RandomFork::~RandomFork() = default;

Generator::Engine& detail::RandomFork::in_place_of(Engine& engine) {
  if (past_forks || engine.id > newest_) return within(outer_, engine);
  std::size_t i = 0;
  while (i < seeds_.size() && seeds_[i].generator != engine.id) ++i;
  if (i == seeds_.size()) {
    Engine& origin = within(outer_, engine);
    std::scoped_lock lock(origin.mutex);
    seeds_.push_back({engine.id, origin.twister()});
    engines_.emplace_back();
  }
  if (!engines_[i]) engines_[i] = std::make_unique<Engine>(seeds_[i].seed);
  return *engines_[i];
}

detail::PastForks::PastForks() : before_(std::exchange(past_forks, true)) {}
detail::PastForks::~PastForks() { past_forks = before_; }

}  // namespace xtape
