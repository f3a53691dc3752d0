// The numbers that a fused function computes with: vector registers that carry their own derivatives along.
//
// A Dual of level 0 is a register. One of level L > 0 has a value of a lower level and a tangent for each direction of
// differentiation, as in forward mode: f(x + t e) = f(x) + f'(x) t e. Tangents that are 0 by construction have the type
// Zero, so that the compiler drops them, and infinity times nothing stays nothing. Duals of Duals give the derivatives
// of derivatives.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include <autograd/fused/rule.hpp>
#include <autograd/kernels/simd.hpp>

namespace xtape::fused {

// What a rule's lambdas call on registers; declared here, lest the functions of this namespace hide it.
using xtape::atan2;
using xtape::cosh;
using xtape::error_complement;
using xtape::error_function;
using xtape::exp;
using xtape::exp2;
using xtape::expm1;
using xtape::hypot;
using xtape::is_nan;
using xtape::log;
using xtape::log10;
using xtape::log2;
using xtape::maximum;
using xtape::minimum;
using xtape::normal_probability;
using xtape::power;
using xtape::sigmoid;
using xtape::sign;
using xtape::sinh;
using xtape::softplus;
using xtape::square;
using xtape::tanh;
using xtape::where;

// The same on Variables, where the public name is another.
Variable error_complement(const Variable& x);
Variable error_function(const Variable& x);
Variable is_nan(const Variable& x);
Variable power(const Variable& a, const Variable& b);

/// A tangent that is 0.
struct Zero {};

template <int Level, class Value, class... Tangents>
struct Dual {
  Value value;
  [[no_unique_address]] std::tuple<Tangents...> tangents;
};

/// The result of a comparison, lane by lane.
template <class Register>
struct Mask {
  typename Register::batch_bool_type value;

