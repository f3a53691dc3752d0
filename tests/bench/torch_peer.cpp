#include <cmath>
#include <memory>

#include <torch/torch.h>

#include "contestants.hpp"

namespace bench::peer {

using namespace torch::nn;
using torch::Tensor;

void set_threads(int count) {
  at::set_num_threads(count);
  set_openblas_threads(count);
}

namespace {

template <class Loss>
Work step(std::shared_ptr<torch::optim::Optimizer> optimizer, Loss loss) {
  return [=]() mutable {
    optimizer->zero_grad();
    loss().backward();
    optimizer->step();
  };
}

std::shared_ptr<torch::optim::Optimizer> adam(const Module& net) {
  return std::make_shared<torch::optim::Adam>(net.parameters(), torch::optim::AdamOptions(1e-3));
}

// The network, begun as xtape's begin: dense layers by Xavier's rule, convolutions by He's, with biases of 0.
Sequential begun(Sequential net) {
  for (auto& entry : net->named_parameters()) {
    Tensor& p = entry.value();
    if (p.dim() == 2) init::xavier_uniform_(p);
    if (p.dim() == 4) init::kaiming_uniform_(p);
    if (entry.key().ends_with("bias")) init::zeros_(p);
  }
  return net;
}

Sequential lenet_network() {
  return begun(Sequential(Conv2d(Conv2dOptions(1, 32, 5).padding(2)), ReLU(), MaxPool2d(2),
                          Conv2d(Conv2dOptions(32, 64, 5).padding(2)), ReLU(), MaxPool2d(2), Flatten(),
                          Linear(3136, 1024), ReLU(), Linear(1024, 10)));
}

Sequential small_network() {
  return begun(Sequential(Linear(4, 64), ReLU(), Linear(64, 64), ReLU(), Linear(64, 2)));
}

Work classify(Sequential net, std::shared_ptr<torch::optim::Optimizer> optimizer, const Tensor& x) {
  Tensor y = torch::randint(classes, {x.size(0)}, torch::kLong);
  return step(optimizer, [=]() mutable { return functional::cross_entropy(net->forward(x), y); });
}

Work forward(Sequential net, const Tensor& x) {
  return [=]() mutable {
    torch::NoGradGuard guard;
    net->forward(x);
  };
}

}  // namespace

Work mnist() {
  Sequential net = begun(Sequential(Linear(pixels, hidden1), ReLU(), Linear(hidden1, hidden2), ReLU(),
                                    Linear(hidden2, classes)));
  return classify(net, adam(*net), torch::rand({batch, pixels}));
}

Work wide() {
  Sequential net = begun(Sequential(Linear(wide_in, wide_hidden), GELU(), Linear(wide_hidden, wide_hidden), GELU(),
                                    Linear(wide_hidden, classes)));
  auto adamw = std::make_shared<torch::optim::AdamW>(net->parameters(), torch::optim::AdamWOptions(1e-3));
  return classify(net, adamw, torch::rand({wide_batch, wide_in}));
}

Work lenet() {
  Sequential net = lenet_network();
  return classify(net, adam(*net), torch::rand({lenet_batch, 1, 28, 28}));
}

Work residual() {
  auto same = Conv2dOptions(residual_channels, residual_channels, 3).padding(1).bias(false);
  Sequential net = begun(Sequential(Conv2d(same), BatchNorm2d(residual_channels), ReLU(), Conv2d(same),
                                    BatchNorm2d(residual_channels)));
  Tensor x = torch::rand({residual_batch, residual_channels, residual_size, residual_size});
  auto sgd = std::make_shared<torch::optim::SGD>(net->parameters(), torch::optim::SGDOptions(1e-2));
  return step(sgd, [=]() mutable { return torch::relu(net->forward(x) + x).square().mean(); });
}

Work generator() {
  auto up = [](int in, int out) { return ConvTranspose2d(ConvTranspose2dOptions(in, out, 4).stride(2).padding(1)); };
  Sequential net = begun(Sequential(Linear(latent, 128 * 7 * 7), Unflatten(UnflattenOptions(1, {128, 7, 7})),
                                    BatchNorm2d(128), ReLU(), up(128, 64), BatchNorm2d(64), ReLU(), up(64, 1), Tanh()));
  Tensor z = torch::randn({generator_batch, latent}), y = torch::rand({generator_batch, 1, 28, 28});
  return step(adam(*net), [=]() mutable { return torch::mse_loss(net->forward(z), y); });
}

Work small() {
  Sequential net = small_network();
  Tensor x = torch::randn({small_batch, 4}), y = torch::randn({small_batch, 2});
  return step(adam(*net), [=]() mutable { return torch::mse_loss(net->forward(x), y); });
}

Work lenet_forward() { return forward(lenet_network(), torch::rand({1, 1, 28, 28})); }
Work small_forward() { return forward(small_network(), torch::randn({1, 4})); }

Work lstm() {
  LSTM net(lstm_in, lstm_hidden);
  Tensor x = torch::rand({lstm_steps, lstm_batch, lstm_in});
  return step(adam(*net), [=]() mutable { return std::get<0>(net->forward(x)).square().mean(); });
}

namespace {

struct TransformerBlockImpl : Module {
  LayerNorm norm1{LayerNormOptions({width})}, norm2{LayerNormOptions({width})};
  Sequential qkv{Linear(width, 3 * width)}, out{Linear(width, width)};
  Sequential feed_forward{Linear(width, 4 * width), GELU(), Linear(4 * width, width)};

