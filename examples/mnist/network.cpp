#include "network.hpp"

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

namespace mnist {

using namespace xtape;

namespace {

constexpr std::size_t classes = 10, side = 28;

nn::Sequential dense() {
  return nn::Sequential{nn::Dense(784, 400), nn::ReLU(), nn::Dense(400, 100), nn::ReLU(), nn::Dense(100, classes)};
}

nn::Sequential cnn() {
  return nn::Sequential{nn::Reshape({1, side, side}), nn::Conv2D(1, 32, 5, {.padding = "same"}), nn::ReLU(),
                        nn::MaxPool2D(2), nn::Conv2D(32, 64, 5, {.padding = "same"}), nn::ReLU(), nn::MaxPool2D(2),
                        nn::Flatten(), nn::Dense(64 * 7 * 7, 1024), nn::ReLU(), nn::Dropout(0.4),
                        nn::Dense(1024, classes)};
}

template <class Layer>
nn::Sequential rows_read_by(std::size_t hidden) {
  // Orthogonal weights neither shrink nor stretch what passes through many steps (Saxe et al. 2014).
  nn::RecurrentOptions options{.batch_first = true, .recurrent_init = nn::orthogonal()};
  nn::Lambda last_step([](const Variable& y) { return y[{range(), -1}]; }, "the last step");
  return nn::Sequential{nn::Reshape({side, side}), Layer(side, hidden, options), last_step,
                        nn::Dense(hidden, classes)};
}

}  // namespace

const std::vector<std::string>& network_names() {
  static const std::vector<std::string> names{"dense", "cnn", "rnn", "lstm"};
  return names;
}

nn::Sequential make_network(const std::string& name) {
  if (name == "dense") return dense();
  if (name == "cnn") return cnn();
  if (name == "rnn") return rows_read_by<nn::RNN>(128);
  if (name == "lstm") return rows_read_by<nn::LSTM>(128);
  throw ValueError("network: \"" + name + "\", needs dense, cnn, rnn or lstm");
}

bool needs_clipping(const std::string& name) { return name == "rnn" || name == "lstm"; }

}  // namespace mnist
