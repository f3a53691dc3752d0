#include <autograd/kernels/random.hpp>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/targets/random.hpp>

namespace xtape::kernels {
namespace {

constexpr std::size_t numbers_of_block = 2;

// Calls fill(first block, out, n) for pieces of an array of n numbers, in several threads.
template <class T, class Fill>
void fill_blocks(RandomStream& stream, T* out, std::size_t n, const Fill& fill) {
  const std::size_t blocks = n / numbers_of_block + n % numbers_of_block;
  parallel_for(blocks, worth_a_thread / 4, [&](std::size_t begin, std::size_t end) {
    const std::size_t at = begin * numbers_of_block;
    fill(stream.block + begin, out + at, std::min(n, end * numbers_of_block) - at);
  });
  stream.block += blocks;
}

// A word as a number below n, after Lemire, "Fast Random Integer Generation in an Interval" (2019): the first 64 bits of
// word * n, where the last ones are not among the few that would make some numbers likelier than others. Others are drawn
// in the place of such words.
template <class Redraw>
std::uint64_t number_below(std::uint64_t n, std::uint64_t word, Redraw redraw) {
  __extension__ using Product = unsigned __int128;
  for (std::uint32_t attempt = 1;; word = redraw(attempt++)) {
    const Product product = static_cast<Product>(word) * n;
    const auto last = static_cast<std::uint64_t>(product);
    if (last >= n || last >= (0 - n) % n) return static_cast<std::uint64_t>(product >> 64);
  }
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> x, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round, key[0] += 0x9E3779B9, key[1] += 0xBB67AE85) {
    const std::uint64_t p = std::uint64_t{0xD2511F53} * x[0], q = std::uint64_t{0xCD9E8D57} * x[2];
    x = {static_cast<std::uint32_t>(q >> 32) ^ x[1] ^ key[0], static_cast<std::uint32_t>(q),
         static_cast<std::uint32_t>(p >> 32) ^ x[3] ^ key[1], static_cast<std::uint32_t>(p)};
  }
  return x;
}

std::uint64_t RandomStream::word(std::uint64_t block, bool second, std::uint32_t attempt) const {
  auto halves = [](std::uint64_t x) { return std::array{static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(x >> 32)}; };
  auto [low, high] = halves(block);
  auto x = philox({low, high, attempt, 0}, halves(seed));
  return second ? x[2] | std::uint64_t{x[3]} << 32 : x[0] | std::uint64_t{x[1]} << 32;
}

void fill_uniform(RandomStream& stream, Array& result, double low, double high) {
  visit_floating("uniform", result.dtype(), [&]<class T>(T) {
    const auto fill = with_target([]<Target target>() { return &random_uniform_on<target, T>; });
    fill_blocks(stream, result.mutable_data<T>(), result.size(), [&](std::uint64_t block, T* out, std::size_t n) {
      fill(stream.seed, block, low, high, out, n);
    });
  });
}

void fill_normal(RandomStream& stream, Array& result, double mean, double stddev) {
  visit_floating("normal", result.dtype(), [&]<class T>(T) {
    const auto fill = with_target([]<Target target>() { return &random_normal_on<target, T>; });
    fill_blocks(stream, result.mutable_data<T>(), result.size(), [&](std::uint64_t block, T* out, std::size_t n) {
      fill(stream.seed, block, mean, stddev, out, n);
    });
  });
}

void fill_integers(RandomStream& stream, Array& result, std::int64_t low, std::int64_t high) {
  const auto words_of = with_target([]<Target target>() { return &random_words_on<target>; });
  const std::uint64_t count = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  auto fill = [&](std::uint64_t block, std::int64_t* out, std::size_t n) {
    constexpr std::size_t together = 256;
    std::uint64_t words[together];
    for (std::size_t at = 0; at < n; at += together, block += together / numbers_of_block) {
      const std::size_t few = std::min(n - at, together);
      words_of(stream.seed, block, words, few);
      for (std::size_t i = 0; i < few; ++i) {
        auto redraw = [&](std::uint32_t attempt) { return stream.word(block + i / 2, i % 2 == 1, attempt); };
        out[at + i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + number_below(count, words[i], redraw));
      }
    }
  };
  fill_blocks(stream, result.mutable_data<std::int64_t>(), result.size(), fill);
}

void fill_permutation(RandomStream& stream, Array& result) {
  const std::size_t n = result.size();
  auto* out = result.mutable_data<std::int64_t>();
  std::iota(out, out + n, 0);
  for (std::size_t i = n; i > 1; --i) {
    const std::uint64_t block = stream.block++;
    auto redraw = [&](std::uint32_t attempt) { return stream.word(block, false, attempt); };
    std::swap(out[i - 1], out[number_below(i, redraw(0), redraw)]);
  }
}

}  // namespace xtape::kernels
