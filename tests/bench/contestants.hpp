// Who is measured: functions that prepare one unit of work, with all that it needs, and return it.
#pragma once

#include <functional>

namespace bench {

using Work = std::function<void()>;

inline constexpr int batch = 128, pixels = 784, hidden1 = 400, hidden2 = 100, classes = 10;
inline constexpr int wide_batch = 256, wide_in = 1024, wide_hidden = 2048;
inline constexpr int small_batch = 32;
inline constexpr int lenet_batch = 64, generator_batch = 32, latent = 100;
inline constexpr int residual_batch = 16, residual_channels = 64, residual_size = 32;
inline constexpr int lstm_steps = 64, lstm_batch = 32, lstm_in = 64, lstm_hidden = 128;
inline constexpr int attention_batch = 16, attention_steps = 64, width = 128, heads = 4;
inline constexpr int samples = 256, vocabulary = 32000;
inline constexpr int chain_length = 2000;
inline constexpr int elements = 1000000;

/// What xtape does. A training step is gradients to zero, forward, loss, backward, and the optimizer's step.
namespace own {

/// Training steps of 784-400-100-10 with ReLU, softmax cross-entropy, Adam; of 1024-2048-2048-10 with GELU, softmax
/// cross-entropy, AdamW; and of 4-64-64-2, as for reinforcement learning, with ReLU, mean squared error, Adam.
Work mnist(), wide(), small();
/// LeNet's: 28x28 images through 5x5 convolutions to 32 and 64 channels, each pooled by 2, and dense layers
/// 3136-1024-10; softmax cross-entropy, Adam.
Work lenet();
/// A residual block's: two 3x3 convolutions of 64 channels on 32x32, each with batch normalization; SGD.
Work residual();
/// A DCGAN generator's (Radford et al. 2016): dense to 128x7x7, two 4x4 transposed convolutions of stride 2 to 64
/// channels and to one, batch normalization before both; mean squared error, Adam.
Work generator();
/// Those of sequence models, with the mean of the squared outputs as the loss, and Adam: an LSTM; a pre-norm
/// transformer block written out, with GELU; and the library's own encoder layer, post-norm, with ReLU, without and
/// with dropout.
Work lstm(), transformer(), encoder(), encoder_dropout();
/// Without gradients, for one example.
Work lenet_forward(), small_forward();
/// Softmax cross-entropy of `samples` rows of `vocabulary` logits, forward and backward.
Work cross_entropy();
/// The mean of tanh(x * y + c) * sigmoid(x) over `elements`, forward and backward, by operations and by `fuse`.
Work composed(), fused();
/// x <- x * a + b in one-element operations, `chain_length` of them in all, forward and backward.
Work chain();
/// A network of 64 layers there and back, and the same with checkpoints.
Work deep(), checkpointed();
/// The gradients of 784-400-100-10's loss for a batch: as one writes it, and by vmap of the loss of one sample.
Work batched(), mapped();
/// Those of 16-32-32-10's loss for each of 1000 samples: by vmap, and one after the other.
Work sample_gradients(), sample_gradients_looped();
void set_threads(int count);

}  // namespace own

/// The same in libtorch's C++ frontend.
namespace peer {

Work mnist(), wide(), small(), lenet(), residual(), generator(), lstm(), transformer(), encoder();
Work encoder_dropout(), lenet_forward(), small_forward(), cross_entropy(), composed(), chain();
void set_threads(int count);

}  // namespace peer

/// The eight matrix products of the training step of 784-400-100-10, on OpenBLAS directly: three forward, three
/// gradients of weights, two of inputs.
Work openblas_products();
/// xtape has set it to one; libtorch leaves it as it is.
void set_openblas_threads(int count);

}  // namespace bench
