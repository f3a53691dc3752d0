// Checks the derivatives of modules against finite differences.
#pragma once

#include <autograd/gradcheck.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

/// `gradcheck` of a module's output with respect to x and to every parameter. The message of a disagreement counts x
/// as input 0 and then the parameters, and says which that are; an x of integers is a constant. The module's output
/// must depend on nothing else than x, the parameters and constants: it is called many times, and once before where it
/// finds its input width at the first call.
/// @throws DTypeError unless x and the parameters are float64; convert with `module.to(float64)`.
GradcheckResult gradcheck_module(const Module& module, const Variable& x, const GradcheckOptions& options = {});

}  // namespace xtape::nn
