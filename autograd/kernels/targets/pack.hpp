// Numbers in the order in which the innermost loops of products read them.
#pragma once

#include <algorithm>

#include <autograd/kernels/scratch.hpp>
#include <autograd/kernels/targets/registers.hpp>

namespace xtape::kernels {
namespace {

template <class T>
T* room(Scratch use, std::size_t count) {
  return static_cast<T*>(scratch(use, count * sizeof(T)));
}

/// The length of parts of n, as even as they can be, of at most so many each.
inline std::size_t even(std::size_t n, std::size_t most) {
  std::size_t parts = (n + most - 1) / most;
  return (n + parts - 1) / parts;
}

template <class T>
std::size_t whole_registers(std::size_t count) { return (count + lanes<T> - 1) / lanes<T> * lanes<T>; }

/// to[l][j] = from[l][j] for j < count, and 0 for the other j < width <= whole_registers(count), in rows that are `stride` and `width` apart. The
/// next row of `to`, and a register beyond the last one, are spoilt where width is no multiple of a register.
template <class T>
void copy_rows(const T* from, std::size_t stride, std::size_t count, std::size_t depth, T* to, std::size_t width) {
  constexpr std::size_t n = lanes<T>;
  const First<T> first(count % n);
  for (std::size_t l = 0; l < depth; ++l, from += stride, to += width) {
    std::size_t i = 0;
    for (; i + n <= count; i += n) Register<T>::load_unaligned(from + i).store_unaligned(to + i);
    if (i < count) first.load(from + i).store_unaligned(to + i);
  }
}

/// to(l)[j] = row(j)[l] for j < count and l < depth. Where `Exact`, nothing else is written; otherwise the other j < width
/// <= whole_registers(count) become 0, and what follows a row is spoilt if width is no multiple of a register.
template <class T, bool Exact = false, class Row, class To>
void pack_rows(Row row, std::size_t count, std::size_t depth, To to, std::size_t width) {
  constexpr std::size_t n = lanes<T>;
  // The last columns first, since they reach into the next row's first ones where rows follow each other.
  for (std::size_t j = (width - 1) / n * n + n; j > 0;) {
    j -= n;
    const std::size_t present = std::min(n, count - j);
    std::size_t l = 0;
    for (; present == n && l + n <= depth; l += n)
      transpose_square<T>([&](std::size_t i) { return Register<T>::load_unaligned(row(j + i) + l); },
                          [&](std::size_t i, const Register<T>& x) { x.store_unaligned(to(l + i) + j); });
    const First<T> across(Exact ? present : 0);
    for (; l < depth; l += n) {
      const std::size_t left = std::min(n, depth - l);
      const First<T> first(left);
      transpose_square<T>(
          [&](std::size_t i) {
            if (i >= present) return Register<T>(T(0));
            return left == n ? Register<T>::load_unaligned(row(j + i) + l) : first.load(row(j + i) + l);
          },
          [&](std::size_t i, const Register<T>& x) {
            if (i >= left) return;
            if (Exact && present < n) across.store(to(l + i) + j, x);
            else x.store_unaligned(to(l + i) + j);
          });
    }
  }
}

/// Rows that are `stride` apart.
template <class T>
auto rows_at(T* first, std::size_t stride) {
  return [=](std::size_t i) { return first + i * stride; };
}

}  // namespace
}  // namespace xtape::kernels
