// What matrix products and their gradients are made of: a product that transposes as it reads.
#pragma once

#include <autograd/variable.hpp>

namespace xtape::detail {

/// The product of two operands of two axes or more, whose last two are read as swapped where asked. Leading axes
/// broadcast; the caller has checked shapes and dtypes.
Variable product(const Variable& a, const Variable& b, bool transpose_a, bool transpose_b);

}  // namespace xtape::detail
