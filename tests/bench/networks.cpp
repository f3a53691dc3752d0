#include <autograd/autograd.hpp>

#include "steps.hpp"

namespace bench::own {

using namespace xtape;

namespace {

nn::Sequential lenet_network() {
  return {nn::Conv2D(1, 32, 5, {.padding = 2}), nn::ReLU(), nn::MaxPool2D(2),
          nn::Conv2D(32, 64, 5, {.padding = 2}), nn::ReLU(), nn::MaxPool2D(2), nn::Flatten(),
          nn::Dense(3136, 1024), nn::ReLU(), nn::Dense(1024, 10)};
}

nn::Sequential small_network() {
  return {nn::Dense(4, 64), nn::ReLU(), nn::Dense(64, 64), nn::ReLU(), nn::Dense(64, 2)};
}

// A step of a network that tells ten classes apart.
Work classify(const nn::Sequential& net, std::shared_ptr<optim::Optimizer> optimizer, const Variable& x) {
  return step(optimizer, [=, y = randint(classes, {x.shape()[0]})] { return nn::softmax_cross_entropy(net(x), y); });
}

Work forward(const nn::Sequential& net, const Variable& x) {
  return [=] {
    NoGrad guard;
    net(x);
  };
}

}  // namespace

Work mnist() {
  nn::Sequential net{nn::Dense(pixels, hidden1), nn::ReLU(), nn::Dense(hidden1, hidden2), nn::ReLU(),
                     nn::Dense(hidden2, classes)};
  return classify(net, adam(net), rand({batch, pixels}));
}

Work wide() {
  nn::Sequential net{nn::Dense(wide_in, wide_hidden), nn::GELU(), nn::Dense(wide_hidden, wide_hidden), nn::GELU(),
                     nn::Dense(wide_hidden, classes)};
  auto adamw = std::make_shared<optim::AdamW>(net.parameters(), optim::AdamWOptions{.lr = 1e-3});
  return classify(net, adamw, rand({wide_batch, wide_in}));
}

Work lenet() {
  nn::Sequential net = lenet_network();
  return classify(net, adam(net), rand({lenet_batch, 1, 28, 28}));
}

Work residual() {
  nn::ConvOptions same{.padding = 1, .bias = false};
  nn::Sequential net{nn::Conv2D(residual_channels, residual_channels, 3, same), nn::BatchNorm2D(residual_channels),
                     nn::ReLU(), nn::Conv2D(residual_channels, residual_channels, 3, same),
                     nn::BatchNorm2D(residual_channels)};
  Variable x = rand({residual_batch, residual_channels, residual_size, residual_size});
  auto sgd = std::make_shared<optim::SGD>(net.parameters(), optim::SGDOptions{.lr = 1e-2});
  return step(sgd, [=] { return mean(square(relu(net(x) + x))); });
}

Work generator() {
  nn::ConvTransposeOptions up{.stride = 2, .padding = 1};
  nn::Sequential net{nn::Dense(latent, 128 * 7 * 7), [](const Variable& x) { return reshape(x, {-1, 128, 7, 7}); },
                     nn::BatchNorm2D(128), nn::ReLU(), nn::ConvTranspose2D(128, 64, 4, up), nn::BatchNorm2D(64),
                     nn::ReLU(), nn::ConvTranspose2D(64, 1, 4, up), [](const Variable& x) { return tanh(x); }};
  Variable z = randn({generator_batch, latent}), y = rand({generator_batch, 1, 28, 28});
  return step(adam(net), [=] { return nn::mse_loss(net(z), y); });
}

Work small() {
  nn::Sequential net = small_network();
  Variable x = randn({small_batch, 4}), y = randn({small_batch, 2});
  return step(adam(net), [=] { return nn::mse_loss(net(x), y); });
}

Work lenet_forward() { return forward(lenet_network(), rand({1, 1, 28, 28})); }
Work small_forward() { return forward(small_network(), randn({1, 4})); }

}  // namespace bench::own
