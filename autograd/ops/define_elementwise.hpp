// What an elementwise rule does when it is called: on Variables it computes, and records itself; on Numbers it is written
// down.
#pragma once

#include <array>
#include <cmath>

#include <autograd/fused/program.hpp>
#include <autograd/fused/rule.hpp>
#include <autograd/ops/activations.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/elementwise_operation.hpp>

namespace xtape {
namespace detail {

/// Of isclose. @throws ValueError unless both are 0 or more.
void require_tolerances(double rtol, double atol);

template <class F, std::size_t N>
Elementwise::Rows rows_of() {
  return {kernels::map_row_of<float, F, N>(), kernels::map_row_of<double, F, N>()};
}

/// f(values[0], values[1], ...)
template <class Result, class F, class X, std::size_t... K>
Result call(const X* values, std::index_sequence<K...>) {
  return F()(values[K]...);
}

inline Elementwise::Partial table_of(const fused::Constant&) { return {Elementwise::Partial::Kind::constant}; }
inline Elementwise::Partial table_of(const fused::Pass&) { return {Elementwise::Partial::Kind::pass}; }
template <class F, std::size_t... Which>
Elementwise::Partial table_of(const fused::With<F, Which...>&) {
  constexpr std::size_t N = sizeof...(Which) + 1;
  using All = std::make_index_sequence<N>;
  return {Elementwise::Partial::Kind::function,
          sizeof...(Which),
          {static_cast<std::uint8_t>(Which == fused::Y ? Elementwise::Partial::result : Which)...},
          rows_of<F, N>(),
          [](const Variable* values) { return call<Variable, F>(values, All()); },
          [](const fused::Number* values) { return call<fused::Number, F>(values, All()); }};
}

}  // namespace detail

template <bool integers, class Forward, class... Partials>
xtape::detail::Elementwise& fused::Rule<integers, Forward, Partials...>::operation() const {
  static xtape::detail::Elementwise made = [this] {
    auto rows = xtape::detail::rows_of<Forward, N>();
    if constexpr (integers) rows.of_int64 = kernels::map_row_of<std::int64_t, Forward, N>();
    return std::apply([&](const auto&... p) { return xtape::detail::Elementwise(name, rows, std::array{xtape::detail::table_of(p)...}); },
                      partials);
  }();
  return made;
}

template <bool integers, class Forward, class... Partials>
template <class... Vs>
auto fused::Rule<integers, Forward, Partials...>::operator()(const Vs&... operands) const {
  static_assert(sizeof...(Vs) == N, "a rule has one partial derivative for each operand");
  if constexpr ((std::is_convertible_v<const Vs&, const Number&> && ...)) return Program::write(operation(), {operands...});
  else return operation()(std::array<const Variable*, N>{&operands...});
}

}  // namespace xtape
