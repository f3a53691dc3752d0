// How an elementwise operation is written down: its name, its function, and its partial derivatives, in one expression.
//
//     inline constexpr auto mul_rule = elementwise("mul", [](auto a, auto b) { return a * b; },
//                                                  with<B>([](auto b, auto g) { return g * b; }),
//                                                  with<A>([](auto a, auto g) { return g * a; }));
//
// The function runs on vector registers. Each partial takes the operands that it names (A, B, C, or the result Y)
// and the gradient g of the result, and returns the gradient of its operand. The same generic lambda serves on vector
// registers in the walk back, on Variables when the walk itself is recorded, and on the numbers of `fuse`.
#pragma once

#include <cstddef>
#include <tuple>

namespace xtape {

class Variable;

namespace fused {

// What a partial derivative may ask for.
inline constexpr std::size_t A = 0, B = 1, C = 2, Y = 9;

template <class F, std::size_t... Which>
struct With {
  F f;
  static constexpr bool uses(std::size_t which) { return ((which == Which) || ...); }
};

/// A partial derivative that needs these values and the gradient.
template <std::size_t... Which, class F>
constexpr With<F, Which...> with(F f) {
  return {f};
}

/// The gradient passes unchanged.
struct Pass {
  static constexpr bool uses(std::size_t) { return false; }
};
inline constexpr Pass pass{};

/// The derivative is zero, or the operand is not differentiable.
struct Constant {
  static constexpr bool uses(std::size_t) { return false; }
};
inline constexpr Constant constant{};

/// An elementwise operation. What the call of one on Variables does is in ops/define_elementwise.hpp; the tape keeps a
/// reference to the rule, which therefore is a constant of static storage.
template <bool takes_integers, class Forward, class... Partials>
struct Rule {
  static constexpr std::size_t N = sizeof...(Partials);
  static constexpr bool integers = takes_integers;

  const char* name;
  Forward forward;
  std::tuple<Partials...> partials;

  template <class... Vs>
  Variable operator()(const Vs&... operands) const;
};

/// An operation on float32 and float64.
template <class Forward, class... Partials>
constexpr auto elementwise(const char* name, Forward forward, Partials... partials) {
  return Rule<false, Forward, Partials...>{name, forward, {partials...}};
}

/// An operation that takes int64 as well.
template <class Forward, class... Partials>
constexpr auto elementwise_any(const char* name, Forward forward, Partials... partials) {
  return Rule<true, Forward, Partials...>{name, forward, {partials...}};
}

}  // namespace fused
}  // namespace xtape
