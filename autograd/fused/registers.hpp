// What the lambdas of rules call: functions of registers, and the same of Variables and Numbers. It comes before the rules,
// which otherwise would find xsimd's functions of the same names.
#pragma once

#include <concepts>

#include <autograd/fused/number.hpp>
#include <autograd/fused/rule.hpp>
#include <autograd/kernels/simd.hpp>

namespace xtape::fused {

// arithmetic.hpp has one for int.
namespace detail {
constexpr bool rules_came_before(...) { return false; }
static_assert(!rules_came_before(0), "include fused/registers.hpp before the rules");
}  // namespace detail

// Of registers; declared here, lest the functions of this namespace hide them.
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

// Of Variables, where the public name is another.
Variable error_complement(const Variable& x);
Variable error_function(const Variable& x);
Variable is_nan(const Variable& x);
Variable power(const Variable& a, const Variable& b);

/// What remembers the operations on it.
template <class X>
concept Recorded = std::same_as<X, Variable> || std::same_as<X, Number>;

}  // namespace xtape::fused
