// Bags of embeddings, and the options of tables, against their definitions.
#include <cmath>

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using nn::BagMode;
using xtape::testing::close;
using xtape::testing::throws;

namespace {

// Row i of the table is (i, -i^2).
template <class Layer>
Layer numbered(Layer layer) {
  NoGrad guard;
  Variable i = arange(0, 6, 1, float64);
  layer.weight.assign(stack({i, -square(i)}, 1));
  return layer;
}

nn::EmbeddingBag bag_of(nn::EmbeddingBagOptions options) {
  options.dtype = float64;
  return numbered(nn::EmbeddingBag(6, 2, options));
}

Variable ints(std::initializer_list<Nested> values) { return Variable(values, int64); }
Variable numbers(std::initializer_list<Nested> values) { return Variable(values, float64); }

}  // namespace

BOOST_AUTO_TEST_SUITE(embedding_bag)

BOOST_AUTO_TEST_CASE(modes) {
  Variable pairs = ints({{1, 3}, {2, 2}}), list = ints({1, 3, 2, 5, 4}), offsets = ints({0, 2, 2, 3});
  nn::EmbeddingBag sum = bag_of({.mode = BagMode::sum}), mean = bag_of({}), max = bag_of({.mode = BagMode::max});
  close(sum(pairs), numbers({{4, -10}, {4, -8}}));
  close(mean(pairs), numbers({{2, -5}, {2, -4}}));
  close(max(pairs), numbers({{3, -1}, {2, -4}}));
  // Bags {1, 3}, {}, {2}, {5, 4}.
  close(sum(list, offsets), numbers({{4, -10}, {0, 0}, {2, -4}, {9, -41}}));
  close(mean(list, offsets), numbers({{2, -5}, {0, 0}, {2, -4}, {4.5, -20.5}}));
  close(max(list, offsets), numbers({{3, -1}, {0, 0}, {2, -4}, {5, -16}}));
  close(bag_of({.mode = BagMode::sum, .include_last_offset = true})(list, ints({0, 2, 5})),
        numbers({{4, -10}, {11, -45}}));
  close(sum(list, offsets, numbers({1, 2, 0.5, 0, 1})), numbers({{7, -19}, {0, 0}, {1, -2}, {4, -16}}));
  close(sum(pairs, {}, numbers({{1, 2}, {0.5, 0}})), numbers({{7, -19}, {1, -2}}));
  for (const nn::EmbeddingBag& layer : {sum, mean, max}) {
    close(layer(Variable(Array({0}, int64)), ints({0, 0})), zeros({2, 2}, float64));
    BOOST_TEST((layer(Variable(Array({0, 3}, int64))).shape() == Shape{0, 2}));
    close(layer(Variable(Array({2, 0}, int64))), zeros({2, 2}, float64));
  }
}

// Which is in no bag, and of which a bag may consist: it is empty then.
BOOST_AUTO_TEST_CASE(padding) {
  Variable list = ints({1, 3, 3, 5, -3}), offsets = ints({0, 2, 3});  // -3 is 3, counted from the end
  auto result = [&](BagMode mode) { return bag_of({.mode = mode, .padding_idx = 3})(list, offsets); };
  close(result(BagMode::sum), numbers({{1, -1}, {0, 0}, {5, -25}}));
  close(result(BagMode::mean), numbers({{1, -1}, {0, 0}, {5, -25}}));
  close(result(BagMode::max), numbers({{1, -1}, {0, 0}, {5, -25}}));
  nn::EmbeddingBag begun(4, 3, {.padding_idx = 1});
  close(begun.weight[1], zeros({3}));
}

BOOST_AUTO_TEST_CASE(derivatives_of_tables_and_weights) {
  Variable list = ints({1, 3, 2, 5, 4, 1}), offsets = ints({0, 2, 2, 3});
  for (BagMode mode : {BagMode::sum, BagMode::mean, BagMode::max})
    for (std::optional<std::size_t> padding : {std::optional<std::size_t>(), std::optional<std::size_t>(1)}) {
      nn::EmbeddingBag layer = bag_of({.mode = mode, .padding_idx = padding});
      layer(list, offsets).backward(numbers({{1, 2}, {3, 4}, {5, 6}, {7, 8}}));
      // The same, row by row, by one-hot rows of the bags.
      double share = mode == BagMode::mean ? 0.5 : 1, last = mode == BagMode::mean ? 1.0 / (padding ? 2 : 3) : 1;
      double first = mode == BagMode::mean && padding ? 1 : share;
      Variable expected = mode == BagMode::max
                              ? numbers({{0, 0}, {0, padding ? 0 : 2 + 8}, {5, 6}, {1, padding ? 2 : 0},
                                         {0, padding ? 8 : 0}, {7, 0}})
                              : numbers({{0, 0},
                                         {padding ? 0 : 1 * share + 7 * last, padding ? 0 : 2 * share + 8 * last},
                                         {5, 6},
                                         {1 * first, 2 * first},
                                         {7 * last, 8 * last},
                                         {7 * last, 8 * last}});
      close(layer.weight.grad(), expected, 1e-14);
    }
  nn::EmbeddingBag sum = bag_of({.mode = BagMode::sum, .padding_idx = 3});
  auto result = gradcheck([&](const Variable& w) { return sum(list, offsets, w); },
                          {numbers({0.3, 1, -2, 0.5, 0, 1})}, {.order = 2});
  BOOST_TEST(result.ok, result.message);
}

