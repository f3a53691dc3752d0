// Operations on each element, and their operators. Operands broadcast as in NumPy.
#pragma once

#include <autograd/variable.hpp>

namespace xtape {

/// @name Arithmetic. Operands of one dtype, or a C++ scalar; int64 but for division.
/// @{
Variable add(const Variable& a, const Variable& b);
Variable sub(const Variable& a, const Variable& b);
Variable mul(const Variable& a, const Variable& b);
Variable div(const Variable& a, const Variable& b);
Variable neg(const Variable& x);
/// a to the power b. The derivative with respect to b counts 0 where a is 0, as PyTorch's does.
Variable pow(const Variable& a, const Variable& b);
Variable square(const Variable& x);
Variable sqrt(const Variable& x);
Variable reciprocal(const Variable& x);
/// 1 / sqrt(x)
Variable rsqrt(const Variable& x);
/// sqrt(a * a + b * b), without overflow
Variable hypot(const Variable& a, const Variable& b);
/// The remainder of a / b with the sign of a, as in C. The quotient counts as a constant to the derivative.
Variable fmod(const Variable& a, const Variable& b);
/// The remainder of a / b with the sign of b, as in Python.
Variable remainder(const Variable& a, const Variable& b);
/// a + weight * (b - a)
Variable lerp(const Variable& a, const Variable& b, const Variable& weight);
/// The derivative at 0 is 0.
Variable abs(const Variable& x);
/// -1, 0 or 1; NaN for NaN. The derivative is 0.
Variable sign(const Variable& x);
/// The magnitude of a with the sign of b. Where a is 0, the derivative is 0.
Variable copysign(const Variable& a, const Variable& b);
/// @}

/// @name Rounding. The derivative is 0.
/// @{
Variable floor(const Variable& x);
Variable ceil(const Variable& x);
/// To the nearest integer, halves to the even one.
Variable round(const Variable& x);
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
/// log(exp(a) + exp(b)), without overflow
Variable logaddexp(const Variable& a, const Variable& b);
/// a * log(b), and 0 where a is 0
Variable xlogy(const Variable& a, const Variable& b);
/// @}

/// @name Trigonometric and hyperbolic functions
/// @{
Variable sin(const Variable& x);
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
/// log(|gamma(x)|)
Variable lgamma(const Variable& x);
/// The derivative of lgamma
Variable digamma(const Variable& x);
/// The n-th derivative of digamma, for an n >= 0. @throws ValueError for another n.
Variable polygamma(int n, const Variable& x);
/// log(x / (1 - x)), the inverse of sigmoid
Variable logit(const Variable& x);
/// @}

/// @name Choosing. NaN in an operand gives NaN; the gradient of equal operands is shared half and half.
/// @{
Variable maximum(const Variable& a, const Variable& b);
Variable minimum(const Variable& a, const Variable& b);
/// The same, but where one operand is NaN, the other is taken, and of equal operands the first takes the gradient.
Variable fmax(const Variable& a, const Variable& b);
Variable fmin(const Variable& a, const Variable& b);
/// a where the condition (of dtype bool) holds, b elsewhere.
Variable where(const Variable& condition, const Variable& a, const Variable& b);
/// x limited to [low, high]. The gradient passes where low <= x <= high; a bound's where x is beyond it.
Variable clip(const Variable& x, const Variable& low, const Variable& high);
/// The same under PyTorch's name.
inline Variable clamp(const Variable& x, const Variable& low, const Variable& high) { return clip(x, low, high); }
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
Variable isnan(const Variable& x);
Variable isinf(const Variable& x);
Variable isfinite(const Variable& x);
/// @}

inline Variable operator+(const Variable& a, const Variable& b) { return add(a, b); }
inline Variable operator-(const Variable& a, const Variable& b) { return sub(a, b); }
inline Variable operator*(const Variable& a, const Variable& b) { return mul(a, b); }
inline Variable operator/(const Variable& a, const Variable& b) { return div(a, b); }
inline Variable operator-(const Variable& x) { return neg(x); }
inline Variable operator+(const Variable& x) { return x; }
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
