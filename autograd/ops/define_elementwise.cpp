#include <cmath>

#include <autograd/fused/number.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/operands.hpp>

namespace xtape::detail {

DType common_dtype(const char* operation, std::span<const Variable* const> operands) {
  const Variable* first = nullptr;
  for (const Variable* x : operands) {
    if (!x->defined()) throw Error(std::string(operation) + ": an operand is an undefined Variable");
    if (x->impl()->weak) continue;
    if (!first) first = x;
    else if (x->dtype() != first->dtype())
      throw DTypeError(std::string(operation) + ": " + to_string(first->dtype()) + to_string(first->shape()) +
                       " with " + to_string(x->dtype()) + to_string(x->shape()) +
                       ": dtypes differ; convert one with .to(" + to_string(first->dtype()) + ")");
  }
  DType dtype = first ? first->dtype() : DType::float32;
  for (const Variable* x : operands)
    if (x->impl()->weak && dtype == DType::int64 && x->impl()->scalar != std::trunc(x->impl()->scalar))
      throw DTypeError(std::string(operation) + ": the scalar " + std::to_string(x->impl()->scalar) +
                       " does not fit int64" + to_string(first->shape()) + "; convert with .to(float32)");
  return dtype;
}

}  // namespace xtape::detail

namespace xtape::fused {

Variable error_complement(const Variable& x) { return erfc(x); }
Variable error_function(const Variable& x) { return erf(x); }
Variable is_nan(const Variable& x) { return isnan(x); }
Variable power(const Variable& a, const Variable& b) { return pow(a, b); }

}  // namespace xtape::fused
