// What models and optimizers hand over to be saved.
#pragma once

#include <map>
#include <string>

#include <autograd/variable.hpp>

namespace xtape {

/// Variables by name: parameters, buffers, an optimizer's moments and counts.
using StateDict = std::map<std::string, Variable>;

/// A line for each name in which the state differs from what is expected: missing, unexpected, of another shape or
/// dtype; empty where it fits.
std::string misfits(const StateDict& expected, const StateDict& state);

}  // namespace xtape
