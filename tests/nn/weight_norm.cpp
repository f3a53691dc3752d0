// Layers whose weight is computed: against closed forms, the singular value decomposition, and their misuse.
#include <cmath>
#include <sstream>

#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;

namespace {

std::vector<std::string> names(const StateDict& state) {
  std::vector<std::string> result;
  for (const auto& [name, x] : state) result.push_back(name);
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(weight_norm)

BOOST_AUTO_TEST_CASE(begins_as_the_layer_was) {
  seed(1);
  nn::Dense dense(3, 2, {.bias_init = nn::normal()});
  Variable x = randn({4, 3}), before = dense(x).detach(), weight = dense.weight.copy().detach();
  nn::WeightNorm norm(dense);
  close(norm(x).detach(), before, 1e-6);
  BOOST_TEST(names(norm.state_dict()) == (std::vector<std::string>{"module.bias", "weight_g", "weight_v"}),
             boost::test_tools::per_element());
  BOOST_TEST((norm.state_dict().at("weight_g").shape() == Shape{2, 1}));  // one length for each output
  close(norm.state_dict().at("weight_g"), sqrt(sum(square(weight), 1, true)), 1e-6);
  BOOST_TEST(!dense.weight.requires_grad());
  BOOST_TEST(norm.parameter_count() == 2 + 2 + 6);
  std::ostringstream out;
  out << norm;
  BOOST_TEST((out.str().find("module: Dense(3, 2)") != std::string::npos), out.str());
}

BOOST_AUTO_TEST_CASE(the_length_alone_sets_the_length) {
  nn::Conv1D conv(2, 3, 2, {.bias = false, .dtype = float64});
  nn::WeightNorm norm(conv);
  auto parameters = norm.named_parameters();
  BOOST_REQUIRE(parameters[0].first == "weight_g");
  {
    NoGrad guard;
    parameters[0].second.assign(Variable({1, 2, 3}, float64).reshape({3, 1, 1}));
    parameters[1].second.assign(5 * parameters[1].second);
  }
  norm(zeros({1, 2, 4}, float64));
  // The layer's own handle shows the weight of the latest call.
  close(sqrt(sum(square(conv.weight), {1, 2})), Variable({1, 2, 3}, float64), 1e-14);
}

BOOST_AUTO_TEST_CASE(axes_can_be_chosen) {
  nn::WeightNorm columns(nn::Dense(3, 2), {.dim = 1});
  BOOST_TEST((columns.state_dict().at("weight_g").shape() == Shape{1, 3}));
  nn::WeightNorm bias(nn::Dense(3, 2), {.name = "bias", .dim = -1});
  BOOST_TEST((bias.state_dict().at("bias_g").shape() == Shape{2}));
  BOOST_TEST((nn::WeightNorm(nn::ConvTranspose1D(2, 3, 4)).state_dict().at("weight_g").shape() == Shape{2, 1, 1}));
  throws<ShapeError>([] { nn::WeightNorm(nn::Dense(3, 2), {.dim = 2}); }, {"WeightNorm", "2"});
}

BOOST_AUTO_TEST_CASE(each_output_of_sequence_layers_has_a_length) {
  auto shape = [](const nn::Module& norm, const std::string& name) {
    return norm.state_dict().at(name + "_g").shape();
  };
  BOOST_TEST((shape(nn::WeightNorm(nn::LSTM(3, 5), {.name = "weight_ih_l0"}), "weight_ih_l0") == Shape{20, 1}));
  BOOST_TEST((shape(nn::WeightNorm(nn::GRU(3, 5), {.name = "weight_hh_l0"}), "weight_hh_l0") == Shape{15, 1}));
  BOOST_TEST((shape(nn::WeightNorm(nn::RNN(3, 5), {.name = "weight_ih_l0"}), "weight_ih_l0") == Shape{5, 1}));
  BOOST_TEST((shape(nn::WeightNorm(nn::MultiHeadAttention(4, 2), {.name = "in_proj_weight"}), "in_proj_weight") ==
              Shape{12, 1}));
}

BOOST_AUTO_TEST_CASE(it_trains) {
  seed(2);
  nn::Sequential net{nn::WeightNorm(nn::Dense(3, 16)), nn::Tanh(), nn::WeightNorm(nn::Dense(16, 1))};
  optim::Adam adam(net.parameters(), {.lr = 1e-2});
  Variable x = randn({32, 3}), y = sum(x, 1, true);
  double first = 0, last = 0;
  for (int step = 0; step < 200; ++step) {
    adam.zero_grad();
    Variable loss = mean(square(net(x) - y));
    loss.backward();
    adam.step();
    (step == 0 ? first : last) = loss.item();
  }
  BOOST_TEST(last < 0.1 * first);
}

BOOST_AUTO_TEST_CASE(graphs_of_several_calls_stand_side_by_side) {
  nn::WeightNorm norm(nn::Dense(3, 2, {.bias = false, .dtype = float64}));
  Variable x = randn({4, 3}, float64);
  Variable first = sum(norm(x)), second = sum(norm(2 * x));
  (first + second).backward();
  Variable together = norm.parameters()[1].grad();
  norm.zero_grad();
  sum(norm(3 * x)).backward();
  close(together, norm.parameters()[1].grad(), 1e-13);
}

BOOST_AUTO_TEST_CASE(failed_calls_change_nothing) {
  nn::Dense dense(3, 2);
  nn::WeightNorm norm(dense);
  norm(zeros({1, 3}));
  Variable weight = dense.weight.copy();
  StateDict before = norm.state_dict();
  BOOST_CHECK_THROW(norm(zeros({1, 4})), ShapeError);
  close(dense.weight, weight);
  BOOST_TEST(!dense.weight.requires_grad());
  for (const auto& [name, x] : norm.state_dict()) close(x, before.at(name));
  nn::Conv2D conv(1, 2, 3);
  nn::SpectralNorm spectral(conv);
  before = spectral.state_dict();
  BOOST_CHECK_THROW(spectral(zeros({1, 4})), ShapeError);
  for (const auto& [name, x] : spectral.state_dict()) close(x, before.at(name));
}

BOOST_AUTO_TEST_CASE(misuse) {
  throws<ValueError>([] { nn::WeightNorm(nn::ReLU{}); }, {"WeightNorm", "ReLU", "\"weight\""});
  throws<ValueError>([] { nn::WeightNorm(nn::Dense(2, 2), {.name = "kernel"}); },
                     {"WeightNorm", "Dense", "\"kernel\""});
  throws<ValueError>([] { nn::WeightNorm(nn::Sequential{nn::Dense(2, 2)}, {.name = "0.weight"}); }, {"of its own"});
  throws<Error>([] { nn::WeightNorm(nn::Dense(2)); }, {"WeightNorm", "Dense(?, 2)", "not yet materialized"});
  throws<ValueError>([] { nn::SpectralNorm(nn::Dense(2, 2), {.n_power_iterations = 0}); },
                     {"SpectralNorm", "n_power_iterations is 0, needs 1 or more"});
  throws<ValueError>([] { nn::SpectralNorm(nn::Dense(2, 2), {.epsilon = NAN}); }, {"SpectralNorm", "nan"});
  nn::Dense dense(2, 2);
  throws<ValueError>([&] { nn::SpectralNorm(dense, {.name = "kernel"}); }, {"kernel"});
  BOOST_TEST(dense.parameters().size() == 2);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(spectral_norm)

BOOST_AUTO_TEST_CASE(the_greatest_singular_value_becomes_one) {
  seed(3);
  for (std::ptrdiff_t dim : {0, 1, 2}) {
    nn::Conv1D conv(3, 4, 5, {.dtype = float64});
    Variable original = conv.weight.copy().detach();
    nn::SpectralNorm norm(conv, {.dim = dim});
    for (int i = 0; i < 200; ++i) norm(zeros({1, 3, 5}, float64));
    Variable matrix = movedim(original, dim, 0);
    double greatest = svdvals(matrix.reshape({static_cast<std::ptrdiff_t>(matrix.shape(0)), -1}))[0].item();
    close(conv.weight, original / greatest, 1e-10);
    close(norm.state_dict().at("weight_orig"), original);
  }
}

BOOST_AUTO_TEST_CASE(the_power_method_is_that_of_the_paper) {
  seed(4);
  nn::Dense dense(3, 2, {.bias = false, .dtype = float64});
  nn::SpectralNorm norm(dense, {.n_power_iterations = 2});
  BOOST_TEST(names(norm.state_dict()) == (std::vector<std::string>{"weight_orig", "weight_u", "weight_v"}),
             boost::test_tools::per_element());
  StateDict state = norm.state_dict();
  Variable w = state.at("weight_orig"), u = state.at("weight_u"), v;
  auto unit = [](const Variable& x) { return x / sqrt(sum(square(x))); };
  for (int i = 0; i < 2; ++i) {
    v = unit(matmul(transpose(w), u));
    u = unit(matmul(w, v));
  }
  Variable x = randn({4, 3}, float64);
  close(norm(x).detach(), matmul(x, transpose(w)) / dot(u, matmul(w, v)), 1e-13);
  close(norm.state_dict().at("weight_u"), u, 1e-13);
  close(norm.state_dict().at("weight_v"), v, 1e-13);
  norm.eval();
  norm(x);
  close(norm.state_dict().at("weight_u"), u, 1e-13);  // no steps in evaluation
}

BOOST_AUTO_TEST_CASE(backward_after_further_calls) {
  nn::SpectralNorm norm(nn::Dense(3, 2));
  Variable loss = sum(norm(ones({1, 3})));
  norm(ones({1, 3}));  // moves the vectors on
  loss.backward();
  BOOST_TEST(norm.parameters()[0].grad().defined());
}

BOOST_AUTO_TEST_CASE(outputs_are_rows_where_the_layer_has_them_elsewhere) {
  BOOST_TEST(nn::SpectralNorm(nn::Dense(3, 2)).state_dict().at("weight_u").size() == 2);
  BOOST_TEST(nn::SpectralNorm(nn::Conv1D(3, 2, 5)).state_dict().at("weight_u").size() == 2);
  nn::SpectralNorm lstm(nn::LSTM(3, 5), {.name = "weight_ih_l0"});
  BOOST_TEST(lstm.state_dict().at("weight_ih_l0_u").size() == 20);
  BOOST_TEST(nn::SpectralNorm(nn::ConvTranspose1D(3, 2, 5)).state_dict().at("weight_u").size() == 2);
}

BOOST_AUTO_TEST_SUITE_END()
