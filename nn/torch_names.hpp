// The state of our modules under PyTorch's names and in its layouts, and back.
#pragma once

#include <autograd/state_dict.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

/// What a PyTorch module of the same structure has in its state_dict, as a state for `module.load_state_dict`:
///
///     net.load_state_dict(nn::from_torch(net, nn::load_safetensors("model.safetensors").tensors));
///
/// The parts of `module` have the names that PyTorch's have (those of nn::Sequential are "0", "1", ... in both). Their
/// parameters have PyTorch's names and shapes; what differs is that
/// - WeightNorm and SpectralNorm hold what they wrap as a part "module", which is no part of the name there;
/// - a parameter that stands in several places counts once here, and has a name for each place there;
/// - "num_batches_tracked" is left out where the module has none, and is 0 where the state has none.
/// Names that the module does not know are left as they are, for load_state_dict to speak of.
StateDict from_torch(const Module& module, const StateDict& state);

/// The state of `module` for a PyTorch module of the same structure, as copies. What is not yet materialized is an
/// undefined Variable, as in `module.state_dict()`, so that files refuse it:
///
///     nn::save_safetensors("model.safetensors", nn::to_torch(net));
StateDict to_torch(const Module& module);

}  // namespace xtape::nn
