#include <autograd/batch.hpp>
#include <autograd/random.hpp>

#include <atomic>
#include <charconv>
#include <cmath>
#include <mutex>
#include <string_view>
#include <utility>

#include <autograd/kernels/random.hpp>

namespace xtape {
namespace {

thread_local detail::GeneratorScope* innermost = nullptr;
thread_local bool past_forks = false;
std::atomic<std::uint64_t> last_id = 0;  // of engines
constexpr std::string_view method = "philox";

void require_spread(const char* operation, double mean, double stddev) {
  if (!std::isfinite(mean) || !std::isfinite(stddev) || stddev < 0)
    throw ValueError(std::string(operation) + ": mean " + Scalar(mean).text() + " and stddev " +
                     Scalar(stddev).text() + ": needs finite numbers and stddev >= 0");
}

}  // namespace

struct Generator::Engine {
  explicit Engine(std::uint64_t seed) : stream{seed} { detail::Mapping::count_generator(id, 1); }
  ~Engine() { detail::Mapping::count_generator(id, -1); }

  const std::uint64_t id = ++last_id;
  std::mutex mutex;
  kernels::RandomStream stream;
};


std::uint64_t detail::generators_made() { return last_id; }

Generator::Generator(std::uint64_t seed) : engine_(new Engine(seed)) {}
Generator::~Generator() = default;

void Generator::seed(std::uint64_t seed) {
  Engine& own = engine();
  std::scoped_lock lock(own.mutex);
  own.stream = {seed};
}

std::string Generator::state() const {
  Engine& own = engine();
  std::scoped_lock lock(own.mutex);
  return std::string(method) + " " + std::to_string(own.stream.seed) + " " + std::to_string(own.stream.block);
}

void Generator::set_state(const std::string& state) {
  kernels::RandomStream stream;
  const char *begin = state.data(), *end = begin + state.size();
  bool is_state = state.starts_with(method);
  if (is_state) begin += method.size();
  for (std::uint64_t* number : {&stream.seed, &stream.block}) {
    is_state = is_state && begin != end && *begin++ == ' ';
    auto [after, error] = std::from_chars(begin, end, *number);
    is_state = is_state && error == std::errc();
    begin = after;
  }
  if (!is_state || begin != end) throw ValueError("generator: the text is no state of a generator");
  Engine& own = engine();
  std::scoped_lock lock(own.mutex);
  own.stream = stream;
}

Array Generator::uniform(const Shape& shape, double low, double high, DType dtype) {
  if (!std::isfinite(high - low) || low > high)
    throw ValueError("uniform: from " + Scalar(low).text() + " to " + Scalar(high).text() +
                     ": needs bounds in order, with a finite difference");
  Engine& own = engine();
  std::scoped_lock lock(own.mutex);
  Array result(shape, dtype);
  kernels::fill_uniform(own.stream, result, low, high);
  return result;
}

Array Generator::normal(const Shape& shape, double mean, double stddev, DType dtype) {
  require_spread("normal", mean, stddev);
  Engine& own = engine();
  std::scoped_lock lock(own.mutex);
  Array result(shape, dtype);
  kernels::fill_normal(own.stream, result, mean, stddev);
  return result;
}

Array Generator::integers(const Shape& shape, std::int64_t low, std::int64_t high) {
  if (low >= high)
    throw ValueError("integers: from " + std::to_string(low) + " to " + std::to_string(high) + ": needs low < high");
  Engine& own = engine();
  std::scoped_lock lock(own.mutex);
  Array result(shape, DType::int64);
  kernels::fill_integers(own.stream, result, low, high);
  return result;
}

Array Generator::permutation(std::size_t n) {
  Engine& own = engine();
  std::scoped_lock lock(own.mutex);
  Array result({n}, DType::int64);
  kernels::fill_permutation(own.stream, result);
  return result;
}

Generator& default_generator() {
  static Generator generator;
  return generator;
}

void seed(std::uint64_t seed) { default_generator().seed(seed); }

Generator::Engine& Generator::engine() const {
  detail::Mapping::require_own(engine_->id);
  return detail::GeneratorScope::within(innermost, *engine_);
}

detail::GeneratorScope::GeneratorScope() : outer_(std::exchange(innermost, this)) {}
detail::GeneratorScope::~GeneratorScope() { innermost = outer_; }

Generator::Engine& WithGenerator::in_place_of(Engine& engine) {
  bool is_default = &engine == default_generator().engine_.get();
  return within(outer_, is_default ? *generator_.engine_ : engine);
}

detail::RandomFork::RandomFork(std::vector<Seed> seeds) : seeds_(std::move(seeds)), engines_(seeds_.size()) {
  default_generator();  // which is made at its first use
  newest_ = last_id;
}
detail::RandomFork::~RandomFork() = default;

Generator::Engine& detail::RandomFork::in_place_of(Engine& engine) {
  if (past_forks || engine.id > newest_) return within(outer_, engine);
  std::size_t i = 0;
  while (i < seeds_.size() && seeds_[i].generator != engine.id) ++i;
  if (i == seeds_.size()) {
    Engine& origin = within(outer_, engine);
    std::scoped_lock lock(origin.mutex);
    seeds_.push_back({engine.id, origin.stream.next()});
    engines_.emplace_back();
  }
  if (!engines_[i]) engines_[i] = std::make_unique<Engine>(seeds_[i].seed);
  return *engines_[i];
}

detail::PastForks::PastForks() : before_(std::exchange(past_forks, true)) {}
detail::PastForks::~PastForks() { past_forks = before_; }

}  // namespace xtape
