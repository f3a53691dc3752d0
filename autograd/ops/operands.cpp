#include <autograd/ops/operands.hpp>

#include <string>

#include <autograd/batch.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/tape.hpp>

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

Variable same_value(const char* operation, const Variable& x) {
  require_defined(operation, x);
  if (x.impl()->weak) return Variable(x.impl()->scalar);
  return record(op(operation).mapped([](const Batch& b) { return b[0]; }), [](const Array& x) { return x; },
                wrt(x, [](const Variable& g) { return g; }, linear_in_operand));
}

void require_writable(const char* operation, const Variable& x) {
  require_defined(operation, x);
  if (grad_enabled() && x.requires_grad() && x.is_leaf())
    throw GraphError(std::string(operation) + ": a leaf that requires a gradient is changed in place while operations "
                     "are recorded; do so within NoGrad");
}

void require_fits(const char* operation, const Variable& result, const Variable& x) {
  if (result.shape() != x.shape() || result.dtype() != x.dtype())
    throw ShapeError(std::string(operation) + ": a result of " + describe(result) + " does not fit in place of " +
                     describe(x));
}

}  // namespace xtape::detail
