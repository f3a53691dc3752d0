// Elements by masks.
#pragma once

#include <autograd/variable.hpp>

namespace xtape {

/// The elements of x where the mask (bool, both broadcast) holds, in row-major order, with one axis.
Variable masked_select(const Variable& x, const Variable& mask);
/// `value` where the mask holds, x elsewhere.
Variable masked_fill(const Variable& x, const Variable& mask, const Variable& value);
/// The next element of `source`, in row-major order, where the mask (bool, broadcasts to x) holds, x elsewhere.
/// @throws ShapeError for fewer elements than the mask asks for.
Variable masked_scatter(const Variable& x, const Variable& mask, const Variable& source);

}  // namespace xtape
