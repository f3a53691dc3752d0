#include <nn/recurrent.hpp>

#include <algorithm>
#include <sstream>

#include <autograd/autograd.hpp>
#include <nn/checks.hpp>
#include <nn/recurrent_updates.hpp>

namespace xtape::nn {

Recurrent::Recurrent(const std::string& name, std::size_t gates, std::size_t input, std::size_t hidden,
                     const RecurrentOptions& options)
    : gates_(gates), input_(input), hidden_(hidden), options_(options) {
  name_ = name + "(" + description() + ")";
  detail::require_widths(name_, {input, hidden});
  detail::require_some(name_, "num_layers", options.num_layers);
  detail::require_between(name_, "dropout", options.dropout, 0, 1);
  detail::require_floating(name_, options.dtype);
  detail::require_nonlinearity(name_, options.nonlinearity, gates);
  for (std::size_t layer = 0; layer < options.num_layers; ++layer)
    for (std::size_t direction = 0; direction < directions(); ++direction)
      make_weights("_l" + std::to_string(layer) + (direction ? "_reverse" : ""),
                   layer == 0 ? input : directions() * hidden);
}

void Recurrent::make_weights(const std::string& suffix, std::size_t in) {
  detail::make_weights(name_, suffix, gates_, in, hidden_, options_,
                       [&](const std::string& name, const Variable& weight) { add_indexed(name, weight); });
}

Recurrent::Weights Recurrent::weights(std::size_t i) const {
  if (!options_.bias) return {registered(2 * i), registered(2 * i + 1), {}, {}};
  return {registered(4 * i), registered(4 * i + 1), registered(4 * i + 2), registered(4 * i + 3)};
}

std::string Recurrent::description() const {
  std::ostringstream out;
  out << detail::text(input_) << ", " << detail::text(hidden_);
  if (options_.num_layers != 1) out << ", " << detail::text(options_.num_layers) << " layers";
  if (options_.nonlinearity == Nonlinearity::relu) out << ", relu";
  if (!options_.bias) out << ", no bias";
  if (options_.batch_first) out << ", batch first";
  if (options_.dropout > 0) out << ", dropout " << options_.dropout;
  if (options_.bidirectional) out << ", bidirectional";
  return out.str();
}

Variable Recurrent::forward(const Variable& x) { return run(x, States(state_count()), {}).output; }

void Recurrent::check(const Variable& x, const States& given, const Variable& mask) const {
  std::string order = options_.batch_first ? "(batch, steps" : "(steps, batch", in = std::to_string(input_);
  bool single = x.defined() && x.rank() == 2;
  if (!x.defined() || (x.rank() != 3 && !single) || x.shape(-1) != input_ ||
      x.shape()[options_.batch_first && !single ? 1 : 0] == 0)
    throw ShapeError(name_ + ": input " + describe(x) + ", needs " + order + ", " + in + ") or (steps, " + in +
                     ") with 1 step or more");
  DType dtype = registered(0).dtype();
  std::size_t states = options_.num_layers * directions();
  Shape shape = single ? Shape{states, hidden_} : Shape{states, x.shape()[options_.batch_first ? 0 : 1], hidden_};
  for (const Variable& state : given)
    if (state.defined() && state.shape() != shape)
      throw ShapeError(name_ + ": an initial state " + describe(state) + " with input " + describe(x) + ", needs " +
                       to_string(shape) + ": (layers * directions, " + (single ? "" : "batch, ") + "hidden)");
  for (const Variable* v : {&x, &given.front(), &given.back()})
    if (v->defined() && v->dtype() != dtype)
      throw DTypeError(name_ + ": got " + describe(*v) + ", the parameters are " + to_string(dtype) +
                       "; convert with .to()");
  if (!mask.defined()) return;
  if (mask.dtype() != DType::boolean) throw DTypeError(name_ + ": a mask " + describe(mask) + ", needs bool");
  if (mask.shape() != Shape(x.shape().begin(), x.shape().end() - 1))
    throw ShapeError(name_ + ": a mask " + describe(mask) + " with input " + describe(x) + ", needs " +
                     (single ? "(steps" : order) + ")");
}

// Of each layer and direction.
std::vector<Recurrent::States> Recurrent::initial_states(const States& given, std::size_t batch) const {
  std::vector<States> states(options_.num_layers * directions());
  Variable zero = zeros({batch, hidden_}, registered(0).dtype());
  for (const Variable& state : given) {
    std::vector<Variable> rows = state.defined() ? unbind(state) : std::vector(states.size(), zero);
    for (std::size_t i = 0; i < states.size(); ++i) states[i].push_back(rows[i]);
  }
  return states;
}

Recurrent::Result Recurrent::run(const Variable& x, const States& given, const Variable& mask) {
  check(x, given, mask);
  if (x.rank() == 3) return run_batch(x, given, mask);
  // A single sequence is a batch of one.
  std::ptrdiff_t batch = options_.batch_first ? 0 : 1;
  auto as_batch = [](const Variable& v, std::ptrdiff_t axis) { return v.defined() ? expand_dims(v, axis) : v; };
  States states;
  for (const Variable& state : given) states.push_back(as_batch(state, 1));
  Result result = run_batch(as_batch(x, batch), states, as_batch(mask, batch));
  result.output = squeeze(result.output, batch);
  for (Variable& state : result.states) state = squeeze(state, 1);
  return result;
}

Recurrent::Result Recurrent::run_batch(const Variable& x, const States& given, const Variable& mask) {
  Variable y = options_.batch_first ? swapaxes(x, 0, 1) : x;
  Variable valid;
  std::vector<Variable> valid_steps;
  if (mask.defined()) {
    valid = expand_dims(options_.batch_first ? swapaxes(mask, 0, 1) : mask, 2);
    valid_steps = unbind(valid);
    y = where(valid, y, 0);  // whatever stands beyond the end must not reach the weights' gradients, were it a NaN
  }
  std::vector<States> states = initial_states(given, y.shape()[1]);
  for (std::size_t layer = 0; layer < options_.num_layers; ++layer) {
    if (layer > 0 && training()) y = dropout(y, options_.dropout, options_.generator);
    std::vector<Variable> outputs;
    for (std::size_t direction = 0; direction < directions(); ++direction) {
      std::size_t i = layer * directions() + direction;
      Result result = run_direction(y, states[i], valid_steps, weights(i), direction == 1);
      states[i] = std::move(result.states);
      outputs.push_back(std::move(result.output));
    }
    y = directions() == 1 ? outputs[0] : concatenate(outputs, 2);
    if (valid.defined()) y = where(valid, y, 0);
  }
  Result result{options_.batch_first ? swapaxes(y, 0, 1) : y, {}};
  for (std::size_t k = 0; k < state_count(); ++k) {
    std::vector<Variable> last;
    for (const States& own : states) last.push_back(own[k]);
    result.states.push_back(stack(last));
  }
  return result;
}

Recurrent::Result Recurrent::run_direction(const Variable& x, States states, const std::vector<Variable>& mask,
                                           const Weights& weights, bool reverse) const {
  std::size_t count = x.shape()[0];
  Step step = steps(x, weights, reverse);
  std::vector<Variable> outputs(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t t = reverse ? count - 1 - i : i;
    States next = step(states);
    if (!mask.empty())
      for (std::size_t k = 0; k < next.size(); ++k) next[k] = where(mask[t], next[k], states[k]);
    states = std::move(next);
    outputs[t] = states[0];
  }
  return {stack(outputs), std::move(states)};
}

// x_t W_ih' + b_ih + h W_hh' + b_hh. The part of x is one product for all steps.
Recurrence Recurrent::sums(const Variable& x, const Weights& weights, bool reverse) {
  Variable bias = weights.bias_ih.defined() ? weights.bias_ih + weights.bias_hh : Variable();
  return Recurrence(linear(x, weights.weight_ih), transpose(weights.weight_hh), bias, reverse);
}

RNN::RNN(std::size_t input, std::size_t hidden, const RecurrentOptions& options)
    : Recurrent("RNN", 1, input, hidden, options), nonlinearity_(options.nonlinearity) {}

RecurrentResult RNN::forward(const Variable& x, const Variable& h, const Variable& mask) {
  Result result = run(x, {h}, mask);
  return {result.output, result.states[0]};
}

Recurrent::Step RNN::steps(const Variable& x, const Weights& weights, bool reverse) const {
  Recurrence recurrence = sums(x, weights, reverse);
  return [=, this](const States& states) mutable -> States {
    return {detail::rnn_update(recurrence.step(states[0]), nonlinearity_)};
  };
}

GRU::GRU(std::size_t input, std::size_t hidden, const RecurrentOptions& options)
    : Recurrent("GRU", 3, input, hidden, options) {}

RecurrentResult GRU::forward(const Variable& x, const Variable& h, const Variable& mask) {
  Result result = run(x, {h}, mask);
  return {result.output, result.states[0]};
}

// The reset gate stands between the two terms of n, so the recurrence adds up only those of the state.
Recurrent::Step GRU::steps(const Variable& x, const Weights& weights, bool reverse) const {
  std::vector<Variable> inputs = unbind(linear(x, weights.weight_ih, weights.bias_ih));
  if (reverse) std::reverse(inputs.begin(), inputs.end());
  Recurrence recurrence(inputs.size(), transpose(weights.weight_hh), weights.bias_hh);
  return [=, t = std::size_t{0}](const States& states) mutable -> States {
    const Variable& h = states[0];
    return {detail::gru_update(inputs[t++], recurrence.step(h), h)};
  };
}

LSTM::LSTM(std::size_t input, std::size_t hidden, const RecurrentOptions& options)
    : Recurrent("LSTM", 4, input, hidden, options) {}

LSTMResult LSTM::forward(const Variable& x, const LSTMState& state, const Variable& mask) {
  Result result = run(x, {state.h, state.c}, mask);
  return {result.output, result.states[0], result.states[1]};
}

Recurrent::Step LSTM::steps(const Variable& x, const Weights& weights, bool reverse) const {
  Recurrence recurrence = sums(x, weights, reverse);
  return [=](const States& states) mutable -> States {
    auto [h, c] = detail::lstm_update(recurrence.step(states[0]), states[1]);
    return {h, c};
  };
}

}  // namespace xtape::nn
