// What recurrent layers and cells compute of the sums that reach their gates. For nn's own use.
#pragma once

#include <cmath>

#include <nn/recurrent.hpp>

namespace xtape::nn::detail {

/// @throws ValueError unless it is tanh, or an RNN's.
void require_nonlinearity(const std::string& name, Nonlinearity nonlinearity, std::size_t gates);

/// Calls `add(name, weight)` for the weights of a layer or a cell in their order, as its options have them initialized:
/// weight_ih and weight_hh, then bias_ih and bias_hh if there are any, each name with the suffix.
template <class Options, class Add>
void make_weights(const std::string& whole, const std::string& suffix, std::size_t gates, std::size_t input,
                  std::size_t hidden, const Options& options, Add add) {
  double bound = 1 / std::sqrt(static_cast<double>(hidden));
  auto make = [&](const char* kind, const Initializer& init, const Shape& shape) {
    std::string name = kind + suffix;
    add(name, initialized(whole + ": " + name, init ? init : uniform(-bound, bound), shape, options.dtype,
                          options.generator));
  };
  std::size_t width = gates * hidden;
  make("weight_ih", options.weight_init, {width, input});
  make("weight_hh", options.recurrent_init, {width, hidden});
  if (!options.bias) return;
  make("bias_ih", options.bias_init, {width});
  make("bias_hh", options.bias_init, {width});
}

/// The next state of an RNN, of x W_ih + b_ih + h W_hh + b_hh.
Variable rnn_update(const Variable& sums, Nonlinearity nonlinearity);
/// That of a GRU, of x W_ih + b_ih and h W_hh + b_hh.
Variable gru_update(const Variable& input_sums, const Variable& state_sums, const Variable& h);
/// Those of an LSTM, of x W_ih + b_ih + h W_hh + b_hh.
LSTMState lstm_update(const Variable& sums, const Variable& c);

}  // namespace xtape::nn::detail
