// Recurrent layers: against their equations, finite differences, and each sequence by itself.
#include <cmath>
#include <sstream>

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;

namespace {

// Calls f with a layer of each kind, made with these options, and a function that runs it: x, a mask -> output, states.
template <class F>
void for_each_kind(const nn::RecurrentOptions& options, F f) {
  using Variables = std::vector<Variable>;
  seed(11);
  nn::RNN rnn(3, 4, options);
  f(rnn, [&](const Variable& x, const Variable& mask) -> Variables {
    auto [output, h] = rnn(x, {}, mask);
    return {output, h};
  });
  nn::GRU gru(3, 4, options);
  f(gru, [&](const Variable& x, const Variable& mask) -> Variables {
    auto [output, h] = gru(x, {}, mask);
    return {output, h};
  });
  nn::LSTM lstm(3, 4, options);
  f(lstm, [&](const Variable& x, const Variable& mask) -> Variables {
    auto [output, h, c] = lstm(x, {}, mask);
    return {output, h, c};
  });
}

Variable parameter_of(const nn::Module& module, const std::string& name) {
  for (const auto& [own, x] : module.named_parameters())
    if (own == name) return x;
  throw std::runtime_error("no " + name);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recurrent)

// One step of one sequence, number by number.
BOOST_AUTO_TEST_CASE(equations) {
  auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  double x = 0.7, h = -0.4, c = 0.9;
  auto load = [](nn::Module& module, std::size_t gates) {
    Array a({gates, 1}, float64), b({gates, 1}, float64), p({gates}, float64), q({gates}, float64);
    for (std::size_t i = 0; i < gates; ++i) {
      auto at = static_cast<double>(i);
      a.mutable_data<double>()[i] = 0.5 - 0.3 * at, b.mutable_data<double>()[i] = -0.2 + 0.4 * at;
      p.mutable_data<double>()[i] = 0.1 * at, q.mutable_data<double>()[i] = 0.25 - 0.2 * at;
    }
    module.load_state_dict({{"weight_ih_l0", Variable(a)}, {"weight_hh_l0", Variable(b)}, {"bias_ih_l0", Variable(p)},
                            {"bias_hh_l0", Variable(q)}});
  };
  auto input = [=](double at) { return (0.5 - 0.3 * at) * x + 0.1 * at; };
  auto state = [=](double at) { return (-0.2 + 0.4 * at) * h + 0.25 - 0.2 * at; };
  auto gate = [=](double at) { return input(at) + state(at); };
  Variable x0 = full({1, 1, 1}, x, float64), h0 = full({1, 1, 1}, h, float64), c0 = full({1, 1, 1}, c, float64);

  nn::RNN rnn(1, 1, {.dtype = float64});
  load(rnn, 1);
  BOOST_TEST(rnn(x0, h0).h.item() == std::tanh(gate(0)), boost::test_tools::tolerance(1e-14));
  nn::RNN rectified(1, 1, {.nonlinearity = nn::Nonlinearity::relu, .dtype = float64});
  load(rectified, 1);
  BOOST_TEST(rectified(x0, h0).h.item() == std::max(gate(0), 0.0), boost::test_tools::tolerance(1e-14));

  nn::GRU gru(1, 1, {.dtype = float64});
  load(gru, 3);
  double n = std::tanh(input(2) + sigmoid(gate(0)) * state(2)), z = sigmoid(gate(1));
  BOOST_TEST(gru(x0, h0).output.item() == (1 - z) * n + z * h, boost::test_tools::tolerance(1e-14));

  nn::LSTM lstm(1, 1, {.dtype = float64});
  load(lstm, 4);
  double next = sigmoid(gate(1)) * c + sigmoid(gate(0)) * std::tanh(gate(2));
  auto [output, last, cell] = lstm(x0, {h0, c0});
  BOOST_TEST(cell.item() == next, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(last.item() == sigmoid(gate(3)) * std::tanh(next), boost::test_tools::tolerance(1e-14));
  close(output, last);
}

BOOST_AUTO_TEST_CASE(derivatives) {
  Variable x = randn({3, 2, 3}, float64);
  for_each_kind({.dtype = float64}, [&](auto& layer, auto) {
    auto result = nn::gradcheck_module(layer, x, {.order = 2});
    BOOST_TEST(result.ok, layer.name() << ": " << result.message);
  });
  for (bool bias : {true, false})
    for_each_kind({.num_layers = 2, .bias = bias, .bidirectional = true, .dtype = float64}, [&](auto& layer, auto) {
      auto result = nn::gradcheck_module(layer, x);
      BOOST_TEST(result.ok, layer.name() << ": " << result.message);
    });
}

BOOST_AUTO_TEST_CASE(derivatives_of_states_under_a_mask) {
  nn::LSTM lstm(2, 3, {.num_layers = 2, .bidirectional = true, .dtype = float64});
  Variable mask = (Variable{{1, 1}, {1, 1}, {1, 0}} > 0);
  auto result = gradcheck([&](const std::vector<Variable>& v) {
    auto [output, h, c] = lstm(v[0], {v[1], v[2]}, mask);
    return concatenate({reshape(output, {-1}), reshape(h, {-1}), reshape(c, {-1})});
  }, {randn({3, 2, 2}, float64), randn({4, 2, 3}, float64), randn({4, 2, 3}, float64)});
  BOOST_TEST(result.ok, result.message);
}

// A mask gives each sequence what it gets alone: outputs, final states, and its part of every gradient.
BOOST_AUTO_TEST_CASE(sequences_of_unequal_length) {
  constexpr std::size_t steps = 5;
  const std::vector<std::size_t> lengths{5, 2, 1, 4};
  Variable x = randn({steps, lengths.size(), 3}, float64);
  Array valid({steps, lengths.size()}, boolean);
  for (std::size_t t = 0; t < steps; ++t)
    for (std::size_t b = 0; b < lengths.size(); ++b) {
      valid.mutable_data<bool>()[t * lengths.size() + b] = t < lengths[b];
      if (t >= lengths[b]) x = slice_assign(x, {t, b}, std::nan(""));  // what no result may depend on
    }
  auto loss = [](const std::vector<Variable>& results) {
    Variable total = Variable(0.0);
    for (const Variable& r : results) total = total + sum(r * sin(r + 1));
    return total;
  };
  for_each_kind({.num_layers = 2, .bidirectional = true, .dtype = float64}, [&](auto& layer, auto run) {
    std::vector<Variable> together = run(x, Variable(valid));
    loss(together).backward();
    std::vector<Variable> gradients;
    for (const Variable& p : layer.parameters()) gradients.push_back(p.grad());
    layer.zero_grad();
    for (std::size_t b = 0; b < lengths.size(); ++b) {
      auto length = static_cast<std::ptrdiff_t>(lengths[b]), at = static_cast<std::ptrdiff_t>(b);
      std::vector<Variable> alone = run(x[{range(0, length), range(at, at + 1)}], {});
      close(alone[0], together[0][{range(0, length), range(at, at + 1)}], 1e-14);
      BOOST_TEST(sum(abs(together[0][{range(length, none), at}])).item() == 0);
      for (std::size_t k = 1; k < alone.size(); ++k) close(alone[k], together[k][{range(), range(at, at + 1)}], 1e-14);
      loss(alone).backward();
    }
    for (std::size_t i = 0; i < gradients.size(); ++i) close(layer.parameters()[i].grad(), gradients[i], 1e-12);
  });
}

BOOST_AUTO_TEST_CASE(batch_first_swaps_inputs_outputs_and_masks) {
  Variable x = randn({4, 2, 3}, float64), mask = (Variable{{1, 1}, {1, 1}, {1, 0}, {0, 0}} > 0);
  std::vector<std::vector<Variable>> results;
  for (bool batch_first : {false, true})
    for_each_kind({.batch_first = batch_first, .bidirectional = true, .dtype = float64}, [&](auto&, auto run) {
      results.push_back(batch_first ? run(swapaxes(x, 0, 1), swapaxes(mask, 0, 1)) : run(x, mask));
    });
  for (std::size_t kind = 0; kind < 3; ++kind) {
    close(results[kind][0], swapaxes(results[kind + 3][0], 0, 1));
    for (std::size_t k = 1; k < results[kind].size(); ++k) close(results[kind][k], results[kind + 3][k]);
  }
}

// Running on from a state is running at once.
BOOST_AUTO_TEST_CASE(states_carry_over) {
  nn::LSTM lstm(3, 4, {.num_layers = 2, .dtype = float64});
  Variable x = randn({6, 2, 3}, float64);
  auto [whole, h, c] = lstm(x, {});
  auto first = lstm(x[range(0, 2)], {});
  auto second = lstm(x[range(2, 6)], {first.h, first.c});
  close(concatenate({first.output, second.output}), whole, 1e-15);
  close(second.h, h, 1e-15);
  close(second.c, c, 1e-15);
  close(lstm(x), whole);
}

BOOST_AUTO_TEST_CASE(dropout_between_layers_in_training_only) {
  for_each_kind({.num_layers = 2, .dropout = 1}, [&](auto& layer, auto run) {
    Variable x = randn({3, 2, 3}), other = randn({3, 2, 3});
    close(run(x, {})[0], run(other, {})[0]);  // the second layer is told nothing
    layer.eval();
    BOOST_TEST(sum(abs(run(x, {})[0] - run(other, {})[0])).item() > 0.01);
  });
  for_each_kind({.dropout = 1}, [&](auto&, auto run) {
    BOOST_TEST(sum(abs(run(randn({3, 2, 3}), {})[0])).item() > 0.01);  // one layer has nothing between
  });
}

BOOST_AUTO_TEST_CASE(parameters_have_pytorchs_names) {
  nn::GRU gru(3, 4, {.num_layers = 2, .bidirectional = true});
  std::vector<std::string> names;
  for (const auto& [name, x] : gru.named_parameters()) names.push_back(name);
  std::vector<std::string> expected;
  for (std::string suffix : {"_l0", "_l0_reverse", "_l1", "_l1_reverse"})
    for (std::string name : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"}) expected.push_back(name + suffix);
  BOOST_TEST(names == expected, boost::test_tools::per_element());
  BOOST_TEST((parameter_of(gru, "weight_ih_l0").shape() == Shape{12, 3}));
  BOOST_TEST((parameter_of(gru, "weight_ih_l1").shape() == Shape{12, 8}));
  BOOST_TEST((parameter_of(gru, "weight_hh_l1_reverse").shape() == Shape{12, 4}));
  BOOST_TEST((parameter_of(gru, "bias_hh_l0").shape() == Shape{12}));
  for (const Variable& x : gru.parameters()) BOOST_TEST(max(abs(x)).item() <= 0.5);  // 1 / sqrt(4)
  BOOST_TEST(nn::LSTM(3, 4, {.bias = false}).parameters().size() == 2);
}

BOOST_AUTO_TEST_CASE(is_a_module_like_others) {
  nn::LSTM lstm(3, 4, {.num_layers = 2, .dropout = 0.5, .bidirectional = true});
  std::ostringstream text;
  text << lstm;
  BOOST_TEST(text.str().find("LSTM(3, 4, 2 layers, dropout 0.5, bidirectional)") == 0);
  Variable x = randn({3, 2, 3});
  nn::LSTM other(3, 4, {.num_layers = 2, .bidirectional = true});
  other.load_state_dict(lstm.state_dict());
  lstm.eval();
  close(lstm(x), other(x));
  nn::LSTM copy = nn::clone(lstm);
  {
    NoGrad guard;
    for (const Variable& p : lstm.parameters()) p.assign(zeros_like(p));
  }
  close(copy(x), other(x));
  close(lstm(x), zeros({3, 2, 8}));
  copy.to(float64);
  close(copy(x.to(float64)).to(float32), other(x), 1e-5);
  nn::Sequential net{nn::RNN(3, 4), nn::Dense(4, 2)};
  BOOST_TEST((net(x).shape() == Shape{3, 2, 2}));
  nn::RNN begun(3, 4, {.weight_init = nn::ones(), .recurrent_init = nn::zeros(), .bias_init = nn::constant(0.5)});
  close(begun(ones({2, 1, 3})), full({2, 1, 4}, std::tanh(4.0f)), 1e-6);
  BOOST_TEST((lstm(zeros({3, 0, 3})).shape() == Shape{3, 0, 8}));
}

BOOST_AUTO_TEST_CASE(refuses_what_does_not_fit) {
  throws<ValueError>([] { nn::LSTM(0, 4); }, {"LSTM(0, 4): needs widths of 1 or more"});
  throws<ValueError>([] { nn::GRU(3, 4, {.num_layers = 0}); }, {"GRU(3, 4", "num_layers is 0, needs 1 or more"});
  throws<ValueError>([] { nn::RNN(3, 4, {.dropout = std::nan("")}); }, {"RNN(3, 4", "dropout is nan"});
  throws<ValueError>([] { nn::RNN(3, 4, {.dropout = 1.5}); }, {"RNN(3, 4", "dropout is 1.5"});
  throws<ValueError>([] { nn::GRU(3, 4, {.nonlinearity = nn::Nonlinearity::relu}); }, {"GRU(3, 4", "nonlinearity"});
  throws<ValueError>([] { nn::LSTM(-1, 4); }, {"LSTM(", "needs widths of 1 or more"});
  throws<ValueError>([] { nn::RNN(3, -4); }, {"RNN(3", "needs widths of 1 or more"});
  throws<DTypeError>([] { nn::LSTM(3, 4, {.dtype = int64}); }, {"LSTM(3, 4): parameters of int64"});
  nn::LSTM lstm(3, 4, {.num_layers = 2});
  throws<ShapeError>([&] { lstm(zeros({5, 2, 4})); }, {"LSTM(3, 4, 2 layers)", "(5, 2, 4)", "(steps, batch, 3)"});
  throws<ShapeError>([&] { lstm(zeros({3})); }, {"LSTM(3, 4, 2 layers)", "(3,)", "(steps, 3)"});
  throws<ShapeError>([&] { lstm(zeros({0, 2, 3})); }, {"LSTM(3, 4, 2 layers)", "1 step or more"});
  throws<ShapeError>([&] { lstm(Variable()); }, {"LSTM(3, 4, 2 layers)", "undefined"});
  throws<DTypeError>([&] { lstm(zeros({5, 2, 3}, float64)); }, {"LSTM(3, 4, 2 layers)", "float64(5, 2, 3)", "float32"});
  Variable x = zeros({5, 2, 3});
  throws<ShapeError>([&] { lstm(x, {zeros({1, 2, 4}), {}}); }, {"initial state float32(1, 2, 4)", "(2, 2, 4)"});
  throws<ShapeError>([&] { lstm(x, {{}, zeros({2, 3, 4})}); }, {"initial state float32(2, 3, 4)", "(2, 2, 4)"});
  throws<DTypeError>([&] { lstm(x, {{}, zeros({2, 2, 4}, float64)}); }, {"float64(2, 2, 4)", "float32"});
  throws<DTypeError>([&] { lstm(x, {}, ones({5, 2})); }, {"a mask float32(5, 2), needs bool"});
  throws<ShapeError>([&] { lstm(x, {}, ones({2, 5}) > 0); }, {"a mask bool(2, 5)", "(steps, batch)"});
}

// Of which the gates are single columns.
BOOST_AUTO_TEST_CASE(hidden_size_one) {
  seed(5);
  Variable x = randn({3, 6, 2}, float64);
  auto agrees = [&](auto layer) {
    layer.to(float64);
    Variable all = layer(x);
    for (std::ptrdiff_t i = 0; i < 6; ++i)
      BOOST_TEST(max(abs(all[{range(), range(i, i + 1)}] - layer(x[{range(), range(i, i + 1)}]))).item() <= 1e-15);
    auto result = nn::gradcheck_module(layer, x);
    BOOST_TEST(result.ok, result.message);
  };
  agrees(nn::LSTM(2, 1));
  agrees(nn::GRU(2, 1));
  agrees(nn::RNN(2, 1));
}

BOOST_AUTO_TEST_SUITE_END()
