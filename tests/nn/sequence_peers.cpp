// Recurrent, attention and transformer layers against libtorch's, in float64: results, final states, and the gradient of
// every parameter and input. Optional, like libtorch.
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <torch/torch.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

namespace {

using torch::Tensor;
using xtape::Shape;
using xtape::Variable;
using xtape::range;
using Variables = std::vector<Variable>;
using Tensors = std::vector<Tensor>;
namespace nn = xtape::nn;
namespace tn = torch::nn;

constexpr double tolerance = 1e-9;

Tensor to_torch(const Variable& x) {
  std::vector<std::int64_t> shape(x.shape().begin(), x.shape().end());
  bool mask = x.dtype() == xtape::boolean;
  const void* data = mask ? static_cast<const void*>(x.data<bool>()) : x.data<double>();
  return torch::from_blob(const_cast<void*>(data), shape, mask ? torch::kBool : torch::kFloat64).clone();
}

// The greatest difference, relative to the greatest element.
void agree(const Variable& own, const Tensor& other, const std::string& what) {
  BOOST_REQUIRE_MESSAGE(own.defined() && other.defined(), what);
  Tensor converted = to_torch(own);
  BOOST_REQUIRE_MESSAGE(converted.sizes() == other.sizes(), what);
  double scale = other.abs().max().item<double>();
  double difference = (converted - other).abs().max().item<double>();
  BOOST_TEST(difference <= tolerance * scale, what << ": " << difference << " of " << scale);
}

// Whether a parameter of two axes is transposed there: all but tables.
bool transposed(const Tensor& x) { return x.dim() == 2; }

// Gives ours the values of libtorch's, by the same names.
void load(nn::Module& own, torch::nn::Module& other) {
  torch::NoGradGuard guard;
  auto parameters = other.named_parameters();
  BOOST_REQUIRE(own.named_parameters().size() == parameters.size());
  for (auto& [name, x] : own.named_parameters()) {
    Tensor value = torch::randn_like(parameters[name]) * 0.3;
    parameters[name].copy_(value);
    Tensor laid = (transposed(value) ? value.t() : value).contiguous();
    BOOST_REQUIRE_MESSAGE(to_torch(x).sizes() == laid.sizes(), name);
    std::copy_n(laid.data_ptr<double>(), laid.numel(), x.mutable_data<double>());
  }
}

void agree_in_gradients(const nn::Module& own, const torch::nn::Module& other) {
  auto parameters = other.named_parameters();
  for (const auto& [name, x] : own.named_parameters()) {
    Tensor gradient = parameters[name].grad();
    agree(x.grad(), transposed(gradient) ? gradient.t() : gradient, "gradient of " + name);
  }
}

// Compares results, then the gradients of a function of all of them.
void compare(const nn::Module& own_module, const torch::nn::Module& other_module, const Variables& own,
             const Tensors& other, const Variables& inputs, const Tensors& other_inputs) {
  BOOST_REQUIRE(own.size() == other.size());
  Variable loss = Variable(0.0);
  Tensor other_loss = torch::zeros({}, torch::kFloat64);
  for (std::size_t i = 0; i < own.size(); ++i) {
    agree(own[i], other[i], "result " + std::to_string(i));
    loss = loss + sum(own[i] * sin(own[i] + 1));
    other_loss = other_loss + (other[i] * torch::sin(other[i] + 1)).sum();
  }
  loss.backward();
  other_loss.backward();
  agree_in_gradients(own_module, other_module);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    agree(inputs[i].grad(), other_inputs[i].grad(), "gradient of input " + std::to_string(i));
}

// The same numbers for both, which require gradients.
struct Inputs {
  Variables own;
  Tensors other;

