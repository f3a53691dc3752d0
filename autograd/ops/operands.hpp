// What operations make of their operands: checks, and the conversion of C++ scalars.
#pragma once

#include <span>

#include <autograd/variable.hpp>

namespace xtape::detail {

/// @throws Error naming the operation when x is undefined.
inline void require_defined(const char* operation, const Variable& x) {
  if (!x.defined()) throw Error(std::string(operation) + ": the operand is an undefined Variable");
}

/// @throws DTypeError naming the operation unless x is float32 or float64.
inline void require_floating(const char* operation, const Variable& x) {
  require_defined(operation, x);
  visit_floating(operation, x.dtype(), [](auto) {});
}

/// @throws DTypeError naming the operation unless x is float32, float64 or int64.
inline void require_numbers(const char* operation, const Variable& x) {
  require_defined(operation, x);
  if (x.dtype() == DType::boolean)
    throw DTypeError(std::string(operation) + ": needs float32, float64 or int64, got bool; convert with .to(int64)");
}

/// @throws DTypeError naming the operation unless x is int64.
inline void require_integers(const char* operation, const Variable& x) {
  require_defined(operation, x);
  if (x.dtype() != DType::int64)
    throw DTypeError(std::string(operation) + ": indices of " + to_string(x.dtype()) + ", needs int64");
}

/// x as the result of an operation that has nothing to do: a value of its own, not another name of x.
Variable same_value(const char* operation, const Variable& x);

/// f(x), where a 0-d x counts as one element along an axis, as in PyTorch: f sees that, and the result is 0-d again.
template <class F>
Variable with_an_axis(const char* operation, const Variable& x, F&& f) {
  require_defined(operation, x);
  if (x.rank() > 0) return f(x);
  const Variable one = x.reshape(Shape{1});
  return f(one).reshape(Shape{});
}

/// The dtype in which an operation computes: that of the operands that are not C++ scalars.
/// @throws DTypeError when those differ, or a C++ scalar does not fit.
DType common_dtype(const char* operation, std::span<const Variable* const> operands);

/// The elements of `x` for an operation in `dtype`: a C++ scalar is converted, anything else has that dtype and is
/// referred to.
class Operand {
 public:
  Operand(const Variable& x, DType dtype) : variable_(x) {
    if (x.impl()->weak) converted_ = Array::scalar(x.impl()->scalar, dtype);
  }
  const Array& array() const { return converted_.defined() ? converted_ : variable_.impl()->value; }

 private:
  const Variable& variable_;
  Array converted_;
};

inline bool all_scalars(std::span<const Variable* const> operands) {
  for (const Variable* x : operands)
    if (!x->defined() || !x->impl()->weak) return false;
  return true;
}

}  // namespace xtape::detail
