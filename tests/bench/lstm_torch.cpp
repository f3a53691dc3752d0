#include <torch/torch.h>

#include "contestants.hpp"

namespace bench {

Work torch_lstm() {
  torch::nn::LSTM lstm(lstm_in, lstm_hidden);
  auto adam = std::make_shared<torch::optim::Adam>(lstm->parameters(), torch::optim::AdamOptions(1e-3));
  torch::Tensor x = torch::rand({lstm_steps, lstm_batch, lstm_in});
  return [=]() mutable {
    adam->zero_grad();
    std::get<0>(lstm->forward(x)).square().mean().backward();
    adam->step();
  };
}

}  // namespace bench
