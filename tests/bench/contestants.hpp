// Who is measured: functions that do one unit of work, with all that it needs made beforehand.
#pragma once

#include <functional>

namespace bench {

using Work = std::function<void()>;

inline constexpr int batch = 128, pixels = 784, hidden1 = 400, hidden2 = 100, classes = 10;
inline constexpr int chain_length = 2000;
inline constexpr int elements = 1000000;
inline constexpr int lstm_steps = 64, lstm_batch = 32, lstm_in = 64, lstm_hidden = 128;

/// One training step of the network 784-400-100-10 at batch 128: gradients to zero, forward, softmax cross-entropy,
/// backward, Adam.
Work xtape_step();
/// The eight matrix products of such a step, on OpenBLAS directly: three forward, three gradients of weights, two of
/// inputs.
Work matrix_products();
/// x <- x * a + b in one-element operations, `chain_length` of them in all, forward and backward.
Work xtape_chain();
/// The mean of tanh(x * y + c) * sigmoid(x) over `elements`, forward and backward, by `fuse` and by operations.
Work xtape_fused();
Work xtape_composed();
/// A network of 64 layers there and back, and the same with checkpoints.
Work xtape_deep();
Work xtape_checkpointed();
/// One training step of an LSTM: gradients to zero, forward, mean of the squared outputs, backward, Adam.
Work xtape_lstm();

/// The same in libtorch's C++ frontend.
Work torch_step();
Work torch_chain();
Work torch_composed();
Work torch_lstm();
void set_torch_threads(int count);

}  // namespace bench
