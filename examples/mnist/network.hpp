// The networks to choose from.
#pragma once

#include <string>
#include <vector>

#include <nn/containers.hpp>

namespace mnist {

/// What `--network` takes: dense, cnn, rnn, lstm.
const std::vector<std::string>& network_names();

/// A network from rows of 784 pixels to the logits of ten digits:
/// - dense: 784-400-100-10 with ReLU, as in the tutorial framework tinynn;
/// - cnn: two 5x5 convolutions, each with max pooling, and two dense layers (after LeCun et al. 1998, with ReLU);
/// - rnn, lstm: read an image row by row, and answer by the state after the last.
/// @throws xtape::ValueError for another name.
xtape::nn::Sequential make_network(const std::string& name);

/// Whether the gradients of a network need a bound: those of recurrent ones do.
bool needs_clipping(const std::string& name);

}  // namespace mnist
