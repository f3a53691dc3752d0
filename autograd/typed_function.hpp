// A function of trees as the transforms see it: from a list of Variables to another.
#pragma once

#include <concepts>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <autograd/callable.hpp>
#include <autograd/tree.hpp>

namespace xtape {

/// What a function returns that has something beside its value: a Variable or a tree, and anything else. See `with_aux`.
template <class Y, class A>
struct WithAux {
  Y value;
  A aux;
};

/// For a function to return beside what is differentiated something that is not, such as predictions or a count: what
/// transforms return then has it, too, as `aux`. Variables in it are recorded like the value.
///
///     auto loss = [&](auto& w) { Variable p = matmul(x, w); return with_aux(mean(square(p - y)), p); };
///     auto [value, gradient, predictions] = value_and_grad(loss, w);
template <class Y, class A>
auto with_aux(Y&& value, A&& aux) {
  if constexpr (std::convertible_to<Y, Variable>)
    return WithAux<Variable, std::decay_t<A>>{std::forward<Y>(value), std::forward<A>(aux)};
  else return WithAux<std::decay_t<Y>, std::decay_t<A>>{std::forward<Y>(value), std::forward<A>(aux)};
}

namespace detail {

/// What is no output, nor a list of such, of another `grad`.
template <class F>
concept NoVariables = !std::derived_from<std::remove_cvref_t<F>, Variable> &&
                      !std::same_as<std::remove_cvref_t<F>, std::vector<Variable>>;

/// What a function is called with for an input of a type: handles of all kinds are Variables.
template <class T>
using Input = std::conditional_t<std::derived_from<T, Variable>, Variable, T>;

template <class F, std::size_t... I>
constexpr bool takes_each(std::index_sequence<I...>) {
  return std::is_invocable_v<F&, decltype((void)I, std::declval<const Variable&>())...>;
}
template <class F, std::size_t... I>
auto call_each(F& f, const std::vector<Variable>& xs, std::index_sequence<I...>) { return f(xs[I]...); }

// How many Variables f takes, one to eight; the least number where there are several, 0 where it takes them as a list.
template <class F, std::size_t N = 1>
constexpr std::size_t variable_count() {
  if constexpr (std::same_as<std::remove_cv_t<F>, Callable>) return 0;
  else if constexpr (takes_each<F>(std::make_index_sequence<N>())) return N;
  else if constexpr (N < 8) return variable_count<F, N + 1>();
  else return 0;
}

template <class R, class F, std::size_t N>
R call_counted(F& f, const std::vector<Variable>& xs, const char* caller) {
  using Count = std::make_index_sequence<N>;
  if constexpr (takes_each<F>(Count())) {
    if constexpr (std::convertible_to<decltype(call_each(f, xs, Count())), R>)
      if (xs.size() == N) return call_each(f, xs, Count());
  }
  if constexpr (N < 8) return call_counted<R, F, N + 1>(f, xs, caller);
  throw ValueError(std::string(caller) + ": the function does not take " + std::to_string(xs.size()) + " Variables");
}

// f of what the transform was given: a list is the arguments one by one, or one of them.
template <class F, class T>
auto call_with(F& f, const T& inputs, const char* caller) {
  if constexpr (std::same_as<std::remove_cv_t<F>, Callable>) {
    return f(inputs, caller);
  } else {
    if (is_empty(f)) throw ValueError(std::string(caller) + ": the function is empty");
    if constexpr (std::same_as<T, std::vector<Variable>>) {
      constexpr std::size_t n = variable_count<F>();
      if constexpr (n > 0) {
        using Result = decltype(call_each(f, inputs, std::make_index_sequence<n>()));
        return call_counted<Result, F, n>(f, inputs, caller);
      } else {
        return f(inputs);
      }
    } else {
      return f(inputs);
    }
  }
}

// What a function returns, in two parts.
template <class R>
struct Returned {
  static_assert(std::convertible_to<R, Variable> || Tree<R>, "the function returns neither a Variable nor a tree");
  using Value = std::conditional_t<std::convertible_to<R, Variable>, Variable, R>;
  using Aux = void;
};
template <class Y, class A>
struct Returned<WithAux<Y, A>> : Returned<Y> {
  using Aux = A;
};

/// What a function returned, as lists.
struct FlatValue {
  FlatTree value;
  std::vector<Variable> aux = {};
};

/// A function, and what a transform is to call it with.
struct FlatCall {
  const char* transform;
  FlatTree inputs;
  std::function<FlatValue(const std::vector<Variable>&)> function;
};

/// Keeps what a function returned, whose types the lists of Variables go back to; and what it was called with, for what it
/// recorded may refer to it: a function within it that runs again on the way back, such as that of a checkpoint.
template <class F, class T>
class TypedFunction {
 public:
  using Result = decltype(call_with(std::declval<F&>(), std::declval<const T&>(), ""));
  using Value = typename Returned<Result>::Value;
  using Aux = typename Returned<Result>::Aux;
  static constexpr bool has_aux = !std::is_void_v<Aux>;

  TypedFunction(const char* transform, F& f, const T& inputs) : transform_(transform), f_(f), inputs_(inputs) {}

  FlatCall flat() {
    return {transform_, flat_tree(inputs_), [this](const std::vector<Variable>& xs) { return call(xs); }};
  }
  /// Lists in the types of what they are for.
  Value as_value(const std::vector<Variable>& values) const { return with_leaves(value_form(), values); }
  T as_inputs(const std::vector<Variable>& xs) const { return with_leaves(inputs_, xs); }
  auto as_aux(const std::vector<Variable>& xs) const { return with_leaves<false>(result_->aux, xs); }
  std::shared_ptr<const void> arguments() const { return arguments_; }

 private:
  FlatValue call(const std::vector<Variable>& xs) {
    const T& arguments = arguments_->emplace_back(with_leaves(inputs_, xs));
    result_.emplace(call_with(f_, arguments, transform_));
    FlatValue flat{flat_tree(value_form())};
    if constexpr (has_aux) {
      auto add = [&](const Variable& leaf, const TreePath&) { flat.aux.push_back(leaf); };
      visit_leaves<false>(std::as_const(result_->aux), TreePath(), add);
    }
    return flat;
  }
  const Value& value_form() const {
    if constexpr (has_aux) return result_->value;
    else return *result_;
  }

  const char* transform_;
  F& f_;
  const T& inputs_;
  std::shared_ptr<std::list<T>> arguments_ = std::make_shared<std::list<T>>();
  std::optional<std::conditional_t<has_aux, Result, Value>> result_;
};

}  // namespace detail
}  // namespace xtape
