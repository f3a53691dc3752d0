// Recurrent layers against libtorch's, in float64: outputs, final states, and the gradient of every parameter and
// input. Optional, like libtorch.
#include <boost/test/data/test_case.hpp>

#include <tests/nn/torch_modules.hpp>

using namespace peers;

namespace {

struct Form {
  std::size_t layers;
  bool bidirectional, bias, batch_first;
};
const std::vector<Form> forms{{1, false, true, false}, {2, true, true, false}, {3, true, false, true},
                              {2, false, true, true}};
std::ostream& operator<<(std::ostream& out, const Form& f) {
  return out << f.layers << (f.bidirectional ? " bidirectional" : "") << (f.bias ? " bias" : "")
             << (f.batch_first ? " batch first" : "");
}

constexpr std::size_t steps = 6, batch = 3, in = 5, hidden = 4;

nn::RecurrentOptions options_of(const Form& f) {
  return {.num_layers = f.layers, .bias = f.bias, .batch_first = f.batch_first, .bidirectional = f.bidirectional,
          .dtype = xtape::float64};
}
template <class Options>
Options torch_options(const Form& f) {
  return Options(in, hidden).num_layers(static_cast<std::int64_t>(f.layers)).bias(f.bias).batch_first(f.batch_first)
      .bidirectional(f.bidirectional);
}
Shape input_shape(const Form& f) { return f.batch_first ? Shape{batch, steps, in} : Shape{steps, batch, in}; }
Shape state_shape(const Form& f) { return {f.layers * (f.bidirectional ? 2 : 1), batch, hidden}; }

const std::vector<std::int64_t> lengths{6, 4, 1};  // in falling order, as packing wants them

Variable mask_of(const Form& f) {
  xtape::Array mask({steps, batch}, xtape::boolean);
  for (std::size_t t = 0; t < steps; ++t)
    for (std::size_t b = 0; b < batch; ++b)
      mask.mutable_data<bool>()[t * batch + b] = static_cast<std::int64_t>(t) < lengths[b];
  return f.batch_first ? swapaxes(Variable(mask), 0, 1) : Variable(mask);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recurrent_peers)

BOOST_DATA_TEST_CASE(rnn, forms, form) {
  for (bool rectified : {false, true}) {
    begin();
    nn::RecurrentOptions options = options_of(form);
    if (rectified) options.nonlinearity = nn::Nonlinearity::relu;
    nn::RNN own(in, hidden, options);
    auto other_options = torch_options<tn::RNNOptions>(form);
    if (rectified) other_options.nonlinearity(torch::kReLU);
    tn::RNN other(other_options);
    other->to(torch::kFloat64);
    load(own, *other);
    Inputs x({input_shape(form), state_shape(form)});
    auto [output, h] = own(x.own[0], x.own[1]);
    auto [other_output, other_h] = other->forward(x.other[0], x.other[1]);
    compare(own, *other, {output, h}, {other_output, other_h}, x.own, x.other);
  }
}

BOOST_DATA_TEST_CASE(gru, forms, form) {
  begin();
  nn::GRU own(in, hidden, options_of(form));
  tn::GRU other(torch_options<tn::GRUOptions>(form));
  other->to(torch::kFloat64);
  load(own, *other);
  Inputs x({input_shape(form), state_shape(form)});
  auto [output, h] = own(x.own[0], x.own[1]);
  auto [other_output, other_h] = other->forward(x.other[0], x.other[1]);
  compare(own, *other, {output, h}, {other_output, other_h}, x.own, x.other);
}

BOOST_DATA_TEST_CASE(lstm, forms, form) {
  begin();
  nn::LSTM own(in, hidden, options_of(form));
  tn::LSTM other(torch_options<tn::LSTMOptions>(form));
  other->to(torch::kFloat64);
  load(own, *other);
  Inputs x({input_shape(form), state_shape(form), state_shape(form)});
  auto [output, h, c] = own(x.own[0], {x.own[1], x.own[2]});
  auto [other_output, states] = other->forward(x.other[0], std::make_tuple(x.other[1], x.other[2]));
  compare(own, *other, {output, h, c}, {other_output, std::get<0>(states), std::get<1>(states)}, x.own, x.other);
}

// A mask does what packing does.
BOOST_DATA_TEST_CASE(unequal_lengths, forms, form) {
  namespace utils = torch::nn::utils::rnn;
  begin();
  nn::LSTM own(in, hidden, options_of(form));
  tn::LSTM other(torch_options<tn::LSTMOptions>(form));
  other->to(torch::kFloat64);
  load(own, *other);
  Inputs x({input_shape(form), state_shape(form), state_shape(form)});
  auto [output, h, c] = own(x.own[0], {x.own[1], x.own[2]}, mask_of(form));
  auto packed = utils::pack_padded_sequence(x.other[0], torch::tensor(lengths), form.batch_first);
  auto [results, states] = other->forward_with_packed_input(packed, std::make_tuple(x.other[1], x.other[2]));
  Tensor padded = std::get<0>(utils::pad_packed_sequence(results, form.batch_first));
  compare(own, *other, {output, h, c}, {padded, std::get<0>(states), std::get<1>(states)}, x.own, x.other);

  begin();
  nn::GRU own_gru(in, hidden, options_of(form));
  tn::GRU other_gru(torch_options<tn::GRUOptions>(form));
  other_gru->to(torch::kFloat64);
  load(own_gru, *other_gru);
  Inputs y({input_shape(form), state_shape(form)});
  auto [gru_output, gru_h] = own_gru(y.own[0], y.own[1], mask_of(form));
  auto gru_packed = utils::pack_padded_sequence(y.other[0], torch::tensor(lengths), form.batch_first);
  auto [gru_results, gru_state] = other_gru->forward_with_packed_input(gru_packed, y.other[1]);
  Tensor gru_padded = std::get<0>(utils::pad_packed_sequence(gru_results, form.batch_first));
  compare(own_gru, *other_gru, {gru_output, gru_h}, {gru_padded, gru_state}, y.own, y.other);
}

// One sequence, without the axis of the batch: libtorch 1.13's C++ modules want it, so there it is a batch of one.
BOOST_DATA_TEST_CASE(single_sequences, forms, form) {
  Shape states{form.layers * (form.bidirectional ? 2 : 1), hidden};
  std::int64_t axis = form.batch_first ? 0 : 1;
  begin();
  nn::RNN rnn(in, hidden, options_of(form));
  tn::RNN other_rnn(torch_options<tn::RNNOptions>(form));
  other_rnn->to(torch::kFloat64);
  load(rnn, *other_rnn);
  Inputs x({{steps, in}, states});
  auto [x_output, x_h] = rnn(x.own[0], x.own[1]);
  auto [x_other_output, x_other_h] = other_rnn->forward(x.other[0].unsqueeze(axis), x.other[1].unsqueeze(1));
  compare(rnn, *other_rnn, {x_output, x_h}, {x_other_output.squeeze(axis), x_other_h.squeeze(1)}, x.own, x.other);

  begin();
  nn::GRU gru(in, hidden, options_of(form));
  tn::GRU other_gru(torch_options<tn::GRUOptions>(form));
  other_gru->to(torch::kFloat64);
  load(gru, *other_gru);
  Inputs y({{steps, in}, states});
  auto [y_output, y_h] = gru(y.own[0], y.own[1]);
  auto [y_other_output, y_other_h] = other_gru->forward(y.other[0].unsqueeze(axis), y.other[1].unsqueeze(1));
  compare(gru, *other_gru, {y_output, y_h}, {y_other_output.squeeze(axis), y_other_h.squeeze(1)}, y.own, y.other);

  begin();
  nn::LSTM lstm(in, hidden, options_of(form));
  tn::LSTM other_lstm(torch_options<tn::LSTMOptions>(form));
  other_lstm->to(torch::kFloat64);
  load(lstm, *other_lstm);
  Inputs z({{steps, in}, states, states});
  auto [output, h, c] = lstm(z.own[0], {z.own[1], z.own[2]});
  auto [other_output, other_states] = other_lstm->forward(
      z.other[0].unsqueeze(axis), std::make_tuple(z.other[1].unsqueeze(1), z.other[2].unsqueeze(1)));
  compare(lstm, *other_lstm, {output, h, c},
          {other_output.squeeze(axis), std::get<0>(other_states).squeeze(1), std::get<1>(other_states).squeeze(1)},
          z.own, z.other);
}

BOOST_AUTO_TEST_CASE(cells) {
  auto width = static_cast<std::int64_t>(in), size = static_cast<std::int64_t>(hidden);
  for (bool bias : {true, false})
    for (bool rectified : {false, true}) {
      begin();
      nn::CellOptions options{.bias = bias, .dtype = xtape::float64};
      if (rectified) options.nonlinearity = nn::Nonlinearity::relu;
      nn::RNNCell rnn(in, hidden, options);
      tn::RNNCellOptions other_options(width, size);
      other_options.bias(bias);
      if (rectified) other_options.nonlinearity(torch::kReLU);
      tn::RNNCell other_rnn(other_options);
      other_rnn->to(torch::kFloat64);
      load(rnn, *other_rnn);
      Inputs x({{batch, in}, {batch, hidden}});
      compare(rnn, *other_rnn, {rnn(x.own[0], x.own[1])}, {other_rnn->forward(x.other[0], x.other[1])}, x.own, x.other);
      if (rectified) continue;

      begin();
      nn::GRUCell gru(in, hidden, options);
      tn::GRUCell other_gru(tn::GRUCellOptions(width, size).bias(bias));
      other_gru->to(torch::kFloat64);
      load(gru, *other_gru);
      Inputs y({{batch, in}, {batch, hidden}});
      compare(gru, *other_gru, {gru(y.own[0], y.own[1])}, {other_gru->forward(y.other[0], y.other[1])}, y.own, y.other);

      begin();
      nn::LSTMCell lstm(in, hidden, options);
      tn::LSTMCell other_lstm(tn::LSTMCellOptions(width, size).bias(bias));
      other_lstm->to(torch::kFloat64);
      load(lstm, *other_lstm);
      Inputs z({{batch, in}, {batch, hidden}, {batch, hidden}});
      auto [h, c] = lstm(z.own[0], {z.own[1], z.own[2]});
      auto [other_h, other_c] = other_lstm->forward(z.other[0], std::make_tuple(z.other[1], z.other[2]));
      compare(lstm, *other_lstm, {h, c}, {other_h, other_c}, z.own, z.other);
    }
}

BOOST_AUTO_TEST_SUITE_END()
