#include <torch/torch.h>

#include "contestants.hpp"

namespace bench {

void set_torch_threads(int count) { at::set_num_threads(count); }

Work torch_step() {
  torch::nn::Sequential net(torch::nn::Linear(pixels, hidden1), torch::nn::ReLU(), torch::nn::Linear(hidden1, hidden2),
                            torch::nn::ReLU(), torch::nn::Linear(hidden2, classes));
  auto adam = std::make_shared<torch::optim::Adam>(net->parameters(), torch::optim::AdamOptions(1e-3));
  torch::Tensor x = torch::rand({batch, pixels}), y = torch::rand({batch, classes}).argmax(1);
  return [=]() mutable {
    adam->zero_grad();
    torch::nn::functional::cross_entropy(net->forward(x), y).backward();
    adam->step();
  };
}

Work torch_chain() {
  torch::Tensor x = torch::ones({1}, torch::requires_grad()), a = torch::full({1}, 0.999), b = torch::full({1}, 0.001);
  return [=]() mutable {
    torch::Tensor y = x;
    for (int i = 0; i < chain_length / 2; ++i) y = y * a + b;
    x.mutable_grad() = torch::Tensor();
    y.backward();
  };
}

Work torch_composed() {
  torch::Tensor x = torch::rand({elements}, torch::requires_grad()), y = torch::rand({elements}, torch::requires_grad()),
                c = torch::rand({elements}, torch::requires_grad());
  return [=]() mutable {
    for (torch::Tensor* v : {&x, &y, &c}) v->mutable_grad() = torch::Tensor();
    (torch::tanh(x * y + c) * torch::sigmoid(x)).mean().backward();
  };
}

}  // namespace bench
