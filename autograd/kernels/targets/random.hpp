// Random numbers in one thread, for each target.
#pragma once

#include <cstddef>
#include <cstdint>

#include <autograd/kernels/target.hpp>

namespace xtape::kernels {

// n numbers of a stream, from the first of a block on; see random.hpp.

template <Target target>
void random_words_on(std::uint64_t seed, std::uint64_t block, std::uint64_t* out, std::size_t n);
template <Target target, class T>
void random_uniform_on(std::uint64_t seed, std::uint64_t block, double low, double high, T* out, std::size_t n);
template <Target target, class T>
void random_normal_on(std::uint64_t seed, std::uint64_t block, double mean, double stddev, T* out, std::size_t n);

}  // namespace xtape::kernels
