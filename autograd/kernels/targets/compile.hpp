// Makes the compiler produce the rows of elementwise functions, for the target that it compiles for.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include <autograd/fused/rule.hpp>
#include <autograd/kernels/dense.hpp>
#include <autograd/kernels/rows.hpp>
#include <autograd/kernels/targets/here.hpp>
#include <autograd/kernels/targets/map.hpp>

namespace xtape::kernels {

template <Target target, class T, class F, std::size_t N>
void map_row_on(const T* const* in, const std::ptrdiff_t* step, std::size_t n, T* out) {
  auto f = []<class... Vs>(const Vs&... x) { return std::array<Batch<T>, 1>{F()(x...)}; };
  map_row<Batch<T>, N, 1>(f, in, step, n, &out);
}

template <Target target, class T, class F>
void update_row_on(const F& f, const std::array<T*, F::writes>& written, const std::array<const T*, F::reads>& read,
                   std::size_t n) {
  constexpr std::size_t N = F::writes + F::reads;
  const T* in[N];
  std::copy(read.begin(), read.end(), std::copy(written.begin(), written.end(), in));
  auto updated = [f]<class... Vs>(Vs... x) {
    f(x...);
    const std::tuple all(x...);
    return [&]<std::size_t... W>(std::index_sequence<W...>) {
      return std::array{std::get<W>(all)...};
    }(std::make_index_sequence<F::writes>());
  };
  map_row<Batch<T>, N, F::writes>(updated, in, step_one, n, written.data());
}

namespace detail {

template <Target target, std::size_t N, class F, class... Ts>
constexpr auto rows_of() {
  return std::tuple(&map_row_on<target, Ts, F, N>...);
}
template <Target target, class Partial>
constexpr std::tuple<> rows_of_partial(const Partial&) {
  return {};
}
template <Target target, class F, std::size_t... Which>
constexpr auto rows_of_partial(const fused::With<F, Which...>&) {
  return rows_of<target, sizeof...(Which) + 1, F, float, double>();
}
template <Target target, bool integers, class F, class... Partials>
constexpr auto rows_of_rule(const fused::Rule<integers, F, Partials...>& rule) {
  constexpr std::size_t N = sizeof...(Partials);
  auto integer_rows = [] {
    if constexpr (integers) return rows_of<target, N, F, std::int64_t>();
    else return std::tuple();
  };
  return std::tuple_cat(rows_of<target, N, F, float, double>(), integer_rows(),
                        std::apply([](const auto&... p) { return std::tuple_cat(rows_of_partial<target>(p)...); },
                                   rule.partials));
}

}  // namespace detail

/// What `map` calls for the functions and partial derivatives of these rules. An explicit instantiation compiles it.
template <Target target, const auto&... rules>
struct CompiledRules {
  static constexpr auto rows = std::tuple(detail::rows_of_rule<target>(rules)...);
};

/// The same for functions of N operands.
template <Target target, std::size_t N, class... Fs>
struct CompiledFunctions {
  static constexpr auto rows = std::tuple(detail::rows_of<target, N, Fs, float, double>()...);
};

/// The same for what `update` calls.
template <Target target, class... Fs>
struct CompiledUpdates {
  static constexpr auto rows = std::tuple(&update_row_on<target, float, Fs>..., &update_row_on<target, double, Fs>...);
};

}  // namespace xtape::kernels
