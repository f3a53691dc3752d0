// The rows and columns of a reduction in one thread, for each target.
#pragma once

#include <cstddef>
#include <limits>
#include <type_traits>

#include <autograd/kernels/simd.hpp>
#include <autograd/kernels/target.hpp>

namespace xtape::kernels {

// What reductions combine numbers by, and registers.
struct Sum {
  template <class T>
  static constexpr T identity = 0;
  template <class V>
  static V combine(const V& a, const V& b) { return a + b; }
};

struct Max {
  template <class T>
  static constexpr T identity =
      std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  template <class V>
  static V combine(const V& a, const V& b) {
    if constexpr (std::is_arithmetic_v<V>) return a > b || a != a ? a : b;
    else return maximum(a, b);
  }
};

struct Min {
  template <class T>
  static constexpr T identity =
      std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  template <class V>
  static V combine(const V& a, const V& b) {
    if constexpr (std::is_arithmetic_v<V>) return a < b || a != a ? a : b;
    else return minimum(a, b);
  }
};

/// What blocks of T add up in, so that neither the length nor the direction of a sum costs digits.
template <class T>
using Total = std::conditional_t<std::is_floating_point_v<T>, double, T>;

constexpr std::size_t columns_together = 512;  ///< that are reduced side by side

/// The combination by R of n elements, block by block.
template <Target target, class R, class T>
Total<T> reduce_row_on(const T* x, std::size_t n);

/// totals[k] = the combination of the k-th elements of rows of n elements, for k < width <= columns_together.
template <Target target, class R, class T>
void reduce_columns_on(const T* x, std::size_t rows, std::size_t n, std::size_t width, Total<T>* totals);

/// Adds the elements of a row to sums of their own.
template <Target target, class T>
void add_row_on(const T* x, std::size_t n, double* sums);

}  // namespace xtape::kernels
