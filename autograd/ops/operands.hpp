// Checks that operations make of their operands.
#pragma once

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

/// @throws DTypeError naming the operation unless x is int64.
inline void require_integers(const char* operation, const Variable& x) {
  require_defined(operation, x);
  if (x.dtype() != DType::int64)
    throw DTypeError(std::string(operation) + ": indices of " + to_string(x.dtype()) + ", needs int64");
}

}  // namespace xtape::detail