  TransformerBlockImpl() {
    register_module("norm1", norm1);
    register_module("norm2", norm2);
    register_module("qkv", begun(qkv));
    register_module("out", begun(out));
    register_module("feed_forward", begun(feed_forward));
  }

  Tensor attention(const Tensor& x) {
    Tensor parts = qkv->forward(x).view({attention_batch, attention_steps, 3, heads, width / heads})
                       .permute({2, 0, 3, 1, 4});
    Tensor q = parts[0], k = parts[1], v = parts[2];
    Tensor weights = torch::softmax(torch::matmul(q, k.transpose(-1, -2)) * std::sqrt(double{heads} / width), -1);
    return out->forward(torch::matmul(weights, v).transpose(1, 2).reshape({attention_batch, attention_steps, width}));
  }

  Tensor forward(const Tensor& x) {
    Tensor y = x + attention(norm1->forward(x));
    return y + feed_forward->forward(norm2->forward(y));
  }
};
TORCH_MODULE(TransformerBlock);

template <class Net>
Work train(Net net, const Tensor& x) {
  return step(adam(*net), [=]() mutable { return net->forward(x).square().mean(); });
}

Work train_encoder(double dropout) {
  auto options = TransformerEncoderLayerOptions(width, heads).dim_feedforward(4 * width).dropout(dropout);
  return train(TransformerEncoderLayer(options), torch::rand({attention_steps, attention_batch, width}));
}

}  // namespace

Work transformer() { return train(TransformerBlock(), torch::rand({attention_batch, attention_steps, width})); }

Work encoder() { return train_encoder(0); }
Work encoder_dropout() { return train_encoder(0.1); }

Work cross_entropy() {
  Tensor logits = torch::randn({samples, vocabulary}, torch::requires_grad());
  Tensor labels = torch::randint(vocabulary, {samples}, torch::kLong);
  return [=]() mutable {
    logits.mutable_grad() = Tensor();
    functional::cross_entropy(logits, labels).backward();
  };
}

Work composed() {
  Tensor x = torch::rand({elements}, torch::requires_grad()), y = torch::rand({elements}, torch::requires_grad()),
         c = torch::rand({elements}, torch::requires_grad());
  return [=]() mutable {
    for (Tensor* v : {&x, &y, &c}) v->mutable_grad() = Tensor();
    (torch::tanh(x * y + c) * torch::sigmoid(x)).mean().backward();
  };
}

Work chain() {
  Tensor x = torch::ones({1}, torch::requires_grad()), a = torch::full({1}, 0.999), b = torch::full({1}, 0.001);
  return [=]() mutable {
    Tensor y = x;
    for (int i = 0; i < chain_length / 2; ++i) y = y * a + b;
    x.mutable_grad() = Tensor();
    y.backward();
  };
}

}  // namespace bench::peer
