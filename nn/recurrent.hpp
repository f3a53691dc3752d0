// Recurrent layers: RNN, LSTM, GRU.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <autograd/ops/recurrence.hpp>
#include <nn/initializers.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

enum class Nonlinearity { tanh, relu };

struct RecurrentOptions {
  std::size_t num_layers = 1;
  Nonlinearity nonlinearity = Nonlinearity::tanh;  ///< of an RNN; LSTM and GRU have no choice
  bool bias = true;
  bool batch_first = false;    ///< (batch, steps, width), not (steps, batch, width), for inputs, outputs and masks
  double dropout = 0;  ///< in training, of the outputs of each layer but the last: with one layer, there is none
  bool bidirectional = false;  ///< each layer reads both ways; its outputs stand side by side
  Initializer weight_init = {}, recurrent_init = {}, bias_init = {};  ///< empty: uniform within 1 / sqrt(hidden)
  DType dtype = default_dtype();
  std::reference_wrapper<Generator> generator = default_generator();  ///< where the initializers and dropout take their random numbers from
};

/// What the recurrent layers have in common. Names, the order of the gates and what is computed are PyTorch's: layer k
/// has the parameters
///
///     weight_ih_lk (gates * hidden, in)      weight_hh_lk (gates * hidden, hidden)
///     bias_ih_lk   (gates * hidden)          bias_hh_lk   (gates * hidden)
///
/// and, when bidirectional, the same with `_reverse` behind their names. `in` is the width of the input in the first layer, of the outputs of the
/// layer below in the others. The gates are blocks of the first axis.
///
/// As in PyTorch, inputs are (steps, batch, in) unless `batch_first` makes them (batch, steps, in), and states are
/// (layers * directions, batch, hidden) always: first layer forward, first layer reverse, second layer forward, ...
/// A single sequence may do without the axis of the batch, in inputs (steps, in), states, masks (steps) and outputs.
///
/// A mask of dtype bool, (steps, batch) or with `batch_first` (batch, steps), is false beyond the end of a sequence:
/// the state stays as it is there, the output is 0, and the input plays no part. So each sequence gets what it would
/// get alone (as a packed sequence does in PyTorch), and the reverse direction begins with its last element:
///
///     Variable mask = expand_dims(arange(steps), 1) < lengths;
class Recurrent : public Module {
 public:
  /// The outputs of the last layer, (steps, batch, directions * hidden), for an initial state of zeros.
  /// @throws ShapeError for other shapes or no step at all, DTypeError for another dtype than the parameters'.
  Variable forward(const Variable& x) override;
  std::string description() const override;

 protected:
  using States = std::vector<Variable>;  ///< h, and c where there is one
  using Step = std::function<States(const States&)>;
  struct Weights {
    Variable weight_ih, weight_hh, bias_ih, bias_hh;  ///< the biases are undefined without them
  };
  struct Result {
    Variable output;
    States states;
  };

  /// @throws ValueError for widths or layers of 0, a dropout outside of [0, 1], or options that do not fit.
  Recurrent(const std::string& name, std::size_t gates, std::size_t input, std::size_t hidden,
            const RecurrentOptions& options);

  /// All layers in all directions, of a batch or a single sequence. The given states may be undefined, which stands
  /// for zeros.
  Result run(const Variable& x, const States& given, const Variable& mask);
  /// A function from the states (batch, hidden) to the next ones, to be called for each step of x (steps, batch, in),
  /// from the last to the first if `reverse`.
  virtual Step steps(const Variable& x, const Weights& weights, bool reverse) const = 0;
  virtual std::size_t state_count() const { return 1; }
  /// The sums x_t W_ih' + b_ih + h W_hh' + b_hh of all steps.
  static Recurrence sums(const Variable& x, const Weights& weights, bool reverse);

 private:
  void make_weights(const std::string& suffix, std::size_t in);
  std::size_t directions() const { return options_.bidirectional ? 2 : 1; }
  /// Those of the i-th direction, counted from the first layer on.
  Weights weights(std::size_t i) const;
  void check(const Variable& x, const States& given, const Variable& mask) const;
  Result run_batch(const Variable& x, const States& given, const Variable& mask);
  std::vector<States> initial_states(const States& given, std::size_t batch) const;
  Result run_direction(const Variable& x, States states, const std::vector<Variable>& mask, const Weights& weights,
                       bool reverse) const;

