#include <nn/recurrent_updates.hpp>

#include <tuple>

#include <autograd/autograd.hpp>
#include <autograd/fuse.hpp>

namespace xtape::nn {

void detail::require_nonlinearity(const std::string& name, Nonlinearity nonlinearity, std::size_t gates) {
  if (nonlinearity != Nonlinearity::tanh && gates > 1)
    throw ValueError(name + ": a nonlinearity other than tanh, which only an RNN has");
}

Variable detail::rnn_update(const Variable& sums, Nonlinearity nonlinearity) {
  return nonlinearity == Nonlinearity::tanh ? tanh(sums) : relu(sums);
}

Variable detail::gru_update(const Variable& input_sums, const Variable& state_sums, const Variable& h) {
  return fuse([](auto ar, auto az, auto an, auto br, auto bz, auto bn, auto h) {
    auto n = tanh(an + sigmoid(ar + br) * bn);
    return n + sigmoid(az + bz) * (h - n);
  }, blocks<3>(input_sums), blocks<3>(state_sums), h);
}

LSTMState detail::lstm_update(const Variable& sums, const Variable& c) {
  auto [h, next] = fuse([](auto i, auto f, auto g, auto o, auto c) {
    auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
    return std::tuple(sigmoid(o) * tanh(next), next);
  }, blocks<4>(sums), c);
  return {h, next};
}

}  // namespace xtape::nn
