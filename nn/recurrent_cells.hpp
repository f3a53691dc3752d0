// One step of the recurrent layers: RNNCell, GRUCell, LSTMCell.
#pragma once

#include <functional>
#include <string>

#include <nn/recurrent.hpp>

namespace xtape::nn {

struct CellOptions {
  bool bias = true;
  Nonlinearity nonlinearity = Nonlinearity::tanh;  ///< of an RNNCell; the others have no choice
  Initializer weight_init = {}, recurrent_init = {}, bias_init = {};  ///< empty: uniform within 1 / sqrt(hidden)
  DType dtype = default_dtype();
  std::reference_wrapper<Generator> generator = default_generator();  ///< where the initializers take their random numbers from
};

namespace detail {

/// What the cells share.
class RecurrentCell : public Module {
 public:
  std::string description() const override;

  Parameter weight_ih, weight_hh;  ///< (gates * hidden, in), (gates * hidden, hidden)
  Parameter bias_ih, bias_hh;      ///< (gates * hidden); undefined without them

 protected:
  RecurrentCell(const std::string& name, std::size_t gates, std::size_t input, std::size_t hidden,
                const CellOptions& options);
  /// x and the states as batches; a state that is undefined as zeros. @throws as the cells' forward.
  std::vector<Variable> batches(const Variable& x, const std::vector<Variable>& states) const;
  Variable input_sums(const Variable& x) const;
  Variable state_sums(const Variable& h) const;

  std::size_t input_, hidden_;
  CellOptions options_;
  std::string name_;
};

}  // namespace detail

/// A step of an RNN: `h = cell(x, h)` for x (batch, in) and h (batch, hidden), or without the batch (in) and (hidden).
/// Names, the order of the gates and what is computed are PyTorch's, as in the layers: the parameters are weight_ih,
/// weight_hh, bias_ih and bias_hh.
class RNNCell : public detail::RecurrentCell {
 public:
  /// @throws ValueError for widths of 0.
  RNNCell(std::size_t input, std::size_t hidden, const CellOptions& options = {});
  using Module::operator();
  /// From a state of zeros.
  Variable forward(const Variable& x) override { return forward(x, {}); }
  /// From a state, undefined for zeros. @throws ShapeError for other shapes, DTypeError for another dtype than the
  /// parameters'.
  Variable forward(const Variable& x, const Variable& h);
  Variable operator()(const Variable& x, const Variable& h) const { return const_cast<RNNCell*>(this)->forward(x, h); }
};

/// A step of a GRU, in the same form.
class GRUCell : public detail::RecurrentCell {
 public:
  /// @throws ValueError for widths of 0, or a nonlinearity other than tanh.
  GRUCell(std::size_t input, std::size_t hidden, const CellOptions& options = {});
  using Module::operator();
  Variable forward(const Variable& x) override { return forward(x, {}); }
  /// @throws as RNNCell.
  Variable forward(const Variable& x, const Variable& h);
  Variable operator()(const Variable& x, const Variable& h) const { return const_cast<GRUCell*>(this)->forward(x, h); }
};

/// A step of an LSTM: `auto [h, c] = cell(x, {h0, c0});`, or `state = cell(x, state)`.
class LSTMCell : public detail::RecurrentCell {
 public:
  /// @throws as GRUCell.
  LSTMCell(std::size_t input, std::size_t hidden, const CellOptions& options = {});
  using Module::operator();
  /// The h of a step from states of zeros.
  Variable forward(const Variable& x) override { return forward(x, {}).h; }
  /// @throws as RNNCell.
  LSTMState forward(const Variable& x, const LSTMState& state);
  LSTMState operator()(const Variable& x, const LSTMState& state) const {
    return const_cast<LSTMCell*>(this)->forward(x, state);
  }
};

}  // namespace xtape::nn
