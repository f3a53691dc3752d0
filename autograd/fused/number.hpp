// The numbers that a function for `fuse` computes with. They have no values: each operation on them is written down in a
// Program, which computes whole arrays, and derives other programs.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

namespace xtape::fused {

class Program;

/// A number of a Program, or a constant, of which arithmetic makes further ones.
class Number {
 public:
  template <class X>
    requires std::is_arithmetic_v<X>
  Number(X constant) : constant_(static_cast<double>(constant)) {}

  Number& operator+=(const Number& x);
  Number& operator-=(const Number& x);
  Number& operator*=(const Number& x);
  Number& operator/=(const Number& x);

 private:
  friend class Program;
  Number(Program& program, std::uint32_t line);

  Program* program_ = nullptr;  // null for a constant
  std::uint32_t line_ = 0, serial_ = 0;  // of the program, which may have gone
  double constant_ = 0;
};

/// The result of a comparison, for `where`. It is no bool: an `if` would have to know the elements.
class Mask {
 public:
  /// Of a number that is 1, where the mask holds, or 0.
  explicit Mask(const Number& number) : number_(number) {}
  explicit operator bool() const = delete;

  const Number& number() const { return number_; }

 private:
  Number number_;
};

// The functions are those of the operations of the same names, see ops/elementwise.hpp and ops/activations.hpp.

Number add(const Number& a, const Number& b);
Number sub(const Number& a, const Number& b);
Number mul(const Number& a, const Number& b);
Number div(const Number& a, const Number& b);
Number div(const Number& a, const Number& b, const std::string& rounding_mode);
Number neg(const Number& x);

inline Number operator+(const Number& a, const Number& b) { return add(a, b); }
inline Number operator-(const Number& a, const Number& b) { return sub(a, b); }
inline Number operator*(const Number& a, const Number& b) { return mul(a, b); }
inline Number operator/(const Number& a, const Number& b) { return div(a, b); }
inline Number operator-(const Number& x) { return neg(x); }
inline Number operator+(const Number& x) { return x; }

Number square(const Number& x);
Number sqrt(const Number& x);
Number reciprocal(const Number& x);
Number rsqrt(const Number& x);
Number hypot(const Number& a, const Number& b);
Number fmod(const Number& a, const Number& b);
Number remainder(const Number& a, const Number& b);
Number floor_divide(const Number& a, const Number& b);
Number lerp(const Number& a, const Number& b, const Number& weight);
Number abs(const Number& x);
Number sign(const Number& x);
inline Number sgn(const Number& x) { return sign(x); }
inline Number positive(const Number& x) { return x; }
Number heaviside(const Number& x, const Number& at_zero);
Number copysign(const Number& a, const Number& b);
Number nextafter(const Number& a, const Number& b);
Number deg2rad(const Number& x);
Number rad2deg(const Number& x);
Number floor(const Number& x);
Number ceil(const Number& x);
Number round(const Number& x);
Number round(const Number& x, int decimals);
Number trunc(const Number& x);
Number frac(const Number& x);

Number exp(const Number& x);
Number expm1(const Number& x);
Number exp2(const Number& x);
Number log(const Number& x);
Number log1p(const Number& x);
Number log2(const Number& x);
Number log10(const Number& x);
Number pow(const Number& a, const Number& b);
inline Number power(const Number& a, const Number& b) { return pow(a, b); }
Number logaddexp(const Number& a, const Number& b);
Number logaddexp2(const Number& a, const Number& b);
Number ldexp(const Number& a, const Number& b);
Number xlogy(const Number& a, const Number& b);
Number xlog1py(const Number& a, const Number& b);
Number entr(const Number& x);

Number sin(const Number& x);
Number sinc(const Number& x);
Number cos(const Number& x);
Number tan(const Number& x);
Number asin(const Number& x);
Number acos(const Number& x);
Number atan(const Number& x);
Number atan2(const Number& y, const Number& x);
Number sinh(const Number& x);
Number cosh(const Number& x);
Number tanh(const Number& x);
Number asinh(const Number& x);
Number acosh(const Number& x);
Number atanh(const Number& x);

Number erf(const Number& x);
inline Number error_function(const Number& x) { return erf(x); }
Number erfc(const Number& x);
inline Number error_complement(const Number& x) { return erfc(x); }
Number erfinv(const Number& x);
Number erfcx(const Number& x);
Number ndtr(const Number& x);
Number log_ndtr(const Number& x);
Number ndtri(const Number& p);
Number lgamma(const Number& x);
Number digamma(const Number& x);
Number polygamma(int n, const Number& x);
Number beta(const Number& a, const Number& b);
Number mvlgamma(const Number& x, int p);
Number gammainc(double a, const Number& x);
Number gammaincc(double a, const Number& x);
Number logit(const Number& x);
Number logit(const Number& x, double eps);
Number i0(const Number& x);
Number i0e(const Number& x);
Number i1(const Number& x);
Number i1e(const Number& x);
Number modified_bessel_k0(const Number& x);
Number modified_bessel_k1(const Number& x);
Number scaled_modified_bessel_k0(const Number& x);
Number scaled_modified_bessel_k1(const Number& x);
Number spherical_bessel_j0(const Number& x);
Number bessel_j0(const Number& x);
Number bessel_j1(const Number& x);
Number bessel_y0(const Number& x);
Number bessel_y1(const Number& x);

Number maximum(const Number& a, const Number& b);
Number minimum(const Number& a, const Number& b);
Number fmax(const Number& a, const Number& b);
Number fmin(const Number& a, const Number& b);
Number where(const Mask& condition, const Number& a, const Number& b);
Number clip(const Number& x, const Number& low, const Number& high);
inline Number clamp(const Number& x, const Number& low, const Number& high) { return clip(x, low, high); }
Number clamp_min(const Number& x, const Number& low);
Number clamp_max(const Number& x, const Number& high);
Number nan_to_num(const Number& x, double nan = 0, std::optional<double> posinf = {}, std::optional<double> neginf = {});

Mask equal(const Number& a, const Number& b);
Mask not_equal(const Number& a, const Number& b);
Mask less(const Number& a, const Number& b);
Mask less_equal(const Number& a, const Number& b);
inline Mask greater(const Number& a, const Number& b) { return less(b, a); }
inline Mask greater_equal(const Number& a, const Number& b) { return less_equal(b, a); }
Mask logical_not(const Mask& m);
Mask logical_and(const Mask& a, const Mask& b);
Mask logical_or(const Mask& a, const Mask& b);
Mask logical_xor(const Mask& a, const Mask& b);
Mask isclose(const Number& a, const Number& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);
Mask signbit(const Number& x);
Mask isnan(const Number& x);
inline Mask is_nan(const Number& x) { return isnan(x); }
Mask isinf(const Number& x);
Mask isfinite(const Number& x);

inline Mask operator==(const Number& a, const Number& b) { return equal(a, b); }
inline Mask operator!=(const Number& a, const Number& b) { return not_equal(a, b); }
inline Mask operator<(const Number& a, const Number& b) { return less(a, b); }
inline Mask operator<=(const Number& a, const Number& b) { return less_equal(a, b); }
inline Mask operator>(const Number& a, const Number& b) { return greater(a, b); }
inline Mask operator>=(const Number& a, const Number& b) { return greater_equal(a, b); }
inline Mask operator!(const Mask& m) { return logical_not(m); }
inline Mask operator&&(const Mask& a, const Mask& b) { return logical_and(a, b); }
inline Mask operator||(const Mask& a, const Mask& b) { return logical_or(a, b); }

Number sigmoid(const Number& x);
Number logsigmoid(const Number& x);
Number relu(const Number& x);
Number relu6(const Number& x);
Number leaky_relu(const Number& x, const Number& slope = 0.01);
Number elu(const Number& x, const Number& alpha = 1);
Number selu(const Number& x);
Number celu(const Number& x, const Number& alpha = 1);
Number gelu(const Number& x);
Number gelu_tanh(const Number& x);
Number silu(const Number& x);
Number mish(const Number& x);
Number softplus(const Number& x, double beta = 1, double threshold = std::numeric_limits<double>::infinity());
Number softsign(const Number& x);
Number hardtanh(const Number& x, double low = -1, double high = 1);
Number hardsigmoid(const Number& x);
Number hardswish(const Number& x);
Number softshrink(const Number& x, double lambda = 0.5);
Number hardshrink(const Number& x, double lambda = 0.5);
Number threshold(const Number& x, double least, double value);
Number tanhshrink(const Number& x);

inline Number& Number::operator+=(const Number& x) { return *this = *this + x; }
inline Number& Number::operator-=(const Number& x) { return *this = *this - x; }
inline Number& Number::operator*=(const Number& x) { return *this = *this * x; }
inline Number& Number::operator/=(const Number& x) { return *this = *this / x; }

}  // namespace xtape::fused
