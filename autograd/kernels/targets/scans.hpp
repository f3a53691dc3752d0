// Running results along columns, for each target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <autograd/kernels/target.hpp>

namespace xtape::kernels {

/// What a running result is kept in: integers wrap around.
template <class T>
using Running = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;

// Rules: the next result from the last one, a factor and a term. The first result is the first term. What is called for
// different targets has different names.
struct RunningSum {
  template <Target, class R>
  static R next(R last, R, R term) { return last + term; }
};
struct RunningProduct {
  template <Target, class R>
  static R next(R last, R, R term) { return last * term; }
};
struct LinearScan {
  template <Target, class R>
  static R next(R last, R factor, R term) { return factor * last + term; }
};

/// Columns of equal length, which a scan goes along.
struct Columns {
  std::size_t length;
  std::ptrdiff_t along;    ///< from an element of one to the next, in elements
  std::size_t count;       ///< how many columns
  std::ptrdiff_t between;  ///< from one column to the next
};

/// The running results of `terms`, to `out`; the factor of an element stands `shift` elements from where it stands itself.
template <Target target, class Rule, class T>
void scan_on(const Columns& columns, const T* factors, std::ptrdiff_t shift, const T* terms, T* out);

}  // namespace xtape::kernels
