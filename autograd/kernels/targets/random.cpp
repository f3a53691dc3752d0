#include <autograd/kernels/targets/random.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <autograd/kernels/simd.hpp>
#include <autograd/kernels/targets/here.hpp>

namespace xtape::kernels {
namespace {

constexpr std::size_t together = 64;  // blocks that are computed side by side

// The words of so many blocks: all their first ones, and all their second ones.
struct Words {
  std::uint64_t first[together], second[together];
};

// As `philox` in random.hpp, which says what it is, with the counter's last half 0.
void compute(std::uint64_t seed, std::uint64_t block, std::size_t count, Words& words) {
  std::uint32_t x[4][together];
  for (std::size_t i = 0; i < count; ++i) {
    x[0][i] = static_cast<std::uint32_t>(block + i);
    x[1][i] = static_cast<std::uint32_t>((block + i) >> 32);
    x[2][i] = x[3][i] = 0;
  }
  auto key0 = static_cast<std::uint32_t>(seed), key1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round, key0 += 0x9E3779B9, key1 += 0xBB67AE85)
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t p = std::uint64_t{0xD2511F53} * x[0][i], q = std::uint64_t{0xCD9E8D57} * x[2][i];
      x[0][i] = static_cast<std::uint32_t>(q >> 32) ^ x[1][i] ^ key0;
      x[1][i] = static_cast<std::uint32_t>(q);
      x[2][i] = static_cast<std::uint32_t>(p >> 32) ^ x[3][i] ^ key1;
      x[3][i] = static_cast<std::uint32_t>(p);
    }
  for (std::size_t i = 0; i < count; ++i) {
    words.first[i] = x[0][i] | std::uint64_t{x[1][i]} << 32;
    words.second[i] = x[2][i] | std::uint64_t{x[3][i]} << 32;
  }
}

// Calls f(words, how many blocks, place of the first number, how many numbers).
template <class F>
void for_words(std::uint64_t seed, std::uint64_t block, std::size_t n, F f) {
  Words words;
  for (std::size_t at = 0; at < n; at += 2 * together, block += together) {
    const std::size_t numbers = std::min(n - at, 2 * together), blocks = (numbers + 1) / 2;
    compute(seed, block, blocks, words);
    f(words, blocks, at, numbers);
  }
}

// 53 bits as a number in [0, 1).
double unit(std::uint64_t word) { return static_cast<double>(static_cast<std::int64_t>(word >> 11)) * 0x1p-53; }

}  // namespace

template <Target target>
void random_words_on(std::uint64_t seed, std::uint64_t block, std::uint64_t* out, std::size_t n) {
  for_words(seed, block, n, [=](const Words& words, std::size_t, std::size_t at, std::size_t numbers) {
    const std::uint64_t* halves[] = {words.first, words.second};
    for (std::size_t i = 0; i < numbers; ++i) out[at + i] = halves[i % 2][i / 2];
  });
}

template <Target target, class T>
void random_uniform_on(std::uint64_t seed, std::uint64_t block, double low, double high, T* out, std::size_t n) {
  // A number may be rounded up to the end, which then gives way to the one before it.
  const T start = static_cast<T>(low), end = static_cast<T>(high), last = start == end ? end : std::nextafter(end, start);
  for_words(seed, block, n, [=](const Words& words, std::size_t blocks, std::size_t at, std::size_t numbers) {
    T drawn[2 * together];
    for (std::size_t i = 0; i < blocks; ++i) {
      drawn[2 * i] = std::min(static_cast<T>(low + (high - low) * unit(words.first[i])), last);
      drawn[2 * i + 1] = std::min(static_cast<T>(low + (high - low) * unit(words.second[i])), last);
    }
    std::copy_n(drawn, numbers, out + at);
  });
}

template <Target target, class T>
void random_normal_on(std::uint64_t seed, std::uint64_t block, double mean, double stddev, T* out, std::size_t n) {
  using V = Batch<double>;
  for_words(seed, block, n, [=](const Words& words, std::size_t blocks, std::size_t at, std::size_t numbers) {
    alignas(64) double u[together], v[together] = {};
    std::fill_n(u, together, 1.0);  // which raises no exceptions where no number is asked for
    for (std::size_t i = 0; i < blocks; ++i) u[i] = 1 - unit(words.first[i]), v[i] = unit(words.second[i]);
    for (std::size_t i = 0; i < blocks; i += V::size) {
      const V r = xsimd::sqrt(log(V::load_aligned(u + i)) * V(-2.0));
      const auto [sine, cosine] = xsimd::sincos(V::load_aligned(v + i) * V(2 * std::numbers::pi));
      (r * cosine).store_aligned(u + i);
      (r * sine).store_aligned(v + i);
    }
    const double* halves[] = {u, v};
    for (std::size_t i = 0; i < numbers; ++i) out[at + i] = static_cast<T>(mean + stddev * halves[i % 2][i / 2]);
  });
}

template void random_words_on<here>(std::uint64_t, std::uint64_t, std::uint64_t*, std::size_t);
template void random_uniform_on<here>(std::uint64_t, std::uint64_t, double, double, float*, std::size_t);
template void random_uniform_on<here>(std::uint64_t, std::uint64_t, double, double, double*, std::size_t);
template void random_normal_on<here>(std::uint64_t, std::uint64_t, double, double, float*, std::size_t);
template void random_normal_on<here>(std::uint64_t, std::uint64_t, double, double, double*, std::size_t);

}  // namespace xtape::kernels
