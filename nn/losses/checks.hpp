// What all losses do before and after they compute. Not for users.
#pragma once

#include <limits>
#include <string>

#include <autograd/variable.hpp>
#include <nn/losses/reduction.hpp>

namespace xtape::nn::detail {

/// The losses as the reduction says. @throws ShapeError for the mean of nothing, or batchmean without a batch.
Variable reduce(const char* operation, const Variable& losses, Reduction reduction);

/// @throws Error naming the operation and both, unless they are floating-point and of one shape and dtype.
void require_alike(const char* operation, const char* what, const Variable& x, const char* other, const Variable& y);

/// @throws ValueError naming the operation unless every element is -1 or 1.
void require_signs(const char* operation, const Variable& labels);

/// x as numbers of the dtype of `like`, where it is integers or bool.
Variable as_numbers(const Variable& x, const Variable& like);

/// a log(p), given log(p), and 0 for a = 0 where p is 0, too: what cannot be and is not asked for costs nothing. For
/// numbers in `fuse`.
template <class Number>
Number times_log(const Number& a, const Number& log_p) {
  return a * where(a == 0, maximum(log_p, std::numeric_limits<float>::lowest()), log_p);
}

/// max(x, 0), whose gradient passes at 0 as well: PyTorch's clamp_min, of which margins are made.
Variable at_least_zero(const Variable& x);

}  // namespace xtape::nn::detail
