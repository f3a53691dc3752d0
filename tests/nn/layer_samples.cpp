#include "layer_samples.hpp"

#include <ostream>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

namespace layer_samples {
namespace {

using namespace xtape;

// Modules with several inputs, or none of their own, within a module of one input.

struct Halves : nn::Module {  // a Bilinear of two halves
  nn::Bilinear bilinear = add("bilinear", nn::Bilinear(2, 3, 4, {.bias_init = nn::normal()}));
  Variable forward(const Variable& x) override {
    return bilinear(x[{ellipsis, range(0, 2)}], x[{ellipsis, range(2, 5)}]);
  }
};

struct Listed : nn::Module {
  nn::ModuleList list = add("list", nn::ModuleList{nn::Dense(3, 2), std::make_shared<nn::Tanh>(), xtape::tanh});
  Variable forward(const Variable& x) override {
    Variable y = x;
    for (const auto& [name, layer] : list.children()) y = (*layer)(y);
    return y;
  }
};

struct Named : nn::Module {
  nn::ModuleDict dict = add("dict", nn::ModuleDict{std::pair{"in", nn::Dense(3, 2)}, std::pair{"out", nn::Tanh()}});
  Variable forward(const Variable& x) override { return (*dict["out"])((*dict["in"])(x)); }
};

struct Decoding : nn::Module {  // a decoder that attends to its own input
  nn::TransformerDecoderLayer layer =
      add("layer", nn::TransformerDecoderLayer(4, 2, {.dim_feedforward = 3, .dropout = 0}));
  Variable forward(const Variable& x) override { return layer(x, x * 0.5); }
};

struct StackDecoding : nn::Module {  // the same of several layers
  nn::TransformerDecoder stack = add("stack", nn::TransformerDecoder(
      nn::TransformerDecoderLayer(4, 2, {.dim_feedforward = 3, .dropout = 0}), 2));
  Variable forward(const Variable& x) override { return stack(x, x * 0.5); }
};

Variable numbers(const Shape& shape) {
  Generator generator(17);
  return Variable(generator.uniform(shape, -2, 2, float64));
}

class List {
 public:
  template <class Make>
  Sample& add(const std::string& text, const Make& make, const Variable& input) {
    auto pointer = [make]() -> std::shared_ptr<nn::Module> {
      nn::ModuleList knows_the_class{make()};
      return knows_the_class[0];
    };
    return samples.emplace_back(Sample{make().name(), text, pointer, input});
  }
  template <class Make>
  Sample& add(const Make& make, const Variable& input) { return add("", make, input); }

