#include <torch/torch.h>

#include "vision.hpp"

namespace bench {
namespace {

template <class Loss>
Work step(torch::nn::Sequential net, Loss loss) {
  auto adam = std::make_shared<torch::optim::Adam>(net->parameters(), torch::optim::AdamOptions(1e-3));
  return [=]() mutable {
    adam->zero_grad();
    loss(net).backward();
    adam->step();
  };
}

}  // namespace

Work torch_lenet() {
  using namespace torch::nn;
  Sequential net(Conv2d(Conv2dOptions(1, 32, 5).padding(2)), ReLU(), MaxPool2d(2),
                 Conv2d(Conv2dOptions(32, 64, 5).padding(2)), ReLU(), MaxPool2d(2), Flatten(), Linear(3136, 1024), ReLU(),
                 Linear(1024, 10));
  torch::Tensor x = torch::rand({lenet_batch, 1, 28, 28}), y = torch::rand({lenet_batch, 10}).argmax(1);
  return step(net, [=](Sequential& net) { return functional::cross_entropy(net->forward(x), y); });
}

Work torch_generator() {
  using namespace torch::nn;
  auto up = [](int in, int out) { return ConvTranspose2d(ConvTranspose2dOptions(in, out, 4).stride(2).padding(1)); };
  Sequential net(Linear(latent, 128 * 7 * 7), Unflatten(UnflattenOptions(1, {128, 7, 7})), BatchNorm2d(128), ReLU(),
                 up(128, 64), BatchNorm2d(64), ReLU(), up(64, 1), Tanh());
  torch::Tensor z = torch::randn({generator_batch, latent}), y = torch::rand({generator_batch, 1, 28, 28});
  return step(net, [=](Sequential& net) { return torch::mse_loss(net->forward(z), y); });
}

Work torch_small() {
  using namespace torch::nn;
  Sequential net(Linear(4, 64), ReLU(), Linear(64, 64), ReLU(), Linear(64, 2));
  torch::Tensor x = torch::randn({small_batch, 4}), y = torch::randn({small_batch, 2});
  return step(net, [=](Sequential& net) { return torch::mse_loss(net->forward(x), y); });
}

}  // namespace bench