  friend Mask operator!(const Mask& m) { return {!m.value}; }
  friend Mask operator&&(const Mask& a, const Mask& b) { return {a.value & b.value}; }
  friend Mask operator||(const Mask& a, const Mask& b) { return {a.value | b.value}; }
};

namespace detail {

// Of a plain C++ number.
template <class X>
struct Traits {
  static constexpr int level = -1;
  static constexpr std::size_t directions = 0;
  using Register = void;
};
template <class R>
struct Traits<Dual<0, R>> {
  static constexpr int level = 0;
  static constexpr std::size_t directions = 0;
  using Register = R;
};
template <int L, class V, class... Ts>
  requires(L > 0)
struct Traits<Dual<L, V, Ts...>> {
  static constexpr int level = L;
  static constexpr std::size_t directions = sizeof...(Ts);
  using Register = typename Traits<V>::Register;
};

template <class... Xs>
inline constexpr int level_of = std::max({Traits<Xs>::level...});
template <int L, class... Xs>
inline constexpr std::size_t directions_at = std::max({Traits<Xs>::level == L ? Traits<Xs>::directions : 0 ...});

template <class... Xs>
struct FirstRegister {
  using type = void;
};
template <class X, class... Xs>
struct FirstRegister<X, Xs...> {
  using Own = typename Traits<X>::Register;
  using type = typename std::conditional_t<std::is_void_v<Own>, FirstRegister<Xs...>, std::type_identity<Own>>::type;
};

}  // namespace detail

template <class X>
concept Number = detail::Traits<X>::level >= 0;
template <class X>
concept Scalar = std::is_arithmetic_v<X>;
template <class X>
concept Term = Number<X> || Scalar<X>;
/// At least one Number, and C++ scalars.
template <class... Xs>
concept AnyNumber = (Number<Xs> || ...) && (Term<Xs> && ...);

namespace detail {

template <class... Xs>
using register_of = typename FirstRegister<Xs...>::type;

/// The register below all derivatives; a scalar in every lane.
template <class R, class X>
R lanes(const X& x) {
  if constexpr (Scalar<X>) return R(static_cast<typename R::value_type>(x));
  else if constexpr (Traits<X>::level == 0) return x.value;
  else return lanes<R>(x.value);
}

/// x as it looks from below level L.
template <int L, class R, class X>
auto below(const X& x) {
  if constexpr (Scalar<X>) return Dual<0, R>{lanes<R>(x), {}};
  else if constexpr (Traits<X>::level == L) return x.value;
  else return x;
}

template <int L, std::size_t direction, class X>
auto tangent(const X& x) {
  if constexpr (Traits<X>::level == L) return std::get<direction>(x.tangents);
  else return Zero();
}

template <class S, class T>
auto plus(const S& s, const T& t) {
  if constexpr (std::same_as<S, Zero>) return t;
  else if constexpr (std::same_as<T, Zero>) return s;
  else return s + t;
}
inline Zero sum() { return {}; }
template <class T, class... Ts>
auto sum(const T& first, const Ts&... rest) {
  return plus(first, sum(rest...));
}

/// x as a V, which has at least its directions.
template <class V, class X>
V lift(const X& x) {
  if constexpr (std::same_as<V, X>) {
    return x;
  } else {
    constexpr int L = Traits<V>::level;
    static_assert(L > 0 && L >= Traits<X>::level, "fuse: a derivative depends on more than the value does");
    V result{lift<decltype(V::value)>(below<L, typename Traits<V>::Register>(x)), {}};
    [&]<std::size_t... J>(std::index_sequence<J...>) {
      auto set = [&]<class T, class S>(T& to, const S& from) {
        if constexpr (std::same_as<S, Zero> && !std::same_as<T, Zero>)
          to = lift<T>(Dual<0, typename Traits<V>::Register>{typename Traits<V>::Register(0), {}});
        else if constexpr (!std::same_as<S, Zero>) to = lift<T>(from);
      };
      (set(std::get<J>(result.tangents), tangent<L, J>(x)), ...);
    }(std::make_index_sequence<Traits<V>::directions>());
    return result;
  }
}

/// A Dual of this value. Its tangents that are not Zero get the value's type: then the type of a result says no more
/// than which operands it depends on, and a loop can assign to the same variable again and again.
template <int L, class V, class... Ts>
auto make_dual(const V& value, const std::tuple<Ts...>& tangents) {
  auto lifted = []<class T>(const T& t) {
    if constexpr (std::same_as<T, Zero>) return t;
    else return lift<V>(t);
  };
  return std::apply([&](const auto&... t) { return Dual<L, V, decltype(lifted(t))...>{value, {lifted(t)...}}; },
                    tangents);
}

/// What an operand's tangent adds to the result's: its partial derivative times the tangent.
template <class Values, class V, class T>
auto contribution(const Pass&, const Values&, const V&, const T& t) {
  return t;
}
template <class Values, class V, class T>
Zero contribution(const Constant&, const Values&, const V&, const T&) {
  return {};
}
template <class F, std::size_t... Which, class Values, class V, class T>
auto contribution(const With<F, Which...>& partial, const Values& values, const V& y, const T& t) {
  if constexpr (std::same_as<T, Zero>) return Zero();
  else
    return partial.f([&]<std::size_t W>(std::integral_constant<std::size_t, W>) {
      if constexpr (W == Y) return y;
      else return std::get<W>(values);
    }(std::integral_constant<std::size_t, Which>())..., t);
}

}  // namespace detail

/// The result of an operation on Numbers, with its derivatives by the chain rule.
template <class Rule, class... Xs>
  requires AnyNumber<Xs...>
auto chain(const Rule& rule, const Xs&... xs) {
  constexpr int L = detail::level_of<Xs...>;
  using Register = detail::register_of<Xs...>;
  if constexpr (L == 0) {
    return Dual<0, Register>{rule.forward(detail::lanes<Register>(xs)...), {}};
  } else {
    std::tuple values{detail::below<L, Register>(xs)...};
    auto y = std::apply([&](const auto&... v) { return chain(rule, v...); }, values);
    auto along = [&]<std::size_t direction>(std::integral_constant<std::size_t, direction>) {
      return [&]<std::size_t... K>(std::index_sequence<K...>) {
        return detail::sum(
            detail::contribution(std::get<K>(rule.partials), values, y, detail::tangent<L, direction>(xs))...);
      }(std::index_sequence_for<Xs...>());
    };
    return [&]<std::size_t... J>(std::index_sequence<J...>) {
      return detail::make_dual<L>(y, std::tuple(along(std::integral_constant<std::size_t, J>())...));
    }(std::make_index_sequence<detail::directions_at<L, Xs...>>());
  }
}

/// a where the condition holds, b elsewhere.
template <class R, class P, class Q>
auto where(const Mask<R>& condition, const P& a, const Q& b) {
  constexpr int L = detail::level_of<P, Q>;
  if constexpr (L <= 0) {
    return Dual<0, R>{xsimd::select(condition.value, detail::lanes<R>(a), detail::lanes<R>(b)), {}};
  } else {
    auto choose = [&]<class S, class T>(const S& s, const T& t) {
      if constexpr (std::same_as<S, Zero> && std::same_as<T, Zero>) return Zero();
      else if constexpr (std::same_as<S, Zero>) return where(condition, 0, t);
      else if constexpr (std::same_as<T, Zero>) return where(condition, s, 0);
      else return where(condition, s, t);
    };
    return [&]<std::size_t... J>(std::index_sequence<J...>) {
      return detail::make_dual<L>(where(condition, detail::below<L, R>(a), detail::below<L, R>(b)),
                                  std::tuple(choose(detail::tangent<L, J>(a), detail::tangent<L, J>(b))...));
    }(std::make_index_sequence<detail::directions_at<L, P, Q>>());
  }
}

namespace detail {
template <class F, class P, class Q>
auto compare(F f, const P& a, const Q& b) {
  using R = register_of<P, Q>;
  return Mask<R>{f(lanes<R>(a), lanes<R>(b))};
}
}  // namespace detail

auto operator<(const Term auto& a, const Term auto& b) {
  return detail::compare([](auto x, auto y) { return x < y; }, a, b);
}
auto operator<=(const Term auto& a, const Term auto& b) {
  return detail::compare([](auto x, auto y) { return x <= y; }, a, b);
}
auto operator>(const Term auto& a, const Term auto& b) { return b < a; }
auto operator>=(const Term auto& a, const Term auto& b) { return b <= a; }
auto operator==(const Term auto& a, const Term auto& b) {
  return detail::compare([](auto x, auto y) { return x == y; }, a, b);
}
// Not by xsimd's own, see is_nan in kernels/simd.hpp.
auto operator!=(const Term auto& a, const Term auto& b) { return !(a == b); }
auto is_nan(const Number auto& x) { return x != x; }
auto isnan(const Number auto& x) { return x != x; }

// Masks by name.
template <class R>
auto logical_not(const Mask<R>& m) { return !m; }
template <class R>
auto logical_and(const Mask<R>& a, const Mask<R>& b) { return a && b; }
template <class R>
auto logical_or(const Mask<R>& a, const Mask<R>& b) { return a || b; }
template <class R>
auto logical_xor(const Mask<R>& a, const Mask<R>& b) { return (a && !b) || (!a && b); }

}  // namespace xtape::fused
