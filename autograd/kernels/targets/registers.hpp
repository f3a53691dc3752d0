// Registers of the processor that this is compiled for. What is in this folder is compiled for several targets, so that
// all names are local to each source: the linker would take any one of several functions of one name.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <autograd/kernels/xsimd.hpp>

namespace xtape::kernels {
namespace {

template <class T>
using Register = xsimd::batch<T>;
template <class T>
constexpr std::size_t lanes = Register<T>::size;

/// Reads and writes the first numbers of a register only; the others are read as zeros.
template <class T>
class First {
 public:
#if defined(__AVX512F__)
  explicit First(std::size_t count) : mask_(static_cast<Mask>((1u << count) - 1)) {}
  Register<T> load(const T* from) const {
    if constexpr (sizeof(T) == 4) return _mm512_maskz_loadu_ps(mask_, from);
    else return _mm512_maskz_loadu_pd(mask_, from);
  }
  void store(T* to, const Register<T>& x) const {
    if constexpr (sizeof(T) == 4) _mm512_mask_storeu_ps(to, mask_, x);
    else _mm512_mask_storeu_pd(to, mask_, x);
  }

 private:
  using Mask = std::conditional_t<sizeof(T) == 4, __mmask16, __mmask8>;
  Mask mask_;
#elif defined(__AVX2__)
  explicit First(std::size_t count) {
    if constexpr (sizeof(T) == 4)
      mask_ = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    else mask_ = _mm256_cmpgt_epi64(_mm256_set1_epi64x(static_cast<long long>(count)), _mm256_setr_epi64x(0, 1, 2, 3));
  }
  Register<T> load(const T* from) const {
    if constexpr (sizeof(T) == 4) return _mm256_maskload_ps(from, mask_);
    else return _mm256_maskload_pd(from, mask_);
  }
  void store(T* to, const Register<T>& x) const {
    if constexpr (sizeof(T) == 4) _mm256_maskstore_ps(to, mask_, x);
    else _mm256_maskstore_pd(to, mask_, x);
  }

 private:
  __m256i mask_;
#else
  explicit First(std::size_t count) : count_(count) {}
  Register<T> load(const T* from) const {
    T numbers[lanes<T>] = {};
    for (std::size_t i = 0; i < count_; ++i) numbers[i] = from[i];
    return Register<T>::load_unaligned(numbers);
  }
  void store(T* to, const Register<T>& x) const {
    T numbers[lanes<T>];
    x.store_unaligned(numbers);
    for (std::size_t i = 0; i < count_; ++i) to[i] = numbers[i];
  }

 private:
  std::size_t count_;
#endif
};

// x0 y0 x1 y1 ..., in two registers.
template <class T, std::size_t... I>
void interleave(const Register<T>& x, const Register<T>& y, Register<T>& low, Register<T>& high,
                std::index_sequence<I...>) {
  using R = typename Register<T>::register_type;
  constexpr int n = sizeof...(I);
  R a = x, b = y;
  low = static_cast<R>(__builtin_shufflevector(a, b, static_cast<int>(I / 2 + I % 2 * n)...));
  high = static_cast<R>(__builtin_shufflevector(a, b, static_cast<int>((I + n) / 2 + I % 2 * n)...));
}

/// Transposes a square of as many rows as a register has numbers: `load(i)` is row i, `store(j, column)` takes column j; they
/// are called in order. To interleave the two halves of the rows rotates the bits of each number's place by one, and after
/// as many rounds as there are bits of a column, columns are rows.
template <class T, class Load, class Store>
void transpose_square(Load load, Store store) {
  constexpr std::size_t n = lanes<T>;
  Register<T> x[n], y[n];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < n; ++i) x[i] = load(i);
#pragma GCC unroll 4
  for (std::size_t round = 1; round < n; round *= 2) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < n / 2; ++i)
      interleave<T>(x[i], x[i + n / 2], y[2 * i], y[2 * i + 1], std::make_index_sequence<n>());
#pragma GCC unroll 16
    for (std::size_t i = 0; i < n; ++i) x[i] = y[i];
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < n; ++i) store(i, x[i]);
}

}  // namespace
}  // namespace xtape::kernels
