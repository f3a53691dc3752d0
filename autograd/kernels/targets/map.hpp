// A row of an elementwise function, for each target.
#pragma once

#include <array>
#include <cstddef>

#include <autograd/kernels/target.hpp>

namespace xtape::kernels {

/// `out = f(in...)` for a row of n elements. A step is 1, or 0 for an operand that is the same in the whole row. Each
/// that is called must be among the CompiledFunctions of a source in a folder of targets.
template <Target target, class T, class F, std::size_t N>
void map_row_on(const F& f, const std::array<const T*, N>& in, const std::ptrdiff_t* step, std::size_t n, T* out);

/// `f(written..., read...)` for a row of n elements: f changes batches of the former. Each that is called must be among
/// the CompiledUpdates of a source in a folder of targets.
template <Target target, class T, class F>
void update_row_on(const F& f, const std::array<T*, F::writes>& written, const std::array<const T*, F::reads>& read,
                   std::size_t n);

}  // namespace xtape::kernels
