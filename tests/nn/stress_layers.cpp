// Every layer with batches of nothing, extents of 0 and 1, and elements that are no numbers.
#include <cmath>
#include <limits>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

#include "layer_samples.hpp"

using namespace xtape;
using layer_samples::Sample;
using xtape::testing::close;
using xtape::testing::message;
using xtape::testing::same;
using xtape::testing::throws;

namespace {

using Pointer = std::shared_ptr<nn::Module>;

constexpr double infinity = std::numeric_limits<double>::infinity();

// A layer of a sample in float64, materialized.
Pointer made(const Sample& sample, bool training) {
  seed(5);
  Pointer layer = sample.make();
  layer->to(float64);
  if (!layer->materialized()) NoGrad(), (*layer)(sample.input);
  layer->train(training);
  return layer;
}

bool finite(const Variable& x) {
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!std::isfinite(x.value().at(i))) return false;
  return true;
}

// Which axis of the input counts samples.
std::optional<std::size_t> batch_axis(const Sample& sample) {
  static const std::set<std::string> steps_first{
      "RNN", "LSTM", "GRU", "MultiHeadAttention", "TransformerEncoderLayer", "TransformerDecoderLayer",
      "TransformerEncoder", "TransformerDecoder", "SinusoidalEncoding", "LearnedEncoding"};
  if (sample.text == "one sequence" || sample.text == "no batch") return {};
  bool batch_first = sample.name == "LSTM" && sample.text.empty();
  return steps_first.contains(sample.name) && !batch_first ? 1 : 0;
}

// The input with so many slices along an axis: of those it has, or zeros.
Variable resized(const Variable& x, std::size_t axis, std::size_t n) {
  auto i = static_cast<std::ptrdiff_t>(axis);
  return n == 0 ? zeros([&] { Shape s = x.shape(); s[axis] = 0; return s; }(), x.dtype()) : take(x, arange(n), i).copy();
}

// y and its gradients have the shapes they should, and the gradients are numbers where y is.
void check_gradients(nn::Module& layer, const Variable& x, const Variable& y) {
  sum(square(y)).backward();
  if (is_floating(x.dtype())) {
    BOOST_REQUIRE(x.grad().defined());
    BOOST_TEST((x.grad().shape() == x.shape()));
    BOOST_TEST(finite(x.grad()));
  }
  for (const auto& [name, p] : layer.named_parameters()) {
    if (!p.grad().defined()) continue;
    BOOST_TEST((p.grad().shape() == p.shape()), name);
    BOOST_TEST(finite(p.grad()), name);
  }
}

// What a layer makes of an input where one element is another.
Variable with_element(nn::Module& layer, const Variable& x, std::size_t place, double value) {
  Variable other = x.copy();
  other.mutable_data<double>()[place] = value;
  return layer(other);
}

// The layers of the list, and others whose kernels are those of larger shapes.
std::vector<Sample> samples_with_large() {
  std::vector<Sample> l = layer_samples::all();
  auto add = [&](const char* name, auto make, const Shape& shape) {
    l.push_back({name, "large", [make]() -> Pointer { return nn::ModuleList{make()}[0]; },
                 Variable(Generator(3).uniform(shape, -2, 2, float64))});
  };
  add("Dense", [] { return nn::Dense(40, 30); }, {9, 40});
  add("Conv1D", [] { return nn::Conv1D(8, 9, 3, {.padding = 1}); }, {2, 8, 30});
  add("Conv2D", [] { return nn::Conv2D(8, 16, 3, {.padding = 1}); }, {2, 8, 9, 11});
  add("Conv2D", [] { return nn::Conv2D(8, 8, 3, {.padding = 1, .groups = 8}); }, {2, 8, 9, 11});
  add("Conv2D", [] { return nn::Conv2D(8, 16, 1); }, {2, 8, 9, 11});
  add("MaxPool2D", [] { return nn::MaxPool2D(3, 2, 1); }, {2, 4, 17, 19});
  add("LayerNorm", [] { return nn::LayerNorm(70); }, {5, 70});
  add("Softmax", [] { return nn::Softmax(); }, {5, 70});
  add("LogSoftmax", [] { return nn::LogSoftmax(0); }, {70, 5});
  add("ReLU", [] { return nn::ReLU(); }, {5, 70});
  add("Hardtanh", [] { return nn::Hardtanh(); }, {5, 70});
  return l;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stress_layers)

// No samples make no samples, and no gradients for the parameters.
BOOST_DATA_TEST_CASE(empty_batches, layer_samples::all(), sample) {
  auto axis = batch_axis(sample);
  if (!axis) return;
  for (bool training : {true, false}) {
    Pointer layer = made(sample, training);
    Shape shape = [&] { NoGrad guard; return (*layer)(sample.input).shape(); }();
    StateDict before = layer->state_dict();
    for (auto& [name, x] : before) x = x.copy();
    Variable x = resized(sample.input, *axis, 0);
    if (is_floating(x.dtype())) x.requires_grad_();
    Variable y = (*layer)(x);
    shape[*axis] = 0;
    BOOST_TEST((y.shape() == shape), describe(y));
    if (is_floating(x.dtype()))
      BOOST_TEST((grad(sum(square(y)), x, {.create_graph = true}).shape() == x.shape()));
    check_gradients(*layer, x, y);
    for (const auto& [name, p] : layer->named_parameters())
      BOOST_TEST((!p.grad().defined() || sum(abs(p.grad())).item() == 0), name);
    if (sample.name != "SpectralNorm") same(layer->state_dict(), before);  // that goes by the weight
  }
}

