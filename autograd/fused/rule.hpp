// How an elementwise operation is written down: its name, its function, and its partial derivatives, in one expression.
//
//     inline constexpr auto mul_rule = elementwise("mul", [](auto a, auto b) { return a * b; },
//                                                  with<B>([](auto b, auto g) { return g * b; }),
//                                                  with<A>([](auto a, auto g) { return g * a; }));
//
// The function runs on vector registers. Each partial takes the operands that it names (A, B, C, or the result Y)
// and the gradient g of the result, and returns the gradient of its operand. The same generic lambda serves on vector
// registers in the walk back, on Variables when the walk itself is recorded, and on the Numbers of `fuse` for derivatives
// of derivatives. Lambdas have no state: they are made anew where they are called.
#pragma once

#include <cstddef>
#include <tuple>

namespace xtape {

class Variable;
namespace detail {
class Elementwise;
}

namespace fused {

// What a partial derivative may ask for.
inline constexpr std::size_t A = 0, B = 1, C = 2, Y = 9;

template <class F, std::size_t... Which>
struct With {
  F f;
};

/// A partial derivative that needs these values and the gradient.
template <std::size_t... Which, class F>
constexpr With<F, Which...> with(F f) {
  return {f};
}

/// The gradient passes unchanged.
struct Pass {};
inline constexpr Pass pass{};

/// The derivative is zero, or the operand is not differentiable.
struct Constant {};
inline constexpr Constant constant{};

/// An elementwise operation. What the call of one on Variables or Numbers does is in ops/define_elementwise.hpp.
template <bool takes_integers, class Forward, class... Partials>
struct Rule {
  static constexpr std::size_t N = sizeof...(Partials);

  const char* name;
  Forward forward;
  std::tuple<Partials...> partials;

  template <class... Vs>
  auto operator()(const Vs&... operands) const;

  /// There is one of each type of rules, and so of each rule.
  xtape::detail::Elementwise& operation() const;
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
