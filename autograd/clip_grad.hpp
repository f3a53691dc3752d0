// Bounds on gradients, between backward and an optimizer's step.
#pragma once

#include <vector>

#include <autograd/variable.hpp>

namespace xtape {

/// Scales the gradients of all parameters together so that their norm, as of one vector, is at most `max_norm`: by
/// max_norm / (norm + 1e-6) where that is less than 1, as PyTorch does. Returns the norm that it was. Parameters without
/// a gradient play no part (Pascanu, Mikolov, Bengio 2013).
/// @throws ValueError, and changes nothing, for a bound that is negative or NaN, or a norm that is not finite.
double clip_grad_norm(const std::vector<Variable>& parameters, double max_norm, double p = 2);

/// Cuts every element of the gradients to [-bound, bound]. @throws ValueError for a bound that is negative or NaN.
void clip_grad_value(const std::vector<Variable>& parameters, double bound);

}  // namespace xtape
