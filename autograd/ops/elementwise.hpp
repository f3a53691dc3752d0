// Operations on each element, and their operators. Operands broadcast as in NumPy.
#pragma once

#include <optional>
#include <string>

#include <autograd/variable.hpp>

namespace xtape {

/// @name Arithmetic. int64 and bool operands take the dtype of a floating-point one, bool ones become int64 beside int64.
/// A C++ scalar takes the dtype of an array of its kind or a higher one; a floating-point one makes int64 arrays such of
/// the default dtype.
/// Beyond 64 bits, int64 wraps around.
/// @throws DTypeError for float32 with float64, ValueError for an integer that int64 does not have.
/// @{
Variable add(const Variable& a, const Variable& b);
Variable sub(const Variable& a, const Variable& b);
Variable mul(const Variable& a, const Variable& b);
/// The quotient, which is floating-point, of integers too.
Variable div(const Variable& a, const Variable& b);
/// The quotient rounded to a whole number: towards 0, "trunc", or down, "floor", as floor_divide. Its derivatives
/// are 0. @throws ValueError for another mode.
Variable div(const Variable& a, const Variable& b, const std::string& rounding_mode);
Variable neg(const Variable& x);
/// a to the power b. The derivative with respect to b counts 0 where a is 0 and b is not negative, as PyTorch's does.
/// @throws ValueError for int64 to a negative power.
Variable pow(const Variable& a, const Variable& b);
Variable square(const Variable& x);
Variable sqrt(const Variable& x);
Variable reciprocal(const Variable& x);
/// 1 / sqrt(x)
Variable rsqrt(const Variable& x);
/// sqrt(a * a + b * b), without overflow. The derivatives at (0, 0) are NaN, as in PyTorch.
Variable hypot(const Variable& a, const Variable& b);
/// The remainder of a / b with the sign of a, as in C. The quotient counts as a constant to the derivative.
/// @throws ValueError for a b of int64 that is 0 somewhere.
Variable fmod(const Variable& a, const Variable& b);
/// The remainder of a / b with the sign of b, as in Python. @throws as fmod.
Variable remainder(const Variable& a, const Variable& b);
/// floor(a / b), exact where a / b rounds up to a whole number. The derivative is 0. @throws as fmod.
Variable floor_divide(const Variable& a, const Variable& b);
/// a + weight * (b - a), and exactly b for the weight 1
Variable lerp(const Variable& a, const Variable& b, const Variable& weight);
/// The derivative at 0 is 0, and at NaN.
Variable abs(const Variable& x);
/// -1, 0 or 1; 0 for NaN, as in PyTorch. The derivative is 0.
Variable sign(const Variable& x);
/// sign under PyTorch's name, and x itself.
inline Variable sgn(const Variable& x) {
  detail::Calling calling("sgn");
  return sign(x);
}
Variable positive(const Variable& x);
/// 1 for positive x, `at_zero` for 0, and 0 else, as in PyTorch also for NaN. The derivative with respect to x is 0.
Variable heaviside(const Variable& x, const Variable& at_zero);
/// The magnitude of a with the sign of b. Where a is 0, the derivative is 0.
Variable copysign(const Variable& a, const Variable& b);
/// The next number of the dtype after a, towards b.
Variable nextafter(const Variable& a, const Variable& b);
Variable deg2rad(const Variable& x);
Variable rad2deg(const Variable& x);
/// @}

/// @name Rounding. The derivative is 0.
/// @{
Variable floor(const Variable& x);
Variable ceil(const Variable& x);
/// To the nearest integer, halves to the even one.
Variable round(const Variable& x);
/// The same to so many decimal places; negative ones are those before the point.
Variable round(const Variable& x, int decimals);
/// Towards 0.
Variable trunc(const Variable& x);
/// What trunc takes away, with derivative 1.
Variable frac(const Variable& x);
/// @}

/// @name Exponentials and logarithms
/// @{
Variable exp(const Variable& x);
Variable expm1(const Variable& x);
Variable exp2(const Variable& x);
Variable log(const Variable& x);
Variable log1p(const Variable& x);
Variable log2(const Variable& x);
Variable log10(const Variable& x);
/// log(exp(a) + exp(b)), without overflow. The derivatives at equal infinities are NaN, as in PyTorch.
Variable logaddexp(const Variable& a, const Variable& b);
/// The same to the base 2
Variable logaddexp2(const Variable& a, const Variable& b);
/// a * 2^b
Variable ldexp(const Variable& a, const Variable& b);
/// a * log(b), and 0 where a is 0
Variable xlogy(const Variable& a, const Variable& b);
/// a * log1p(b), and 0 where a is 0
Variable xlog1py(const Variable& a, const Variable& b);
/// -x log(x), 0 at 0, -infinity below
Variable entr(const Variable& x);
/// @}

/// @name Trigonometric and hyperbolic functions
/// @{
Variable sin(const Variable& x);
/// sin(pi x) / (pi x), 1 at 0
Variable sinc(const Variable& x);
Variable cos(const Variable& x);
Variable tan(const Variable& x);
Variable asin(const Variable& x);
Variable acos(const Variable& x);
Variable atan(const Variable& x);
/// The angle of the point (x, y), in (-pi, pi]
Variable atan2(const Variable& y, const Variable& x);
Variable sinh(const Variable& x);
Variable cosh(const Variable& x);
Variable tanh(const Variable& x);
Variable asinh(const Variable& x);
Variable acosh(const Variable& x);
Variable atanh(const Variable& x);
/// @}

/// @name Special functions
/// @{
Variable erf(const Variable& x);
/// 1 - erf(x), exact where that is small
Variable erfc(const Variable& x);
/// The inverse of erf
Variable erfinv(const Variable& x);
/// exp(x * x) * erfc(x), without underflow
Variable erfcx(const Variable& x);
/// The normal distribution: the probability of less than x, its logarithm, exact where it is small, and its inverse
Variable ndtr(const Variable& x);
Variable log_ndtr(const Variable& x);
Variable ndtri(const Variable& p);
/// log(|gamma(x)|)
Variable lgamma(const Variable& x);
/// The derivative of lgamma
Variable digamma(const Variable& x);
/// The n-th derivative of digamma, for an n >= 0. @throws ValueError for another n.
Variable polygamma(int n, const Variable& x);
/// gamma(a) gamma(b) / gamma(a + b)
Variable beta(const Variable& a, const Variable& b);
/// The logarithm of the multivariate gamma function of p dimensions. @throws ValueError for a p below 1.
Variable mvlgamma(const Variable& x, int p);
/// The regularized incomplete gamma functions, lower and upper. They have derivatives with respect to x only.
/// @throws GraphError where a needs a gradient.
Variable gammainc(const Variable& a, const Variable& x);
Variable gammaincc(const Variable& a, const Variable& x);
/// log(x / (1 - x)), the inverse of sigmoid
Variable logit(const Variable& x);
/// The same of x limited to [eps, 1 - eps]
Variable logit(const Variable& x, double eps);
/// Modified Bessel functions of the first kind, of order 0 and 1, and the same times exp(-|x|)
Variable i0(const Variable& x);
Variable i0e(const Variable& x);
Variable i1(const Variable& x);
Variable i1e(const Variable& x);
/// Modified Bessel functions of the second kind, of order 0 and 1, and the same times exp(x); NaN for negative x
Variable modified_bessel_k0(const Variable& x);
Variable modified_bessel_k1(const Variable& x);
Variable scaled_modified_bessel_k0(const Variable& x);
Variable scaled_modified_bessel_k1(const Variable& x);
/// sin(x) / x, 1 at 0
Variable spherical_bessel_j0(const Variable& x);
/// Bessel functions of the first and second kind, of order 0 and 1
Variable bessel_j0(const Variable& x);
Variable bessel_j1(const Variable& x);
Variable bessel_y0(const Variable& x);
Variable bessel_y1(const Variable& x);
/// @}

/// @name Choosing. NaN in an operand gives NaN, and both take the gradient; that of equal ones is shared half and half.
/// @{
Variable maximum(const Variable& a, const Variable& b);
Variable minimum(const Variable& a, const Variable& b);
/// The same, but where one operand is NaN, the other is taken, and of equal operands the first takes the gradient.
Variable fmax(const Variable& a, const Variable& b);
Variable fmin(const Variable& a, const Variable& b);
/// a where the condition (of dtype bool) holds, b elsewhere.
Variable where(const Variable& condition, const Variable& a, const Variable& b);
/// x limited to [low, high]. The gradient passes where low <= x <= high; a bound's where x is beyond it. One of the
/// bounds may be undefined.
Variable clip(const Variable& x, const Variable& low, const Variable& high);
Variable clamp_min(const Variable& x, const Variable& low);
Variable clamp_max(const Variable& x, const Variable& high);
/// clip under PyTorch's name.
inline Variable clamp(const Variable& x, const Variable& low, const Variable& high) {
  detail::Calling calling("clamp");
  return clip(x, low, high);
}
/// x with these numbers in place of NaN, infinity (the greatest finite number if left out), and -infinity (the least).
Variable nan_to_num(const Variable& x, double nan = 0, std::optional<double> posinf = {},
                    std::optional<double> neginf = {});
/// @}

/// @name Comparisons, of dtype bool and not differentiable
/// @{
Variable equal(const Variable& a, const Variable& b);
Variable not_equal(const Variable& a, const Variable& b);
Variable less(const Variable& a, const Variable& b);
Variable less_equal(const Variable& a, const Variable& b);
Variable greater(const Variable& a, const Variable& b);
Variable greater_equal(const Variable& a, const Variable& b);
Variable logical_not(const Variable& x);
Variable logical_and(const Variable& a, const Variable& b);
Variable logical_or(const Variable& a, const Variable& b);
Variable logical_xor(const Variable& a, const Variable& b);
/// Whether |a - b| <= atol + rtol |b|, which equal infinities are; NaN is close to NaN where `equal_nan` says so.
/// @throws ValueError for a negative rtol or atol, or NaN.
Variable isclose(const Variable& a, const Variable& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);
/// Whether all elements are close; of none, true. @throws as isclose.
bool allclose(const Variable& a, const Variable& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);
/// Whether x is negative, or -0
Variable signbit(const Variable& x);
Variable isnan(const Variable& x);
Variable isinf(const Variable& x);
Variable isfinite(const Variable& x);
/// @}

inline Variable operator+(const Variable& a, const Variable& b) { return add(a, b); }
inline Variable operator-(const Variable& a, const Variable& b) { return sub(a, b); }
inline Variable operator*(const Variable& a, const Variable& b) { return mul(a, b); }
inline Variable operator/(const Variable& a, const Variable& b) { return div(a, b); }
inline Variable operator-(const Variable& x) { return neg(x); }
inline Variable operator+(const Variable& x) { return positive(x); }
inline Variable operator==(const Variable& a, const Variable& b) { return equal(a, b); }
inline Variable operator!=(const Variable& a, const Variable& b) { return not_equal(a, b); }
inline Variable operator<(const Variable& a, const Variable& b) { return less(a, b); }
inline Variable operator<=(const Variable& a, const Variable& b) { return less_equal(a, b); }
inline Variable operator>(const Variable& a, const Variable& b) { return greater(a, b); }
inline Variable operator>=(const Variable& a, const Variable& b) { return greater_equal(a, b); }
inline Variable operator!(const Variable& x) { return logical_not(x); }
inline Variable operator&&(const Variable& a, const Variable& b) { return logical_and(a, b); }
inline Variable operator||(const Variable& a, const Variable& b) { return logical_or(a, b); }

}  // namespace xtape