  explicit Inputs(const std::vector<Shape>& shapes) {
    for (const Shape& shape : shapes) {
      own.push_back(xtape::randn(shape, xtape::float64));
      other.push_back(to_torch(own.back()).requires_grad_());
      own.back().requires_grad_();
    }
  }
};

void begin() {
  xtape::seed(1);
  torch::manual_seed(1);
}

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

BOOST_AUTO_TEST_SUITE(sequence_peers)

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

namespace {

constexpr std::size_t width = 8, heads = 2, keys = 5;

// Some of everything: padding for two of three, and a mask of positions, as bool and as numbers.
Variable padding(std::size_t count) {
  xtape::Array mask = xtape::Array::full({batch, count}, 0, xtape::boolean);
  mask.mutable_data<bool>()[2 * count - 1] = mask.mutable_data<bool>()[3 * count - 1] = true;
  mask.mutable_data<bool>()[3 * count - 2] = true;
  return Variable(mask);
}
Variable causal(std::size_t count) { return triu(xtape::ones({count, count}), 1) > 0; }

// libtorch's C++ module adds a mask to the scores even when it is of bool, so it gets the numbers to add.
Tensor added(const Variable& mask) {
  if (!mask.defined()) return Tensor();
  return to_torch(mask.dtype() == xtape::boolean ? where(mask, -INFINITY, xtape::zeros(mask.shape(), xtape::float64))
                                                 : mask);
}

}  // namespace

BOOST_AUTO_TEST_CASE(attention) {
  for (bool bias : {true, false})
    for (std::size_t kind : {0, 1, 2, 3, 4}) {
      begin();
      bool cross = kind >= 2, other_widths = kind >= 3, additive = kind == 4;
      std::size_t k = other_widths ? 6 : width;  // libtorch's C++ module wants keys and values of one width
      nn::MultiHeadAttention own(width, heads, {.bias = bias, .kdim = k, .vdim = k, .dtype = xtape::float64});
      tn::MultiheadAttention other(tn::MultiheadAttentionOptions(width, heads).bias(bias)
                                       .kdim(static_cast<std::int64_t>(k)).vdim(static_cast<std::int64_t>(k)));
      other->to(torch::kFloat64);
      load(own, *other);
      Inputs x(cross ? std::vector<Shape>{{steps, batch, width}, {keys, batch, k}, {keys, batch, k}}
                     : std::vector<Shape>{{steps, batch, width}});
      auto input = [&](auto& list, std::size_t i) { return list[cross ? i : 0]; };
      std::size_t count = cross ? keys : steps;
      Variable mask = kind == 1   ? causal(steps)
                      : additive ? xtape::randn({steps, keys}, xtape::float64)
                                 : Variable();
      auto [output, weights] = own(input(x.own, 0), input(x.own, 1), input(x.own, 2),
                                   {.key_padding_mask = padding(count), .attn_mask = mask, .need_weights = true});
      auto [other_output, other_weights] =
          other->forward(input(x.other, 0), input(x.other, 1), input(x.other, 2), to_torch(padding(count)), true, added(mask));
      compare(own, *other, {output, weights}, {other_output, other_weights}, x.own, x.other);
    }
}

namespace {

nn::TransformerOptions transformer(bool norm_first, bool gelu) {
  return {.dim_feedforward = 7, .dropout = 0.3,
          .activation = gelu ? nn::TransformerActivation::gelu : nn::TransformerActivation::relu,
          .norm_first = norm_first, .dtype = xtape::float64};
}

// What libtorch 1.13's layers are not able to, from their own parts.
Tensor pre_norm(tn::TransformerEncoderLayer& layer, Tensor x, const Tensor& mask, const Tensor& padding) {
  Tensor y = layer->norm1(x);
  x = x + std::get<0>(layer->self_attn(y, y, y, padding, false, mask));
  return x + layer->linear2(torch::relu(layer->linear1(layer->norm2(x))));
}
Tensor pre_norm(tn::TransformerDecoderLayer& layer, Tensor x, const Tensor& memory, const Tensor& mask,
                const Tensor& padding) {
  Tensor y = layer->norm1(x);
  x = x + std::get<0>(layer->self_attn(y, y, y, Tensor(), false, mask));
  x = x + std::get<0>(layer->multihead_attn(layer->norm2(x), memory, memory, padding, false, Tensor()));
  return x + layer->linear2(torch::relu(layer->linear1(layer->norm3(x))));
}

}  // namespace

BOOST_AUTO_TEST_CASE(encoder_layers) {
  for (bool norm_first : {false, true})
    for (bool gelu : {false, true}) {
      if (norm_first && gelu) continue;
      begin();
      nn::TransformerEncoderLayer own(width, heads, transformer(norm_first, gelu));
      tn::TransformerEncoderLayerOptions options(width, heads);
      options.dim_feedforward(7);
      if (gelu) options.activation(torch::kGELU);
      tn::TransformerEncoderLayer other(options);
      other->to(torch::kFloat64);
      load(own, *other);
      own.eval();
      other->eval();
      Inputs x({{steps, batch, width}});
      Tensor mask = added(causal(steps)), hidden = to_torch(padding(steps));
      Variable output = own(x.own[0], {.src_mask = causal(steps), .src_key_padding_mask = padding(steps)});
      Tensor other_output = norm_first ? pre_norm(other, x.other[0], mask, hidden)
                                       : other->forward(x.other[0], mask, hidden);
      compare(own, *other, {output}, {other_output}, x.own, x.other);
    }
}

BOOST_AUTO_TEST_CASE(decoder_layers) {
  for (bool norm_first : {false, true}) {
    begin();
    nn::TransformerDecoderLayer own(width, heads, transformer(norm_first, false));
    tn::TransformerDecoderLayer other(tn::TransformerDecoderLayerOptions(width, heads).dim_feedforward(7));
    other->to(torch::kFloat64);
    load(own, *other);
    own.eval();
    other->eval();
    Inputs x({{steps, batch, width}, {keys, batch, width}});
    Tensor mask = added(causal(steps)), hidden = to_torch(padding(keys));
    Variable output = own(x.own[0], x.own[1], {.memory_key_padding_mask = padding(keys), .tgt_is_causal = true});
    Tensor other_output = norm_first ? pre_norm(other, x.other[0], x.other[1], mask, hidden)
                                     : other->forward(x.other[0], x.other[1], mask, {}, {}, hidden);
    compare(own, *other, {output}, {other_output}, x.own, x.other);
  }
}

BOOST_AUTO_TEST_SUITE_END()
