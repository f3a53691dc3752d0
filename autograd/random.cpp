#include <autograd/random.hpp>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <random>
#include <sstream>

namespace xtape {
namespace {

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
    throw ValueError(std::string(operation) + ": mean " + std::to_string(mean) + " and stddev " +
                     std::to_string(stddev) + ": needs finite numbers and stddev >= 0");
}

}  // namespace

struct Generator::Engine {
  std::mutex mutex;
  std::mt19937_64 twister;
};

Generator::Generator(std::uint64_t seed) : engine_(new Engine{.mutex = {}, .twister = std::mt19937_64(seed)}) {}
Generator::~Generator() = default;

void Generator::seed(std::uint64_t seed) {
  std::scoped_lock lock(engine_->mutex);
  engine_->twister.seed(seed);
}

std::string Generator::state() const {
  std::scoped_lock lock(engine_->mutex);
  std::ostringstream text;
  text << engine_->twister;
  return text.str();
}

void Generator::set_state(const std::string& state) {
  std::istringstream text(state);
  std::mt19937_64 engine;
  if (!(text >> engine)) throw ValueError("generator: the text is no state of a generator");
  std::scoped_lock lock(engine_->mutex);
  engine_->twister = engine;
}

Array Generator::uniform(const Shape& shape, double low, double high, DType dtype) {
  if (!std::isfinite(high - low) || low > high)
    throw ValueError("uniform: from " + std::to_string(low) + " to " + std::to_string(high) +
                     ": needs bounds in order, with a finite difference");
  std::scoped_lock lock(engine_->mutex);
  return fill("uniform", shape, dtype, [&]<class T>(T) {
    return below<T>(low + (high - low) * unit(engine_->twister), low, high);
  });
}

Array Generator::normal(const Shape& shape, double mean, double stddev, DType dtype) {
  require_spread("normal", mean, stddev);
  std::scoped_lock lock(engine_->mutex);
  std::normal_distribution<double> distribution;
  return fill("normal", shape, dtype, [&]<class T>(T) {
    return static_cast<T>(mean + stddev * distribution(engine_->twister));
  });
}

Array Generator::integers(const Shape& shape, std::int64_t low, std::int64_t high) {
  if (low >= high)
    throw ValueError("integers: from " + std::to_string(low) + " to " + std::to_string(high) + ": needs low < high");
  std::scoped_lock lock(engine_->mutex);
  std::uniform_int_distribution<std::int64_t> distribution(low, high - 1);
  Array result(shape, DType::int64);
  auto* out = result.mutable_data<std::int64_t>();
  std::generate_n(out, result.size(), [&] { return distribution(engine_->twister); });
  return result;
}

Array Generator::permutation(std::size_t n) {
  std::scoped_lock lock(engine_->mutex);
  Array result({n}, DType::int64);
  auto* first = result.mutable_data<std::int64_t>();
  std::iota(first, first + n, 0);
  std::shuffle(first, first + n, engine_->twister);
  return result;
}

Generator& default_generator() {
  static Generator generator;
  return generator;
}

void seed(std::uint64_t seed) { default_generator().seed(seed); }

}  // namespace xtape
