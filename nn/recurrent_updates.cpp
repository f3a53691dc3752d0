#include <nn/recurrent_updates.hpp>

#include <autograd/autograd.hpp>
#include <nn/fused_functions.hpp>

namespace xtape::nn {

void detail::require_nonlinearity(const std::string& name, Nonlinearity nonlinearity, std::size_t gates) {
  if (nonlinearity != Nonlinearity::tanh && gates > 1)
    throw ValueError(name + ": a nonlinearity other than tanh, which only an RNN has");
}

Variable detail::rnn_update(const Variable& sums, Nonlinearity nonlinearity) {
  return nonlinearity == Nonlinearity::tanh ? tanh(sums) : relu(sums);
}

Variable detail::gru_update(const Variable& input_sums, const Variable& state_sums, const Variable& h) {
  return fused::fuse_on_targets<1>(GRUCell(), blocks<3>(input_sums), blocks<3>(state_sums), h);
}

LSTMState detail::lstm_update(const Variable& sums, const Variable& c) {
  auto [h, next] = fused::fuse_on_targets<1>(LSTMCell(), blocks<4>(sums), c);
  return {h, next};
}

}  // namespace xtape::nn
