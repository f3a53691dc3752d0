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
  nn::Sequential net{nn::Conv2D(1, 32, 5, {.padding = 2}), nn::ReLU(), nn::MaxPool2D(2),
                     nn::Conv2D(32, 64, 5, {.padding = 2}), nn::ReLU(), nn::MaxPool2D(2), nn::Flatten(),
                     nn::Dense(3136, 1024), nn::ReLU(), nn::Dense(1024, 10)};
  Variable x = rand({lenet_batch, 1, 28, 28}), y = argmax(rand({lenet_batch, 10}), 1);
  return step(net, [=](const nn::Sequential& net) { return nn::softmax_cross_entropy(net(x), y); });
}

Work xtape_generator() {
  nn::ConvTransposeOptions up{.stride = 2, .padding = 1};
  nn::Sequential net{nn::Dense(latent, 128 * 7 * 7), [](const Variable& x) { return reshape(x, {-1, 128, 7, 7}); },
                     nn::BatchNorm2D(128), nn::ReLU(), nn::ConvTranspose2D(128, 64, 4, up), nn::BatchNorm2D(64), nn::ReLU(), nn::ConvTranspose2D(64, 1, 4, up),
                     [](const Variable& x) { return tanh(x); }};
  Variable z = randn({generator_batch, latent}), y = rand({generator_batch, 1, 28, 28});
  return step(net, [=](const nn::Sequential& net) { return nn::mse_loss(net(z), y); });
}

Work xtape_small() {
  nn::Sequential net{nn::Dense(4, 64), nn::ReLU(), nn::Dense(64, 64), nn::ReLU(), nn::Dense(64, 2)};
  Variable x = randn({small_batch, 4}), y = randn({small_batch, 2});
  return step(net, [=](const nn::Sequential& net) { return nn::mse_loss(net(x), y); });
}

}  // namespace bench
