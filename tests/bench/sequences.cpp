#include <cmath>

#include <autograd/autograd.hpp>

#include "steps.hpp"

namespace bench::own {

using namespace xtape;

namespace {

// Pre-norm: attention of four heads, and a feed-forward part, each added to what goes in.
struct TransformerBlock : nn::Module {
  nn::LayerNorm norm1{width}, norm2{width};
  nn::Dense qkv{width, 3 * width}, out{width, width}, up{width, 4 * width}, down{4 * width, width};

  TransformerBlock() {
    add("norm1", norm1);
    add("norm2", norm2);
    add("qkv", qkv);
    add("out", out);
    add("up", up);
    add("down", down);
  }

  Variable attention(const Variable& x) {
    Variable parts = transpose(reshape(qkv(x), {attention_batch, attention_steps, 3, heads, width / heads}),
                               {2, 0, 3, 1, 4});
    Variable q = parts[0], k = parts[1], v = parts[2];
    Variable weights = softmax(matmul(q, swapaxes(k, -1, -2)) * std::sqrt(double{heads} / width));
    return out(reshape(swapaxes(matmul(weights, v), 1, 2), {attention_batch, attention_steps, width}));
  }

  Variable forward(const Variable& x) override {
    Variable y = x + attention(norm1(x));
    return y + down(gelu(up(norm2(y))));
  }
};

template <class Net>
Work train(const Net& net, const Variable& x) {
  return step(adam(net), [=] { return mean(square(net(x))); });
}

Work train_encoder(double dropout) {
  return train(nn::TransformerEncoderLayer(width, heads, {.dim_feedforward = 4 * width, .dropout = dropout}),
               rand({attention_steps, attention_batch, width}));
}

}  // namespace

Work lstm() { return train(nn::LSTM(lstm_in, lstm_hidden), rand({lstm_steps, lstm_batch, lstm_in})); }

Work transformer() { return train(TransformerBlock(), rand({attention_batch, attention_steps, width})); }

Work encoder() { return train_encoder(0); }
Work encoder_dropout() { return train_encoder(0.1); }

}  // namespace bench::own
