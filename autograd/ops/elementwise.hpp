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
/// The derivative at 0 is 0.
Variable abs(const Variable& x);
/// -1, 0 or 1; NaN for NaN. The derivative is 0.
Variable sign(const Variable& x);
/// @}

/// @name Exponentials and logarithms
/// @{
Variable exp(const Variable& x);
Variable expm1(const Variable& x);
Variable log(const Variable& x);
Variable log1p(const Variable& x);
/// @}

/// @name Trigonometric and hyperbolic functions
/// @{
Variable sin(const Variable& x);
Variable cos(const Variable& x);
Variable tanh(const Variable& x);
/// @}

/// @name Activations
/// @{
/// 1 / (1 + exp(-x))
Variable sigmoid(const Variable& x);
/// max(x, 0), NaN for NaN. The derivative at 0 is 0.
Variable relu(const Variable& x);
/// @}

/// @name Choosing. NaN in an operand gives NaN; the gradient of equal operands is shared half and half.
/// @{
Variable maximum(const Variable& a, const Variable& b);
Variable minimum(const Variable& a, const Variable& b);
/// a where the condition (of dtype bool) holds, b elsewhere.
Variable where(const Variable& condition, const Variable& a, const Variable& b);
/// x limited to [low, high]. The gradient passes where low <= x <= high; a bound's where x is beyond it.
Variable clip(const Variable& x, const Variable& low, const Variable& high);
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
