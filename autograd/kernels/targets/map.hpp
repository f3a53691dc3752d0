// A row of an elementwise function, for each target.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

#include <autograd/kernels/target.hpp>

namespace xtape::kernels {

/// No target has registers of more bytes.
constexpr std::size_t register_bytes = 64;

/// An element as an operand that is the same in a whole row.
template <class T>
struct alignas(register_bytes) Repeated {
  T values[register_bytes / sizeof(T)];

  Repeated() = default;
  explicit Repeated(T value) { std::fill(std::begin(values), std::end(values), value); }
};

/// `out = f(in...)` for a row of n > 0 elements. A step is 1, or 0 for an operand that is Repeated. The result may be
/// written over an operand whose step is 1.
template <class T>
using MapRow = void (*)(const T* const* in, const std::ptrdiff_t* step, std::size_t n, T* out);

/// That of F, a function of N registers without state. Each that is called must be among the CompiledFunctions of a
/// source in a folder of targets.
template <Target target, class T, class F, std::size_t N>
void map_row_on(const T* const* in, const std::ptrdiff_t* step, std::size_t n, T* out);

template <class T, class F, std::size_t N>
MapRow<T> map_row_of() {
  return with_target([]<Target target>() -> MapRow<T> { return &map_row_on<target, T, F, N>; });
}

/// `f(written..., read...)` for a row of n elements: f changes batches of the former. Each that is called must be among
/// the CompiledUpdates of a source in a folder of targets.
template <Target target, class T, class F>
void update_row_on(const F& f, const std::array<T*, F::writes>& written, const std::array<const T*, F::reads>& read,
                   std::size_t n);

}  // namespace xtape::kernels
