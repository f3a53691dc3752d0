#include <autograd/fused/number.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/operands.hpp>

namespace xtape::detail {

DType common_dtype(const char* operation, std::span<const Variable* const> operands) {
  const Variable* array = nullptr;  // the floating-point one
  bool floating = false, integer = false;
  for (const Variable* x : operands) {
    if (!x->defined()) throw Error(std::string(operation) + ": an operand is an undefined Variable");
    DType kind = kind_of(*x);
    integer = integer || kind == DType::int64;
    if (!is_floating(kind)) continue;
    floating = true;
    if (x->impl()->weak) continue;
    if (!array) array = x;
    else if (x->dtype() != array->dtype())
      throw DTypeError(std::string(operation) + ": " + describe(*array) + " with " + describe(*x) +
                       ": dtypes differ; convert one with .to(" + to_string(array->dtype()) + ")");
  }
  if (array) return array->dtype();
  return floating ? default_dtype() : integer ? DType::int64 : DType::boolean;
}

Variable in_dtype(const char* operation, const Variable& x, DType dtype) {
  if (!x.defined() || (x.dtype() == dtype && !x.impl()->weak)) return x;
  return Variable(Operand(operation, x, dtype).array());
}

Variable as_element(const char* operation, const Variable& value, DType dtype) {
  require_defined(operation, value);
  DType from = value.dtype();
  bool same_kind = from == dtype || from == DType::boolean || (from == DType::int64 && is_floating(dtype));
  if (!same_kind && !value.impl()->weak)
    throw DTypeError(std::string(operation) + ": " + describe(value) + " into " + to_string(dtype) +
                     ": convert it with .to(" + to_string(dtype) + ")");
  return in_dtype(operation, value, dtype);
}

}  // namespace xtape::detail

namespace xtape::fused {

Variable error_complement(const Variable& x) { return erfc(x); }
Variable error_function(const Variable& x) { return erf(x); }
Variable is_nan(const Variable& x) { return isnan(x); }
Variable power(const Variable& a, const Variable& b) { return pow(a, b); }

}  // namespace xtape::fused
