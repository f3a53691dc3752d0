// Training steps of whole networks: gradients to zero, forward, loss, backward, Adam.
#pragma once

#include "contestants.hpp"

namespace bench {

inline constexpr int lenet_batch = 64, generator_batch = 32, latent = 100, small_batch = 32;

/// 28x28 images through 5x5 convolutions to 32 and 64 channels, each pooled by 2, and dense layers 3136-1024-10;
/// softmax cross-entropy.
Work xtape_lenet();
/// A DCGAN generator (Radford et al. 2016): dense to 128x7x7, two 4x4 transposed convolutions of stride 2 to 64 channels
/// and to one, batch normalization before both; mean squared error.
Work xtape_generator();
/// 4-64-64-2, as for reinforcement learning; mean squared error.
Work xtape_small();

Work torch_lenet();
Work torch_generator();
Work torch_small();

}  // namespace bench
