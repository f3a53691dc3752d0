// The elementwise kernel: one function of batches, over any number of broadcast operands.
#pragma once

#include <algorithm>
#include <array>

#include <autograd/array.hpp>
#include <autograd/kernels/layout.hpp>
#include <autograd/kernels/simd.hpp>

namespace xtape::kernels {

/// One row of n elements: `out[i] = f(in[0][i], in[1][i], ...)`, where an operand of step 0 repeats its first.
/// The last, incomplete batch is computed like the others, so that no element depends on where it stands.
// One element alone: filling a register from it is faster than loading one from memory written bit by bit.
template <class T, std::size_t N, class F, std::size_t... K>
void map_element(const F& f, T* out, const std::array<const T*, N>& in, std::index_sequence<K...>) {
  *out = f(Batch<T>(*in[K])...).get(0);
}

template <class T, std::size_t N, class F>
void map_row(const F& f, T* out, std::array<const T*, N> in, const std::array<std::ptrdiff_t, N>& step, std::size_t n) {
  constexpr std::size_t lanes = Batch<T>::size;
  if (n == 1) return map_element(f, out, in, std::make_index_sequence<N>());
  alignas(64) T repeated[N ? N : 1][lanes];
  std::array<std::size_t, N> stride;
  for (std::size_t k = 0; k < N; ++k) {
    stride[k] = step[k] ? lanes : 0;
    if (step[k]) continue;
    std::fill_n(repeated[k], lanes, *in[k]);
    in[k] = repeated[k];
  }
  auto advance = [&]<std::size_t... K>(std::index_sequence<K...>) {
    f(Batch<T>::load_unaligned(in[K])...).store_unaligned(out);
    ((in[K] += stride[K]), ...);
  };
  constexpr auto operands = std::make_index_sequence<N>();
  for (; n >= lanes; n -= lanes, out += lanes) advance(operands);
  if (n == 0) return;
  T* rest = out;
  alignas(64) T result[lanes];
  out = result;
  for (std::size_t k = 0; k < N; ++k) {
    if (!stride[k]) continue;
    // The lanes beyond the end compute on a value that is there, and raise no exceptions of their own.
    const T* first = in[k];
    std::fill(std::copy_n(first, n, repeated[k]), repeated[k] + lanes, *first);
    in[k] = repeated[k];
  }
  advance(operands);
  std::copy_n(result, n, rest);
}

/// `out = f(in...)` with every operand broadcast to the shape of `out`. `f` takes and returns batches of T.
template <class T, class F, class... Inputs>
void map(const F& f, Array& out, const Inputs&... in) {
  constexpr std::size_t N = sizeof...(in);
  T* result = out.mutable_data<T>();
  std::array<const T*, N> data{in.template data<T>()...};
  if ((in.has_shape_of(out) && ...)) {
    std::array<std::ptrdiff_t, N> step;
    step.fill(1);
    map_row<T, N>(f, result, data, step, out.size());
    return;
  }
  Loops<N> loops(out.shape(), {broadcast_strides(in.shape(), out.shape())...});
  std::size_t n = loops.inner().extent;
  loops.for_each_row([&](const std::array<std::ptrdiff_t, N>& offset) {
    std::array<const T*, N> row;
    for (std::size_t k = 0; k < N; ++k) row[k] = data[k] + offset[k];
    map_row<T, N>(f, result, row, loops.inner().step, n);
    result += n;
  });
}

}  // namespace xtape::kernels
