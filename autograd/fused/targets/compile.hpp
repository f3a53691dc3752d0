// Makes the compiler produce the rows of fused functions, for the target that it compiles for.
#pragma once

#include <tuple>
#include <utility>

#include <autograd/fused/on_targets.hpp>
#include <autograd/kernels/targets/here.hpp>

namespace xtape::fused {

template <kernels::Target target, class T, class F, class L, unsigned order>
void fused_row_on(const F& f, const kernels::Place* places, const std::ptrdiff_t* step, std::size_t n) {
  detail::fused_row<kernels::Batch<T>, F, L, order>(f, places, step, n);
}

/// The blocks of each operand and of each result of a function, and its derivatives up to the order `last`. An explicit
/// instantiation compiles them.
template <kernels::Target target, unsigned last, class F, class Inputs, class Results>
struct CompiledFusion {
  using L = detail::Layout<Inputs, Results>;
  template <class T, unsigned... orders>
  static constexpr auto of_orders(std::integer_sequence<unsigned, orders...>) {
    return std::tuple(&fused_row_on<target, T, F, L, orders>...);
  }
  static constexpr std::make_integer_sequence<unsigned, last + 1> orders{};
  static constexpr auto rows = std::tuple_cat(of_orders<float>(orders), of_orders<double>(orders));
};

}  // namespace xtape::fused
