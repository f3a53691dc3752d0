#include "workloads.hpp"

#ifdef XTAPE_BENCH_TORCH
#define PEER(name) peer::name
#else
#define PEER(name) nullptr
#endif

namespace bench {
namespace {

// Of a matrix product, or of a convolution as one.
constexpr double product(double m, double n, double k) { return 2 * m * n * k; }

// A training step has three products for each one forward, but two for the first layer, whose input needs no gradient.
constexpr double mnist_flops = 2 * product(batch, pixels, hidden1) + 3 * product(batch, hidden1, hidden2) +
                               3 * product(batch, hidden2, classes);
constexpr double wide_flops = 2 * product(wide_batch, wide_in, wide_hidden) +
                              3 * product(wide_batch, wide_hidden, wide_hidden) +
                              3 * product(wide_batch, wide_hidden, classes);
constexpr double small_flops(double examples, int first, int others) {
  return first * product(examples, 4, 64) + others * (product(examples, 64, 64) + product(examples, 64, 2));
}
constexpr double lenet_flops(double examples, int first, int others) {
  return first * product(examples * 28 * 28, 32, 1 * 5 * 5) +
         others * (product(examples * 14 * 14, 64, 32 * 5 * 5) + product(examples, 3136, 1024) +
                   product(examples, 1024, 10));
}
constexpr double residual_flops = (2 + 3) * product(residual_batch * residual_size * residual_size, residual_channels,
                                                    residual_channels * 3 * 3);
constexpr double generator_flops = 2 * product(generator_batch, latent, 128 * 7 * 7) +
                                   3 * product(generator_batch * 7 * 7, 128, 64 * 4 * 4) +
                                   3 * product(generator_batch * 14 * 14, 64, 1 * 4 * 4);
constexpr double lstm_flops = 2 * product(lstm_steps * lstm_batch, lstm_in, 4 * lstm_hidden) +
                              3 * product(lstm_steps * lstm_batch, lstm_hidden, 4 * lstm_hidden);
constexpr double attention_rows = attention_batch * attention_steps;
constexpr double transformer_flops = 3 * product(attention_rows, width, (3 + 1 + 4 + 4) * width) +
                                     3 * 2 * product(attention_rows, attention_steps, width);
constexpr double encoder_flops = transformer_flops - product(attention_rows, width, 3 * width);

}  // namespace

void (*const set_peer_threads)(int count) = PEER(set_threads);

const std::vector<Workload>& workloads() {
  static const std::vector<Workload> all{
      {"mnist", "784-400-100-10, batch 128, Adam", own::mnist, PEER(mnist), 1, mnist_flops},
      {"products", "its matrix products, by OpenBLAS", openblas_products, nullptr, 1, mnist_flops},
      {"lenet", "LeNet, batch 64, Adam", own::lenet, PEER(lenet), 1, lenet_flops(lenet_batch, 2, 3)},
      {"residual", "residual block, 64x32x32, batch 16, SGD", own::residual, PEER(residual), 1, residual_flops},
      {"generator", "DCGAN generator, batch 32, Adam", own::generator, PEER(generator), 1, generator_flops},
      {"lstm", "LSTM, 64 steps, 64 to 128, batch 32", own::lstm, PEER(lstm), 1, lstm_flops},
      {"transformer", "transformer block, 16x64x128, 4 heads", own::transformer, PEER(transformer), 1,
       transformer_flops},
      {"encoder", "nn's encoder layer, 16x64x128, 4 heads", own::encoder, PEER(encoder), 1, encoder_flops},
      {"encoder_dropout", "the same with dropout 0.1", own::encoder_dropout, PEER(encoder_dropout), 1, encoder_flops},
      {"wide", "1024-2048-2048-10, batch 256, AdamW", own::wide, PEER(wide), 1, wide_flops},
      {"small", "4-64-64-2, batch 32, Adam", own::small, PEER(small), 1, small_flops(small_batch, 2, 3)},
      {"cross_entropy", "softmax cross-entropy of 256 x 32000", own::cross_entropy, PEER(cross_entropy), 1, 0,
       2 * sizeof(float) * double{samples} * vocabulary},
      {"composed", "a million tanh(x * y + c) * sigmoid(x)", own::composed, PEER(composed), 1, 0,
       6 * sizeof(float) * double{elements}},
      {"fused", "the same by fuse", own::fused, PEER(composed), 1, 0, 6 * sizeof(float) * double{elements}},
      {"chain", "one-element operation, there and back", own::chain, PEER(chain), chain_length},
      {"deep", "64 layers there and back", own::deep},
      {"checkpointed", "the same with checkpoints", own::checkpointed},
      {"batched", "784-400-100-10, batch 128, gradients alone", own::batched},
      {"mapped", "the same by vmap of one sample", own::mapped},
      {"looped", "16-32-32-10, gradients of each of 1000 samples", own::sample_gradients_looped},
      {"sample_gradients", "the same by vmap", own::sample_gradients},
      {"lenet_forward", "LeNet forward alone, batch 1", own::lenet_forward, PEER(lenet_forward), 1,
       lenet_flops(1, 1, 1)},
      {"small_forward", "4-64-64-2 forward alone, batch 1", own::small_forward, PEER(small_forward), 1,
       small_flops(1, 1, 1)},
  };
  return all;
}

}  // namespace bench
