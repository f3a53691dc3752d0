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

template <class F>
constexpr bool is_empty(const F& f) {
  if constexpr (std::is_pointer_v<F>) return !f;
  else return false;
}
template <class Signature>
bool is_empty(const std::function<Signature>& f) { return !f; }

template <class F, std::size_t N = 1>
Variable call(F& f, const std::vector<Variable>& xs, const char* caller) {
  if constexpr (takes<F>(std::make_index_sequence<N>())) {
    if (xs.size() == N)
      return [&]<std::size_t... I>(std::index_sequence<I...>) { return f(xs[I]...); }(std::make_index_sequence<N>());
  }
  if constexpr (N < 8) return call<F, N + 1>(f, xs, caller);
  throw ValueError(std::string(caller) + ": the function does not take " + std::to_string(xs.size()) + " Variables");
}

template <class F, std::size_t N = 1>
constexpr bool takes_variables() {
  if constexpr (takes<F>(std::make_index_sequence<N>())) return true;
  else if constexpr (N < 8) return takes_variables<F, N + 1>();
  else return false;
}

template <class F>
concept FunctionOfVariables = takes_variables<F>();
// Only asked where the other one is false: to ask may compile the body of a generic lambda.
template <class F>
concept FunctionOfMany = std::is_invocable_r_v<Variable, F&, const std::vector<Variable>&>;

}  // namespace detail

/// A function of Variables that returns one: any callable of one to eight of them, `[](auto x, auto w) {...}`, or of
/// a vector of any number, which names its type, `[](const std::vector<Variable>& xs) {...}`.
class Callable {
 public:
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Callable> && !std::convertible_to<F, Variable> &&
             detail::FunctionOfVariables<F>)
  Callable(F f) {
    if (detail::is_empty(f)) return;
    f_ = [f = std::move(f)](const std::vector<Variable>& xs, const char* caller) mutable {
      return detail::call(f, xs, caller);
    };
  }
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Callable> && !std::convertible_to<F, Variable> &&
             !detail::FunctionOfVariables<F> && detail::FunctionOfMany<F>)
  Callable(F f) {
    if (detail::is_empty(f)) return;
    f_ = [f = std::move(f)](const std::vector<Variable>& xs, const char*) mutable { return f(xs); };
  }

  /// @throws ValueError, in the caller's name, when the function takes another number of Variables, or is empty.
  Variable operator()(const std::vector<Variable>& xs, const char* caller = "Callable") const {
    if (!f_) throw ValueError(std::string(caller) + ": the function is empty");
    return f_(xs, caller);
  }

 private:
  std::function<Variable(const std::vector<Variable>&, const char*)> f_;
};

}  // namespace xtape
