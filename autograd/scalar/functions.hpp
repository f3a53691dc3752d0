// What is done with numbers that know a derivative, BasicReal and Dual: arithmetic, comparisons and the functions of
// <cmath>, each by its rule. A type N of such numbers has N::value_type, x.value(), N::apply<rule>(operands...), and
// N::compare(relation, holds, x, y), which is told what was asked.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <istream>
#include <limits>
#include <ostream>
#include <type_traits>
#include <utility>

#include <autograd/scalar/slopes.hpp>

namespace xtape::scalar {

/// What is asked of numbers, and may come out otherwise for other inputs.
enum class Relation : std::uint8_t {
  equal, not_equal, less, less_equal, greater, greater_equal, is_nan, is_finite, is_infinite, is_negative,
  same,       ///< was converted to this double
  rounded,    ///< was converted to this float
  truncated,  ///< was converted to this integer
  exponent,   ///< has this exponent
};

namespace detail {

template <class X>
inline constexpr bool is_number = false;

// Whether X becomes a number N by itself: it is an N, a double, or a number of what N is made of.
template <class X, class N>
inline constexpr bool converts = std::is_arithmetic_v<X> || std::is_same_v<X, N>;
template <class X, class N>
  requires is_number<N>
inline constexpr bool converts<X, N> =
    std::is_arithmetic_v<X> || std::is_same_v<X, N> || converts<X, typename N::value_type>;

template <class X, class Y>
struct Join {};
template <class X, class Y>
  requires(is_number<X> && converts<Y, X>)
struct Join<X, Y> {
  using type = X;
};
template <class X, class Y>
  requires(is_number<Y> && converts<X, Y> && !std::is_same_v<X, Y>)
struct Join<X, Y> {
  using type = Y;
};

template <class N, class X>
const auto& number_of(const X& x) {
  if constexpr (std::is_same_v<X, N>) return x.value();
  else return x;
}

// The double at the bottom, and the number that knows it.
inline double innermost(double x) { return x; }
template <class X>
double innermost(const X& x) {
  return innermost(x.value());
}
template <class X>
const auto& innermost_number(const X& x) {
  if constexpr (std::is_class_v<typename X::value_type>) return innermost_number(x.value());
  else return x;
}

// Asks of the double, for functions that are written down.
template <class X>
bool ask(Relation relation, const X& x, bool holds, double other = 0) {
  const auto& inner = innermost_number(x);
  return std::remove_cvref_t<decltype(inner)>::compare(relation, holds, inner, other);
}

// A conversion, which loses the derivative.
template <class R, class X>
R convert(const X& x) {
  if constexpr (std::is_same_v<R, bool>) {
    return x != 0;
  } else {
    const auto result = static_cast<R>(innermost(x));
    constexpr Relation relation = std::is_integral_v<R> ? Relation::truncated
                                  : std::is_same_v<R, float> ? Relation::rounded : Relation::same;
    ask(relation, x, true, static_cast<double>(result));
    return result;
  }
}

template <class X>
int exponent_of(const X& x) {
  const int result = std::ilogb(innermost(x));
  ask(Relation::exponent, x, true, result);
  return result;
}

}  // namespace detail

/// The type of an operation on these: that of the one into which the other can be converted.
template <class X, class Y>
using join_t = typename detail::Join<std::remove_cvref_t<X>, std::remove_cvref_t<Y>>::type;

template <class X>
concept AnyNumber = detail::is_number<std::remove_cvref_t<X>>;

// Arithmetic

template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
[[gnu::always_inline]] inline join_t<X, Y> operator+(X&& x, Y&& y) {
  return join_t<X, Y>::template apply<fused::add_rule>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
[[gnu::always_inline]] inline join_t<X, Y> operator-(X&& x, Y&& y) {
  return join_t<X, Y>::template apply<fused::sub_rule>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
[[gnu::always_inline]] inline join_t<X, Y> operator*(X&& x, Y&& y) {
  return join_t<X, Y>::template apply<fused::mul_rule>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
[[gnu::always_inline]] inline join_t<X, Y> operator/(X&& x, Y&& y) {
  return join_t<X, Y>::template apply<fused::div_rule>(std::forward<X>(x), std::forward<Y>(y));
}

template <AnyNumber X>
[[gnu::always_inline]] inline auto operator-(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::neg_rule>(std::forward<X>(x));
}
template <AnyNumber X>
std::remove_cvref_t<X> operator+(X&& x) {
  return std::forward<X>(x);
}

// Comparisons

template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
bool operator==(const X& x, const Y& y) {
  using N = join_t<X, Y>;
  return N::compare(Relation::equal, detail::number_of<N>(x) == detail::number_of<N>(y), x, y);
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
bool operator!=(const X& x, const Y& y) {
  using N = join_t<X, Y>;
  return N::compare(Relation::not_equal, detail::number_of<N>(x) != detail::number_of<N>(y), x, y);
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
bool operator<(const X& x, const Y& y) {
  using N = join_t<X, Y>;
  return N::compare(Relation::less, detail::number_of<N>(x) < detail::number_of<N>(y), x, y);
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
bool operator<=(const X& x, const Y& y) {
  using N = join_t<X, Y>;
  return N::compare(Relation::less_equal, detail::number_of<N>(x) <= detail::number_of<N>(y), x, y);
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
bool operator>(const X& x, const Y& y) {
  using N = join_t<X, Y>;
  return N::compare(Relation::greater, detail::number_of<N>(x) > detail::number_of<N>(y), x, y);
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
bool operator>=(const X& x, const Y& y) {
  using N = join_t<X, Y>;
  return N::compare(Relation::greater_equal, detail::number_of<N>(x) >= detail::number_of<N>(y), x, y);
}

// Functions of <cmath>

template <AnyNumber X>
auto sqrt(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::sqrt_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto cbrt(X&& x) {
  return std::remove_cvref_t<X>::template apply<rules::cbrt_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto abs(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::abs_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto fabs(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::abs_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto floor(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::floor_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto ceil(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::ceil_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto round(X&& x) {
  return std::remove_cvref_t<X>::template apply<rules::round_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto nearbyint(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::round_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto rint(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::round_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto trunc(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::trunc_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto exp(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::exp_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto exp2(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::exp2_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto expm1(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::expm1_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto log(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::log_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto log1p(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::log1p_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto log2(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::log2_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto log10(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::log10_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto sin(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::sin_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto cos(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::cos_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto tan(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::tan_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto asin(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::asin_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto acos(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::acos_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto atan(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::atan_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto sinh(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::sinh_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto cosh(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::cosh_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto tanh(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::tanh_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto asinh(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::asinh_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto acosh(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::acosh_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto atanh(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::atanh_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto erf(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::erf_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto erfc(X&& x) {
  return std::remove_cvref_t<X>::template apply<fused::erfc_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto lgamma(X&& x) {
  return std::remove_cvref_t<X>::template apply<rules::lgamma_rule>(std::forward<X>(x));
}
template <AnyNumber X>
auto tgamma(X&& x) {
  return std::remove_cvref_t<X>::template apply<rules::tgamma_rule>(std::forward<X>(x));
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
join_t<X, Y> pow(X&& x, Y&& y) {
  return join_t<X, Y>::template apply<fused::pow_rule>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
join_t<X, Y> hypot(X&& x, Y&& y) {
  return join_t<X, Y>::template apply<fused::hypot_rule>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
join_t<X, Y> atan2(X&& x, Y&& y) {
  return join_t<X, Y>::template apply<fused::atan2_rule>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
join_t<X, Y> copysign(X&& x, Y&& y) {
  return join_t<X, Y>::template apply<fused::copysign_rule>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
join_t<X, Y> fmax(X&& x, Y&& y) {
  return join_t<X, Y>::template apply<fused::fmax_rule>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
join_t<X, Y> fmin(X&& x, Y&& y) {
  return join_t<X, Y>::template apply<fused::fmin_rule>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
join_t<X, Y> fmod(X&& x, Y&& y) {
  return join_t<X, Y>::template apply<rules::fmod_rule>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
join_t<X, Y> remainder(X&& x, Y&& y) {
  return join_t<X, Y>::template apply<rules::remainder_rule>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
join_t<X, Y> fdim(const X& x, const Y& y) {
  if (x <= y) return 0;
  return x - y;
}
template <class X, class Y, class Z>
  requires requires { typename join_t<join_t<X, Y>, Z>; }
join_t<join_t<X, Y>, Z> fma(X&& x, Y&& y, Z&& z) {
  return join_t<join_t<X, Y>, Z>::template apply<rules::fma_rule>(std::forward<X>(x), std::forward<Y>(y),
                                                                              std::forward<Z>(z));
}
template <class X, class Y, class Z>
  requires requires { typename join_t<join_t<X, Y>, Z>; }
join_t<join_t<X, Y>, Z> hypot(const X& x, const Y& y, const Z& z) {
  return join_t<join_t<X, Y>, Z>::template apply<rules::hypot3_rule>(x, y, z);
}
template <class X, class Y, class W>
  requires requires { typename join_t<join_t<X, Y>, W>; }
join_t<join_t<X, Y>, W> lerp(const X& a, const Y& b, const W& t) {
  return join_t<join_t<X, Y>, W>::template apply<fused::lerp_rule>(a, b, t);
}

template <AnyNumber X>
bool isnan(const X& x) {
  return detail::ask(Relation::is_nan, x, std::isnan(detail::innermost(x)));
}
template <AnyNumber X>
bool isinf(const X& x) {
  return detail::ask(Relation::is_infinite, x, std::isinf(detail::innermost(x)));
}
template <AnyNumber X>
bool isfinite(const X& x) {
  return detail::ask(Relation::is_finite, x, std::isfinite(detail::innermost(x)));
}
template <AnyNumber X>
bool signbit(const X& x) {
  return detail::ask(Relation::is_negative, x, std::signbit(detail::innermost(x)));
}
template <AnyNumber X>
bool is_nan(const X& x) {
  return isnan(x);
}
template <AnyNumber X>
long lround(const X& x) {
  return static_cast<long>(round(x));
}
template <AnyNumber X>
long lrint(const X& x) {
  return static_cast<long>(rint(x));
}
template <AnyNumber X>
long long llround(const X& x) {
  return static_cast<long long>(round(x));
}
template <AnyNumber X>
int ilogb(const X& x) {
  return detail::exponent_of(x);
}
template <AnyNumber X>
X logb(const X& x) {
  return std::logb(detail::innermost(x)) + 0 * detail::exponent_of(x);
}
/// x * 2^n, where 2^n may be beyond double's range.
template <AnyNumber X>
std::remove_cvref_t<X> ldexp(const X& x, int n) {
  constexpr int most = 1000;
  std::remove_cvref_t<X> y = x;
  for (n = std::min(std::max(n, -3 * most), 3 * most); std::abs(n) > most; n -= n > 0 ? most : -most)
    y *= n > 0 ? 0x1p1000 : 0x1p-1000;
  return y * std::ldexp(1.0, n);
}
/// x = fraction * 2^*exponent, the fraction between 0.5 and 1.
template <AnyNumber X>
X frexp(const X& x, int* exponent) {
  const bool has_one = std::isfinite(detail::innermost(x)) && detail::innermost(x) != 0;
  *exponent = has_one ? detail::exponent_of(x) + 1 : 0;
  return ldexp(x, -*exponent);
}
template <AnyNumber X>
auto scalbn(X&& x, int n) {
  return ldexp(std::forward<X>(x), n);
}
/// The fraction, and the whole part in *whole, with the sign of x.
template <AnyNumber X>
X modf(const X& x, X* whole) {
  X below = trunc(x), fraction = isinf(x) ? copysign(X(0.0), x) : x - below;
  *whole = below;
  return fraction;
}

// Names that the rules call.
template <class X, class Y>
  requires requires { typename join_t<X, Y>; }
auto power(const X& x, const Y& y) {
  return pow(x, y);
}
template <AnyNumber X>
auto error_function(const X& x) {
  return erf(x);
}
template <AnyNumber X>
auto error_complement(const X& x) {
  return erfc(x);
}
template <AnyNumber X>
auto sign(const X& x) {
  return copysign(std::remove_cvref_t<X>(x == 0 ? 0.0 : 1.0), x);
}
/// The n-th derivative of digamma.
template <class N, AnyNumber X>
auto polygamma(const N& n, const X& x) {
  return std::remove_cvref_t<X>::template apply<rules::polygamma_rule>(n, x);
}

/// As the value is written.
template <AnyNumber X>
std::ostream& operator<<(std::ostream& out, const X& x) {
  return out << x.value();
}
template <AnyNumber X>
std::istream& operator>>(std::istream& in, X& x) {
  typename X::value_type value;
  if (in >> value) x = value;
  return in;
}

/// x += y and the like, and conversions, for a type N of numbers.
template <class N>
class Arithmetic {
 public:
  template <class X>
    requires std::same_as<join_t<N, X>, N>
  [[gnu::always_inline]] N& operator+=(X&& x) {
    return self() = std::move(self()) + std::forward<X>(x);
  }
  template <class X>
    requires std::same_as<join_t<N, X>, N>
  [[gnu::always_inline]] N& operator-=(X&& x) {
    return self() = std::move(self()) - std::forward<X>(x);
  }
  template <class X>
    requires std::same_as<join_t<N, X>, N>
  [[gnu::always_inline]] N& operator*=(X&& x) {
    return self() = std::move(self()) * std::forward<X>(x);
  }
  template <class X>
    requires std::same_as<join_t<N, X>, N>
  [[gnu::always_inline]] N& operator/=(X&& x) {
    return self() = std::move(self()) / std::forward<X>(x);
  }
  N& operator++() { return *this += 1; }
  N& operator--() { return *this -= 1; }
  N operator++(int) { return std::exchange(self(), self() + 1); }
  N operator--(int) { return std::exchange(self(), self() - 1); }

  /// The value's, as double's. The derivative is lost.
  template <class X>
    requires std::is_arithmetic_v<X>
  explicit operator X() const {
    return detail::convert<X>(static_cast<const N&>(*this));
  }

 private:
  N& self() { return static_cast<N&>(*this); }
};

/// Those of the value.
template <class N>
class NumberLimits : public std::numeric_limits<typename N::value_type> {
  using Base = std::numeric_limits<typename N::value_type>;

 public:
  static constexpr N min() { return Base::min(); }
  static constexpr N max() { return Base::max(); }
  static constexpr N lowest() { return Base::lowest(); }
  static constexpr N epsilon() { return Base::epsilon(); }
  static constexpr N round_error() { return Base::round_error(); }
  static constexpr N infinity() { return Base::infinity(); }
  static constexpr N quiet_NaN() { return Base::quiet_NaN(); }
  static constexpr N signaling_NaN() { return Base::signaling_NaN(); }
  static constexpr N denorm_min() { return Base::denorm_min(); }
};

}  // namespace xtape::scalar

template <class N>
  requires xtape::scalar::detail::is_number<N>
class std::numeric_limits<N> : public xtape::scalar::NumberLimits<N> {};
