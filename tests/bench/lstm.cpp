#include <memory>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include "contestants.hpp"

namespace bench {

using namespace xtape;

Work xtape_lstm() {
  nn::LSTM lstm(lstm_in, lstm_hidden);
  auto adam = std::make_shared<optim::Adam>(lstm.parameters(), optim::AdamOptions{.lr = 1e-3});
  Variable x = rand({lstm_steps, lstm_batch, lstm_in});
  return [=]() mutable {
    adam->zero_grad();
    mean(square(lstm(x))).backward();
    adam->step();
  };
}

}  // namespace bench
