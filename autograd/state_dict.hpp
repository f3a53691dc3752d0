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

/// The same Variables under names that begin with `prefix`: what a part has, for a whole that has it by that name.
StateDict with_prefix(const StateDict& state, const std::string& prefix);

/// The Variables whose names begin with `prefix`, under the names without it: of a whole, what a part has.
///
///     encoder.load_state_dict(without_prefix(nn::load_safetensors("model.safetensors").tensors, "encoder."));
///
/// @throws ValueError when no name begins with it.
StateDict without_prefix(const StateDict& state, const std::string& prefix);

}  // namespace xtape
