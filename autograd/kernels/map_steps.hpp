// The elementwise kernel of several functions, each of what those before it have computed, with several results, of which
// some are sums.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <autograd/array.hpp>
#include <autograd/kernels/targets/map.hpp>

namespace xtape::kernels {

/// Which array a number comes from or goes to, and which of its blocks: equal parts along the last axis.
struct Part {
  std::size_t array, block, blocks;
};

/// One function: what it reads are numbers, counted from the inputs on through the constants to the results of the steps
/// before.
template <class T>
struct Step {
  static constexpr std::size_t most = 5;

  MapRow<T> row;
  std::size_t count;
  std::array<std::uint32_t, most> operands;
};

template <class T>
struct Steps {
  std::vector<Repeated<T>> constants;
  std::vector<Step<T>> steps;
  std::vector<std::uint32_t> results;  ///< numbers
};

/// Computes the steps for every element of a common shape, to which the inputs broadcast; the parts say where each number
/// stands. A result of a smaller shape, which broadcasts as well, is summed over what that repeats, pieces of a row in its
/// own precision and then in double; an undefined one is left out. It takes a piece of a row through all steps before the
/// next, so that what stands between them stays in the cache.
template <class T>
void map_steps(const Steps<T>& steps, const Shape& common, std::span<const Array> inputs,
               std::span<const Part> input_parts, std::span<Array> results, std::span<const Part> result_parts);

}  // namespace xtape::kernels
