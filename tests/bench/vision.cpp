#include "vision.hpp"

#include <memory>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

namespace bench {

using namespace xtape;

namespace {

template <class Loss>
Work step(const nn::Sequential& net, Loss loss) {
  auto adam = std::make_shared<optim::Adam>(net.parameters(), optim::AdamOptions{.lr = 1e-3});
  return [=] {
    adam->zero_grad();
    loss(net).backward();
    adam->step();
  };
}

}  // namespace

Work xtape_lenet() {
  nn::Sequential net(nn::Conv2d(1, 32, 5, {.padding = 2}), nn::ReLU(), nn::MaxPool2d(2),
                     nn::Conv2d(32, 64, 5, {.padding = 2}), nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(),
                     nn::Dense(3136, 1024), nn::ReLU(), nn::Dense(1024, 10));
  Variable x = rand({lenet_batch, 1, 28, 28}), y = argmax(rand({lenet_batch, 10}), 1);
  return step(net, [=](const nn::Sequential& net) { return nn::softmax_cross_entropy(net(x), y); });
}

namespace {

struct Up : nn::Module {
  Variable weight, bias;
  Up(std::size_t in, std::size_t out)
      : weight(add("weight", parameter(randn({in, out, 4, 4}) * 0.02))), bias(add("bias", parameter(zeros({out})))) {}
  Variable forward(const Variable& x) override {
    return conv_transpose2d(x, weight, bias, {.stride = 2, .padding = 1});
  }
};

}  // namespace

Work xtape_generator() {
  nn::Sequential net(nn::Dense(latent, 128 * 7 * 7), [](const Variable& x) { return reshape(x, {-1, 128, 7, 7}); },
                     nn::BatchNorm(128), nn::ReLU(), Up(128, 64), nn::BatchNorm(64), nn::ReLU(), Up(64, 1),
                     [](const Variable& x) { return tanh(x); });
  Variable z = randn({generator_batch, latent}), y = rand({generator_batch, 1, 28, 28});
  return step(net, [=](const nn::Sequential& net) { return nn::mse_loss(net(z), y); });
}

Work xtape_small() {
  nn::Sequential net(nn::Dense(4, 64), nn::ReLU(), nn::Dense(64, 64), nn::ReLU(), nn::Dense(64, 2));
  Variable x = randn({small_batch, 4}), y = randn({small_batch, 2});
  return step(net, [=](const nn::Sequential& net) { return nn::mse_loss(net(x), y); });
}

}  // namespace bench