// A value whose gradients are numbers, or an error that says which shape does not fit.
BOOST_DATA_TEST_CASE(extents_of_0_and_1, layer_samples::all(), sample) {
  const std::regex says_a_shape(R"(\w+.*[:,] .*\(\d+,)");
  for (std::size_t axis = 0; axis < sample.input.rank(); ++axis)
    for (std::size_t n : {0, 1})
      for (std::size_t samples : {std::size_t(0), sample.input.shape(0)})
        for (bool training : {true, false}) {
          Pointer layer = made(sample, training);
          Variable x = resized(sample.input, axis, n);
          if (axis > 0 && samples == 0) x = resized(x, 0, 0);
          if (is_floating(x.dtype())) x.requires_grad_();
          BOOST_TEST_CONTEXT(describe(x)) {
            try {
              Variable y = (*layer)(x);
              BOOST_TEST(finite(y));
              check_gradients(*layer, x, y);
            } catch (const Error& error) {
              BOOST_TEST(std::regex_search(error.what(), says_a_shape), error.what());
            }
            for (const auto& [name, buffer] : layer->named_buffers()) BOOST_TEST(finite(buffer), name);
          }
        }
}

// The shapes that libtorch gives as well, where it takes such an input at all.
BOOST_AUTO_TEST_CASE(shapes_of_nothing) {
  auto shape = [](nn::Module&& layer, const Shape& input) { return layer(zeros(input)).shape(); };
  BOOST_TEST((shape(nn::Dense(3, 2), {0, 2, 3}) == Shape{0, 2, 2}));
  BOOST_TEST((shape(nn::Dense(3, 2), {2, 0, 3}) == Shape{2, 0, 2}));
  BOOST_TEST((shape(nn::Conv1D(2, 3, 2, {.stride = 2, .padding = 1}), {2, 2, 0}) == Shape{2, 3, 1}));
  BOOST_TEST((shape(nn::Conv2D(2, 3, 3, {.padding = 1}), {0, 2, 4, 5}) == Shape{0, 3, 4, 5}));
  BOOST_TEST((shape(nn::ConvTranspose2D(2, 1, 4, 2, 1), {0, 2, 2, 3}) == Shape{0, 1, 4, 6}));
  BOOST_TEST((shape(nn::MaxPool2D(2), {0, 2, 4, 6}) == Shape{0, 2, 2, 3}));
  BOOST_TEST((shape(nn::AdaptiveAvgPool2D({2, 1}), {0, 2, 3, 4}) == Shape{0, 2, 2, 1}));
  BOOST_TEST((shape(nn::GlobalAvgPool(), {0, 3, 2, 2}) == Shape{0, 3}));
  BOOST_TEST((shape(nn::Flatten(), {0, 3, 2}) == Shape{0, 6}));
  BOOST_TEST((shape(nn::Upsample(2), {0, 2, 2, 3}) == Shape{0, 2, 4, 6}));
  BOOST_TEST((shape(nn::PixelShuffle(2), {0, 4, 2, 3}) == Shape{0, 1, 4, 6}));
  BOOST_TEST((shape(nn::LSTM(3, 2), {4, 0, 3}) == Shape{4, 0, 2}));
  BOOST_TEST((shape(nn::MultiHeadAttention(4, 2), {3, 0, 4}) == Shape{3, 0, 4}));
  nn::EmbeddingBag bag(4, 3, {.mode = nn::BagMode::max});
  BOOST_TEST((bag(zeros({0, 3}, int64)).shape() == Shape{0, 3}));
  BOOST_TEST((bag(zeros({2, 0}, int64)).shape() == Shape{2, 3}));
}

// One value a channel has no variance, so training on it is refused, as in PyTorch; in evaluation it is nothing special.
BOOST_AUTO_TEST_CASE(batch_norm_of_single_values) {
  nn::BatchNorm1D norm(2);
  throws<ValueError>([&] { norm(zeros({1, 2})); }, {"BatchNorm1D(2)", "(1, 2)", "more than one element"});
  throws<ValueError>([&] { norm(zeros({1, 2, 1})); }, {"BatchNorm1D(2)", "(1, 2, 1)", "more than one element"});
  BOOST_TEST(finite(norm(zeros({1, 2, 2}))));
  BOOST_TEST(norm.num_batches_tracked.item() == 1);
  norm(zeros({0, 2}));
  BOOST_TEST(norm.num_batches_tracked.item() == 1);
  norm.eval();
  BOOST_TEST(finite(norm(zeros({1, 2}))));
}

