// Attention and transformer layers against libtorch's, in float64: results, and the gradient of every parameter and
// input. Optional, like libtorch.
#include <cmath>

#include <tests/nn/torch_modules.hpp>

using namespace peers;

namespace {

constexpr std::size_t steps = 6, batch = 3;
constexpr std::size_t width = 8, heads = 2, keys = 5;

// Some of everything: padding for two of three, and a mask of positions, as bool and as numbers.
Variable padding(std::size_t count) {
  xtape::Array mask = xtape::Array::full({batch, count}, 0, xtape::boolean);
  mask.mutable_data<bool>()[2 * count - 1] = mask.mutable_data<bool>()[3 * count - 1] = true;
  mask.mutable_data<bool>()[3 * count - 2] = true;
  return Variable(mask);
}
Variable causal(std::size_t count) { return tril(xtape::ones({count, count})) > 0; }

// libtorch's C++ module adds a mask to the scores even when it is of bool, so it gets the numbers to add. Ours are true
// where a query may look, also those of keys; libtorch's padding is true where it may not.
Tensor added(const Variable& mask) {
  if (!mask.defined()) return Tensor();
  return to_torch(mask.dtype() == xtape::boolean ? where(mask, xtape::zeros(mask.shape(), xtape::float64), -INFINITY)
                                                 : mask);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attention_peers)

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
                                   {.key_mask = !padding(count), .attn_mask = mask, .need_weights = true});
      auto [other_output, other_weights] =
          other->forward(input(x.other, 0), input(x.other, 1), input(x.other, 2), to_torch(padding(count)), true,
                         added(mask));
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
      Variable output = own(x.own[0], {.src_mask = causal(steps), .src_key_mask = !padding(steps)});
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
    Variable output = own(x.own[0], x.own[1], {.memory_key_mask = !padding(keys), .tgt_is_causal = true});
    Tensor other_output = norm_first ? pre_norm(other, x.other[0], x.other[1], mask, hidden)
                                     : other->forward(x.other[0], x.other[1], mask, {}, {}, hidden);
    compare(own, *other, {output}, {other_output}, x.own, x.other);
  }
}

// Stacks of layers, which libtorch makes as copies of one, too.
BOOST_AUTO_TEST_CASE(stacks) {
  begin();
  nn::TransformerEncoder own(nn::TransformerEncoderLayer(width, heads, transformer(false, false)), 3,
                             nn::LayerNorm(width, {.dtype = xtape::float64}));
  tn::TransformerEncoderLayer layer(tn::TransformerEncoderLayerOptions(width, heads).dim_feedforward(7));
  tn::TransformerEncoderOptions options(layer, 3);
  options.norm(tn::AnyModule(tn::LayerNorm(tn::LayerNormOptions({width}))));
  tn::TransformerEncoder other(options);
  other->to(torch::kFloat64);
  load(own, *other);
  own.eval();
  other->eval();
  Inputs x({{steps, batch, width}});
  Variable output = own(x.own[0], {.src_mask = causal(steps), .src_key_mask = !padding(steps)});
  Tensor other_output = other->forward(x.other[0], added(causal(steps)), to_torch(padding(steps)));
  compare(own, *other, {output}, {other_output}, x.own, x.other);

  begin();
  nn::TransformerDecoder own_decoder(nn::TransformerDecoderLayer(width, heads, transformer(false, false)), 2);
  tn::TransformerDecoderLayer decoder_layer(tn::TransformerDecoderLayerOptions(width, heads).dim_feedforward(7));
  tn::TransformerDecoder other_decoder(tn::TransformerDecoderOptions(decoder_layer, 2));
  other_decoder->to(torch::kFloat64);
  load(own_decoder, *other_decoder);
  own_decoder.eval();
  other_decoder->eval();
  Inputs y({{steps, batch, width}, {keys, batch, width}});
  Variable decoded = own_decoder(y.own[0], y.own[1], {.tgt_mask = causal(steps),
                                                      .memory_key_mask = !padding(keys)});
  Tensor other_decoded = other_decoder->forward(y.other[0], y.other[1], added(causal(steps)), {}, {},
                                                to_torch(padding(keys)));
  compare(own_decoder, *other_decoder, {decoded}, {other_decoded}, y.own, y.other);
}

BOOST_AUTO_TEST_SUITE_END()
