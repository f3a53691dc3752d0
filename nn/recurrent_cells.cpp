#include <nn/recurrent_cells.hpp>

#include <autograd/autograd.hpp>
#include <nn/checks.hpp>
#include <nn/recurrent_updates.hpp>

namespace xtape::nn {

detail::RecurrentCell::RecurrentCell(const std::string& name, std::size_t gates, std::size_t input, std::size_t hidden,
                                     const CellOptions& options)
    : input_(input), hidden_(hidden), options_(options), name_(name + "(" + description() + ")") {
  require_widths(name_, {input, hidden});
  require_floating(name_, options.dtype);
  require_nonlinearity(name_, options.nonlinearity, gates);
  Parameter* members[]{&weight_ih, &weight_hh, &bias_ih, &bias_hh};
  auto* next = members;
  make_weights(name_, "", gates, input, hidden, options,
               [&](const std::string& parameter, const Variable& weight) { **next++ = add(parameter, weight); });
}

std::string detail::RecurrentCell::description() const {
  return text(input_) + ", " + text(hidden_) + (options_.nonlinearity == Nonlinearity::relu ? ", relu" : "") +
         (options_.bias ? "" : ", no bias");
}

std::vector<Variable> detail::RecurrentCell::batches(const Variable& x, const std::vector<Variable>& states) const {
  std::string in = std::to_string(input_);
  if (!x.defined() || (x.rank() != 1 && x.rank() != 2) || x.shape(-1) != input_)
    refuse_input(name_, x, "(batch, " + in + ") or (" + in + ",)");
  require_dtype(name_, x, weight_ih.dtype());
  Shape shape = x.shape();
  shape.back() = hidden_;
  std::vector<Variable> result{x};
  for (const Variable& state : states) {
    if (state.defined() && state.shape() != shape)
      throw ShapeError(name_ + ": a state " + describe(state) + " with input " + describe(x) + ", needs " +
                       to_string(shape));
    if (state.defined()) require_dtype(name_, state, x.dtype());
    result.push_back(state.defined() ? state : zeros(shape, x.dtype()));
  }
  if (x.rank() == 1)
    for (Variable& v : result) v = expand_dims(v, 0);
  return result;
}

Variable detail::RecurrentCell::input_sums(const Variable& x) const {
  return linear(x, weight_ih, bias_ih);
}

Variable detail::RecurrentCell::state_sums(const Variable& h) const {
  return linear(h, weight_hh, bias_hh);
}

namespace {

// A state as x came: as a batch, or without.
Variable like(const Variable& x, const Variable& state) { return x.rank() == 1 ? squeeze(state, 0) : state; }

}  // namespace

RNNCell::RNNCell(std::size_t input, std::size_t hidden, const CellOptions& options)
    : RecurrentCell("RNNCell", 1, input, hidden, options) {}

Variable RNNCell::forward(const Variable& x, const Variable& h) {
  std::vector<Variable> v = batches(x, {h});
  return like(x, detail::rnn_update(input_sums(v[0]) + state_sums(v[1]), options_.nonlinearity));
}

GRUCell::GRUCell(std::size_t input, std::size_t hidden, const CellOptions& options)
    : RecurrentCell("GRUCell", 3, input, hidden, options) {}

Variable GRUCell::forward(const Variable& x, const Variable& h) {
  std::vector<Variable> v = batches(x, {h});
  return like(x, detail::gru_update(input_sums(v[0]), state_sums(v[1]), v[1]));
}

LSTMCell::LSTMCell(std::size_t input, std::size_t hidden, const CellOptions& options)
    : RecurrentCell("LSTMCell", 4, input, hidden, options) {}

LSTMState LSTMCell::forward(const Variable& x, const LSTMState& state) {
  std::vector<Variable> v = batches(x, {state.h, state.c});
  LSTMState next = detail::lstm_update(input_sums(v[0]) + state_sums(v[1]), v[2]);
  return {like(x, next.h), like(x, next.c)};
}

}  // namespace xtape::nn
