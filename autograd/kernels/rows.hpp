// A row of elements, register by register: what every kernel of functions of registers does inside the loops.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <autograd/kernels/simd.hpp>

namespace xtape::kernels {

// Named after their registers V: programs that are compiled for several processors, and linked into one, must not take one
// for another.
namespace detail {

/// `out = f(in...)` for so many whole registers. There is one call of f, which is large once it is in place. It is taken
/// by value: what stands in a reference would be read anew after each store.
template <class V, std::size_t N, std::size_t M, class F, class T = typename V::value_type>
[[gnu::noinline]] void map_registers(F f, const T* const* in, const std::ptrdiff_t* step, T* const* out,
                                     std::size_t count) {
  [&]<std::size_t... K, std::size_t... J>(std::index_sequence<K...>, std::index_sequence<J...>) {
    std::array from{in[K]...};
    const std::array to{out[J]...};
    const std::array stride{step[K] * static_cast<std::ptrdiff_t>(V::size)...};
    for (std::size_t at = 0, end = count * V::size; at < end; at += V::size) {
      const std::array<V, M> y = f(V::load_unaligned(from[K])...);
      (y[J].store_unaligned(to[J] + at), ...);
      ((from[K] += stride[K]), ...);
    }
  }(std::make_index_sequence<N>(), std::make_index_sequence<M>());
}

/// The elements from `begin` to n, which do not fill a register: beside copies of one that is there, which raise no
/// exceptions of their own.
template <class V, std::size_t N, std::size_t M, class F, class T = typename V::value_type>
[[gnu::noinline]] void map_rest(F f, const T* const* in, const std::ptrdiff_t* step, std::size_t begin, std::size_t n,
                                T* const* out) {
  alignas(64) T copies[N][V::size], last[M][V::size];
  const T* from[N];
  T* to[M];
  for (std::size_t k = 0; k < N; ++k) {
    from[k] = step[k] ? copies[k] : in[k];
    if (!step[k]) continue;
    V(in[k][begin]).store_aligned(copies[k]);
    if (n - begin > 1) std::copy(in[k] + begin + 1, in[k] + n, copies[k] + 1);
  }
  for (std::size_t j = 0; j < M; ++j) to[j] = last[j];
  map_registers<V, N, M>(f, from, step, to, 1);
  for (std::size_t j = 0; j < M; ++j) {
    out[j][begin] = last[j][0];
    if (n - begin > 1) std::copy_n(last[j] + 1, n - begin - 1, out[j] + begin + 1);
  }
}

}  // namespace detail

/// `out = f(in...)` for the n elements of a row, n > 0: f takes a register of each of N operands and returns an array of M
/// registers, one for each result. A step is 1, or 0 for an operand of which there is one register, for all of the row.
/// No element depends on where it stands. Results may be written over operands whose step is 1.
template <class V, std::size_t N, std::size_t M, class F, class T = typename V::value_type>
void map_row(const F& f, const T* const* in, const std::ptrdiff_t* step, std::size_t n, T* const* out) {
  const std::size_t whole = n / V::size;
  if (whole > 0) detail::map_registers<V, N, M>(f, in, step, out, whole);
  if (n % V::size > 0) detail::map_rest<V, N, M>(f, in, step, whole * V::size, n, out);
}

}  // namespace xtape::kernels
