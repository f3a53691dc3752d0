// Operations over the processes of a run.
#pragma once

#include <autograd/variable.hpp>

namespace xtape {

class Communicator;

/// The sum of x over all processes, which each of them gets; every one calls it with an x of the same shape. The gradient
/// is the sum of all processes' gradients. With one process, x.
/// @throws DTypeError for booleans.
Variable all_reduce(const Variable& x, Communicator& processes);
/// The same over Communicator::world().
Variable all_reduce(const Variable& x);

}  // namespace xtape
