// Pixels that are not next to each other, for each target.
#pragma once

#include <cstddef>

#include <autograd/kernels/target.hpp>

namespace xtape::kernels {

/// to[i] = from[i * stride] for i < n; or that is added to it.
template <Target target, class T>
void take_apart_on(const T* from, std::size_t stride, std::size_t n, T* to);
template <Target target, class T>
void add_taken_on(const T* from, std::size_t stride, std::size_t n, T* to);

/// to[i * stride] += from[i] for i < n. Those between may be written as they are.
template <Target target, class T>
void add_apart_on(const T* from, std::size_t n, T* to, std::size_t stride);

}  // namespace xtape::kernels
