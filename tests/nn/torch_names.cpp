// States under PyTorch's names. PyTorch's own documentation gives the shapes: Linear has a weight (out, in), LSTM and
// GRU weight_ih_l[k] (gates * hidden, in), MultiheadAttention in_proj_weight (3 * embed_dim, embed_dim).
#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::same;
using xtape::testing::throws;

namespace {

// PyTorch's batch norms count the batches.
struct Counting : nn::Module {
  nn::Parameter weight = add("weight", parameter(randn({2})));
  nn::Parameter batches = add("num_batches_tracked", full({}, 3, int64));
};

// That a module's state goes to PyTorch's and back.
void comes_back(const nn::Module& module) {
  same(nn::from_torch(module, nn::to_torch(module)), module.state_dict());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(torch_names)

BOOST_AUTO_TEST_CASE(linear_weights_are_pytorchs) {
  nn::Sequential net{nn::Dense(3, 2), nn::ReLU(), nn::Dense(2, 2)};
  // y = x A' + b, as PyTorch defines Linear.
  StateDict torch{{"0.weight", Variable{{1, 2, 3}, {4, 5, 6}}}, {"0.bias", Variable{10, 20}},
                  {"2.weight", Variable{{0, 1}, {0, 0}}},       {"2.bias", Variable{0, 0}}};
  net.load_state_dict(nn::from_torch(net, torch));
  close(net(Variable{1, 0, -1}), Variable{18, 0});
  same(nn::to_torch(net), torch);
  comes_back(net);
  // Copies: the module does not change with them.
  nn::to_torch(net).at("0.bias").mutable_data<float>()[0] = 99;
  close(net(Variable{1, 0, -1}), Variable{18, 0});
}

BOOST_AUTO_TEST_CASE(a_class_derived_from_dense_is_dense) {
  struct Own : nn::Dense {
    Own() : Dense(2, 2) {}
  };
  Own own;
  own.load_state_dict(nn::from_torch(own, {{"weight", Variable{{1, 2}, {3, 4}}}, {"bias", Variable{0, 0}}}));
  close(own.weight, parameter(Variable{{1, 2}, {3, 4}}));
}

BOOST_AUTO_TEST_CASE(other_weights_stay) {
  nn::Sequential net{nn::Conv2D(2, 3, 5), nn::BatchNorm2D(3), nn::LayerNorm(4)};
  StateDict torch = nn::to_torch(net);
  BOOST_TEST((torch.at("0.weight").shape() == Shape{3, 2, 5, 5}));
  close(torch.at("0.weight"), net.state_dict().at("0.weight"));
  BOOST_TEST(torch.contains("1.running_mean"));
  comes_back(net);
  nn::Embedding embedding(5, 3);
  close(nn::to_torch(embedding).at("weight"), embedding.state_dict().at("weight"));
}

BOOST_AUTO_TEST_CASE(recurrent_weights_are_pytorchs) {
  nn::LSTM lstm(3, 2, {.num_layers = 2, .bidirectional = true, .bias_init = nn::normal()});
  StateDict torch = nn::to_torch(lstm), ours = lstm.state_dict();
  BOOST_TEST(torch.size() == 16);
  BOOST_TEST((torch.at("weight_ih_l0").shape() == Shape{8, 3}));
  for (const char* name : {"weight_ih_l0", "weight_hh_l0", "weight_ih_l0_reverse", "weight_hh_l1"})
    close(torch.at(name), ours.at(name));
  for (const char* name : {"bias_ih_l0", "bias_hh_l1_reverse"}) close(torch.at(name), ours.at(name));
  comes_back(lstm);
  nn::GRU gru(3, 2);
  BOOST_TEST((nn::to_torch(gru).at("weight_hh_l0").shape() == Shape{6, 2}));
  comes_back(gru);
  comes_back(nn::RNN(3, 2));
  nn::GRUCell cell(3, 2);
  torch = nn::to_torch(cell);
  for (const char* name : {"weight_ih", "weight_hh"}) close(torch.at(name), cell.state_dict().at(name));
  close(torch.at("bias_ih"), cell.bias_ih.detach());
  comes_back(cell);
}

BOOST_AUTO_TEST_CASE(attention_weights_are_pytorchs) {
  nn::MultiHeadAttention attention(4, 2);
  StateDict torch = nn::to_torch(attention), ours = attention.state_dict();
  BOOST_TEST((torch.at("in_proj_weight").shape() == Shape{12, 4}));
  for (const char* name : {"in_proj_weight", "out_proj.weight"}) close(torch.at(name), ours.at(name));
  close(torch.at("in_proj_bias"), ours.at("in_proj_bias"));
  comes_back(attention);

  nn::MultiHeadAttention other(4, 2, {.kdim = 3, .vdim = 5});
  torch = nn::to_torch(other);
  BOOST_TEST((torch.at("k_proj_weight").shape() == Shape{4, 3}));
  for (const char* name : {"q_proj_weight", "k_proj_weight", "v_proj_weight"})
    close(torch.at(name), other.state_dict().at(name));
  comes_back(other);

  nn::TransformerDecoder stack(nn::TransformerDecoderLayer(4, 2, {.dim_feedforward = 3}), 2, nn::LayerNorm(4));
  torch = nn::to_torch(stack);
  BOOST_TEST((torch.at("layers.1.multihead_attn.in_proj_weight").shape() == Shape{12, 4}));
  BOOST_TEST((torch.at("layers.0.linear1.weight").shape() == Shape{3, 4}));
  BOOST_TEST(torch.contains("norm.bias"));
  comes_back(stack);
}

// PyTorch's weight_norm and spectral_norm add parameters to the layer itself.
BOOST_AUTO_TEST_CASE(wrapped_layers_have_no_part_of_their_own) {
  nn::WeightNorm dense(nn::Dense(3, 2));
  StateDict torch = nn::to_torch(dense);
  BOOST_TEST(torch.size() == 3);
  BOOST_TEST((torch.at("weight_g").shape() == Shape{2, 1}));
  close(torch.at("weight_v"), dense.state_dict().at("weight_v"));
  BOOST_TEST((torch.at("bias").shape() == Shape{2}));
  comes_back(dense);

  nn::WeightNorm lstm(nn::LSTM(3, 5), {.name = "weight_ih_l0"});
  torch = nn::to_torch(lstm);
  BOOST_TEST((torch.at("weight_ih_l0_g").shape() == Shape{20, 1}));
  BOOST_TEST((torch.at("weight_ih_l0_v").shape() == Shape{20, 3}));
  BOOST_TEST((torch.at("weight_hh_l0").shape() == Shape{20, 5}));
  comes_back(lstm);

  nn::SpectralNorm spectral(nn::Dense(3, 2));
  torch = nn::to_torch(spectral);
  close(torch.at("weight_orig"), spectral.state_dict().at("weight_orig"));
  BOOST_TEST((torch.at("weight_u").shape() == Shape{2}));
  BOOST_TEST((torch.at("weight_v").shape() == Shape{3}));
  comes_back(spectral);

  nn::WeightNorm convolution(nn::Conv1D(3, 4, 2));
  torch = nn::to_torch(convolution);
  BOOST_TEST((torch.at("weight_g").shape() == Shape{4, 1, 1}));
  close(torch.at("weight_v"), convolution.state_dict().at("weight_v"));
  comes_back(convolution);
}

BOOST_AUTO_TEST_CASE(what_is_not_materialized_is_undefined) {
  nn::Sequential net{nn::Dense(4), nn::Conv2D(3, 2)};
  StateDict torch = nn::to_torch(net);
  BOOST_TEST(!torch.at("0.weight").defined());
  BOOST_TEST(!torch.at("1.weight").defined());
  BOOST_TEST(torch.at("0.bias").defined());
  xtape::testing::TemporaryDirectory directory;
  throws<ValueError>([&] { nn::save_safetensors(directory / "net", torch); }, {"0.weight", "undefined"});
  nn::Sequential other{nn::Dense(4), nn::Conv2D(3, 2)};
  other.load_state_dict(nn::from_torch(other, torch));
  BOOST_TEST(!other.materialized());
}

BOOST_AUTO_TEST_CASE(counts_of_batches) {
  nn::Sequential net{nn::BatchNorm2D(2)};
  StateDict state = nn::to_torch(net);
  state.insert_or_assign("0.num_batches_tracked", full({}, 7, int64));
  state.insert_or_assign("5.num_batches_tracked", full({}, 7, int64));
  net.load_state_dict(nn::from_torch(net, state));
  Counting counting;
  close(nn::to_torch(counting).at("num_batches_tracked"), full({}, 3, int64));
  close(nn::from_torch(counting, {{"num_batches_tracked", full({}, 9, int64)}}).at("num_batches_tracked"),
        full({}, 9, int64));
  close(nn::from_torch(counting, {{"weight", ones({2})}}).at("num_batches_tracked"), full({}, 0, int64));
}

BOOST_AUTO_TEST_CASE(tied_parameters_have_a_name_for_each_place) {
  nn::Dense shared(2, 2);
  nn::Sequential net{shared, nn::ReLU(), shared};
  BOOST_TEST(net.state_dict().size() == 2);
  StateDict torch = nn::to_torch(net);
  BOOST_TEST(torch.size() == 4);
  close(torch.at("2.weight"), torch.at("0.weight"));
  net.load_state_dict(nn::from_torch(net, torch));
  comes_back(net);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_left_for_loading_to_say) {
  nn::Sequential net{nn::Dense(3, 2)};
  StateDict state{{"0.weight", ones({3, 2})}, {"1.weight", ones({1})}};
  throws<ValueError>([&] { net.load_state_dict(nn::from_torch(net, state)); },
                     {"missing: 0.bias", "0.weight: got float32(3, 2), needs float32(2, 3)", "unexpected: 1.weight"});
  net.load_state_dict(nn::from_torch(net, {{"0.bias", Variable{1, 2}}, {"9.x", ones({1})}}), false);
  close(net.state_dict().at("0.bias"), Variable{1, 2});
}

BOOST_AUTO_TEST_SUITE_END()