// The longer rows that are used are cut; PyTorch adds 1e-7 to the length.
BOOST_AUTO_TEST_CASE(norms_are_limited_in_place) {
  auto cut = [](const Variable& row, double length, double most) { return row * (most / (length + 1e-7)); };
  nn::Embedding table = numbered(nn::Embedding(6, 2, {.max_norm = 3, .dtype = float64}));
  Variable before = table.weight.detach().copy(), y = table(ints({{1, 2}, {2, 4}}));
  close(table.weight[1], before[1]);
  close(table.weight[2], cut(before[2], std::sqrt(20.0), 3), 1e-14);
  close(table.weight[3], before[3]);
  close(table.weight[4], cut(before[4], std::sqrt(16.0 + 256), 3), 1e-14);
  close(y[{0, 1}], table.weight[2]);
  y.backward(ones({2, 2, 2}, float64));
  close(table.weight.grad()[2], numbers({2, 2}));
  Variable again = table.weight.detach().copy();
  table(ints({1, 2}));
  close(table.weight, again, 1e-7);
  nn::EmbeddingBag bag = bag_of({.max_norm = 5, .norm_type = 1});
  close(bag(ints({{1, 3}})), expand_dims((before[1] + cut(before[3], 12, 5)) / 2.0, 0), 1e-14);
  // A call that fails leaves the table as it is.
  again = table.weight.detach().copy();
  throws<ValueError>([&] { table(ints({5, 6})); }, {"6"});
  close(table.weight, again);
}

BOOST_AUTO_TEST_CASE(gradients_by_frequency) {
  nn::Embedding table = numbered(nn::Embedding(6, 2, {.scale_grad_by_freq = true, .dtype = float64}));
  table(ints({1, 4, 4})).backward(numbers({{1, 1}, {2, 2}, {4, 4}}));
  close(table.weight.grad(), numbers({{0, 0}, {1, 1}, {0, 0}, {0, 0}, {3, 3}, {0, 0}}));
  nn::EmbeddingBag bag = bag_of({.mode = BagMode::sum, .scale_grad_by_freq = true});
  bag(ints({{1, 4}, {4, 4}})).backward(numbers({{1, 1}, {2, 2}}));
  close(bag.weight.grad(), numbers({{0, 0}, {1, 1}, {0, 0}, {0, 0}, {5.0 / 3, 5.0 / 3}, {0, 0}}), 1e-15);
}

BOOST_AUTO_TEST_CASE(descriptions) {
  BOOST_TEST(nn::EmbeddingBag(4, 3).description() == "4, 3, mean");
  BOOST_TEST(nn::EmbeddingBag(4, 3, {.mode = BagMode::max, .padding_idx = 1}).description() == "4, 3, padding 1, max");
  BOOST_TEST(nn::Embedding(4, 3, {.max_norm = 2}).description() == "4, 3, max_norm 2");
}

BOOST_AUTO_TEST_CASE(refuse_what_does_not_fit) {
  throws<ValueError>([] { nn::EmbeddingBag(0, 3); }, {"EmbeddingBag(0, 3)", "widths"});
  throws<ValueError>([] { nn::EmbeddingBag(4, 3, {.padding_idx = 4}); }, {"EmbeddingBag(4, 3)", "padding_idx is 4"});
  throws<ValueError>([] { nn::EmbeddingBag(4, 3, {.max_norm = 0}); }, {"EmbeddingBag(4, 3)", "max_norm is 0"});
  throws<ValueError>([] { nn::Embedding(4, 3, {.norm_type = -1}); }, {"Embedding(4, 3)", "norm_type is -1"});
  throws<ValueError>([] { nn::EmbeddingBag(4, 3, {.mode = BagMode::max, .scale_grad_by_freq = true}); },
                     {"EmbeddingBag(4, 3, max)", "scale_grad_by_freq"});
  nn::EmbeddingBag bag(4, 3), sum(4, 3, {.mode = BagMode::sum}), last(4, 3, {.include_last_offset = true});
  Variable list = ints({0, 1, 2});
  throws<ShapeError>([&] { bag(list); }, {"EmbeddingBag(4, 3, mean)", "int64(3,)", "offsets"});
  throws<ShapeError>([&] { bag(ints({{0, 1}}), ints({0})); }, {"int64(1, 2)", "(n,) with offsets"});
  throws<ShapeError>([&] { bag(Variable()); }, {"undefined"});
  throws<DTypeError>([&] { bag(ones({2, 2})); }, {"EmbeddingBag(4, 3, mean)", "float32(2, 2)", "int64"});
  throws<DTypeError>([&] { bag(list, ones({1})); }, {"offsets float32(1,)", "int64(bags,)"});
  throws<ValueError>([&] { bag(list, ints({1, 2})); }, {"offsets {1, 2} of 3 indices", "begin with 0"});
  throws<ValueError>([&] { bag(list, ints({0, 2, 1})); }, {"offsets {0, 2, 1}", "do not fall"});
  throws<ValueError>([&] { bag(list, ints({0, 4})); }, {"offsets {0, 4}", "beyond"});
  throws<ValueError>([&] { bag(list, Variable(Array({0}, int64))); }, {"offsets {}"});
  throws<ValueError>([&] { last(list, ints({0, 2})); }, {"offsets {0, 2}", "to the number of indices"});
  throws<ValueError>([&] { bag(list, ints({0}), ones({3})); }, {"per_sample_weights float32(3,)", "sums"});
  throws<ShapeError>([&] { sum(list, ints({0}), ones({2})); }, {"per_sample_weights float32(2,)", "int64(3,)"});
  throws<DTypeError>([&] { sum(list, ints({0}), ones({3}, float64)); }, {"float64(3,)", "float32"});
  throws<ValueError>([&] { bag(ints({{0, 4}})); }, {"4"});
}

BOOST_AUTO_TEST_SUITE_END()
