// Convolutions, pooling and what goes between, against closed forms; and their misuse.
#include <cmath>

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;

namespace {

Variable ramp(const Shape& shape) {
  return arange(static_cast<double>(element_count(shape))).to(float64).reshape(shape);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(convolution_layers)

BOOST_AUTO_TEST_CASE(layers_are_made_as_their_options_say) {
  nn::Conv2D conv(4, 6, {3, 2}, {.stride = 2, .groups = 2, .bias = false});
  BOOST_TEST((conv.weight.shape() == Shape{6, 2, 3, 2}));
  BOOST_TEST(!conv.bias.defined());
  BOOST_TEST(conv.description() == "4, 6, 3 x 2, stride 2 x 2, groups 2, no bias");
  BOOST_TEST((conv(zeros({1, 4, 7, 6})).shape() == Shape{1, 6, 3, 3}));
  BOOST_TEST(nn::Conv1D(1, 2, 3).description() == "1, 2, 3");
  BOOST_TEST(nn::Conv1D(1, 2, 3, {.padding = "same", .dilation = 2}).description() == "1, 2, 3, same, dilation 2");
  BOOST_TEST(nn::Conv2D(1, 2, 3, 2, 1).description() == "1, 2, 3 x 3, stride 2 x 2, padding 1 x 1");
  BOOST_TEST(nn::Conv2D(1, 2, {1, 3}, 1, "same").description() == "1, 2, 1 x 3, same");
  nn::ConvTranspose2D transposed(4, 6, 4, {.stride = 2, .padding = {1, 0}, .groups = 2});
  BOOST_TEST((transposed.weight.shape() == Shape{4, 3, 4, 4}));
  BOOST_TEST((transposed.bias.shape() == Shape{6}));
  BOOST_TEST(transposed.description() == "4, 6, 4 x 4, stride 2 x 2, padding 1 x 0, groups 2");
  BOOST_TEST((nn::Conv3D(1, 2, 2)(zeros({1, 1, 3, 3, 3})).shape() == Shape{1, 2, 2, 2, 2}));
}

BOOST_AUTO_TEST_CASE(same_keeps_the_extents_and_puts_what_is_uneven_at_the_end) {
  nn::Conv1D conv(1, 1, 2, {.padding = "same", .weight_init = nn::ones(), .dtype = float64});
  close(conv(Variable({{{1.0, 2.0, 3.0}}}, float64)), Variable({{{3.0, 5.0, 3.0}}}, float64));
  for (std::size_t window = 1; window < 6; ++window)
    for (std::size_t dilation = 1; dilation < 4; ++dilation) {
      nn::Conv2D layer(1, 2, {window, 3}, {.padding = "same", .dilation = dilation});
      BOOST_TEST((layer(zeros({1, 1, 5, 4})).shape() == Shape{1, 2, 5, 4}));
    }
}

// What is added is the input itself: mirrored without its edge, the edge again and again, or from the other end.
BOOST_AUTO_TEST_CASE(padding_modes) {
  struct Mode {
    PadMode mode;
    const char* name;
    Variable padded;  // 1 2 3 with two elements more at both ends
  };
  Variable x({{{1.0, 2.0, 3.0}}}, float64);
  for (const auto& [mode, name, padded] :
       {Mode{PadMode::constant, "", Variable({{{0, 0, 1, 2, 3, 0, 0}}}, float64)},
        Mode{PadMode::reflect, ", reflect", Variable({{{3, 2, 1, 2, 3, 2, 1}}}, float64)},
        Mode{PadMode::replicate, ", replicate", Variable({{{1, 1, 1, 2, 3, 3, 3}}}, float64)},
        Mode{PadMode::circular, ", circular", Variable({{{2, 3, 1, 2, 3, 1, 2}}}, float64)}}) {
    nn::Conv1D conv(1, 2, 3, {.padding = 2, .padding_mode = mode, .dtype = float64});
    close(conv(x), conv1d(padded, conv.weight, conv.bias), 1e-15);
    BOOST_TEST(conv.description() == std::string("1, 2, 3, padding 2") + name);
    nn::Conv1D same(1, 2, 4, {.padding = "same", .padding_mode = mode, .dtype = float64});
    close(same(x), conv1d(padded[{ellipsis, range(1, 7)}], same.weight, same.bias), 1e-15);
  }
  nn::Conv1D far(1, 1, 3, {.padding = 3, .padding_mode = PadMode::reflect, .dtype = float64});
  throws<ShapeError>([&] { far(x); }, {"pad", "(1, 1, 3)"});
}

// As Keras defines it: the result has the input's extents times the stride, and is the transposed map of a "same"
// convolution with that stride, for which the extra padding is at the end.
BOOST_AUTO_TEST_CASE(transposed_same_multiplies_the_extents) {
  for (std::size_t window = 1; window < 7; ++window)
    for (std::size_t stride = 1; stride < 4; ++stride) {
      BOOST_TEST_CONTEXT("window " << window << ", stride " << stride) {
        nn::ConvTranspose1D layer(1, 1, window, {.stride = stride, .padding = "same", .dtype = float64});
        const std::size_t n = 4;
        Variable x = randn({1, 1, n}, float64), y = randn({1, 1, n * stride}, float64);
        Variable up = layer(x);
        BOOST_REQUIRE((up.shape() == y.shape()));
        std::size_t total = window > stride ? window - stride : 0, before = total / 2;
        Variable down = conv1d(pad(y, {{0, 0}, {0, 0}, {before, total - before}}), layer.weight, {},
                               {.stride = stride});
        BOOST_TEST(std::abs(sum(up * y).item() - sum(x * down).item()) < 1e-12);
      }
    }
}

BOOST_AUTO_TEST_CASE(pooling_by_hand) {
  Variable x = ramp({1, 1, 4, 4});
  close(nn::MaxPool2D(2)(x), Variable({{{{5, 7}, {13, 15}}}}, float64));
  close(nn::AvgPool2D({1, 2})(ramp({1, 1, 1, 4})), Variable({{{{0.5, 2.5}}}}, float64));
  close(nn::MaxPool1D(2, {.stride = 1})(ramp({1, 1, 3})), Variable({{{1, 2}}}, float64));
  close(nn::AvgPool1D(3)(ramp({1, 1, 3})), Variable({{{1}}}, float64));
  close(nn::AdaptiveAvgPool1D(3)(ramp({1, 1, 5})), Variable({{{0.5, 2, 3.5}}}, float64));
  close(nn::AdaptiveAvgPool2D({1, 2})(x), Variable({{{{6.5, 8.5}}}}, float64));
  close(nn::MaxPool3D(2)(ramp({1, 1, 2, 2, 4})), Variable({{{{{13, 15}}}}}, float64));
  close(nn::AvgPool3D({1, 2, 2})(ramp({1, 1, 2, 2, 2})), Variable({{{{{1.5}}, {{5.5}}}}}, float64));
  close(nn::AdaptiveAvgPool3D({2, 1, 1})(ramp({1, 1, 3, 1, 2})), Variable({{{{{1.5}}, {{3.5}}}}}, float64));
  close(nn::GlobalAvgPool()(ramp({2, 1, 2, 2})), Variable({{1.5}, {5.5}}, float64));
  close(nn::GlobalAvgPool()(ramp({1, 2, 3})), Variable({{1, 4}}, float64));
  BOOST_TEST(nn::MaxPool2D({2, 3}, {.stride = 1, .padding = 1}).description() == "2 x 3, stride 1 x 1, padding 1 x 1");
  BOOST_TEST(nn::AvgPool1D(3).description() == "3");
  BOOST_TEST(nn::AdaptiveAvgPool2D({3, 1}).description() == "3 x 1");
}

BOOST_AUTO_TEST_CASE(shapes_and_sizes) {
  Variable x = ramp({2, 6});
  BOOST_TEST((nn::Reshape({3, -1})(x).shape() == Shape{2, 3, 2}));
  BOOST_TEST((nn::Reshape({1, 6})(zeros({0, 6})).shape() == Shape{0, 1, 6}));
  BOOST_TEST((nn::Flatten()(zeros({2, 3, 4})).shape() == Shape{2, 12}));
  BOOST_TEST((nn::Flatten(0, 1)(zeros({2, 3, 4})).shape() == Shape{6, 4}));
  close(nn::Upsample(2)(Variable({{{{1, 2}}}}, float64)), Variable({{{{1, 1, 2, 2}, {1, 1, 2, 2}}}}, float64));
  BOOST_TEST((nn::Upsample({.size = {5, 3}})(zeros({1, 2, 2, 2})).shape() == Shape{1, 2, 5, 3}));
  BOOST_TEST(nn::Upsample({.scale_factor = {2, 3},
                           .mode = Interpolation::bilinear}).description() == "by 2 x 3, bilinear");
  BOOST_TEST(nn::Upsample({.size = 4}).description() == "to 4 x 4");
  BOOST_TEST(nn::Upsample({.size = 4, .mode = Interpolation::bicubic}).description() == "to 4 x 4, bicubic");
  BOOST_TEST(nn::Upsample(2, Interpolation::area).description() == "by 2 x 2, area");
  BOOST_TEST(nn::Upsample(3, Interpolation::nearest_exact).description() == "by 3 x 3, nearest_exact");
  BOOST_TEST((nn::PixelShuffle(2)(zeros({1, 8, 2, 3})).shape() == Shape{1, 2, 4, 6}));
}

BOOST_AUTO_TEST_CASE(dropout_of_whole_channels) {
  seed(4);
  nn::Dropout2D drop(0.25);
  Variable y = drop(ones({50, 40, 3, 3})), channels = mean(y, {2, 3});
  // Whole channels: each is 0, or 4/3 everywhere.
  BOOST_TEST(max(y - expand_dims(channels, {2, 3})).item() < 1e-6);
  double kept = count_nonzero(channels).item();
  BOOST_TEST(std::abs(kept - 1500) < 5 * std::sqrt(2000 * 0.25 * 0.75));
  BOOST_TEST(std::abs(max(y).item() - 4.0 / 3) < 1e-6);
  drop.eval();
  close(drop(ones({1, 2, 3, 3})), ones({1, 2, 3, 3}));
  throws<ShapeError>([] { nn::Dropout2D()(zeros({3, 4})); },
                     {"Dropout2D", "(3, 4)", "(batch, channels, height, width)"});
  throws<ValueError>([] { nn::Dropout2D(NAN); }, {"Dropout2D", "nan", "0 to 1"});
}

BOOST_AUTO_TEST_CASE(misuse_of_convolutions) {
  throws<ValueError>([] { nn::Conv2D(0, 1, 3); }, {"Conv2D", "0 input channels", "1 or more"});
  throws<ValueError>([] { nn::Conv2D(1, 0, 3); }, {"Conv2D(1, 0, 3 x 3)", "1 or more"});
  throws<ValueError>([] { nn::Conv2D(1, 1, 0); }, {"Conv2D(1, 1, 0 x 0)", "1 or more"});
  throws<ValueError>([] { nn::Conv2D(4, 6, 3, {.groups = 4}); }, {"Conv2D(4, 6, 3 x 3)", "4 groups"});
  throws<ValueError>([] { nn::Conv2D(4, 6, 3, {.groups = 0}); }, {"Conv2D(4, 6, 3 x 3)", "groups is 0"});
  throws<ValueError>([] { nn::Conv2D(4, 6, 3, {.stride = 0}); }, {"Conv2D(4, 6, 3 x 3)", "a stride of 0 x 0"});
  throws<ValueError>([] { nn::Conv2D(4, 6, 3, {.dilation = 0}); }, {"Conv2D(4, 6, 3 x 3)", "a dilation of 0 x 0"});
  throws<ShapeError>([] { nn::Conv2D(4, 6, {3, 3, 3}); }, {"Conv2D", "3 numbers for the window"});
  throws<ShapeError>([] { nn::Conv1D(4, 6, 3, {.padding = {1, 1}}); }, {"Conv1D", "2 numbers for padding"});
  throws<ValueError>([] { nn::Conv2D(4, 6, 3, {.padding = "full"}); }, {"padding", "full", "\"same\" or \"valid\""});
  throws<ValueError>([] { nn::Conv2D(4, 6, 3, {.stride = 2, .padding = "same"}); },
                     {"Conv2D", "same", "stride of 2 x 2"});
  throws<ValueError>([] { nn::Conv2D(1, 1, 3, {.weight_init = nullptr}); }, {"Conv2D(1, 1, 3 x 3)", "weight", "empty"});
  throws<DTypeError>([] { nn::Conv2D(1, 1, 3, {.dtype = int64}); }, {"Conv2D(1, 1, 3 x 3)", "int64"});
  throws<ValueError>([] { nn::ConvTranspose1D(1, 1, 3, {.stride = 2, .output_padding = 2}); },
                     {"ConvTranspose1D", "output_padding of 2"});
  throws<ValueError>([] { nn::ConvTranspose1D(1, 1, 3, {.stride = 2, .padding = "same", .output_padding = 1}); },
                     {"ConvTranspose1D", "same", "output_padding"});
  throws<ValueError>([] { nn::Conv1D(1, 1, -3); }, {"Conv1D", "the window is -3"});
  throws<ValueError>([] { nn::Conv1D(-1, 1, 3); }, {"Conv1D(-1, 1, 3): needs widths of 1 or more"});
  throws<ValueError>([] { nn::Conv1D(4, 4, 3, {.groups = std::size_t(-2)}); }, {"Conv1D(4, 4, 3): groups is -2"});
  throws<ValueError>([] { nn::Conv1D(1, 1, 3, {.padding = -1}); }, {"Conv1D", "padding is -1"});
  throws<ValueError>([] { nn::ConvTranspose1D(1, 1, 3, {.padding = -1}); }, {"ConvTranspose1D", "padding is -1"});
  throws<ValueError>([] { nn::ConvTranspose1D(1, 1, 3, {.output_padding = -1}); }, {"output_padding is -1"});
  nn::Conv2D conv(3, 4, 3);
  throws<ShapeError>([&] { conv(zeros({2, 4, 8, 8})); }, {"conv2d", "(2, 4, 8, 8)"});
  throws<ShapeError>([&] { conv(zeros({2, 3, 8})); }, {"conv2d", "(2, 3, 8)"});
  throws<ShapeError>([&] { conv(zeros({2, 3, 2, 8})); }, {"conv2d", "(2, 3, 2, 8)"});
}

// Whether `Layer(4, {2, 2})` compiles, which does not say what the numbers are.
template <class Layer>
concept TakesUnnamedOptions = requires { Layer(4, {2, 2}); };

// Braces with names are options, braces without are a window, and numbers are window, stride, padding.
BOOST_AUTO_TEST_CASE(arguments_of_pooling_mean_what_they_say) {
  auto shows = [](const nn::Module& layer, const std::string& text) { BOOST_TEST(layer.description() == text); };
  shows(nn::MaxPool2D({2, 3}), "2 x 3");
  shows(nn::MaxPool2D(2, 2), "2 x 2, stride 2 x 2");
  shows(nn::MaxPool2D(3, 2, 1), "3 x 3, stride 2 x 2, padding 1 x 1");
  shows(nn::MaxPool2D({2, 3}, 1, {1, 0}), "2 x 3, stride 1 x 1, padding 1 x 0");
  shows(nn::MaxPool2D({2, 3}, {.stride = {1, 2}}), "2 x 3, stride 1 x 2");
  shows(nn::MaxPool1D(3, 2), "3, stride 2");
  shows(nn::AvgPool1D(3, 2, 1), "3, stride 2, padding 1");
  shows(nn::AvgPool2D(3, 2), "3 x 3, stride 2 x 2");
  shows(nn::AvgPool2D({3, 2}), "3 x 2");
  shows(nn::MaxPool3D(2, 2, 1), "2 x 2 x 2, stride 2 x 2 x 2, padding 1 x 1 x 1");
  shows(nn::MaxPool3D({1, 2, 3}, {.stride = {1, 2, 1}}), "1 x 2 x 3, stride 1 x 2 x 1");
  shows(nn::AvgPool3D({3, 2, 1}), "3 x 2 x 1");
  static_assert(!TakesUnnamedOptions<nn::MaxPool1D> && !TakesUnnamedOptions<nn::MaxPool2D> &&
                !TakesUnnamedOptions<nn::AvgPool1D> && !TakesUnnamedOptions<nn::AvgPool2D> &&
                !TakesUnnamedOptions<nn::MaxPool3D> && !TakesUnnamedOptions<nn::AvgPool3D>);
  throws<ValueError>([] { nn::MaxPool2D(2, -1); }, {"MaxPool2D", "stride is -1"});
}

BOOST_AUTO_TEST_CASE(misuse_of_pooling_and_shapes) {
  throws<ValueError>([] { nn::MaxPool2D(0); }, {"MaxPool2D", "a window of 0 x 0"});
  throws<ValueError>([] { nn::AvgPool1D(3, {.padding = 2}); }, {"AvgPool1D", "a padding of 2", "half"});
  throws<ShapeError>([] { nn::MaxPool3D({2, 2}); }, {"MaxPool3D", "2 numbers for the window"});
  throws<ShapeError>([] { nn::AvgPool3D(2)(zeros({2, 3})); }, {"avg_pool3d", "(2, 3)"});
  throws<ShapeError>([] { nn::MaxPool1D({2, 2}); }, {"MaxPool1D", "2 numbers for the window"});
  throws<ValueError>([] { nn::AdaptiveAvgPool1D(0); }, {"AdaptiveAvgPool1D", "1 or more"});
  throws<ShapeError>([] { nn::MaxPool2D(2)(zeros({2, 3})); }, {"max_pool2d", "(2, 3)"});
  throws<ShapeError>([] { nn::GlobalAvgPool()(zeros({1, 2})); }, {"GlobalAvgPool", "(1, 2)"});
  throws<ShapeError>([] { nn::GlobalAvgPool()(zeros({2, 3, 0})); }, {"GlobalAvgPool", "(2, 3, 0)", "one element"});
  BOOST_TEST((nn::GlobalAvgPool()(zeros({0, 3, 2})).shape() == Shape{0, 3}));
  throws<ShapeError>([] { nn::Reshape({-1, -1}); }, {"Reshape(-1, -1)", "at most one"});
  throws<ShapeError>([] { nn::Reshape({-2}); }, {"Reshape(-2)"});
  throws<ShapeError>([] { nn::Reshape({4, -1})(zeros({2, 6})); }, {"Reshape(4, -1)", "6 elements"});
  throws<ShapeError>([] { nn::Reshape({2})(Variable(1.0)); }, {"Reshape(2)", "()"});
  throws<ValueError>([] { nn::Upsample({.mode = Interpolation::bilinear}); }, {"Upsample", "one of them"});
  throws<ValueError>([] { nn::Upsample({.size = 2, .scale_factor = 2}); }, {"Upsample", "one of them"});
  throws<ValueError>([] { nn::Upsample({.size = {2, 0}}); }, {"Upsample", "one of them"});
  throws<ShapeError>([] { nn::Upsample(2)(zeros({2, 3})); }, {"Upsample(by 2 x 2)", "(2, 3)"});
  throws<ValueError>([] { nn::Upsample(2, Interpolation::linear); }, {"Upsample", "a mode for height and width"});
  throws<ValueError>([] { nn::Upsample(2, Interpolation::trilinear); }, {"Upsample", "a mode for height and width"});
  throws<ValueError>([] { nn::Upsample({.size = -2}); }, {"Upsample", "size is -2"});
  throws<ValueError>([] { nn::MaxPool2D(-2); }, {"MaxPool2D", "the window is -2"});
  throws<ValueError>([] { nn::AvgPool1D(2, {.stride = -1}); }, {"AvgPool1D", "stride is -1"});
  throws<ValueError>([] { nn::AdaptiveAvgPool1D(-1); }, {"AdaptiveAvgPool1D", "-1"});
  throws<ValueError>([] { nn::PixelShuffle(0); }, {"PixelShuffle", "1 or more"});
}

// A negative number has become a great one when it arrives; messages give it as it was.
BOOST_AUTO_TEST_CASE(negative_widths) {
  throws<ValueError>([] { nn::Dense(-3, 4); }, {"Dense(-3, 4): needs widths of 1 or more"});
  throws<ValueError>([] { nn::Dense(-3); }, {"Dense(-3)"});
  throws<ValueError>([] { nn::Bilinear(2, -3, 4); }, {"Bilinear(2, -3, 4)"});
  throws<ValueError>([] { nn::Embedding(-5, 3); }, {"Embedding(-5, 3)"});
  throws<ValueError>([] { nn::Embedding(5, 3, {.padding_idx = std::size_t(-1)}); }, {"padding_idx is -1"});
  throws<ValueError>([] { nn::MultiHeadAttention(-4, 2); }, {"MultiHeadAttention(-4, 2)"});
  throws<ValueError>([] { nn::TransformerEncoderLayer(4, -2); }, {"TransformerEncoderLayer(4, -2): nhead is -2"});
  throws<ValueError>([] { nn::BatchNorm1D(-3); }, {"BatchNorm1D(-3)"});
  throws<ValueError>([] { nn::LayerNorm({2, std::size_t(-3)}); }, {"LayerNorm(2, -3): needs widths of 1 or more"});
  throws<ValueError>([] { nn::RMSNorm(-3); }, {"RMSNorm(-3)"});
  throws<ValueError>([] { nn::GroupNorm(2, -4); }, {"GroupNorm(2, -4)"});
  throws<ValueError>([] { nn::LSTM(3, -4); }, {"LSTM(3, -4)"});
  throws<ValueError>([] { nn::GRU(3, 4, {.num_layers = std::size_t(-1)}); }, {"num_layers is -1"});
  throws<ValueError>([] { nn::SinusoidalEncoding(-4); }, {"SinusoidalEncoding(-4)"});
  throws<ValueError>([] { nn::LearnedEncoding(4, -3); }, {"LearnedEncoding(4, -3)"});
}

BOOST_AUTO_TEST_CASE(misuse_of_other_layers) {
  throws<ValueError>([] { nn::Bilinear(1, 0, 2); }, {"Bilinear(1, 0, 2)", "1 or more"});
  throws<ShapeError>([] { nn::Bilinear(1, 2, 3)(zeros({4, 1}), zeros({4, 3})); },
                     {"Bilinear(1, 2, 3)", "(4, 1)", "(4, 3)"});
  throws<ShapeError>([] { nn::Bilinear(1, 2, 3)(zeros({4, 1}), zeros({5, 2})); }, {"(4,", "(5,"});
  throws<Error>([] { static_cast<nn::Module&&>(nn::Bilinear(1, 2, 3))(zeros({4, 1})); }, {"Bilinear", "forward"});
  throws<ValueError>([] { nn::Embedding(0, 2); }, {"Embedding(0, 2)", "1 or more"});
  throws<ValueError>([] { nn::Embedding(3, 2, {.padding_idx = 3}); }, {"Embedding(3, 2)", "padding_idx is 3"});
  throws<DTypeError>([] { nn::Embedding(3, 2)(zeros({2})); }, {"embedding", "float32", "int64"});
  throws<ValueError>([] { nn::Embedding(3, 2)(Variable({3}, int64)); }, {"3"});
  throws<ValueError>([] { nn::PReLU(0); }, {"PReLU", "1 or more"});
  throws<ShapeError>([] { nn::PReLU(3)(zeros({2, 4})); }, {"PReLU(3)", "(2, 4)", "3 channels"});
  throws<ValueError>([] { nn::LeakyReLU(NAN); }, {"LeakyReLU", "nan"});
  throws<ValueError>([] { nn::ELU{INFINITY}; }, {"ELU", "inf"});
  throws<ValueError>([] { nn::GELU("erf"); }, {"GELU", "erf", "tanh"});
  throws<ValueError>([] { nn::Softplus(0); }, {"Softplus", "beta is 0"});
  throws<ValueError>([] { nn::Softplus(1, NAN); }, {"Softplus", "threshold is nan"});
  throws<ValueError>([] { nn::Hardtanh(1, -1); }, {"Hardtanh", "1 to -1"});
  throws<ValueError>([] { nn::Hardtanh(NAN, 1); }, {"Hardtanh", "nan"});
  throws<ShapeError>([] { nn::Softmax(3)(zeros({2, 2})); }, {"softmax", "3"});
}

BOOST_AUTO_TEST_CASE(containers_by_name_and_place) {
  nn::ModuleList list{nn::Dense(2, 3), relu};
  list.append(nn::Dense(3, 1));
  BOOST_TEST(list.size() == 3);
  BOOST_TEST(list[1]->name() == "Lambda");
  BOOST_TEST(list.named_parameters()[2].first == "2.weight");
  throws<ValueError>([&] { list[3]; }, {"ModuleList", "layer 3 of 3"});
  throws<Error>([&] { list(zeros({1, 2})); }, {"ModuleList", "forward"});
  nn::ModuleList nested{nn::Sequential{nn::ReLU()}};
  BOOST_TEST(nested[0]->name() == "Sequential");

  nn::ModuleDict dict{std::pair{"up", nn::Dense(2, 3)}, std::pair{std::string("down"), nn::Dense(3, 2)}};
  dict.insert("act", xtape::tanh);
  BOOST_TEST(dict.names() == (std::vector<std::string>{"up", "down", "act"}), boost::test_tools::per_element());
  BOOST_TEST(dict.contains("act"));
  BOOST_TEST(!dict.contains("other"));
  BOOST_TEST(((*dict["up"])(zeros({1, 2})).shape() == Shape{1, 3}));
  throws<ValueError>([&] { dict["other"]; }, {"ModuleDict", "other", "up, down, act"});
  throws<ValueError>([&] { dict.insert("up", nn::ReLU()); }, {"ModuleDict", "up", "taken"});
  throws<ValueError>([] { nn::ModuleDict()["a"]; }, {"none"});

  nn::Residual residual{[](const Variable& x) { return 2 * x; }};
  close(residual(Variable{1, 2}), Variable{3, 6});
  nn::Residual narrow{nn::Dense(3, 1)};
  throws<ShapeError>([&] { narrow(zeros({2, 3})); }, {"Residual", "(2, 1)", "(2, 3)", "shortcut"});
  nn::Residual projected{nn::Dense(3, 1), nn::Dense(3, 1)};
  throws<ValueError>([] { nn::Residual{nn::ReLU(), nn::ReLU(), nn::ReLU()}; }, {"Residual", "3 modules"});
  nn::Residual handle{projected};
  BOOST_TEST(handle.parameters()[0].impl() == projected.parameters()[0].impl());
  BOOST_TEST(handle.named_parameters()[0].first == "body.weight");
  BOOST_TEST((projected(zeros({2, 3})).shape() == Shape{2, 1}));
}

// What a Sequential computes in one pass, against its layers one by one; the same bits whether it is recorded or not.
template <class Conv, class Norm>
void one_pass(Conv conv, Norm norm, const Shape& shape) {
  Generator generator(3);
  {
    NoGrad guard;
    for (nn::Parameter* x : {&norm.running_mean, &norm.weight, &norm.bias}) x->assign(randn(x->shape(), float64, generator));
    norm.running_var.assign(rand(norm.running_var.shape(), float64, generator) + 0.5);
  }
  Variable x = randn(shape, float64, generator);
  for (bool training : {false, true}) {
    nn::Sequential all{conv, norm, nn::ReLU(), conv, nn::ReLU(), conv, norm, conv};
    all.train(training);
    Variable expected = relu(norm(conv(x)));
    expected = relu(conv(expected));
    expected = conv(norm(conv(expected)));
    if (training) {  // which moved the statistics, by as much each time
      close(all(x), expected, 1e-12);
      continue;
    }
    Variable recorded = all(x);
    close(recorded, expected, 1e-12);
    std::vector<Variable> parameters{conv.weight, norm.weight, norm.bias};
    auto own = grad({sum(recorded * recorded)}, parameters), other = grad({sum(expected * expected)}, parameters);
    for (std::size_t i = 0; i < own.size(); ++i) close(own[i], other[i], 1e-9);
    NoGrad guard;
    BOOST_TEST(max(abs(all(x) - recorded)).item() == 0);
  }
}

BOOST_AUTO_TEST_CASE(batch_norm_and_relu_go_into_the_convolution_before) {
  one_pass(nn::Conv1D(4, 4, 3, {.padding = 1, .dtype = float64}), nn::BatchNorm1D(4, {.dtype = float64}), {2, 4, 9});
  one_pass(nn::Conv2D(4, 4, 3, {.padding = 1, .groups = 2, .bias = false, .dtype = float64}),
           nn::BatchNorm2D(4, {.dtype = float64}), {2, 4, 5, 6});
  one_pass(nn::Conv3D(4, 4, 1, {.dtype = float64}), nn::BatchNorm3D(4, {.dtype = float64}), {2, 4, 2, 3, 2});
  one_pass(nn::Conv2D(40, 40, 3, {.padding = "same", .dtype = float64}), nn::BatchNorm2D(40, {.dtype = float64}),
           {3, 40, 13, 11});
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_a_convolution_says_so_itself) {
  nn::Sequential net{nn::Conv2D(1, 2, 3), nn::BatchNorm2D(3), nn::ReLU()};
  net.eval();
  throws<ShapeError>([&] { net(zeros({1, 1, 4, 4})); }, {"BatchNorm2D(3)"});
  nn::Sequential dtypes{nn::Conv2D(1, 2, 3), nn::BatchNorm2D(2, {.dtype = float64})};
  dtypes.eval();
  throws<DTypeError>([&] { dtypes(zeros({1, 1, 4, 4})); }, {"BatchNorm2D(2)"});
  // A class that derives from a layer is what it says.
  struct Twice : nn::ReLU {
    Variable forward(const Variable& x) override { return 2 * x; }
  };
  nn::Conv2D conv(1, 1, 1);
  nn::Sequential own{conv, Twice()};
  close(own(full({1, 1, 2, 2}, -1)), 2 * conv(full({1, 1, 2, 2}, -1)));
}

BOOST_AUTO_TEST_CASE(relu_of_a_convolution_in_one_pass) {
  Variable x = randn({3, 5, 9, 8}), w = randn({7, 5, 3, 3}), b = randn({7});
  Variable expected = relu(conv2d(x, w, b, {.padding = 1}));
  BOOST_TEST(max(abs(conv2d(x, w, b, {.padding = 1, .relu = true}) - expected)).item() == 0);
  BOOST_TEST(max(abs(conv2d(x, randn({2, 5, 9, 8}) * 0, {.relu = true}))).item() == 0);
  Variable one = randn({2, 5, 9, 8});
  BOOST_TEST(max(abs(conv2d(x, one, {.relu = true}) - relu(conv2d(x, one)))).item() == 0);
  w.requires_grad_();
  Variable y = conv2d(x, w, b, {.padding = 1, .relu = true});
  close(y, expected, 0);
  close(grad(sum(y), w), grad(sum(relu(conv2d(x, w, b, {.padding = 1}))), w), 0);
}

BOOST_AUTO_TEST_SUITE_END()
