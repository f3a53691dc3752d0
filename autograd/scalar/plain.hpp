// The names that the rules of elementwise operations call, on numbers: the same rules serve vector registers,
// Variables, the Numbers of `fuse`, and the scalars here.
#pragma once

#include <cmath>
#include <type_traits>

namespace xtape::scalar {

/// A double, in a type of our own: so that what rules call is found in this namespace.
struct Plain {
  double value;

  Plain() = default;
  constexpr Plain(double x) : value(x) {}

  friend Plain operator-(Plain a) { return -a.value; }
  friend Plain operator+(Plain a, Plain b) { return a.value + b.value; }
  friend Plain operator-(Plain a, Plain b) { return a.value - b.value; }
  friend Plain operator*(Plain a, Plain b) { return a.value * b.value; }
  friend Plain operator/(Plain a, Plain b) { return a.value / b.value; }
  friend bool operator==(Plain a, Plain b) { return a.value == b.value; }
  friend auto operator<=>(Plain a, Plain b) { return a.value <=> b.value; }

  friend Plain sqrt(Plain x) { return std::sqrt(x.value); }
  friend Plain cbrt(Plain x) { return std::cbrt(x.value); }
  friend Plain hypot(Plain a, Plain b) { return std::hypot(a.value, b.value); }
  friend Plain hypot(Plain a, Plain b, Plain c) { return std::hypot(a.value, b.value, c.value); }
  friend Plain abs(Plain x) { return std::fabs(x.value); }
  friend Plain copysign(Plain a, Plain b) { return std::copysign(a.value, b.value); }
  friend Plain floor(Plain x) { return std::floor(x.value); }
  friend Plain ceil(Plain x) { return std::ceil(x.value); }
  friend Plain round(Plain x) { return std::round(x.value); }
  friend Plain nearbyint(Plain x) { return std::nearbyint(x.value); }
  friend Plain trunc(Plain x) { return std::trunc(x.value); }
  friend Plain fmod(Plain a, Plain b) { return std::fmod(a.value, b.value); }
  friend Plain remainder(Plain a, Plain b) { return std::remainder(a.value, b.value); }
  friend Plain fma(Plain a, Plain b, Plain c) { return std::fma(a.value, b.value, c.value); }
  friend Plain exp(Plain x) { return std::exp(x.value); }
  friend Plain exp2(Plain x) { return std::exp2(x.value); }
  friend Plain expm1(Plain x) { return std::expm1(x.value); }
  friend Plain log(Plain x) { return std::log(x.value); }
  friend Plain log1p(Plain x) { return std::log1p(x.value); }
  friend Plain log2(Plain x) { return std::log2(x.value); }
  friend Plain log10(Plain x) { return std::log10(x.value); }
  friend Plain power(Plain a, Plain b) { return std::pow(a.value, b.value); }
  friend Plain sin(Plain x) { return std::sin(x.value); }
  friend Plain cos(Plain x) { return std::cos(x.value); }
  friend Plain tan(Plain x) { return std::tan(x.value); }
  friend Plain asin(Plain x) { return std::asin(x.value); }
  friend Plain acos(Plain x) { return std::acos(x.value); }
  friend Plain atan(Plain x) { return std::atan(x.value); }
  friend Plain atan2(Plain y, Plain x) { return std::atan2(y.value, x.value); }
  friend Plain sinh(Plain x) { return std::sinh(x.value); }
  friend Plain cosh(Plain x) { return std::cosh(x.value); }
  friend Plain tanh(Plain x) { return std::tanh(x.value); }
  friend Plain asinh(Plain x) { return std::asinh(x.value); }
  friend Plain acosh(Plain x) { return std::acosh(x.value); }
  friend Plain atanh(Plain x) { return std::atanh(x.value); }
  friend Plain error_function(Plain x) { return std::erf(x.value); }
  friend Plain error_complement(Plain x) { return std::erfc(x.value); }
  friend Plain tgamma(Plain x) { return std::tgamma(x.value); }
  friend Plain lgamma(Plain x) { return std::lgamma(x.value); }
  friend bool is_nan(Plain x) { return std::isnan(x.value); }
  friend Plain sign(Plain x) { return x.value > 0 ? 1 : x.value < 0 ? -1 : x.value; }
};

/// What a rule computes with for a number: doubles are wrapped.
inline Plain wrapped(double x) { return x; }
template <class T>
  requires std::is_class_v<T>
const T& wrapped(const T& x) {
  return x;
}
inline double unwrapped(Plain x) { return x.value; }
template <class T>
T&& unwrapped(T&& x) {
  return std::forward<T>(x);
}
template <class T>
using wrapped_t = std::decay_t<decltype(wrapped(std::declval<T>()))>;

}  // namespace xtape::scalar
