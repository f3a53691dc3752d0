// Random numbers by a function of their place in a stream, so that any thread can compute any of them.
#pragma once

#include <array>
#include <cstdint>

#include <autograd/array.hpp>

namespace xtape::kernels {

/// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011): 128 random
/// bits for each counter and key.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// The numbers that follow from a seed. They come in blocks of two.
struct RandomStream {
  std::uint64_t seed = 0, block = 0;  ///< `block` is the number of the next one.

  /// 64 random bits, a block's first, of the stream and not of it alone: each `attempt` gives others.
  std::uint64_t word(std::uint64_t block, bool second = false, std::uint32_t attempt = 0) const;
  std::uint64_t next() { return word(block++); }
};

// Each fills an array, and moves the stream on.

/// 53 random bits as a number in [0, 1), stretched to [low, high); `low` where the two are one number of the dtype.
void fill_uniform(RandomStream& stream, Array& result, double low, double high);
/// By the transform of Box and Muller (1958): of u in (0, 1] and v in [0, 1), sqrt(-2 log(u)) times the cosine and sine of 2 pi v.
void fill_normal(RandomStream& stream, Array& result, double mean, double stddev);
/// int64 numbers in [low, high), all of them equally likely.
void fill_integers(RandomStream& stream, Array& result, std::int64_t low, std::int64_t high);
/// The numbers 0 to n - 1 in random order, by the shuffle of Fisher and Yates.
void fill_permutation(RandomStream& stream, Array& result);

}  // namespace xtape::kernels
