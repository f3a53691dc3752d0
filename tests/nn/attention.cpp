// Attention, transformer layers and positional encodings: against closed forms, finite differences and truncation.
#include <cmath>
#include <limits>
#include <sstream>

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;

namespace {

// What a query may look at that sees nothing behind its own place.
Variable earlier(std::size_t n) { return tril(ones({n, n})) > 0; }

}  // namespace

BOOST_AUTO_TEST_SUITE(attention)

// One head without projections is softmax(q k' / sqrt(d)) v.
BOOST_AUTO_TEST_CASE(closed_form) {
  nn::MultiHeadAttention attention(4, 1, {.bias = false, .dtype = float64});
  Variable one = eye(4, float64);
  attention.load_state_dict({{"in_proj_weight", concatenate({one, one, one}, 0)}, {"out_proj.weight", one}});
  Variable q = randn({3, 2, 4}, float64), k = randn({5, 2, 4}, float64), v = randn({5, 2, 4}, float64);
  auto [output, weights] = attention(q, k, v, {.need_weights = true});
  BOOST_TEST((weights.shape() == Shape{2, 3, 5}));
  for (std::size_t b : {0, 1}) {
    auto part = [b](const Variable& x) { return x[{range(), b}]; };
    Variable expected = softmax(matmul(part(q), transpose(part(k))) / 2, -1);
    close(weights[b], expected, 1e-14);
    close(part(output), matmul(expected, part(v)), 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(derivatives) {
  seed(5);
  nn::MultiHeadAttention attention(4, 2, {.dtype = float64});
  auto result = nn::gradcheck_module(attention, randn({3, 2, 4}, float64), {.order = 2});
  BOOST_TEST(result.ok, result.message);
  nn::MultiHeadAttention cross(4, 2, {.kdim = 3, .vdim = 5, .batch_first = true, .dtype = float64});
  Variable known = (Variable{{1, 1, 0}, {1, 0, 0}} > 0);
  result = gradcheck([&](const std::vector<Variable>& x) {
    return cross(x[0], x[1], x[2], {.key_mask = known, .is_causal = true}).output;
  }, {randn({2, 3, 4}, float64), randn({2, 3, 3}, float64), randn({2, 3, 5}, float64)}, {.order = 2});
  BOOST_TEST(result.ok, result.message);
}

// What a causal mask hides is as if it were not there; so is padding.
BOOST_AUTO_TEST_CASE(masks_are_truncation) {
  seed(6);
  nn::MultiHeadAttention attention(6, 3, {.dtype = float64});
  Variable x = randn({5, 2, 6}, float64);
  Variable causal = attention(x, x, x, {.is_causal = true}).output;
  close(attention(x, x, x, {.attn_mask = earlier(5)}).output, causal, 1e-15);
  close(attention(x, x, x, {.attn_mask = where(earlier(5), zeros({5, 5}, float64), -INFINITY)}).output, causal, 1e-15);
  Variable each = broadcast_to(earlier(5), {6, 5, 5});
  close(attention(x, x, x, {.attn_mask = each}).output, causal, 1e-15);
  for (std::ptrdiff_t n = 1; n <= 5; ++n) {
    Variable begin = x[range(0, n)];
    close(attention(begin)[n - 1], causal[n - 1], 1e-14);
    Variable known = broadcast_to(expand_dims(arange(5) < n, 0), {2, 5});
    for (const Variable& mask : {known, where(known, zeros({2, 5}, float64), -INFINITY)})
      close(attention(x, x, x, {.key_mask = mask}).output[range(0, n)], attention(begin), 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(a_query_that_sees_nothing_gets_zeros) {
  nn::MultiHeadAttention attention(4, 2, {.dtype = float64});
  Variable x = randn({3, 2, 4}, float64).requires_grad_();
  auto [output, weights] = attention(x, x, x, {.key_mask = (Variable{{0, 0, 0}, {1, 1, 1}} > 0),
                                               .need_weights = true, .average_attn_weights = false});
  BOOST_TEST((weights.shape() == Shape{2, 2, 3, 3}));
  BOOST_TEST(sum(abs(weights[0])).item() == 0);
  close(sum(weights[1], -1), ones({2, 3}, float64), 1e-15);
  sum(square(output)).backward();
  BOOST_TEST(sum(isnan(x.grad())).item() == 0);
}

BOOST_AUTO_TEST_CASE(batch_first_swaps_the_axes) {
  nn::MultiHeadAttention attention(4, 2), other(4, 2, {.batch_first = true});
  other.load_state_dict(attention.state_dict());
  Variable q = randn({3, 2, 4}), k = randn({5, 2, 4});
  close(swapaxes(other(swapaxes(q, 0, 1), swapaxes(k, 0, 1), swapaxes(k, 0, 1)).output, 0, 1),
        attention(q, k, k).output, 1e-6);
}

BOOST_AUTO_TEST_CASE(dropout_in_training_only) {
  nn::MultiHeadAttention attention(4, 2, {.dropout = 1});
  Variable x = randn({3, 2, 4});
  close(attention(x), broadcast_to(attention.state_dict().at("out_proj.bias"), {3, 2, 4}));
  attention.eval();
  BOOST_TEST(sum(abs(attention(x))).item() > 0.01);
}

BOOST_AUTO_TEST_CASE(attention_refuses_what_does_not_fit) {
  throws<ValueError>([] { nn::MultiHeadAttention(4, 3); }, {"MultiHeadAttention(4, 3)", "do not divide"});
  throws<ValueError>([] { nn::MultiHeadAttention(0, 1); }, {"MultiHeadAttention(0, 1)", "1 or more"});
  throws<ValueError>([] { nn::MultiHeadAttention(4, 0); },
                     {"MultiHeadAttention(4, 0)", "num_heads is 0, needs 1 or more"});
  throws<ValueError>([] { nn::MultiHeadAttention(4, 2, {.dropout = -1}); }, {"MultiHeadAttention(4, 2)", "dropout"});
  throws<ValueError>([] { nn::MultiHeadAttention(-4, 2); }, {"MultiHeadAttention(", "needs widths of 1 or more"});
  throws<ValueError>([] { nn::MultiHeadAttention(4, 2, {.kdim = std::size_t(-3)}); }, {"kdim is -3, needs 0 or more"});
  throws<DTypeError>([] { nn::MultiHeadAttention(4, 2, {.dtype = int64}); },
                     {"MultiHeadAttention(4, 2): parameters of int64"});
  nn::MultiHeadAttention attention(4, 2);
  Variable q = zeros({3, 2, 4}), k = zeros({5, 2, 4});
  throws<ShapeError>([&] { attention(zeros({3, 4})); }, {"MultiHeadAttention(4, 2)", "(3, 4)", "three axes"});
  throws<ShapeError>([&] { attention(zeros({3, 2, 5})); }, {"MultiHeadAttention(4, 2)", "(3, 2, 5)", "widths 4"});
  throws<ShapeError>([&] { attention(q, k, q); }, {"(3, 2, 4)", "(5, 2, 4)", "as many keys as values"});
  throws<ShapeError>([&] { attention(q, zeros({5, 1, 4}), zeros({5, 1, 4})); }, {"(5, 1, 4)", "one batch"});
  throws<ShapeError>([&] { attention(q, zeros({0, 2, 4}), zeros({0, 2, 4})); }, {"(0, 2, 4)", "1 or more"});
  throws<DTypeError>([&] { attention(q.to(float64)); }, {"float64(3, 2, 4)", "float32"});
  throws<ShapeError>([&] { attention(q, k, k, {.key_mask = zeros({2, 3}) > 0}); }, {"bool(2, 3)", "(2, 5)"});
  throws<ShapeError>([&] { attention(q, k, k, {.attn_mask = zeros({5, 3})}); }, {"(5, 3)", "(3, 5)", "(4, 3, 5)"});
  throws<DTypeError>([&] { attention(q, k, k, {.attn_mask = zeros({3, 5}, int64)}); }, {"int64(3, 5)", "bool"});
  throws<ShapeError>([&] { attention(Variable()); }, {"MultiHeadAttention(4, 2)", "undefined"});
}

// Both attentions, by each kind of mask, and by two that hide all between them: zeros, and zeros as gradients.
BOOST_AUTO_TEST_CASE(queries_that_may_look_at_nothing) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  for (DType dtype : {float32, float64}) {
    Variable allowed = Variable({{0, 0}, {1, 1}}) > 0;
    Variable added = Variable({{-inf, -inf}, {0, 0}}, dtype);
    Variable first = Variable({{1, 0}, {1, 1}}) > 0, second = Variable({{-inf, 0}, {0, 0}}, dtype);
    nn::MultiHeadAttention attention(4, 2, {.dtype = dtype});
    Variable q = randn({2, 1, 4}, dtype).requires_grad_();
    for (const nn::AttentionArguments& arguments :
         {nn::AttentionArguments{.attn_mask = allowed, .need_weights = true},
          nn::AttentionArguments{.attn_mask = added, .need_weights = true},
          nn::AttentionArguments{.attn_mask = second, .is_causal = true, .need_weights = true}}) {
      auto [output, weights] = attention(q, q, q, arguments);
      close(weights[0][0].detach(), zeros({2}, dtype));
      close(sum(weights[0][1]).detach(), ones({}, dtype), 1e-6);
      q.zero_grad();
      sum(square(output)).backward();
      BOOST_TEST(count_nonzero(isnan(q.grad())).item() == 0);
    }
    Variable x = randn({3, 2, 4}, dtype).requires_grad_(), v = randn({3, 2, 5}, dtype);
    auto first_row_is_zero = [&](const Variable& y) {
      close(y[{range(), 0}].detach(), zeros({3, 5}, dtype));
      BOOST_TEST(min(sum(abs(y[{range(), 1}]), -1)).item() > 0);
      x.zero_grad();
      sum(y).backward();
      BOOST_TEST(count_nonzero(isnan(x.grad())).item() == 0);
    };
    first_row_is_zero(scaled_dot_product_attention(x, x, v, allowed));
    first_row_is_zero(scaled_dot_product_attention(x, x, v, added));
    first_row_is_zero(scaled_dot_product_attention(x, x, v, second, true));
    first_row_is_zero(scaled_dot_product_attention(x, x, v, broadcast_to(allowed, {3, 2, 2})));
  }
}

BOOST_AUTO_TEST_CASE(transformer_layers_have_right_derivatives) {
  seed(7);
  for (bool norm_first : {false, true}) {
    nn::TransformerOptions options{.dim_feedforward = 5, .dropout = 0, .activation = nn::TransformerActivation::gelu,
                                   .norm_first = norm_first, .dtype = float64};
    auto result = nn::gradcheck_module(nn::TransformerEncoderLayer(4, 2, options), randn({3, 2, 4}, float64));
    BOOST_TEST(result.ok, result.message);
    nn::TransformerDecoderLayer decoder(4, 2, options);
    result = gradcheck([&](const std::vector<Variable>& x) { return decoder(x[0], x[1], {.tgt_is_causal = true}); },
                       {randn({3, 2, 4}, float64), randn({5, 2, 4}, float64)});
    BOOST_TEST(result.ok, result.message);
  }
}

BOOST_AUTO_TEST_CASE(a_causal_decoder_does_not_see_what_comes) {
  nn::TransformerDecoderLayer decoder(4, 2, {.dim_feedforward = 8, .batch_first = true});
  decoder.eval();
  Variable x = randn({2, 5, 4}), memory = randn({2, 3, 4});
  Variable whole = decoder(x, memory, {.tgt_is_causal = true});
  for (std::ptrdiff_t n = 1; n < 5; ++n)
    close(decoder(x[{range(), range(0, n)}], memory, {.tgt_is_causal = true}), whole[{range(), range(0, n)}], 1e-5);
}

BOOST_AUTO_TEST_CASE(transformer_layers_are_modules_like_others) {
  nn::TransformerEncoderLayer encoder(8, 2, {.dim_feedforward = 16});
  std::ostringstream text;
  text << encoder;
  text << nn::TransformerDecoderLayer(4, 1, {.dim_feedforward = 6, .dropout = 0, .norm_first = true});
  for (const char* part : {"TransformerEncoderLayer(8, 2, dim_feedforward 16, post-norm, relu, dropout 0.1)",
                           "self_attn: MultiHeadAttention(8, 2, dropout 0.1)", "linear1: Dense(8, 16)",
                           "norm2: LayerNorm(8)", "TransformerDecoderLayer(4, 1, dim_feedforward 6, pre-norm, relu)"})
    BOOST_TEST((text.str().find(part) != std::string::npos), text.str() << " lacks " << part);
  Variable x = randn({3, 2, 8});
  BOOST_TEST(sum(abs(encoder(x) - encoder(x))).item() > 0.01);  // dropout
  encoder.eval();
  close(encoder(x), encoder(x));
  nn::TransformerEncoderLayer copy = nn::clone(encoder);
  copy.to(float64);
  close(copy(x.to(float64)).to(float32), encoder(x), 1e-4);
  std::vector<std::string> names;
  for (const auto& [name, p] : nn::TransformerDecoderLayer(4, 1).named_parameters()) names.push_back(name);
  std::vector<std::string> expected;
  for (std::string part : {"self_attn", "multihead_attn"})
    for (std::string name : {"in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"})
      expected.push_back(part + "." + name);
  for (std::string part : {"linear1", "linear2", "norm1", "norm2", "norm3"})
    for (std::string name : {"weight", "bias"}) expected.push_back(part + "." + name);
  BOOST_TEST(names == expected, boost::test_tools::per_element());
  nn::Sequential net{nn::SinusoidalEncoding(8), encoder, nn::Dense(8, 2)};
  BOOST_TEST((net(x).shape() == Shape{3, 2, 2}));
}

BOOST_AUTO_TEST_CASE(transformer_layers_refuse_what_does_not_fit) {
  throws<ValueError>([] { nn::TransformerEncoderLayer(8, 3); }, {"TransformerEncoderLayer(8, 3)", "do not divide"});
  throws<ValueError>([] { nn::TransformerDecoderLayer(0, 1); }, {"TransformerDecoderLayer(0, 1)", "1 or more"});
  throws<ValueError>([] { nn::TransformerEncoderLayer(8, 2, {.dim_feedforward = 0}); },
                     {"TransformerEncoderLayer(8, 2): dim_feedforward is 0, needs 1 or more"});
  throws<ValueError>([] { nn::TransformerEncoderLayer(8, 2, {.dropout = 2}); }, {"dropout is 2"});
  throws<ValueError>([] { nn::TransformerDecoderLayer(8, 2, {.layer_norm_eps = 0}); }, {"layer_norm_eps"});
  throws<Error>([] { nn::TransformerDecoderLayer(8, 2)(zeros({3, 2, 8})); }, {"TransformerDecoderLayer"});
}

BOOST_AUTO_TEST_CASE(sinusoidal_positions) {
  Variable table = nn::sinusoidal_encoding(7, 5, float64);
  for (std::size_t t = 0; t < 7; ++t)
    for (std::size_t j = 0; j < 5; ++j) {
      double angle = static_cast<double>(t) / std::pow(10000.0, 2 * static_cast<double>(j / 2) / 5);
      BOOST_TEST(std::abs(table.value().at(t * 5 + j) - (j % 2 ? std::cos(angle) : std::sin(angle))) <= 1e-14);
    }
  Variable x = randn({7, 2, 5}, float64);
  close(nn::SinusoidalEncoding(5)(x), x + expand_dims(table, 1));
  close(nn::SinusoidalEncoding(5, {.batch_first = true})(swapaxes(x, 0, 1)), swapaxes(x, 0, 1) + table);
}

BOOST_AUTO_TEST_CASE(learned_positions) {
  nn::LearnedEncoding encoding(6, 3, {.dtype = float64});
  Variable x = randn({4, 2, 3}, float64);
  close(encoding(x), x + expand_dims(encoding.weight[range(0, 4)], 1));
  auto result = nn::gradcheck_module(encoding, x);
  BOOST_TEST(result.ok, result.message);
  nn::LearnedEncoding dropped(6, 3, {.dropout = 1, .batch_first = true});
  close(dropped(ones({2, 6, 3})), zeros({2, 6, 3}));
  dropped.eval();
  close(dropped(ones({2, 6, 3})), 1 + dropped.weight + zeros({2, 1, 1}));
  BOOST_TEST(dropped.description() == "6, 3, dropout 1, batch first");
}

// Turned queries and keys: products depend on the distance only, and lengths stay.
BOOST_AUTO_TEST_CASE(rotary_positions) {
  Variable q = broadcast_to(randn({6}, float64), {9, 6}), k = broadcast_to(randn({6}, float64), {9, 6});
  Variable products = matmul(nn::rotary_encoding(q), transpose(nn::rotary_encoding(k)));
  for (std::size_t t = 1; t < 9; ++t) close(diagonal(products)[t], diagonal(products)[0], 1e-13);
  close(diagonal(products, 3)[0], diagonal(products, 3)[5], 1e-13);
  Variable x = randn({2, 9, 6}, float64);
  close(sum(square(nn::rotary_encoding(x)), -1), sum(square(x), -1), 1e-13);
  close(nn::rotary_encoding(x)[{range(), 0}], x[{range(), 0}]);
  Variable turned = nn::rotary_encoding(Variable({{0.0, 0.0}, {1.0, 0.0}}, float64));
  close(turned[1], Variable({std::cos(1.0), std::sin(1.0)}, float64), 1e-15);
  auto result = gradcheck([](const Variable& x) { return nn::rotary_encoding(x); }, {x});
  BOOST_TEST(result.ok, result.message);
}

BOOST_AUTO_TEST_CASE(positions_refuse_what_does_not_fit) {
  throws<ValueError>([] { nn::SinusoidalEncoding(0); }, {"SinusoidalEncoding(0)", "1 or more"});
  throws<ValueError>([] { nn::SinusoidalEncoding(-1); }, {"SinusoidalEncoding(", "1 or more"});
  throws<ValueError>([] { nn::sinusoidal_encoding(-1, 3); }, {"sinusoidal_encoding: steps is -1"});
  throws<DTypeError>([] { nn::LearnedEncoding(2, 3, {.dtype = int64}); },
                     {"LearnedEncoding(2, 3): parameters of int64"});
  throws<ValueError>([] { nn::LearnedEncoding(0, 3); }, {"LearnedEncoding(0, 3)", "1 or more"});
  throws<ValueError>([] { nn::LearnedEncoding(2, 3, {.dropout = 1.5}); }, {"LearnedEncoding(2, 3)", "dropout"});
  throws<ShapeError>([] { nn::LearnedEncoding(2, 3)(zeros({4, 1, 3})); },
                     {"LearnedEncoding(2, 3)", "4 steps", "the 2"});
  throws<ShapeError>([] { nn::SinusoidalEncoding(4)(zeros({4, 4})); }, {"SinusoidalEncoding(4)", "(4, 4)"});
  throws<ShapeError>([] { nn::rotary_encoding(zeros({4, 3})); }, {"rotary_encoding", "(4, 3)", "even width"});
  throws<ValueError>([] { nn::rotary_encoding(zeros({4, 2}), -1); }, {"rotary_encoding", "base"});
}

BOOST_AUTO_TEST_SUITE_END()