  std::vector<Sample> samples;
};

void linear(List& l) {
  l.add([] { return nn::Dense(3, 4, {.bias_init = nn::normal()}); }, numbers({2, 3}));
  l.add("no bias, many axes", [] { return nn::Dense(3, 2, {.bias = false}); }, numbers({2, 2, 3}));
  l.add("width from the input", [] { return nn::Dense(4); }, numbers({2, 3}));
  l.add([] { return Halves(); }, numbers({4, 5})).name = "Bilinear";
  l.add([] { return nn::Embedding(4, 3); }, Variable({{0, 2, 1}, {2, 2, 3}}, int64));
  l.add("padding", [] { return nn::Embedding(4, 3, {.padding_idx = 3}); }, Variable({0, 2, 1}, int64));
  l.add("frequencies", [] { return nn::Embedding(4, 3, {.scale_grad_by_freq = true}); }, Variable({0, 2, 1}, int64));
}

void bags(List& l) {
  l.add([] { return nn::EmbeddingBag(4, 3); }, Variable({{0, 2, 1}, {2, 2, 3}}, int64));
  l.add("sum, padding", [] { return nn::EmbeddingBag(4, 3, {.mode = nn::BagMode::sum, .padding_idx = 2}); },
        Variable({{0, 2}, {2, 2}, {3, 0}}, int64));
  l.add("max", [] { return nn::EmbeddingBag(4, 3, {.mode = nn::BagMode::max, .padding_idx = 1}); },
        Variable({{0, 2, 1}, {2, 2, 3}}, int64));
}

void convolutions(List& l) {
  l.add([] { return nn::Conv1D(2, 3, 2, {.stride = 2, .padding = 1}); }, numbers({2, 2, 5}));
  l.add("same", [] { return nn::Conv1D(2, 4, 4, {.padding = "same", .dilation = 2, .groups = 2}); },
        numbers({1, 2, 7}));
  l.add([] { return nn::Conv2D(2, 3, {2, 3}, {.bias_init = nn::normal()}); }, numbers({2, 2, 3, 4}));
  l.add("channels from the input", [] { return nn::Conv2D(3, 2, {.padding = "same"}); }, numbers({1, 2, 3, 3}));
  l.add("reflected", [] { return nn::Conv2D(1, 2, 3, {.padding = {1, 2}, .padding_mode = PadMode::reflect}); },
        numbers({1, 1, 2, 3}));
  l.add([] { return nn::Conv3D(1, 2, 2, {.bias = false}); }, numbers({1, 1, 2, 3, 2}));
  l.add([] { return nn::ConvTranspose1D(2, 4, 3, {.stride = 2, .output_padding = 1, .groups = 2}); },
        numbers({1, 2, 3}));
  l.add([] { return nn::ConvTranspose2D(2, 1, 4, 2, 1); }, numbers({2, 2, 2, 3}));
  l.add("same", [] { return nn::ConvTranspose2D(2, 1, 3, {.stride = 2, .padding = "same"}); }, numbers({1, 2, 2, 2}));
  l.add("channels from the input", [] { return nn::ConvTranspose2D(3, 2); }, numbers({1, 2, 2, 2}));
  l.add([] { return nn::ConvTranspose3D(1, 2, {1, 2, 2}); }, numbers({1, 1, 2, 2, 1}));
}

void pooling(List& l) {
  l.add([] { return nn::MaxPool1D(2, {.stride = 1}); }, numbers({2, 1, 4}));
  l.add([] { return nn::MaxPool2D({2, 3}); }, numbers({1, 2, 4, 6}));
  l.add([] { return nn::MaxPool3D({2, 1, 2}, {.stride = {1, 1, 2}}); }, numbers({1, 2, 3, 2, 4}));
  l.add([] { return nn::AvgPool1D(3, {.stride = 2, .padding = 1}); }, numbers({1, 2, 5}));
  l.add([] { return nn::AvgPool2D(2); }, numbers({1, 2, 4, 4}));
  l.add([] { return nn::AvgPool3D(2, 1, 1); }, numbers({1, 2, 1, 2, 2}));
  l.add([] { return nn::AdaptiveAvgPool1D(3); }, numbers({1, 2, 5}));
  l.add([] { return nn::AdaptiveAvgPool2D({2, 1}); }, numbers({1, 2, 3, 4}));
  l.add([] { return nn::AdaptiveAvgPool3D({2, 1, 2}); }, numbers({1, 2, 3, 2, 2}));
  l.add([] { return nn::GlobalAvgPool(); }, numbers({2, 3, 2, 2}));
}

void shaping(List& l) {
  l.add([] { return nn::Flatten(); }, numbers({2, 3, 2}));
  l.add("some axes", [] { return nn::Flatten(0, 1); }, numbers({2, 3, 2}));
  l.add([] { return nn::Reshape({3, -1}); }, numbers({2, 6}));
  l.add([] { return nn::Upsample(2); }, numbers({1, 2, 2, 3}));
  l.add("bilinear", [] { return nn::Upsample({.size = {5, 4}, .mode = Interpolation::bilinear}); },
        numbers({1, 1, 2, 3}));
  l.add([] { return nn::PixelShuffle(2); }, numbers({1, 4, 2, 3}));
  l.add([] { return nn::Dropout(0.4); }, numbers({3, 4})).same_in_training = false;
  l.add([] { return nn::Dropout2D(0.4); }, numbers({2, 4, 2, 2})).same_in_training = false;
}

void norms(List& l) {
  l.add([] { return nn::BatchNorm1D(3); }, numbers({4, 3}));
  l.add("with a length", [] { return nn::BatchNorm1D(3, {.momentum = std::nullopt}); }, numbers({2, 3, 4}));
  l.add([] { return nn::BatchNorm2D(2); }, numbers({2, 2, 3, 2}));
  l.add("plain", [] { return nn::BatchNorm2D(2, {.affine = false, .track_running_stats = false}); },
        numbers({2, 2, 3, 2}));
  l.add([] { return nn::BatchNorm3D(2); }, numbers({2, 2, 1, 2, 2}));
  l.add([] { return nn::SyncBatchNorm(3); }, numbers({4, 3, 2}));
  l.add([] { return nn::LayerNorm(4); }, numbers({3, 4}));
  l.add("two axes, no bias", [] { return nn::LayerNorm({3, 2}, {.bias = false}); }, numbers({2, 3, 2}));
  l.add([] { return nn::GroupNorm(2, 4); }, numbers({2, 4, 3}));
  l.add([] { return nn::InstanceNorm(3); }, numbers({2, 3, 4}));
  l.add("tracked", [] { return nn::InstanceNorm(2, {.affine = true, .track_running_stats = true}); },
        numbers({2, 2, 3, 2}));
  l.add([] { return nn::RMSNorm(4); }, numbers({3, 4}));
  l.add([] { return nn::WeightNorm(nn::Dense(3, 2)); }, numbers({4, 3}));
  l.add("of a convolution", [] { return nn::WeightNorm(nn::Conv1D(2, 3, 2)); }, numbers({1, 2, 4}));
  l.add([] { return nn::SpectralNorm(nn::Dense(3, 2)); }, numbers({4, 3})).same_in_training = false;
}

void activations(List& l) {
  auto plain = [&](const auto& make) { l.add(make, numbers({3, 4})); };
  plain([] { return nn::ReLU(); });
  plain([] { return nn::LeakyReLU(0.2); });
  plain([] { return nn::PReLU(); });
  l.add("channels", [] { return nn::PReLU(3, 0.1); }, numbers({2, 3, 4}));
  plain([] { return nn::ELU(); });
  plain([] { return nn::SELU(); });
  plain([] { return nn::GELU(); });
  l.add("tanh", [] { return nn::GELU("tanh"); }, numbers({3, 4}));
  plain([] { return nn::SiLU(); });
  plain([] { return nn::Mish(); });
  plain([] { return nn::Sigmoid(); });
  plain([] { return nn::Tanh(); });
  plain([] { return nn::Softplus(2); });
  plain([] { return nn::Softsign(); });
  plain([] { return nn::Hardtanh(); });
  plain([] { return nn::Hardswish(); });
  plain([] { return nn::Softmax(); });
  l.add("first axis", [] { return nn::LogSoftmax(0); }, numbers({3, 4}));
}

void sequences(List& l) {
  l.add([] { return nn::RNN(3, 2); }, numbers({3, 2, 3}));
  l.add("two layers, relu", [] { return nn::RNN(3, 2, {.num_layers = 2, .nonlinearity = nn::Nonlinearity::relu}); },
        numbers({2, 1, 3}));
  l.add([] { return nn::LSTM(2, 3, {.batch_first = true, .bidirectional = true}); }, numbers({2, 3, 2}));
  l.add("dropout", [] { return nn::LSTM(2, 2, {.num_layers = 2, .dropout = 0.5}); }, numbers({2, 2, 2}))
      .same_in_training = false;
  l.add([] { return nn::GRU(3, 2, {.bias = false}); }, numbers({3, 1, 3}));
  l.add("one sequence", [] { return nn::GRU(3, 2, {.batch_first = true}); }, numbers({3, 3}));
  l.add([] { return nn::RNNCell(3, 2); }, numbers({4, 3}));
  l.add("relu", [] { return nn::RNNCell(3, 2, {.bias = false, .nonlinearity = nn::Nonlinearity::relu}); },
        numbers({2, 3}));
  l.add([] { return nn::GRUCell(3, 2); }, numbers({2, 3}));
  l.add("no batch", [] { return nn::GRUCell(3, 2, {.bias = false}); }, numbers({3}));
  l.add([] { return nn::LSTMCell(2, 3); }, numbers({2, 2}));
  l.add([] { return nn::MultiHeadAttention(4, 2); }, numbers({3, 2, 4}));
  l.add([] { return nn::TransformerEncoderLayer(4, 2, {.dim_feedforward = 3, .dropout = 0, .norm_first = true}); },
        numbers({2, 2, 4}));
  l.add([] { return Decoding(); }, numbers({2, 2, 4})).name = "TransformerDecoderLayer";
  l.add([] {
    return nn::TransformerEncoder(nn::TransformerEncoderLayer(4, 2, {.dim_feedforward = 3, .dropout = 0}), 2,
                                  nn::LayerNorm(4));
  }, numbers({2, 2, 4}));
  l.add([] { return StackDecoding(); }, numbers({2, 2, 4})).name = "TransformerDecoder";
  l.add([] { return nn::SinusoidalEncoding(4); }, numbers({3, 2, 4}));
  l.add([] { return nn::LearnedEncoding(5, 4); }, numbers({3, 2, 4}));
}

void containers(List& l) {
  l.add([] { return nn::Sequential{nn::Dense(3, 4), xtape::tanh, nn::Dense(2)}; }, numbers({2, 3}));
  l.add([] { return Listed(); }, numbers({2, 3})).name = "ModuleList";
  l.add([] { return Named(); }, numbers({2, 3})).name = "ModuleDict";
  l.add([] { return nn::Residual{nn::Sequential{nn::Dense(3, 4), nn::Tanh(), nn::Dense(3)}}; }, numbers({2, 3}));
  l.add("shortcut", [] { return nn::Residual{nn::Dense(3, 4), nn::Dense(3, 4, {.bias = false})}; }, numbers({2, 3}));
  l.add([] { return nn::Lambda([](const Variable& x) { return sin(x) * x; }, "sin(x) x"); }, numbers({2, 3}));
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Sample& sample) {
  return out << sample.name << (sample.text.empty() ? "" : ", " + sample.text);
}

const std::vector<Sample>& all() {
  static const std::vector<Sample> list = [] {
    List l;
    for (auto family : {linear, bags, convolutions, pooling, shaping, norms, activations, sequences, containers}) family(l);
    return l.samples;
  }();
  return list;
}

}  // namespace layer_samples
