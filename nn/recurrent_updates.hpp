// What recurrent layers and cells compute of the sums that reach their gates. For nn's own use.
#pragma once

#include <nn/recurrent.hpp>

namespace xtape::nn::detail {

/// @throws ValueError unless it is tanh, or an RNN's.
void require_nonlinearity(const std::string& name, Nonlinearity nonlinearity, std::size_t gates);

/// The next state of an RNN, of x W_ih + b_ih + h W_hh + b_hh.
Variable rnn_update(const Variable& sums, Nonlinearity nonlinearity);
/// That of a GRU, of x W_ih + b_ih and h W_hh + b_hh.
Variable gru_update(const Variable& input_sums, const Variable& state_sums, const Variable& h);
/// Those of an LSTM, of x W_ih + b_ih + h W_hh + b_hh.
LSTMState lstm_update(const Variable& sums, const Variable& c);

}  // namespace xtape::nn::detail
