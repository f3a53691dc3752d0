// Elementwise functions that layers and losses fuse, compiled for each target.
#pragma once

#include <tuple>

#include <autograd/fused/on_targets.hpp>

namespace xtape::nn::detail {

/// The next state of a GRU, from the sums a of its input, those b of its state, and the state.
struct GRUCell {
  auto operator()(const auto& ar, const auto& az, const auto& an, const auto& br, const auto& bz, const auto& bn,
                  const auto& h) const {
    auto n = tanh(an + sigmoid(ar + br) * bn);
    return n + sigmoid(az + bz) * (h - n);
  }
};

/// The next state and cell of an LSTM.
struct LSTMCell {
  auto operator()(const auto& i, const auto& f, const auto& g, const auto& o, const auto& c) const {
    auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
    return std::tuple(sigmoid(o) * tanh(next), next);
  }
};

/// |x - y| where it is `bend` or more, and a parabola that goes over into it below.
struct BentDistance {
  double bend;

  auto operator()(const auto& x, const auto& y) const {
    auto d = x - y;
    return where(abs(d) < bend, 0.5 / bend * d * d, abs(d) - 0.5 * bend);
  }
};

/// The logarithm of the probability of a state of CTC: by staying, from the state before, or from the one before that.
struct CTCStep {
  auto operator()(const auto& stay, const auto& step, const auto& skip, const auto& allowed, const auto& emission) const {
    return logaddexp(logaddexp(stay, step), skip + allowed) + emission;
  }
};

}  // namespace xtape::nn::detail
