// Stacks of transformer layers against their layers, one by one.
#include <sstream>

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;

namespace {

nn::TransformerOptions options(bool batch_first = false) {
  return {.dim_feedforward = 5, .dropout = 0, .batch_first = batch_first, .dtype = float64};
}

// Makes the layers of a stack different.
void set_parameters(const nn::Module& module) {
  NoGrad guard;
  Generator generator(3);
  for (const Variable& x : module.parameters()) x.assign(randn(x.shape(), float64, generator) * 0.5);
}

// The parameters of a child as those of a module of its own.
StateDict part(const nn::Module& module, const std::string& prefix) {
  StateDict result;
  for (const auto& [name, x] : module.state_dict())
    if (name.starts_with(prefix)) result.emplace(name.substr(prefix.size()), x);
  return result;
}

Variable causal(std::size_t n) { return tril(ones({n, n})) > 0; }

}  // namespace

BOOST_AUTO_TEST_SUITE(transformer_stacks)

BOOST_AUTO_TEST_CASE(encoder) {
  seed(8);
  nn::TransformerEncoder encoder(nn::TransformerEncoderLayer(4, 2, options()), 3, nn::LayerNorm(4, {.dtype = float64}));
  set_parameters(encoder);
  Variable x = randn({5, 2, 4}, float64), known = Variable({{1, 1, 1, 1, 1}, {1, 1, 1, 0, 0}}, boolean);
  for (const nn::EncoderMasks& masks :
       {nn::EncoderMasks{}, nn::EncoderMasks{.src_mask = causal(5), .src_key_mask = known},
        nn::EncoderMasks{.is_causal = true}}) {
    Variable y = x;
    for (std::string k : {"0", "1", "2"}) {
      nn::TransformerEncoderLayer layer(4, 2, options());
      layer.load_state_dict(part(encoder, "layers." + k + "."));
      y = layer(y, masks);
    }
    nn::LayerNorm norm(4, {.dtype = float64});
    norm.load_state_dict(part(encoder, "norm."));
    close(encoder(x, masks), norm(y));
  }
  close(encoder(x), encoder(x, {}));
}

BOOST_AUTO_TEST_CASE(decoder) {
  seed(8);
  nn::TransformerDecoder decoder(nn::TransformerDecoderLayer(4, 2, options()), 2);
  set_parameters(decoder);
  Variable x = randn({5, 2, 4}, float64), memory = randn({3, 2, 4}, float64);
  nn::DecoderMasks masks{.memory_key_mask = Variable({{1, 1, 1}, {1, 1, 0}}, boolean), .tgt_is_causal = true};
  Variable y = x;
  for (std::string k : {"0", "1"}) {
    nn::TransformerDecoderLayer layer(4, 2, options());
    layer.load_state_dict(part(decoder, "layers." + k + "."));
    y = layer(y, memory, masks);
  }
  close(decoder(x, memory, masks), y);
  BOOST_TEST(max(abs(decoder(x, memory) - y)).item() > 1e-3);
}

// As in PyTorch, all layers begin as the one that is given, which is none of them.
BOOST_AUTO_TEST_CASE(layers_are_clones) {
  seed(8);
  nn::TransformerEncoderLayer layer(4, 2, options(true));
  nn::TransformerEncoder encoder(layer, 2, nn::RMSNorm(4, {.dtype = float64}));
  std::vector<Variable> own = layer.parameters(), all = encoder.parameters();
  BOOST_TEST(all.size() == 2 * own.size() + 1);
  for (std::size_t k = 0; k < 2; ++k)
    for (std::size_t i = 0; i < own.size(); ++i) {
      close(all[k * own.size() + i], own[i]);
      BOOST_TEST(all[k * own.size() + i].impl() != own[i].impl());
    }
  // And so is a clone of the stack, which computes with what it has.
  nn::TransformerEncoder copy = nn::clone(encoder);
  Variable x = randn({2, 3, 4}, float64), before = encoder(x);
  set_parameters(copy);
  close(encoder(x), before);
  BOOST_TEST(max(abs(copy(x) - before)).item() > 1e-3);
  std::vector<std::string> names;
  for (const auto& [name, p] : encoder.named_parameters()) names.push_back(name);
  BOOST_TEST(names[0] == "layers.0.self_attn.in_proj_weight");
  BOOST_TEST(names.back() == "norm.weight");
  std::ostringstream text;
  text << encoder;
  BOOST_TEST(text.str().find("TransformerEncoder(2 layers)") == 0);
}

BOOST_AUTO_TEST_CASE(stacks_refuse_what_does_not_fit) {
  throws<ValueError>([] { nn::TransformerEncoder(nn::TransformerEncoderLayer(4, 2), 0); },
                     {"TransformerEncoder", "num_layers is 0"});
  throws<ValueError>([] { nn::TransformerDecoder(nn::TransformerDecoderLayer(4, 2), 0); },
                     {"TransformerDecoder", "num_layers is 0"});
  nn::TransformerDecoder decoder(nn::TransformerDecoderLayer(4, 2), 1);
  throws<Error>([&] { decoder(ones({3, 2, 4})); }, {"TransformerDecoder"});
  throws<ShapeError>([&] { decoder(ones({3, 2, 4}), ones({3, 2, 5})); }, {"(3, 2, 5)"});
}

BOOST_AUTO_TEST_SUITE_END()
