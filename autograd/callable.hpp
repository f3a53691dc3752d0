// What functions of functions take: any callable of Variables.
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape {

namespace detail {

template <class F, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return std::is_invocable_r_v<Variable, F&, decltype((void)I, std::declval<const Variable&>())...>;
}

template <class F, std::size_t N = 1>
Variable call(F& f, const std::vector<Variable>& xs) {
  if constexpr (takes<F>(std::make_index_sequence<N>())) {
    if (xs.size() == N)
      return [&]<std::size_t... I>(std::index_sequence<I...>) { return f(xs[I]...); }(std::make_index_sequence<N>());
  }
  if constexpr (N < 8) return call<F, N + 1>(f, xs);
  throw ValueError("the function does not take " + std::to_string(xs.size()) + " Variables");
}

template <class F>
concept FunctionOfMany = std::is_invocable_r_v<Variable, F&, const std::vector<Variable>&>;

}  // namespace detail

/// A function of Variables that returns one: any callable of one to eight of them, `[](auto& x, auto& w) {...}`, or of
/// a vector of any number, `[](const std::vector<Variable>& xs) {...}`. That of a single Variable names its type,
/// `[](const Variable& x) {...}`.
class Callable {
 public:
  template <detail::FunctionOfMany F>
    requires(!std::same_as<std::remove_cvref_t<F>, Callable>)
  Callable(F f) : f_(std::move(f)) {}
  template <class F>
    requires(!detail::FunctionOfMany<F> && !std::convertible_to<F, Variable>)
  Callable(F f) : f_([f = std::move(f)](const std::vector<Variable>& xs) mutable { return detail::call(f, xs); }) {}

  /// @throws ValueError when the function takes another number of Variables.
  Variable operator()(const std::vector<Variable>& xs) const { return f_(xs); }

 private:
  std::function<Variable(const std::vector<Variable>&)> f_;
};

}  // namespace xtape
