// What both forms of attention have in common.
#pragma once

#include <vector>

#include <autograd/variable.hpp>

namespace xtape::detail {

/// What each query takes of each key: softmax(scores + masks) over the last axis of scores (..., n, m), by masks that
/// broadcast to them: bool, true where a query may look, or numbers to add, -inf where it may not. A query that may look
/// at nothing gets zeros.
Variable attention_weights(const Variable& scores, const std::vector<Variable>& masks);

}  // namespace xtape::detail
