// The elementwise kernel: one function of registers, over broadcast operands.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <tuple>
#include <utility>

#include <autograd/kernels/dense.hpp>
#include <autograd/kernels/loops.hpp>
#include <autograd/kernels/targets/map.hpp>

namespace xtape::kernels {

/// Calls the row of a function for all rows of its operands, broadcast to the shape of `out`.
template <class T>
void map_rows(MapRow<T> row, Array& out, std::span<const Array* const> in);

/// `out = f(in...)`, for a function without state of batches of T.
template <class T, class F, class... Inputs>
void map(const F&, Array& out, const Inputs&... in) {
  map_rows<T>(map_row_of<T, F, sizeof...(in)>(), out, std::array<const Array*, sizeof...(in)>{&in...});
}

/// Calls `f` with a batch of every array, element after element, and writes back what it made of the first F::writes of
/// them; it only reads the other F::reads. The arrays have one shape and one floating-point dtype. Numbers in `f` are
/// double, and rounded to that dtype where they meet a batch.
template <class F, class... Arrays>
void update(const F& f, Arrays&... arrays) {
  static_assert(sizeof...(arrays) == F::writes + F::reads);
  const std::array all{static_cast<const Array*>(&arrays)...};
  visit_floating("update", all[0]->dtype(), [&]<class T>(T) {
    auto row = with_target([]<Target target>() { return &update_row_on<target, T, F>; });
    auto of_arrays = [&]<std::size_t... W, std::size_t... R>(auto tied, std::index_sequence<W...>,
                                                            std::index_sequence<R...>) {
      const std::array written{std::get<W>(tied).template mutable_data<T>()...};
      const std::array<const T*, F::reads> read{std::get<F::writes + R>(tied).template data<T>()...};
      for_each_row(all, [&](const std::ptrdiff_t* offset, const std::ptrdiff_t*, std::size_t n) {
        row(f, {written[W] + *offset...}, {read[R] + *offset...}, n);
      });
    };
    of_arrays(std::tie(arrays...), std::make_index_sequence<F::writes>(), std::make_index_sequence<F::reads>());
  });
}

}  // namespace xtape::kernels
