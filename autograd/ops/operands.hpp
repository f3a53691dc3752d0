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

/// @throws GraphError naming the operation for a leaf that needs a gradient, while operations are recorded.
void require_writable(const char* operation, const Variable& x);
/// @throws ShapeError naming the operation unless a result that is to be written to x has its shape and dtype.
void require_fits(const char* operation, const Variable& result, const Variable& x);

/// Whether this is the only handle of its value; and whether, besides, nothing else shares its elements, so that no one
/// sees what is written to them.
inline bool sole_handle(const Variable& x) { return x.impl()->references == 1; }
inline bool sole_owner(const Variable& x) { return sole_handle(x) && x.value().unique(); }

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

/// The dtype of an array, or the kind of a C++ scalar.
inline DType kind_of(const Variable& x) { return x.impl()->weak ? x.impl()->scalar.dtype() : x.dtype(); }

/// The dtype in which an operation computes: the floating-point one of the operands; else int64 where one is an integer;
/// else bool. C++ scalars count by their kind alone: where only they are floating-point, it is the default dtype.
/// @throws DTypeError when operands are of float32 and of float64.
DType common_dtype(const char* operation, std::span<const Variable* const> operands);

/// The elements of `x` for an operation in `dtype`: converted, or as they are where x has that dtype.
class Operand {
 public:
  /// @throws ValueError for a C++ scalar that does not fit.
  Operand(const char* operation, const Variable& x, DType dtype) : variable_(x) {
    if (x.impl()->weak) converted_ = Array::scalar(x.impl()->scalar, dtype, operation);
    else if (x.dtype() != dtype) converted_ = x.value().to(dtype);
  }
  bool converted() const { return converted_.defined(); }
  const Array& array() const { return converted() ? converted_ : variable_.impl()->value; }

 private:
  const Variable& variable_;
  Array converted_;
};

/// x in another dtype; x itself where it has that, or is undefined. @throws ValueError for a C++ scalar that does not fit.
Variable in_dtype(const char* operation, const Variable& x, DType dtype);

/// What is written into an array of `dtype`: the same, where that loses nothing of its kind.
/// @throws DTypeError for a floating-point value into int64 or bool, an int64 into bool, float32 into float64 and back.
Variable as_element(const char* operation, const Variable& value, DType dtype);

inline bool all_scalars(std::span<const Variable* const> operands) {
  for (const Variable* x : operands)
    if (!x->defined() || !x->impl()->weak) return false;
  return true;
}

}  // namespace xtape::detail
