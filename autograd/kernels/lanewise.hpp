// Scalar functions for batches.
#pragma once

#include <cstddef>
#include <utility>

#include <autograd/kernels/xsimd.hpp>

namespace xtape::kernels {

template <class T>
using Batch = xsimd::batch<T>;

/// Calls a scalar function for each lane, where no vector form is accurate enough or exists.
template <class T, class F, class... Rest>
Batch<T> lanewise(F f, const Batch<T>& x, const Rest&... rest) {
  constexpr std::size_t lanes = Batch<T>::size;
  alignas(64) T values[1 + sizeof...(rest)][lanes];
  std::size_t row = 0;
  x.store_unaligned(values[row++]);
  (rest.store_unaligned(values[row++]), ...);
  for (std::size_t i = 0; i < lanes; ++i)
    values[0][i] = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return static_cast<T>(f(values[I][i]...));
    }(std::make_index_sequence<1 + sizeof...(rest)>());
  return Batch<T>::load_unaligned(values[0]);
}

}  // namespace xtape::kernels
