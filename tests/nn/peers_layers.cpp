// Layers against libtorch's, in float64: outputs in training and evaluation, the gradients of the input and of every
// parameter, running statistics. Optional, like libtorch.
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <nn/nn.hpp>
#include <tests/torch_support.hpp>

namespace {

using torch::Tensor;
using xtape::Variable;
using xtape::float64;
using xtape::testing::difference;
using xtape::testing::to_torch;
namespace nn = xtape::nn;

struct Case {
  std::string name;
  std::function<std::shared_ptr<nn::Module>()> own;
  std::shared_ptr<torch::nn::Module> other;
  std::function<Tensor(const Tensor&)> forward;
  xtape::Shape input;
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

// Numbers that are the same each time.
Variable numbers(const xtape::Shape& shape, std::uint64_t seed) {
  xtape::Generator generator(seed);
  return Variable(generator.uniform(shape, -1.5, 2, float64));
}

// With one parameter as a product of a direction and a length.
struct TorchWeightNormImpl : torch::nn::Module {
  Tensor g, v, bias;
  std::function<Tensor(const Tensor&, const Tensor&, const Tensor&)> call;
  TorchWeightNormImpl(torch::IntArrayRef shape, std::function<Tensor(const Tensor&, const Tensor&, const Tensor&)> f)
      : call(std::move(f)) {
    std::vector<std::int64_t> lengths(shape.size(), 1);
    lengths[0] = shape[0];
    g = register_parameter("weight_g", torch::zeros(lengths));
    v = register_parameter("weight_v", torch::zeros(shape));
    bias = register_parameter("bias", torch::zeros({shape[0]}));
  }
  Tensor forward(const Tensor& x) { return call(x, torch::_weight_norm(v, g, 0), bias); }
};

TORCH_MODULE(TorchWeightNorm);

template <class Own, class Holder>
Case& add(std::vector<Case>& l, const std::string& name, const Own& own, Holder other, const xtape::Shape& input) {
  auto make = [own]() -> std::shared_ptr<nn::Module> {
    nn::ModuleList knows_the_class{own()};
    return knows_the_class[0];
  };
  return l.emplace_back(Case{name, make, other.ptr(), [other](const Tensor& x) mutable { return other->forward(x); },
                             input});
}

std::vector<Case> kernels() {
  namespace t = torch::nn;
  std::vector<Case> l;
  add(l, "Dense", [] { return nn::Dense(3, 4); }, t::Linear(3, 4), {5, 3});
  add(l, "Dense, no bias", [] { return nn::Dense(3, 4, {.bias = false}); },
      t::Linear(t::LinearOptions(3, 4).bias(false)), {2, 5, 3});
  add(l, "Conv1D", [] { return nn::Conv1D(4, 6, 3, {.stride = 2, .padding = 2, .dilation = 2, .groups = 2}); },
      t::Conv1d(t::Conv1dOptions(4, 6, 3).stride(2).padding(2).dilation(2).groups(2)), {2, 4, 9});
  add(l, "Conv1D, same, uneven", [] { return nn::Conv1D(2, 3, 4, {.padding = "same"}); },
      t::Conv1d(t::Conv1dOptions(2, 3, 4).padding(torch::kSame)), {2, 2, 7});
  add(l, "Conv1D, same, shorter than the window",
      [] { return nn::Conv1D(2, 3, 6, {.padding = "same", .dilation = 2}); },
      t::Conv1d(t::Conv1dOptions(2, 3, 6).padding(torch::kSame).dilation(2)), {2, 2, 3});
  add(l, "Conv2D", [] { return nn::Conv2D(3, 4, {3, 2}, {.stride = {1, 2}, .padding = {2, 1}}); },
      t::Conv2d(t::Conv2dOptions(3, 4, {3, 2}).stride({1, 2}).padding({2, 1})), {2, 3, 6, 5});
  add(l, "Conv2D, same", [] { return nn::Conv2D(2, 4, {4, 3}, {.padding = "same", .dilation = {1, 3}, .groups = 2}); },
      t::Conv2d(t::Conv2dOptions(2, 4, {4, 3}).padding(torch::kSame).dilation({1, 3}).groups(2)), {2, 2, 6, 5});
  add(l, "Conv2D, valid", [] { return nn::Conv2D(2, 2, 3, {.padding = "valid"}); },
      t::Conv2d(t::Conv2dOptions(2, 2, 3).padding(torch::kValid)), {2, 2, 6, 5});
  add(l, "Conv2D, channels from the input", [] { return nn::Conv2D(2, 3, {.bias = false}); },
      t::Conv2d(t::Conv2dOptions(3, 2, 3).bias(false)), {2, 3, 4, 5});
  add(l, "Conv1D, replicate",
      [] { return nn::Conv1D(2, 3, 3, {.padding = 4, .padding_mode = xtape::PadMode::replicate}); },
      t::Conv1d(t::Conv1dOptions(2, 3, 3).padding(4).padding_mode(torch::kReplicate)), {2, 2, 3});
  add(l, "Conv2D, reflect",
      [] { return nn::Conv2D(3, 4, 3, {.stride = 2, .padding = {2, 1}, .padding_mode = xtape::PadMode::reflect}); },
      t::Conv2d(t::Conv2dOptions(3, 4, 3).stride(2).padding({2, 1}).padding_mode(torch::kReflect)), {2, 3, 6, 5});
  add(l, "Conv2D, circular",
      [] { return nn::Conv2D(2, 2, {4, 3}, {.padding = {1, 2}, .padding_mode = xtape::PadMode::circular}); },
      t::Conv2d(t::Conv2dOptions(2, 2, {4, 3}).padding({1, 2}).padding_mode(torch::kCircular)), {2, 2, 6, 5});
  add(l, "Conv3D", [] { return nn::Conv3D(2, 3, {2, 3, 1}, {.padding = {1, 0, 0}}); },
      t::Conv3d(t::Conv3dOptions(2, 3, {2, 3, 1}).padding({1, 0, 0})), {1, 2, 3, 4, 2});
  add(l, "Conv3D, same", [] { return nn::Conv3D(1, 2, 2, {.padding = "same"}); },
      t::Conv3d(t::Conv3dOptions(1, 2, 2).padding(torch::kSame)), {2, 1, 3, 3, 2});
  add(l, "ConvTranspose1D",
      [] { return nn::ConvTranspose1D(4, 6, 3, {.stride = 3, .output_padding = 2, .groups = 2}); },
      t::ConvTranspose1d(t::ConvTranspose1dOptions(4, 6, 3).stride(3).output_padding(2).groups(2)), {2, 4, 5});
  add(l, "ConvTranspose2D", [] { return nn::ConvTranspose2D(3, 2, 4, 2, 1); },
      t::ConvTranspose2d(t::ConvTranspose2dOptions(3, 2, 4).stride(2).padding(1)), {2, 3, 4, 3});
  add(l, "ConvTranspose2D, dilated",
      [] { return nn::ConvTranspose2D(3, 2, {3, 2}, {.padding = {1, 0}, .dilation = 2}); },
      t::ConvTranspose2d(t::ConvTranspose2dOptions(3, 2, {3, 2}).padding({1, 0}).dilation(2)), {2, 3, 4, 3});
  add(l, "ConvTranspose3D", [] { return nn::ConvTranspose3D(2, 3, 2, {.stride = 2}); },
      t::ConvTranspose3d(t::ConvTranspose3dOptions(2, 3, 2).stride(2)), {1, 2, 2, 3, 2});
  add(l, "WeightNorm of Dense", [] { return nn::WeightNorm(nn::Dense(3, 4)); },
      TorchWeightNorm(torch::IntArrayRef{4, 3}, [](auto& x, auto& w, auto& b) { return torch::linear(x, w, b); }),
      {5, 3});
  add(l, "WeightNorm of Conv2D", [] { return nn::WeightNorm(nn::Conv2D(2, 4, 3)); },
      TorchWeightNorm(torch::IntArrayRef{4, 2, 3, 3}, [](auto& x, auto& w, auto& b) { return torch::conv2d(x, w, b); }),
      {2, 2, 4, 5});
  return l;
}

std::vector<Case> norms() {
  namespace t = torch::nn;
  std::vector<Case> l;
  add(l, "BatchNorm1D", [] { return nn::BatchNorm1D(3); }, t::BatchNorm1d(3), {6, 3});
  add(l, "BatchNorm1D, many channels", [] { return nn::BatchNorm1D(70); }, t::BatchNorm1d(70), {6, 70});
  add(l, "BatchNorm1D with a length", [] { return nn::BatchNorm1D(3, {.epsilon = 1e-3, .momentum = 0.3}); },
      t::BatchNorm1d(t::BatchNorm1dOptions(3).eps(1e-3).momentum(0.3)), {2, 3, 40});
  add(l, "BatchNorm2D", [] { return nn::BatchNorm2D(4); }, t::BatchNorm2d(4), {3, 4, 5, 7});
  add(l, "BatchNorm2D, cumulative", [] { return nn::BatchNorm2D(4, {.momentum = std::nullopt}); },
      t::BatchNorm2d(t::BatchNorm2dOptions(4).momentum(c10::nullopt)), {3, 4, 2, 3});
  add(l, "BatchNorm2D, plain", [] { return nn::BatchNorm2D(4, {.affine = false}); },
      t::BatchNorm2d(t::BatchNorm2dOptions(4).affine(false)), {3, 4, 2, 3});
  add(l, "BatchNorm2D, untracked", [] { return nn::BatchNorm2D(4, {.track_running_stats = false}); },
      t::BatchNorm2d(t::BatchNorm2dOptions(4).track_running_stats(false)), {3, 4, 2, 3});
  add(l, "BatchNorm3D", [] { return nn::BatchNorm3D(3, {.momentum = 0.2}); },
      t::BatchNorm3d(t::BatchNorm3dOptions(3).momentum(0.2)), {2, 3, 2, 4, 3});
  add(l, "LayerNorm", [] { return nn::LayerNorm(5); }, t::LayerNorm(t::LayerNormOptions({5})), {4, 5});
  add(l, "LayerNorm over two axes", [] { return nn::LayerNorm({3, 40}, {.epsilon = 1e-2}); },
      t::LayerNorm(t::LayerNormOptions({3, 40}).eps(1e-2)), {2, 4, 3, 40});
  add(l, "GroupNorm", [] { return nn::GroupNorm(2, 6); }, t::GroupNorm(2, 6), {3, 6, 4, 5});
  add(l, "InstanceNorm of lengths", [] { return nn::InstanceNorm(3); }, t::InstanceNorm1d(3), {2, 3, 5});
  add(l, "InstanceNorm of images", [] { return nn::InstanceNorm(3, {.affine = true, .track_running_stats = true}); },
      t::InstanceNorm2d(t::InstanceNorm2dOptions(3).affine(true).track_running_stats(true)), {2, 3, 4, 5});
  return l;
}

std::vector<Case> others() {
  namespace t = torch::nn;
  std::vector<Case> l;
  add(l, "MaxPool1D", [] { return nn::MaxPool1D(3, {.stride = 2, .padding = 1}); },
      t::MaxPool1d(t::MaxPool1dOptions(3).stride(2).padding(1)), {2, 3, 8});
  add(l, "MaxPool2D", [] { return nn::MaxPool2D({2, 3}); }, t::MaxPool2d(t::MaxPool2dOptions({2, 3})), {2, 3, 5, 7});
  add(l, "MaxPool3D", [] { return nn::MaxPool3D({2, 3, 2}, {.stride = {1, 2, 2}, .padding = {1, 1, 0}}); },
      t::MaxPool3d(t::MaxPool3dOptions({2, 3, 2}).stride({1, 2, 2}).padding({1, 1, 0})), {2, 2, 3, 5, 6});
  add(l, "MaxPool3D, dilated", [] { return nn::MaxPool3D(2, {.stride = 1, .dilation = 2}); },
      t::MaxPool3d(t::MaxPool3dOptions(2).stride(1).dilation(2)), {1, 2, 4, 3, 5});
  add(l, "AvgPool1D", [] { return nn::AvgPool1D(3, {.stride = 1, .padding = 1}); },
      t::AvgPool1d(t::AvgPool1dOptions(3).stride(1).padding(1)), {2, 3, 8});
  add(l, "AvgPool2D", [] { return nn::AvgPool2D(2, {.stride = {1, 2}}); },
      t::AvgPool2d(t::AvgPool2dOptions(2).stride({1, 2})), {2, 3, 5, 7});
  add(l, "AvgPool3D", [] { return nn::AvgPool3D(2, {.stride = {1, 2, 1}, .padding = 1}); },
      t::AvgPool3d(t::AvgPool3dOptions(2).stride({1, 2, 1}).padding(1)), {2, 2, 3, 5, 4});
  add(l, "AvgPool3D, ceiling", [] {
    return nn::AvgPool3D(2, {.stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false});
  }, t::AvgPool3d(t::AvgPool3dOptions(2).stride(2).padding(1).ceil_mode(true).count_include_pad(false)),
      {1, 2, 3, 4, 5});
  add(l, "AdaptiveAvgPool1D", [] { return nn::AdaptiveAvgPool1D(3); }, t::AdaptiveAvgPool1d(3), {2, 3, 8});
  add(l, "AdaptiveAvgPool2D", [] { return nn::AdaptiveAvgPool2D({3, 5}); },
      t::AdaptiveAvgPool2d(t::AdaptiveAvgPool2dOptions({3, 5})), {2, 3, 4, 7});
  add(l, "AdaptiveAvgPool3D", [] { return nn::AdaptiveAvgPool3D({2, 1, 3}); },
      t::AdaptiveAvgPool3d(t::AdaptiveAvgPool3dOptions({2, 1, 3})), {2, 2, 3, 2, 5});
  add(l, "Flatten", [] { return nn::Flatten(); }, t::Flatten(), {2, 3, 4});
  add(l, "Upsample, nearest", [] { return nn::Upsample({.scale_factor = {2, 3}}); },
      t::Upsample(t::UpsampleOptions().scale_factor(std::vector<double>{2, 3}).mode(torch::kNearest)), {2, 3, 4, 3});
  add(l, "Upsample, bilinear",
      [] { return nn::Upsample({.size = {7, 5}, .mode = xtape::Interpolation::bilinear}); },
      t::Upsample(t::UpsampleOptions().size(std::vector<std::int64_t>{7, 5}).mode(torch::kBilinear)), {2, 3, 4, 3});
  add(l, "PixelShuffle", [] { return nn::PixelShuffle(2); }, t::PixelShuffle(2), {2, 8, 3, 4});
  add(l, "ReLU", [] { return nn::ReLU(); }, t::ReLU(), {4, 5});
  add(l, "LeakyReLU", [] { return nn::LeakyReLU(); }, t::LeakyReLU(), {4, 5});
  add(l, "PReLU", [] { return nn::PReLU(3); }, t::PReLU(t::PReLUOptions().num_parameters(3)), {4, 3, 5});
  add(l, "ELU, default", [] { return nn::ELU(); }, t::ELU(), {4, 5});
  add(l, "ELU", [] { return nn::ELU(1.5); }, t::ELU(t::ELUOptions().alpha(1.5)), {4, 5});
  add(l, "SELU", [] { return nn::SELU(); }, t::SELU(), {4, 5});
  add(l, "GELU", [] { return nn::GELU(); }, t::GELU(), {4, 5});
  add(l, "GELU, tanh", [] { return nn::GELU("tanh"); }, t::GELU(t::GELUOptions().approximate("tanh")), {4, 5});
  add(l, "SiLU", [] { return nn::SiLU(); }, t::SiLU(), {4, 5});
  add(l, "Mish", [] { return nn::Mish(); }, t::Mish(), {4, 5});
  add(l, "Sigmoid", [] { return nn::Sigmoid(); }, t::Sigmoid(), {4, 5});
  add(l, "Tanh", [] { return nn::Tanh(); }, t::Tanh(), {4, 5});
  add(l, "Softplus", [] { return nn::Softplus(2, 3); }, t::Softplus(t::SoftplusOptions().beta(2).threshold(3)), {4, 5});
  add(l, "Softplus, default", [] { return nn::Softplus(); }, t::Softplus(), {4, 5});
  add(l, "PReLU, default", [] { return nn::PReLU(); }, t::PReLU(), {4, 5});
  add(l, "Softsign", [] { return nn::Softsign(); }, t::Softsign(), {4, 5});
  add(l, "Hardtanh", [] { return nn::Hardtanh(-0.5, 1.2); },
      t::Hardtanh(t::HardtanhOptions().min_val(-0.5).max_val(1.2)), {4, 5});
  add(l, "Hardtanh, default", [] { return nn::Hardtanh(); }, t::Hardtanh(), {4, 5});
  add(l, "Softmax", [] { return nn::Softmax(1); }, t::Softmax(1), {4, 5, 2});
  add(l, "LogSoftmax", [] { return nn::LogSoftmax(); }, t::LogSoftmax(-1), {4, 5, 2});
  return l;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (auto family : {kernels, norms, others})
    for (Case& c : family()) all.push_back(std::move(c));
  return all;
}

// The name of the same parameter or buffer in libtorch: wrappers have the layer's own beside theirs.
std::string peer_name(const std::string& name) { return name.rfind("module.", 0) == 0 ? name.substr(7) : name; }

void set_values(const Case& c, const nn::Module& own) {
  torch::NoGradGuard guard;
  auto parameters = c.other->named_parameters();
  auto named = own.named_parameters();
  BOOST_REQUIRE(named.size() == parameters.size());
  std::uint64_t seed = 20;
  for (auto& [name, x] : named) {
    xtape::NoGrad no_grad;
    x.assign(numbers(x.shape(), seed++));
    parameters[peer_name(name)].copy_(to_torch(x));
  }
}

constexpr double tolerance = 1e-9;

}  // namespace

BOOST_AUTO_TEST_SUITE(peers_layers)

BOOST_DATA_TEST_CASE(outputs_gradients_and_statistics, cases(), c) {
  auto own = c.own();
  own->to(float64);
  c.other->to(torch::kFloat64);
  if (!own->materialized()) own->forward(numbers(c.input, 1));
  set_values(c, *own);
  for (std::uint64_t step = 0; step < 4; ++step) {
    bool training = step < 3;
    own->train(training);
    c.other->train(training);
    own->zero_grad();
    c.other->zero_grad();
    Variable x = numbers(c.input, 2 + step).requires_grad_();
    Tensor tx = to_torch(x).requires_grad_();
    Variable y = (*own)(x);
    Tensor ty = c.forward(tx);
    BOOST_TEST(difference(y, ty) <= tolerance, "output, step " << step);
    Variable weights = numbers(y.shape(), 9 + step);
    y.backward(weights);
    ty.backward(to_torch(weights));
    BOOST_TEST(difference(x.grad(), tx.grad()) <= tolerance, "gradient of the input, step " << step);
    auto parameters = c.other->named_parameters();
    for (const auto& [name, p] : own->named_parameters())
      BOOST_TEST(difference(p.grad(), parameters[peer_name(name)].grad()) <= tolerance,
                 "gradient of " << name << ", step " << step);
    auto buffers = c.other->named_buffers();
    auto named = own->named_buffers();
    BOOST_TEST(named.size() == buffers.size());
    for (const auto& [name, b] : named)
      BOOST_TEST(difference(b, buffers[name]) <= tolerance, name << ", step " << step);
  }
}

BOOST_AUTO_TEST_CASE(bilinear) {
  nn::Bilinear own(3, 4, 5, {.dtype = float64});
  torch::nn::Bilinear other(3, 4, 5);
  other->to(torch::kFloat64);
  {
    torch::NoGradGuard guard;
    other->weight.copy_(to_torch(own.weight));
    other->bias.copy_(to_torch(own.bias));
  }
  Variable a = numbers({2, 6, 3}, 1).requires_grad_(), b = numbers({2, 6, 4}, 2).requires_grad_();
  Tensor ta = to_torch(a).requires_grad_(), tb = to_torch(b).requires_grad_();
  Variable y = own(a, b), weights = numbers(y.shape(), 3);
  Tensor ty = other->forward(ta, tb);
  BOOST_TEST(difference(y, ty) <= tolerance);
  y.backward(weights);
  ty.backward(to_torch(weights));
  BOOST_TEST(difference(a.grad(), ta.grad()) <= tolerance);
  BOOST_TEST(difference(b.grad(), tb.grad()) <= tolerance);
  BOOST_TEST(difference(own.weight.grad(), other->weight.grad()) <= tolerance);
  BOOST_TEST(difference(own.bias.grad(), other->bias.grad()) <= tolerance);
}

BOOST_AUTO_TEST_CASE(embedding_with_padding) {
  nn::Embedding own(5, 3, {.padding_idx = 2, .dtype = float64});
  torch::nn::Embedding other(torch::nn::EmbeddingOptions(5, 3).padding_idx(2));
  other->to(torch::kFloat64);
  {
    torch::NoGradGuard guard;
    other->weight.copy_(to_torch(own.weight));
  }
  BOOST_TEST(max(abs(own.weight[2])).item() == 0);
  Variable indices({{0, 2, 4}, {2, 4, 4}}, xtape::int64);
  Variable y = own(indices), weights = numbers(y.shape(), 3);
  Tensor ty = other->forward(to_torch(indices));
  BOOST_TEST(difference(y, ty) <= tolerance);
  y.backward(weights);
  ty.backward(to_torch(weights));
  BOOST_TEST(difference(own.weight.grad(), other->weight.grad()) <= tolerance);
}

// libtorch's C++ frontend rounds max_norm to float.
BOOST_AUTO_TEST_CASE(embedding_with_options) {
  nn::Embedding own(5, 3, {.max_norm = 1.25, .norm_type = 3, .scale_grad_by_freq = true, .dtype = float64});
  torch::nn::Embedding other(torch::nn::EmbeddingOptions(5, 3).max_norm(1.25).norm_type(3).scale_grad_by_freq(true));
  other->to(torch::kFloat64);
  {
    torch::NoGradGuard guard;
    other->weight.copy_(to_torch(own.weight));
  }
  Variable indices({{0, 2, 4}, {2, 4, 4}}, xtape::int64);
  Variable y = own(indices), weights = numbers(y.shape(), 3);
  Tensor ty = other->forward(to_torch(indices));
  BOOST_TEST(difference(y, ty) <= tolerance);
  BOOST_TEST(difference(own.weight, other->weight.detach()) <= tolerance);
  y.backward(weights);
  ty.backward(to_torch(weights));
  BOOST_TEST(difference(own.weight.grad(), other->weight.grad()) <= tolerance);
}

BOOST_AUTO_TEST_CASE(embedding_bags) {
  auto compare = [](nn::EmbeddingBagOptions options, torch::nn::EmbeddingBagOptions torch_options, const Variable& indices,
                    const Variable& offsets, bool weighted, const std::string& what) {
    options.dtype = float64;
    nn::EmbeddingBag own(7, 3, options);
    torch::nn::EmbeddingBag other(torch_options);
    other->to(torch::kFloat64);
    {
      torch::NoGradGuard guard;
      other->weight.copy_(to_torch(own.weight));
    }
    Variable w = weighted ? numbers(indices.shape(), 5).requires_grad_() : Variable();
    Tensor tw = weighted ? to_torch(w).requires_grad_() : Tensor();
    Variable y = own(indices, offsets, w), weights = numbers(y.shape(), 3);
    Tensor ty = other->forward(to_torch(indices), offsets.defined() ? to_torch(offsets) : Tensor(), tw);
    BOOST_TEST(difference(y, ty) <= tolerance, what << ": output");
    BOOST_TEST(difference(own.weight, other->weight.detach()) <= tolerance, what << ": table");
    y.backward(weights);
    ty.backward(to_torch(weights));
    BOOST_TEST(difference(own.weight.grad(), other->weight.grad()) <= tolerance, what << ": gradient of the table");
    if (weighted) BOOST_TEST(difference(w.grad(), tw.grad()) <= tolerance, what << ": gradient of the weights");
  };
  Variable pairs({{0, 2, 4}, {2, 6, 4}}, xtape::int64), list({1, 3, 2, 2, 5, 2, 4}, xtape::int64);
  Variable offsets({0, 2, 2, 3, 6}, xtape::int64), with_last({0, 2, 5, 7}, xtape::int64);
  for (nn::BagMode mode : {nn::BagMode::sum, nn::BagMode::mean, nn::BagMode::max})
    for (bool padded : {false, true}) {
      torch::nn::EmbeddingBagOptions options(7, 3);
      if (mode == nn::BagMode::sum) options.mode(torch::kSum);
      if (mode == nn::BagMode::mean) options.mode(torch::kMean);
      if (mode == nn::BagMode::max) options.mode(torch::kMax);
      nn::EmbeddingBagOptions own{.mode = mode};
      if (padded) own.padding_idx = 2, options.padding_idx(2);
      std::string what = "mode " + std::to_string(static_cast<int>(mode)) + (padded ? ", padded" : "");
      compare(own, options, pairs, {}, false, what + ", pairs");
      compare(own, options, list, offsets, false, what + ", offsets");
      if (mode != nn::BagMode::sum) continue;
      compare(own, options, pairs, {}, true, what + ", pairs, weights");
      compare(own, options, list, offsets, true, what + ", offsets, weights");
    }
  for (nn::BagMode mode : {nn::BagMode::sum, nn::BagMode::mean}) {
    torch::nn::EmbeddingBagOptions options(7, 3);
    if (mode == nn::BagMode::sum) options.mode(torch::kSum);
    options.include_last_offset(true).max_norm(1.125);
    compare({.mode = mode, .max_norm = 1.125, .include_last_offset = true}, options, list, with_last, false, "options");
  }
}

BOOST_AUTO_TEST_SUITE_END()