// What an element reaches becomes NaN with it, and nothing else: whatever changes when the element does is taken for
// what it reaches.
BOOST_DATA_TEST_CASE(one_element_that_is_nan, samples_with_large(), sample) {
  if (!is_floating(sample.input.dtype())) return;
  // A pixel beside that counts for 0 is NaN as well, as in PyTorch: see interpolation_by_0.
  const bool weighs_by_0 = sample.text == "bilinear";
  auto same_number = [](double a, double b) { return std::abs(a - b) <= 1e-13 * std::max(1.0, std::abs(b)); };
  auto axis = batch_axis(sample);
  Variable x = axis ? concatenate({sample.input, 0.5 * sample.input}, static_cast<std::ptrdiff_t>(*axis)) : sample.input;
  for (bool training : {true, false}) {
    if (training && !sample.same_in_training) continue;
    Pointer layer = made(sample, training);
    NoGrad guard;
    if (sample.text.ends_with("relu")) {  // so that every unit is reached
      x = abs(x);
      for (Variable p : layer->parameters()) p.assign(abs(p));
    }
    Variable plain = (*layer)(x);
    for (std::size_t place : {std::size_t(0), x.size() / 3, x.size() / 2 + 1, x.size() - 1}) {
      Variable found = with_element(*layer, x, place, NAN);
      std::vector<bool> reached(plain.size());
      for (double step : {-100.0, -2.0, 2.0, 100.0}) {
        Variable other = with_element(*layer, x, place, x.value().at(place) + step);
        for (std::size_t i = 0; i < plain.size(); ++i)
          reached[i] = reached[i] || !same_number(other.value().at(i), plain.value().at(i));
      }
      bool any = false;
      for (std::size_t i = 0; i < plain.size(); ++i) {
        double y = found.value().at(i);
        any = any || reached[i];
        if (reached[i])
          BOOST_TEST(std::isnan(y), "element " << i << " by element " << place << " is " << y);
        else
          BOOST_TEST((weighs_by_0 || same_number(y, plain.value().at(i))),
                     "element " << i << " by element " << place << " is " << y);
      }
      BOOST_TEST(any);
    }
  }
}

// libtorch's result: all rows, and the columns that lie in between or at 1 and have 2 beside them with the weight 0.
BOOST_AUTO_TEST_CASE(interpolation_by_0) {
  Variable x = zeros({1, 1, 2, 3});
  x[0][0][1][1] = NAN;
  Variable y = nn::Upsample({.size = {5, 4}, .mode = Interpolation::bilinear})(x);
  for (std::size_t row = 0; row < 5; ++row)
    for (std::size_t column = 0; column < 4; ++column)
      BOOST_TEST(std::isnan(y[0][0][row][column].item()) == (column < 3), row << ", " << column);
}

// The gradients of the other samples stay what they are.
BOOST_DATA_TEST_CASE(gradients_beside_nan, samples_with_large(), sample) {
  auto axis = batch_axis(sample);
  if (!is_floating(sample.input.dtype()) || !axis || sample.text == "first axis" || sample.name == "LogSoftmax") return;
  Pointer layer = made(sample, false);
  if (sample.text == "plain") return;  // a batch norm that goes by the batch
  auto i = static_cast<std::ptrdiff_t>(*axis);
  Variable bad = sample.input.copy();
  bad.mutable_data<double>()[bad.size() / 2] = NAN;
  auto gradient = [&](const Variable& first) {
    Variable x = concatenate({first, 0.5 * sample.input}, i).requires_grad_(), y = (*layer)(x);
    Variable g = grad(sum(where(isnan(y), 0, y * y)), x);
    return take(g, arange(first.shape(i), x.shape(i)), i);
  };
  close(gradient(bad), gradient(sample.input), 1e-12);
}

// Scores of -infinity hide what they stand for; where they hide all, the query gets zeros, and no NaN goes back.
BOOST_AUTO_TEST_CASE(attention_behind_masks_of_infinity) {
  nn::MultiHeadAttention attention(4, 2, {.dtype = float64});
  Variable x = Variable(Generator(3).uniform({3, 2, 4}, -2, 2, float64)).requires_grad_();
  Variable mask = zeros({3, 3}, float64), seen = ones({3, 3}, boolean);
  for (std::size_t key : {0, 1, 2}) mask[1][key] = -infinity, seen[1][key] = false;
  mask[0][2] = -infinity, seen[0][2] = false;
  auto by = [&](const Variable& m) { return attention(x, x, x, {.attn_mask = m, .need_weights = true}); };
  auto [y, weights] = by(mask);
  same(y, by(seen).output);
  BOOST_TEST(sum(abs(weights[{range(), 1}])).item() == 0);
  sum(square(y)).backward();
  BOOST_TEST(finite(x.grad()));
  for (const auto& [name, p] : attention.named_parameters()) BOOST_TEST(finite(p.grad()), name);
  // Scores that are large, but numbers.
  Variable q = full({1, 2, 3}, 1e4, float64).requires_grad_(), z = scaled_dot_product_attention(q, q, q);
  sum(z).backward();
  close(z, q.detach(), 1e-8);
  BOOST_TEST(finite(q.grad()));
}

BOOST_AUTO_TEST_SUITE_END()
