// What models and optimizers hand over to be saved.
#pragma once

#include <map>
#include <string>

#include <autograd/variable.hpp>

namespace xtape {

/// Variables by name: parameters, buffers, an optimizer's moments and counts.
using StateDict = std::map<std::string, Variable>;

}  // namespace xtape
