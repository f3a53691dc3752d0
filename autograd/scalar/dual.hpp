// Numbers with their derivatives in some directions: forward mode.
//
//     scalar::Dual<double> x(2.0);
//     x.tangent(0) = 1;
//     double slope = sin(x).tangent(0);  // cos(2)
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <autograd/scalar/functions.hpp>
#include <autograd/scalar/tape.hpp>

namespace xtape::scalar {

/// Several numbers, for as many derivatives at once. Zeros stay zeros, whatever they are multiplied by: a slope may be
/// infinite where nothing goes through.
template <class T, std::size_t n>
struct Lanes {
  std::array<T, n> values{};

  Lanes& operator+=(const Lanes& other) {
    for (std::size_t k = 0; k < n; ++k) values[k] += other.values[k];
    return *this;
  }
  friend Lanes operator*(const T& a, const Lanes& b) {
    Lanes result;
    for (std::size_t k = 0; k < n; ++k) {
      const T& value = b.values[k];
      result.values[k] = scalar::is_constant_zero(value) ? T(0.0) : a * value;
    }
    return result;
  }
  friend bool is_constant_zero(const Lanes& x) {
    return std::ranges::all_of(x.values, [](const T& v) { return scalar::is_constant_zero(v); });
  }
};

/// A number and its derivatives in n directions, which operations compute beside the value.
template <class T, std::size_t n = 1>
class Dual : public Arithmetic<Dual<T, n>> {
 public:
  using value_type = T;

  Dual() = default;
  /// A constant.
  template <class X>
    requires(!std::is_same_v<X, Dual> && detail::converts<X, T>)
  Dual(const X& x) : value_(static_cast<T>(x)) {}
  Dual(T value, Lanes<T, n> tangents) : value_(std::move(value)), tangents_(std::move(tangents)) {}

  const T& value() const { return value_; }
  T& tangent(std::size_t direction) { return tangents_.values[direction]; }
  const T& tangent(std::size_t direction) const { return tangents_.values[direction]; }
  const Lanes<T, n>& tangents() const { return tangents_; }

  template <const auto& rule, class... Xs>
  static Dual apply(const Xs&... xs) {
    const wrapped_t<T> y = call<rule>(wrapped(number(xs))...);
    Dual result(T(unwrapped(y)));
    auto add = [&]<std::size_t K, class X>(std::integral_constant<std::size_t, K>, const X& x) {
      if constexpr (std::is_same_v<X, Dual>) {
        if (is_constant_zero(x.tangents_)) return;  // such as an exponent, by which the slope may be NaN
        const auto by = slope<K, rule>(y, wrapped(number(xs))...);
        if constexpr (std::is_same_v<decltype(by), const One>) result.tangents_ += x.tangents_;
        else if constexpr (!std::is_same_v<decltype(by), const Zero>) result.tangents_ += T(unwrapped(by)) * x.tangents_;
      }
    };
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      (add(std::integral_constant<std::size_t, K>(), xs), ...);
    }(std::index_sequence_for<Xs...>());
    return result;
  }
  template <class X, class Y>
  static bool compare(Relation, bool holds, const X&, const Y&) {
    return holds;
  }

 private:
  template <class X>
  static T number(const X& x) {
    if constexpr (std::is_same_v<X, Dual>) return x.value_;
    else return static_cast<T>(x);
  }

  T value_{};
  Lanes<T, n> tangents_{};
};

namespace detail {
template <class T, std::size_t n>
inline constexpr bool is_number<Dual<T, n>> = true;
}

template <class T, std::size_t n>
bool is_constant_zero(const Dual<T, n>& x) {
  return is_constant_zero(x.value()) && is_constant_zero(x.tangents());
}

}  // namespace xtape::scalar

namespace xtape {

using scalar::Dual;

}  // namespace xtape