  std::string name_;
  std::size_t gates_, input_, hidden_;
  RecurrentOptions options_;
};

/// The outputs of the last layer, and the state of each layer and direction after its last step:
/// `auto [output, h] = gru(x, h0);`
struct RecurrentResult {
  Variable output, h;
};

/// A network of Elman's (Finding structure in time, Cognitive Science 14, 1990):
/// h' = tanh(x W_ih' + b_ih + h W_hh' + b_hh), or relu instead of tanh.
class RNN : public Recurrent {
 public:
  /// @throws ValueError for widths or layers of 0, a dropout outside of [0, 1], or options that do not fit.
  RNN(std::size_t input, std::size_t hidden, const RecurrentOptions& options = {});
  using Recurrent::forward;
  using Module::operator();
  /// With an initial state, undefined for zeros, and a mask or none.
  RecurrentResult forward(const Variable& x, const Variable& h, const Variable& mask = {});
  RecurrentResult operator()(const Variable& x, const Variable& h, const Variable& mask = {}) const {
    return const_cast<RNN*>(this)->forward(x, h, mask);
  }

 protected:
  Step steps(const Variable& x, const Weights& weights, bool reverse) const override;

 private:
  Nonlinearity nonlinearity_;
};

/// The gated recurrent unit (Cho et al. 2014, https://arxiv.org/abs/1406.1078) in the form of PyTorch. With the gates r
/// (reset), z (update) and n (new) as the blocks of a = x W_ih' + b_ih and b = h W_hh' + b_hh:
///
///     r = sigmoid(a_r + b_r)   z = sigmoid(a_z + b_z)   n = tanh(a_n + r b_n)   h' = (1 - z) n + z h
class GRU : public Recurrent {
 public:
  /// @throws ValueError for widths or layers of 0, a dropout outside of [0, 1], or options that do not fit.
  GRU(std::size_t input, std::size_t hidden, const RecurrentOptions& options = {});
  using Recurrent::forward;
  using Module::operator();
  /// With an initial state, undefined for zeros, and a mask or none.
  RecurrentResult forward(const Variable& x, const Variable& h, const Variable& mask = {});
  RecurrentResult operator()(const Variable& x, const Variable& h, const Variable& mask = {}) const {
    return const_cast<GRU*>(this)->forward(x, h, mask);
  }

 protected:
  Step steps(const Variable& x, const Weights& weights, bool reverse) const override;
};

/// Both states of an LSTM.
struct LSTMState {
  Variable h, c;
};
/// `auto [output, h, c] = lstm(x, {h0, c0});`
struct LSTMResult {
  Variable output, h, c;
};

/// Long short-term memory (Hochreiter and Schmidhuber 1997; with the forget gate of Gers et al. 2000). With the gates i
/// (input), f (forget), g (cell) and o (output) as the blocks of x W_ih' + b_ih + h W_hh' + b_hh:
///
///     c' = sigmoid(f) c + sigmoid(i) tanh(g)   h' = sigmoid(o) tanh(c')
class LSTM : public Recurrent {
 public:
  /// @throws ValueError for widths or layers of 0, a dropout outside of [0, 1], or options that do not fit.
  LSTM(std::size_t input, std::size_t hidden, const RecurrentOptions& options = {});
  using Recurrent::forward;
  using Module::operator();
  /// With initial states, undefined for zeros, and a mask or none.
  LSTMResult forward(const Variable& x, const LSTMState& state, const Variable& mask = {});
  LSTMResult operator()(const Variable& x, const LSTMState& state, const Variable& mask = {}) const {
    return const_cast<LSTM*>(this)->forward(x, state, mask);
  }

 protected:
  Step steps(const Variable& x, const Weights& weights, bool reverse) const override;
  std::size_t state_count() const override { return 2; }
};

}  // namespace xtape::nn
