// Losses against those of libtorch: values, gradients, and gradients of gradients.
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <nn/losses.hpp>
#include <tests/torch_orders.hpp>

namespace {

namespace nn = xtape::nn;
namespace F = torch::nn::functional;
using nn::Reduction;
using samples::numbers;
using torch::Tensor;
using xtape::Variable;
using Variables = std::vector<Variable>;
using Tensors = std::vector<Tensor>;
using xtape::testing::agree_in_all_orders;
using xtape::testing::to_torch;
using Case = xtape::testing::PeerCase;

// An option of libtorch's with this reduction.
template <class Options>
Options with(Options options, Reduction reduction) {
  if (reduction == Reduction::mean) return options.reduction(torch::kMean);
  if (reduction == Reduction::sum) return options.reduction(torch::kSum);
  return options.reduction(torch::kNone);
}

Tensor reduced(const Tensor& losses, Reduction reduction) {
  return reduction == Reduction::mean ? losses.mean() : reduction == Reduction::sum ? losses.sum() : losses;
}

Variable integers(std::initializer_list<xtape::Nested> values) { return Variable(values, xtape::int64); }

void add_regression(std::vector<Case>& l, const std::string& name, Reduction r) {
  Variable x = numbers({4, 3}), y = numbers({4, 3}, -1.9, 2.1), rate = numbers({4, 3}, 0.2, 3),
           count = numbers({4, 3}, 0.3, 6);
  l.push_back({"mse" + name, {x, y}, [=](auto& v) { return nn::mse_loss(v[0], v[1], {r}); },
               [=](auto& v) { return F::mse_loss(v[0], v[1], with(F::MSELossFuncOptions(), r)); }});
  l.push_back({"mae" + name, {x, y}, [=](auto& v) { return nn::mae_loss(v[0], v[1], {r}); },
               [=](auto& v) { return F::l1_loss(v[0], v[1], with(F::L1LossFuncOptions(), r)); }});
  for (double bend : {0.5, 1.0, 2.5}) {
    l.push_back({"huber" + name, {x, y}, [=](auto& v) { return nn::huber_loss(v[0], v[1], {r, bend}); },
                 [=](auto& v) { return F::huber_loss(v[0], v[1], with(F::HuberLossFuncOptions().delta(bend), r)); }});
    l.push_back({"smooth_l1" + name, {x, y}, [=](auto& v) { return nn::smooth_l1_loss(v[0], v[1], {r, bend}); },
                 [=](auto& v) { return F::smooth_l1_loss(v[0], v[1], with(F::SmoothL1LossFuncOptions(), r), bend); }});
  }
  for (bool log_input : {false, true})
    for (bool full : {false, true})
      l.push_back({"poisson" + name,
                   {rate, count},
                   [=](auto& v) {
                     return nn::poisson_nll_loss(v[0], v[1], {.log_input = log_input, .full = full, .reduction = r});
                   },
                   [=](auto& v) {
                     return F::poisson_nll_loss(
                         v[0], v[1], with(F::PoissonNLLLossFuncOptions().log_input(log_input).full(full), r));
                   }});
  // libtorch's C++ frontend has no such loss: its definition, from the documentation.
  for (bool full : {false, true})
    l.push_back({"gaussian" + name, {x, y, rate},
                 [=](auto& v) { return nn::gaussian_nll_loss(v[0], v[1], v[2], {.full = full, .reduction = r}); },
                 [=](auto& v) {
                   Tensor losses = 0.5 * (torch::log(v[2]) + (v[0] - v[1]).square() / v[2]);
                   return reduced(full ? losses + 0.5 * std::log(2 * M_PI) : losses, r);
                 }});
}

void add_softmax(std::vector<Case>& l, const std::string& name, Reduction r) {
  Variable x = numbers({6, 5}, -4, 4), p = softmax(numbers({6, 5}, -1, 2)), image = numbers({2, 5, 3, 4}, -3, 3);
  Variable weights = numbers({5}, 0.2, 2), none;
  Variable labels = integers({3, 0, 4, 1, 1, 2}), some = integers({3, -100, 4, 1, -100, 2});
  Variable image_labels = argmax(numbers({2, 3, 4, 5}), 3);
  for (double smoothing : {0.0, 0.1, 0.7})
    for (const Variable& w : {none, weights}) {
      auto options = [=](std::int64_t ignore, std::ptrdiff_t axis) {
        return nn::SoftmaxCrossEntropyOptions{w, ignore, r, smoothing, 1, axis};
      };
      auto peer = [=](std::int64_t ignore) {
        auto result = with(F::CrossEntropyFuncOptions().label_smoothing(smoothing).ignore_index(ignore), r);
        return w.defined() ? result.weight(to_torch(w)) : result;
      };
      l.push_back({"softmax_cross_entropy" + name, {x},
                   [=](auto& v) { return nn::softmax_cross_entropy(v[0], labels, options(-100, -1)); },
                   [=](auto& v) { return F::cross_entropy(v[0], to_torch(labels), peer(-100)); }});
      for (std::int64_t ignore : {-100, 1})
        l.push_back(
            {"softmax_cross_entropy ignore" + name + " " + std::to_string(ignore) + " " + std::to_string(smoothing) +
                 (w.defined() ? " weights" : ""),
             {x},
             [=](auto& v) { return nn::softmax_cross_entropy(v[0], ignore == 1 ? labels : some, options(ignore, -1)); },
             [=](auto& v) { return F::cross_entropy(v[0], to_torch(ignore == 1 ? labels : some), peer(ignore)); }});
      l.push_back({"softmax_cross_entropy probabilities" + name, {x, p},
                   [=](auto& v) { return nn::softmax_cross_entropy(v[0], v[1], options(-100, -1)); },
                   [=](auto& v) { return F::cross_entropy(v[0], v[1], peer(-100)); }});
      l.push_back({"softmax_cross_entropy of images" + name, {image},
                   [=](auto& v) { return nn::softmax_cross_entropy(v[0], image_labels, options(-100, 1)); },
                   [=](auto& v) { return F::cross_entropy(v[0], to_torch(image_labels), peer(-100)); }});
    }
  l.push_back(
      {"softmax_cross_entropy, temperature" + name,
       {x},
       [=](auto& v) { return nn::softmax_cross_entropy(v[0], labels, {.reduction = r, .temperature = 3}); },
       [=](auto& v) { return F::cross_entropy(v[0] / 3, to_torch(labels), with(F::CrossEntropyFuncOptions(), r)); }});
  for (const Variable& w : {none, weights}) {
    auto peer = with(F::NLLLossFuncOptions(), r);
    if (w.defined()) peer.weight(to_torch(w));
    l.push_back({"nll" + name, {log_softmax(x)},
                 [=](auto& v) { return nn::nll_loss(v[0], some, {.class_weights = w, .reduction = r}); },
                 [=](auto& v) { return F::nll_loss(v[0], to_torch(some), peer); }});
    l.push_back(
        {"nll of images" + name,
         {log_softmax(image, 1)},
         [=](auto& v) { return nn::nll_loss(v[0], image_labels, {.class_weights = w, .reduction = r, .axis = 1}); },
         [=](auto& v) { return F::nll_loss(v[0], to_torch(image_labels), peer); }});
  }
}

void add_classification(std::vector<Case>& l, const std::string& name, Reduction r) {
  Variable x = numbers({4, 3}, -4, 4), y = numbers({4, 3}, 0.02, 0.98, 0), p = numbers({4, 3}, 0.03, 0.97, 0);
  Variable weight = numbers({3}, 0.2, 2), positive = numbers({3}, 0.5, 3), row = numbers({4, 1}, 0.3, 2);
  l.push_back({"sigmoid_cross_entropy" + name,
               {x, y},
               [=](auto& v) { return nn::sigmoid_cross_entropy(v[0], v[1], {.reduction = r}); },
               [=](auto& v) {
                 return F::binary_cross_entropy_with_logits(v[0], v[1],
                                                            with(F::BinaryCrossEntropyWithLogitsFuncOptions(), r));
               }});
  l.push_back({"sigmoid_cross_entropy, weights" + name,
               {x, y},
               [=](auto& v) {
                 return nn::sigmoid_cross_entropy(v[0], v[1], {row, r, positive});
               },
               [=](auto& v) {
                 auto options =
                     F::BinaryCrossEntropyWithLogitsFuncOptions().weight(to_torch(row)).pos_weight(to_torch(positive));
                 return F::binary_cross_entropy_with_logits(v[0], v[1], with(options, r));
               }});
  l.push_back({"sigmoid_cross_entropy, far" + name,
               {x * 100, y},
               [=](auto& v) { return nn::sigmoid_cross_entropy(v[0], v[1], {.reduction = r}); },
               [=](auto& v) {
                 return F::binary_cross_entropy_with_logits(v[0], v[1],
                                                            with(F::BinaryCrossEntropyWithLogitsFuncOptions(), r));
               }});
  l.push_back({"binary_cross_entropy" + name,
               {p, y},
               [=](auto& v) {
                 return nn::binary_cross_entropy(v[0], v[1], {weight, r});
               },
               [=](auto& v) {
                 return F::binary_cross_entropy(v[0], v[1],
                                                with(F::BinaryCrossEntropyFuncOptions().weight(to_torch(weight)), r));
               }});
  l.back().orders = 1;  // in its second, libtorch adds 1e-12 to p
  Variable edges({0.0, 1.0, 0.0, 1.0, 1e-13, 0.3}, xtape::float64),
      sides({1.0, 0.0, 0.0, 1.0, 1.0, 0.0}, xtape::float64);
  l.push_back({"binary_cross_entropy at the edges" + name,
               {edges},
               [=](auto& v) { return nn::binary_cross_entropy(v[0], sides, {.reduction = r}); },
               [=](auto& v) {
                 return F::binary_cross_entropy(v[0], to_torch(sides), with(F::BinaryCrossEntropyFuncOptions(), r));
               },
               1});
  for (bool logarithms : {false, true})
    l.push_back({"kl_divergence" + name, {log(p), logarithms ? log(y) : y},
                 [=](auto& v) { return nn::kl_divergence(v[0], v[1], {r, logarithms}); },
                 [=](auto& v) {
                   F::KLDivFuncOptions options = F::KLDivFuncOptions().log_target(logarithms);
                   return F::kl_div(v[0], v[1], with(options, r));
                 }});
  l.push_back({"kl_divergence, batchmean" + name, {log(p), y},
               [=](auto& v) { return nn::kl_divergence(v[0], v[1], {Reduction::batchmean}); },
               [=](auto& v) { return F::kl_div(v[0], v[1], F::KLDivFuncOptions().reduction(torch::kBatchMean)); }});
  // libtorch has no such loss: its definition.
  Variable signs = sign(numbers({4, 3}));
  l.push_back({"hinge" + name, {x}, [=](auto& v) { return nn::hinge_loss(v[0], signs, {r}); },
               [=](auto& v) { return reduced(torch::clamp_min(1 - to_torch(signs) * v[0], 0), r); }});
}

void add_distances(std::vector<Case>& l, const std::string& name, Reduction r) {
  Variable x = numbers({4, 3}), y = numbers({4, 3}, -1.9, 2.1), z = numbers({4, 3}, -1, 3),
           signs = integers({1, -1, -1, 1});
  Variable grid = integers({{1, -1, 1}, {1, 1, -1}, {-1, -1, 1}, {1, -1, -1}});
  l.push_back({"hinge_embedding" + name,
               {x},
               [=](auto& v) {
                 return nn::hinge_embedding_loss(v[0], grid, {0.8, r});
               },
               [=](auto& v) {
                 return F::hinge_embedding_loss(v[0], to_torch(grid),
                                                with(F::HingeEmbeddingLossFuncOptions().margin(0.8), r));
               }});
  for (double margin : {-0.5, 0.0, 0.5})
    l.push_back({"cosine_embedding" + name,
                 {x, z},
                 [=](auto& v) {
                   return nn::cosine_embedding_loss(v[0], v[1], signs, {margin, r});
                 },
                 [=](auto& v) {
                   return F::cosine_embedding_loss(v[0], v[1], to_torch(signs),
                                                   with(F::CosineEmbeddingLossFuncOptions().margin(margin), r));
                 }});
  for (double margin : {-0.5, 0.0, 0.7})
    l.push_back({"margin_ranking" + name,
                 {x, y},
                 [=](auto& v) {
                   return nn::margin_ranking_loss(v[0], v[1], grid, {margin, r});
                 },
                 [=](auto& v) {
                   return F::margin_ranking_loss(v[0], v[1], to_torch(grid),
                                                 with(F::MarginRankingLossFuncOptions().margin(margin), r));
                 }});
  for (double p : {1.0, 2.0, 3.0})
    for (bool swap : {false, true})
      l.push_back({"triplet_margin" + name,
                   {x, y, z},
                   [=](auto& v) {
                     return nn::triplet_margin_loss(v[0], v[1], v[2],
                                                    {.margin = 2, .p = p, .swap = swap, .reduction = r});
                   },
                   [=](auto& v) {
                     auto options = F::TripletMarginLossFuncOptions().margin(2).p(p).swap(swap);
                     return F::triplet_margin_loss(v[0], v[1], v[2], with(options, r));
                   }});
}

void add_ctc(std::vector<Case>& l, const std::string& name, Reduction r) {
  Variable x = numbers({20, 4, 6}, -2, 2, 0), inputs = integers({20, 14, 9, 3}), lengths = integers({5, 7, 0, 2});
  Variable padded =
      integers({{1, 2, 2, 3, 1, 5, 5}, {4, 4, 4, 1, 2, 3, 5}, {1, 1, 1, 1, 1, 1, 1}, {3, 3, 1, 1, 1, 1, 1}});
  Variable joined = integers({1, 2, 2, 3, 1, 4, 4, 4, 1, 2, 3, 5, 3, 3});
  for (const Variable& targets : {padded, joined})
    for (bool zero_infinity : {false, true}) {
      auto options = F::CTCLossFuncOptions().zero_infinity(zero_infinity);
      // Behind log_softmax, whose gradient libtorch's relies on. It has no second derivative.
      l.push_back({"ctc" + name,
                   {x},
                   [=](auto& v) {
                     return nn::ctc_loss(log_softmax(v[0]), targets, inputs, lengths,
                                         {.reduction = r, .zero_infinity = zero_infinity});
                   },
                   [=](auto& v) {
                     return F::ctc_loss(v[0].log_softmax(-1), to_torch(targets), to_torch(inputs), to_torch(lengths),
                                        with(options, r));
                   },
                   1});
    }
  // One that cannot be said.
  Variable short_inputs = integers({20, 14, 9, 2});
  auto options = F::CTCLossFuncOptions().zero_infinity(true);
  l.push_back({"ctc, zero_infinity" + name,
               {x},
               [=](auto& v) {
                 return nn::ctc_loss(log_softmax(v[0]), joined, short_inputs, lengths,
                                     {.reduction = r, .zero_infinity = true});
               },
               [=](auto& v) {
                 return F::ctc_loss(v[0].log_softmax(-1), to_torch(joined), to_torch(short_inputs), to_torch(lengths),
                                    with(options, r));
               },
               1});
}

std::vector<Case> all_cases() {
  std::vector<Case> l;
  for (auto& [r, name] : {std::pair{Reduction::mean, ", mean"}, {Reduction::sum, ", sum"}, {Reduction::none, ", none"}})
    for (auto add : {add_regression, add_softmax, add_classification, add_distances, add_ctc}) add(l, name, r);
  return l;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(peers_losses)

BOOST_DATA_TEST_CASE(losses_agree_with_libtorch, all_cases(), c) { agree_in_all_orders(c, {1e-9, 1e-9, 1e-9}, 0); }

BOOST_AUTO_TEST_SUITE_END()
