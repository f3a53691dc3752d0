// A language model of LSTM layers whose weights are diagonal matrices (Srajer, Kukelova and Fitzgibbon, A benchmark of
// selected algorithmic differentiation tools, 2018): the loss of a text of bits, by all parameters.
#include <cmath>
#include <string>

#include "scalars.hpp"

namespace gradbench {
namespace {

struct Model {
  std::size_t layers, length, bits;
  Vector state, text;  // (layers, 2, bits), (length, bits)

  std::size_t parameters() const { return 8 * bits * layers + 3 * bits; }

  template <class T>
  static T sigmoid(const T& x) {
    using std::exp;
    return 1 / (1 + exp(-x));
  }

  template <class T>
  T operator()(const std::vector<T>& x) const {
    using std::exp, std::log, std::tanh;
    std::vector<T> memory(state.begin(), state.end()), input(bits);
    const T* out = x.data() + 8 * bits * layers;  // weights in, weights out, bias out
    T total = 0;
    for (std::size_t t = 0; t + 1 < length; ++t) {
      for (std::size_t i = 0; i < bits; ++i) input[i] = text[t * bits + i] * out[i];
      const T* below = input.data();
      for (std::size_t l = 0; l < layers; ++l) {
        const T *w = x.data() + 8 * bits * l, *b = w + 4 * bits;  // of the forget, input, output and change gates
        T *hidden = memory.data() + 2 * bits * l, *cell = hidden + bits;
        for (std::size_t i = 0; i < bits; ++i) {
          T forget = sigmoid(T(below[i] * w[i] + b[i]));
          T ingate = sigmoid(T(hidden[i] * w[bits + i] + b[bits + i]));
          T outgate = sigmoid(T(below[i] * w[2 * bits + i] + b[2 * bits + i]));
          T change = tanh(hidden[i] * w[3 * bits + i] + b[3 * bits + i]);
          cell[i] = cell[i] * forget + ingate * change;
          hidden[i] = outgate * tanh(cell[i]);
        }
        below = hidden;
      }
      std::vector<T> guess(bits);
      T sum = 2;
      for (std::size_t i = 0; i < bits; ++i) guess[i] = below[i] * out[bits + i] + out[2 * bits + i], sum += exp(guess[i]);
      T norm = log(sum);
      for (std::size_t i = 0; i < bits; ++i) total += text[(t + 1) * bits + i] * (guess[i] - norm);
    }
    return -total / static_cast<double>((length - 1) * bits);
  }
};

}  // namespace

Evaluation lstm(bool small) {
  const std::size_t layers = small ? 2 : 4, length = small ? 4 : 4096, bits = small ? 3 : 14;
  Model model{layers, length, bits, uniform(layers * 2 * bits, -1, 1, 2), uniform(length * bits, 0, 1, 3)};
  for (double& bit : model.text) bit = std::round(bit);
  return of_scalars("lstm", std::to_string(layers) + " layers, " + std::to_string(length), model,
                    uniform(model.parameters(), -1, 1));
}

}  // namespace gradbench
