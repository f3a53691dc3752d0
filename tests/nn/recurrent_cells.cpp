// Cells, and single sequences, against the layers and batches.
#include <cmath>
#include <sstream>

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;

namespace {

// The parameters of a layer for its cell.
void load(nn::Module& cell, const nn::Module& layer) {
  StateDict state;
  for (const auto& [name, x] : layer.state_dict()) state.emplace(name.substr(0, name.find("_l0")), x);
  cell.load_state_dict(state);
}

Variable numbers(const Shape& shape, std::uint64_t seed) {
  Generator generator(seed);
  return randn(shape, float64, generator);
}

// A layer of one step is its cell, with a state and without, with a batch and without.
template <class Layer, class Cell>
void agrees(Layer layer, Cell cell) {
  load(cell, layer);
  Variable x = numbers({4, 3}, 1), h = numbers({4, 2}, 2);
  auto [output, last] = layer(expand_dims(x, 0), expand_dims(h, 0));
  close(cell(x, h), last[0], 1e-15);
  close(cell(x), layer(expand_dims(x, 0))[0], 1e-15);
  close(cell(x[1], h[1]), last[0][1], 1e-15);
  close(cell(x[1], {}), cell(x)[1], 1e-15);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recurrent_cells)

BOOST_AUTO_TEST_CASE(cells_are_layers_of_one_step) {
  seed(4);
  for (bool bias : {true, false}) {
    agrees(nn::RNN(3, 2, {.bias = bias, .dtype = float64}), nn::RNNCell(3, 2, {.bias = bias, .dtype = float64}));
    agrees(nn::RNN(3, 2, {.nonlinearity = nn::Nonlinearity::relu, .bias = bias, .dtype = float64}),
           nn::RNNCell(3, 2, {.bias = bias, .nonlinearity = nn::Nonlinearity::relu, .dtype = float64}));
    agrees(nn::GRU(3, 2, {.bias = bias, .dtype = float64}), nn::GRUCell(3, 2, {.bias = bias, .dtype = float64}));
    nn::LSTM layer(3, 2, {.bias = bias, .dtype = float64});
    nn::LSTMCell cell(3, 2, {.bias = bias, .dtype = float64});
    load(cell, layer);
    Variable x = numbers({4, 3}, 1), h0 = numbers({4, 2}, 2), c0 = numbers({4, 2}, 3);
    auto [output, h, c] = layer(expand_dims(x, 0), {expand_dims(h0, 0), expand_dims(c0, 0)});
    auto next = cell(x, {h0, c0}), single = cell(x[2], {h0[2], c0[2]});
    close(next.h, h[0], 1e-15);
    close(next.c, c[0], 1e-15);
    close(single.h, h[0][2], 1e-15);
    close(single.c, c[0][2], 1e-15);
    close(cell(x), layer(expand_dims(x, 0))[0], 1e-15);
    // A state may be left out.
    close(cell(x, {{}, c0}).c, cell(x, {zeros_like(h0), c0}).c);
  }
}

// A sequence, step by step.
BOOST_AUTO_TEST_CASE(cells_run_sequences) {
  seed(4);
  nn::LSTM layer(3, 2, {.dtype = float64});
  nn::LSTMCell cell(3, 2, {.dtype = float64});
  load(cell, layer);
  Variable x = numbers({5, 4, 3}, 1);
  nn::LSTMState state;
  for (const Variable& step : unbind(x)) state = cell(step, state);
  auto [output, h, c] = layer(x, {});
  close(state.h, h[0], 1e-14);
  close(state.c, c[0], 1e-14);
}

BOOST_AUTO_TEST_CASE(derivatives_of_cells) {
  seed(4);
  nn::LSTMCell lstm(2, 3, {.dtype = float64});
  nn::GRUCell gru(2, 3, {.dtype = float64});
  Variable x = numbers({2, 2}, 1), h = numbers({2, 3}, 2), c = numbers({2, 3}, 3);
  auto result = gradcheck([&](const std::vector<Variable>& v) {
    auto [h, c] = lstm(v[0], {v[1], v[2]});
    return concatenate({h, c});
  }, {x, h, c}, {.order = 2});
  BOOST_TEST(result.ok, result.message);
  result = gradcheck([&](auto& x, auto& h) { return gru(x, h); }, {x, h}, {.order = 2});
  BOOST_TEST(result.ok, result.message);
}

BOOST_AUTO_TEST_CASE(cells_are_modules_like_others) {
  nn::GRUCell cell(3, 4);
  std::vector<std::string> names;
  for (const auto& [name, x] : cell.named_parameters()) names.push_back(name);
  BOOST_TEST(names == (std::vector<std::string>{"weight_ih", "weight_hh", "bias_ih", "bias_hh"}),
             boost::test_tools::per_element());
  for (const Variable& x : cell.parameters()) BOOST_TEST(max(abs(x)).item() <= 0.5);  // 1 / sqrt(4)
  std::ostringstream text;
  text << nn::RNNCell(3, 4, {.bias = false, .nonlinearity = nn::Nonlinearity::relu});
  BOOST_TEST(text.str().find("RNNCell(3, 4, relu, no bias)") == 0);
  nn::RNNCell begun(3, 4, {.weight_init = nn::ones(), .recurrent_init = nn::ones(), .bias_init = nn::constant(0.5)});
  close(begun(ones({1, 3}), ones({1, 4}) / 4), full({1, 4}, std::tanh(5.0f)), 1e-6);
}

// Of every option.
BOOST_AUTO_TEST_CASE(single_sequences_are_batches_of_one) {
  for (bool batch_first : {false, true})
    for (bool with_mask : {false, true}) {
      nn::RecurrentOptions options{.num_layers = 2, .batch_first = batch_first, .bidirectional = true,
                                   .dtype = float64};
      std::ptrdiff_t batch = batch_first ? 0 : 1;
      Variable x = numbers({5, 3}, 1), h0 = numbers({4, 2}, 2), c0 = numbers({4, 2}, 3);
      Variable mask = with_mask ? arange(5) < 3 : Variable(), batch_mask = with_mask ? expand_dims(mask, batch) : mask;
      seed(4);
      nn::LSTM lstm(3, 2, options);
      auto [output, h, c] = lstm(x, {h0, c0}, mask);
      auto all = lstm(expand_dims(x, batch), {expand_dims(h0, 1), expand_dims(c0, 1)}, batch_mask);
      BOOST_TEST((output.shape() == Shape{5, 4}));
      BOOST_TEST((h.shape() == Shape{4, 2}));
      close(output, squeeze(all.output, batch));
      close(h, squeeze(all.h, 1));
      close(c, squeeze(all.c, 1));
      close(lstm(x), squeeze(lstm(expand_dims(x, batch)), batch));
      auto check = [&](auto layer) {
        auto [output, h] = layer(x, h0, mask);
        auto all = layer(expand_dims(x, batch), expand_dims(h0, 1), batch_mask);
        close(output, squeeze(all.output, batch));
        close(h, squeeze(all.h, 1));
      };
      check(nn::RNN(3, 2, options));
      check(nn::GRU(3, 2, options));
    }
}

BOOST_AUTO_TEST_CASE(refuse_what_does_not_fit) {
  throws<ValueError>([] { nn::LSTMCell(0, 4); }, {"LSTMCell(0, 4): needs widths of 1 or more"});
  throws<ValueError>([] { nn::RNNCell(3, -4); }, {"RNNCell(3", "needs widths of 1 or more"});
  throws<ValueError>([] { nn::GRUCell(3, 4, {.nonlinearity = nn::Nonlinearity::relu}); }, {"GRUCell(3, 4", "nonlinearity"});
  throws<DTypeError>([] { nn::LSTMCell(3, 4, {.dtype = int64}); }, {"LSTMCell(3, 4)", "int64"});
  nn::LSTMCell cell(3, 4);
  Variable x = zeros({2, 3});
  throws<ShapeError>([&] { cell(zeros({2, 4})); }, {"LSTMCell(3, 4)", "(2, 4)", "(batch, 3) or (3,)"});
  throws<ShapeError>([&] { cell(zeros({5, 2, 3})); }, {"LSTMCell(3, 4)", "(5, 2, 3)"});
  throws<ShapeError>([&] { cell(Variable()); }, {"LSTMCell(3, 4)", "undefined"});
  throws<DTypeError>([&] { cell(x.to(float64)); }, {"LSTMCell(3, 4)", "float64"});
  throws<ShapeError>([&] { cell(x, {zeros({3, 4}), {}}); }, {"a state float32(3, 4)", "float32(2, 3)", "(2, 4)"});
  throws<ShapeError>([&] { cell(x, {{}, zeros({4})}); }, {"a state float32(4,)", "(2, 4)"});
  throws<DTypeError>([&] { cell(x, {{}, zeros({2, 4}, float64)}); }, {"LSTMCell(3, 4)", "float64"});
  nn::LSTM lstm(3, 4, {.batch_first = true});
  throws<ShapeError>([&] { lstm(zeros({0, 3})); }, {"(0, 3)", "(steps, 3)", "1 step or more"});
  throws<ShapeError>([&] { lstm(zeros({5, 3}), {zeros({1, 1, 4}), {}}); }, {"(1, 1, 4)", "(layers * directions, hidden)"});
  throws<ShapeError>([&] { lstm(zeros({5, 3}), {}, ones({4}) > 0); }, {"a mask bool(4,)", "(steps)"});
}

BOOST_AUTO_TEST_SUITE_END()
