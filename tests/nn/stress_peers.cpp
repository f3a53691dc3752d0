// Losses where numbers end, against libtorch: every pair or row of zeros, large numbers, infinities and NaN, in both
// precisions, with the gradients there. Where libtorch has NaN for infinite operands, ours may be a number: that of
// libtorch in the limit, for operands that are very large instead.
#include <cmath>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <nn/nn.hpp>
#include <tests/torch_support.hpp>

namespace {

namespace nn = xtape::nn;
namespace F = torch::nn::functional;
using nn::Reduction;
using torch::Tensor;
using xtape::DType;
using xtape::Variable;
using xtape::testing::to_torch;
using Variables = std::vector<Variable>;
using Tensors = std::vector<Tensor>;

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = NAN;

// A loss of operands (n, ...), with one loss for each of the n; gradients are compared for the first of them.
struct Case {
  std::string name;
  Variables operands;
  std::function<Variable(const Variables&)> own;
  std::function<Tensor(const Tensors&)> other;
  std::size_t with_gradient = 2;
  double tolerance = 1e-10;  ///< in float64
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

Variable numbers(const std::vector<double>& values) {
  Variable x = xtape::zeros({values.size()}, xtape::float64);
  std::copy(values.begin(), values.end(), x.mutable_data<double>());
  return x;
}

// Each of these with each of those, as columns.
Variables products(const std::vector<std::vector<double>>& sets) {
  std::vector<std::vector<double>> columns(sets.size());
  std::size_t count = 1;
  for (const auto& set : sets) count *= set.size();
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t k = 0, rest = i; k < sets.size(); rest /= sets[k++].size())
      columns[k].push_back(sets[k][rest % sets[k].size()]);
  Variables result;
  for (const auto& column : columns) result.push_back(numbers(column));
  return result;
}

// All rows of three of these.
Variable rows(const std::vector<double>& set) { return xtape::stack(products({set, set, set}), 1); }

Variable tiled(const Variable& x, std::size_t times) { return xtape::concatenate(Variables(times, x), 0); }

// The labels 0, 1 and 2, n times each.
Variable labels(std::size_t n) {
  Variable all = xtape::arange(3 * n) / static_cast<std::int64_t>(n);
  return all.to(xtape::int64);
}

const std::vector<double> all_numbers{0, 0.5, 1, -1, 2, 1e4, -1e4, 1e30, -1e30, infinity, -infinity, nan};
const std::vector<double> some_numbers{0, 1, 1e4, -1e4, 1e30, infinity, -infinity, nan};
const std::vector<double> parts{0, 0.25, 0.5, 1};

template <class Options>
Options each(Options options) { return options.reduction(torch::kNone); }

void add_regression(std::vector<Case>& l) {
  Variables both = products({all_numbers, all_numbers});
  const Reduction none = Reduction::none;
  l.push_back({"mse_loss", both, [=](auto& v) { return nn::mse_loss(v[0], v[1], {none}); },
               [=](auto& v) { return F::mse_loss(v[0], v[1], each(F::MSELossFuncOptions())); }});
  l.push_back({"mae_loss", both, [=](auto& v) { return nn::mae_loss(v[0], v[1], {none}); },
               [=](auto& v) { return F::l1_loss(v[0], v[1], each(F::L1LossFuncOptions())); }});
  for (double bend : {0.5, 1.0, 2.5}) {
    l.push_back({"huber_loss", both, [=](auto& v) { return nn::huber_loss(v[0], v[1], {none, bend}); },
                 [=](auto& v) { return F::huber_loss(v[0], v[1], each(F::HuberLossFuncOptions().delta(bend))); }});
    l.push_back({"smooth_l1_loss", both, [=](auto& v) { return nn::smooth_l1_loss(v[0], v[1], {none, bend}); },
                 [=](auto& v) { return F::smooth_l1_loss(v[0], v[1], each(F::SmoothL1LossFuncOptions()), bend); }});
  }
  // The absolute error. The gradient of libtorch's smooth_l1_loss is -1 where operands are equal, that of its l1_loss 0.
  l.push_back({"smooth_l1_loss, no bend", both, [=](auto& v) { return nn::smooth_l1_loss(v[0], v[1], {none, 0}); },
               [=](auto& v) { return F::l1_loss(v[0], v[1], each(F::L1LossFuncOptions())); }});
  for (bool logarithm : {false, true})
    for (bool full : {false, true})
      l.push_back({std::string("poisson_nll_loss") + (logarithm ? ", logarithm" : "") + (full ? ", full" : ""), both,
                   [=](auto& v) { return nn::poisson_nll_loss(v[0], v[1], {logarithm, full, 1e-8, none}); },
                   [=](auto& v) {
                     auto options = F::PoissonNLLLossFuncOptions().log_input(logarithm).full(full);
                     return F::poisson_nll_loss(v[0], v[1], each(options));
                   },
                   full ? 1u : 2u});  // libtorch's by a target of 0 is NaN: log(0) of what does not count
}

void add_gaussian(std::vector<Case>& l) {
  // libtorch 1.13 has it in Python only: its definition there.
  const std::vector<double> variances{0, 1e-8, 1, 1e30, infinity, nan};
  l.push_back({"gaussian_nll_loss", products({all_numbers, all_numbers, variances}),
               [](auto& v) { return nn::gaussian_nll_loss(v[0], v[1], v[2], {.reduction = Reduction::none}); },
               [](auto& v) {
                 Tensor spread = v[2].clone();
                 {
                   torch::NoGradGuard guard;
                   spread.clamp_(1e-6);
                 }
                 return 0.5 * (torch::log(spread) + (v[0] - v[1]).pow(2) / spread);
               },
               3});
}

void add_softmax(std::vector<Case>& l) {
  Variable x = rows(some_numbers), log_p = rows({0, -1, -1e4, -1e30, -infinity, nan});
  Variable y = labels(x.shape(0)), log_y = labels(log_p.shape(0)), w = numbers({0.5, 0, 2});
  Variable certain = xtape::one_hot(y, 3).to(xtape::float64), spread = certain * 0.5 + 1.0 / 6;
  for (const Variable& weights : {Variable(), w}) {
    std::string name = weights.defined() ? ", weights" : "";
    auto typed = [=](DType dtype) { return weights.defined() ? weights.to(dtype) : weights; };
    for (double smoothing : {0.0, 0.3, 1.0}) {
      auto own = [=](const Variable& x, const Variable& y) {
        return nn::softmax_cross_entropy(x, y, {.class_weights = typed(x.dtype()), .reduction = Reduction::none,
                                                .label_smoothing = smoothing});
      };
      auto other = [=](const Tensor& x, const Tensor& y) {
        auto options = F::CrossEntropyFuncOptions().label_smoothing(smoothing);
        if (weights.defined()) options.weight(to_torch(weights).to(x.dtype()));
        return F::cross_entropy(x, y, each(options));
      };
      std::string all = name + ", smoothing " + std::to_string(smoothing);
      l.push_back({"softmax_cross_entropy" + all, {tiled(x, 3)}, [=](auto& v) { return own(v[0], y); },
                   [=](auto& v) { return other(v[0], to_torch(y)); }});
      for (const Variable& p : {certain, spread})
        l.push_back({"softmax_cross_entropy, probabilities" + all, {tiled(x, 3), p},
                     [=](auto& v) { return own(v[0], v[1]); }, [=](auto& v) { return other(v[0], v[1]); }});
    }
    l.push_back({"nll_loss" + name, {tiled(log_p, 3)},
                 [=](auto& v) {
                   return nn::nll_loss(v[0], log_y, {.class_weights = typed(v[0].dtype()),
                                                     .reduction = Reduction::none});
                 },
                 [=](auto& v) {
                   auto options = each(F::NLLLossFuncOptions());
                   if (weights.defined()) options.weight(to_torch(weights).to(v[0].dtype()));
                   return F::nll_loss(v[0], to_torch(log_y), options);
                 }});
  }
}

void add_binary(std::vector<Case>& l) {
  Variables logits = products({all_numbers, parts});
  Variables probabilities = products({{0, 1e-30, 1e-7, 0.5, 1}, {0, 0.25, 1}});
  const Reduction none = Reduction::none;
  l.push_back({"sigmoid_cross_entropy", logits,
               [=](auto& v) { return nn::sigmoid_cross_entropy(v[0], v[1], {.reduction = none}); },
               [=](auto& v) {
                 return F::binary_cross_entropy_with_logits(v[0], v[1],
                                                            each(F::BinaryCrossEntropyWithLogitsFuncOptions()));
               }});
  Variables weighted = products({all_numbers, parts, {0, 0.5, 3}});
  l.push_back({"sigmoid_cross_entropy, positive weights", weighted,
               [=](auto& v) {
                 return nn::sigmoid_cross_entropy(v[0], v[1], {.reduction = none, .positive_weight = v[2].detach()});
               },
               [=](auto& v) {
                 auto options = F::BinaryCrossEntropyWithLogitsFuncOptions().pos_weight(v[2].detach());
                 return F::binary_cross_entropy_with_logits(v[0], v[1], each(options));
               }});
  l.push_back({"binary_cross_entropy", probabilities,
               [=](auto& v) { return nn::binary_cross_entropy(v[0], v[1], {.reduction = none}); },
               [=](auto& v) { return F::binary_cross_entropy(v[0], v[1], each(F::BinaryCrossEntropyFuncOptions())); },
               1});
  Variables logarithms = products({{0, -1, -1e4, -1e30, -infinity, nan}, {0, 0.25, 1, nan}});
  l.push_back({"kl_divergence", logarithms, [=](auto& v) { return nn::kl_divergence(v[0], v[1], {none}); },
               [=](auto& v) { return F::kl_div(v[0], v[1], each(F::KLDivFuncOptions())); }});
  Variables two = products({{0, -1, -1e4, -1e30, -infinity, nan}, {0, -1, -1e4, -1e30, -infinity, nan}});
  l.push_back({"kl_divergence of logarithms", two,
               [=](auto& v) { return nn::kl_divergence(v[0], v[1], {none, true}); },
               [=](auto& v) { return F::kl_div(v[0], v[1], each(F::KLDivFuncOptions().log_target(true))); }});
}

void add_margins(std::vector<Case>& l) {
  const std::vector<double> signs{-1, 1};
  Variables one = products({all_numbers, signs}), two = products({all_numbers, all_numbers, signs});
  const Reduction none = Reduction::none;
  // libtorch has no such loss: its definition.
  l.push_back({"hinge_loss", one, [=](auto& v) { return nn::hinge_loss(v[0], v[1].detach(), {none}); },
               [=](auto& v) { return torch::clamp_min(1 - v[1].detach() * v[0], 0); }, 1});
  l.push_back({"hinge_embedding_loss", one,
               [=](auto& v) { return nn::hinge_embedding_loss(v[0], v[1].detach(), {1, none}); },
               [=](auto& v) {
                 return F::hinge_embedding_loss(v[0], v[1].detach(), each(F::HingeEmbeddingLossFuncOptions()));
               },
               1});
  l.push_back({"margin_ranking_loss", two,
               [=](auto& v) { return nn::margin_ranking_loss(v[0], v[1], v[2].detach(), {0.5, none}); },
               [=](auto& v) {
                 return F::margin_ranking_loss(v[0], v[1], v[2].detach(),
                                               each(F::MarginRankingLossFuncOptions().margin(0.5)));
               }});
  const std::vector<double> lengths{0, 1, 1e-10, 1e10, infinity, nan};
  Variables four = products({lengths, {0, -1}, lengths, {0, 2}, signs});
  Variable a = xtape::stack({four[0], four[1]}, 1), b = xtape::stack({four[2], four[3]}, 1), sign = four[4];
  l.push_back({"cosine_embedding_loss", {a, b},
               [=](auto& v) {
                 return nn::cosine_embedding_loss(v[0], v[1], sign.to(v[0].dtype()), {0.2, none});
               },
               [=](auto& v) {
                 auto options = F::CosineEmbeddingLossFuncOptions().margin(0.2);
                 return F::cosine_embedding_loss(v[0], v[1], to_torch(sign), each(options));
               },
               2, 1e-8});  // its 1e-12 is a float
  // Of a vector with one infinite element, our norms have a gradient, libtorch's NaN.
  const std::vector<double> finite{0, 1, 1e-10, 1e10, nan};
  four = products({finite, {0, -1}, finite, {0, 2}});
  a = xtape::stack({four[0], four[1]}, 1), b = xtape::stack({four[2], four[3]}, 1);
  for (double p : {1.0, 2.0, 3.0})
    for (bool swap : {false, true})
      l.push_back({"triplet_margin_loss, p " + std::to_string(p) + (swap ? ", swap" : ""), {a, b, a * 0.5},
                   [=](auto& v) {
                     return nn::triplet_margin_loss(v[0], v[1], v[2], {.p = p, .swap = swap, .reduction = none});
                   },
                   [=](auto& v) {
                     auto options = F::TripletMarginLossFuncOptions().p(p).swap(swap);
                     return F::triplet_margin_loss(v[0], v[1], v[2], each(options));
                   },
                   3});
}

void add_ctc(std::vector<Case>& l) {
  // Each batch says {1, 2}, {1, 1} or nothing in three times, of which the second has an edge.
  Variable edge = rows({0, -1, -1e4, -infinity});
  Variable plain = xtape::expand_dims(xtape::broadcast_to(numbers({-1, -0.5, -2}), edge.shape()), 0);
  Variable x = xtape::concatenate({plain, xtape::expand_dims(edge, 0), plain}, 0);
  std::size_t n = x.shape(1);
  for (std::size_t count : {0, 1, 2}) {
    Variable said = xtape::broadcast_to(Variable({1, 2}, xtape::int64), {n, 2}).copy();
    Variable inputs = xtape::full({n}, 3, xtape::int64), targets = xtape::full({n}, double(count), xtape::int64);
    for (bool zero : {false, true})
      l.push_back({"ctc_loss of " + std::to_string(count) + (zero ? ", zeros" : ""), {x},
                   [=](auto& v) {
                     return nn::ctc_loss(v[0], said, inputs, targets, {0, Reduction::none, zero});
                   },
                   [=](auto& v) {
                     return F::ctc_loss(v[0], to_torch(said), to_torch(inputs), to_torch(targets),
                                        each(F::CTCLossFuncOptions().zero_infinity(zero)));
                   },
                   0});
  }
}

std::vector<Case> all_cases() {
  std::vector<Case> l;
  for (auto add : {add_regression, add_gaussian, add_softmax, add_binary, add_margins, add_ctc}) add(l);
  return l;
}

// What stands in line i of the operands.
std::string line(const Case& c, std::size_t i) {
  std::string result;
  for (const Variable& x : c.operands) {
    Variable part = x.rank() == 3 ? x[{xtape::range(), i}] : x[i];
    for (std::size_t k = 0; k < part.size(); ++k) result += xtape::Scalar(part.value().at(k)).text() + " ";
    result += "| ";
  }
  return result;
}

// The loss, and its gradients by the first operands.
Variables results(const Case& c, DType dtype) {
  Variables operands, all;
  for (const Variable& x : c.operands) operands.push_back(x.to(dtype).copy());
  for (std::size_t i = 0; i < std::min(c.with_gradient, operands.size()); ++i) operands[i].requires_grad_();
  all.push_back(c.own(operands));
  if (c.with_gradient > 0) sum(all[0]).backward();
  for (const Variable& x : operands)
    if (x.requires_grad()) all.push_back(x.grad());
  return all;
}

// The same of libtorch's, as doubles, for operands whose infinities have this size.
std::vector<std::vector<double>> other_results(const Case& c, DType dtype, double size) {
  Tensors operands, all;
  for (const Variable& x : c.operands) {
    Tensor t = to_torch(x);
    operands.push_back(torch::where(t.isinf(), t.sign() * size, t)
                           .to(dtype == xtape::float32 ? torch::kFloat32 : torch::kFloat64));
  }
  for (std::size_t i = 0; i < std::min(c.with_gradient, operands.size()); ++i) operands[i].requires_grad_();
  all.push_back(c.other(operands));
  if (c.with_gradient > 0) all[0].sum().backward();
  for (const Tensor& x : operands)
    if (x.requires_grad()) all.push_back(x.grad());
  std::vector<std::vector<double>> numbers;
  for (const Tensor& t : all) {
    Tensor flat = t.detach().to(torch::kFloat64).contiguous();
    numbers.emplace_back(flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel());
  }
  return numbers;
}

bool alike(double a, double b, double tolerance) {
  return a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b));
}

// Up to the tolerance, in relation to the number or to 1.
void compare(const Case& c, DType dtype) {
  const bool narrow = dtype == xtape::float32;
  const double tolerance = narrow ? 1e-5 : c.tolerance, large = narrow ? 1e37 : 1e300, too_large = 1e35;
  auto in_the_limit = [=](double x) { return std::abs(x) > too_large ? std::copysign(infinity, x) : x; };
  Variables own = results(c, dtype);
  auto other = other_results(c, dtype, infinity), limit = other_results(c, dtype, large);
  BOOST_REQUIRE(own.size() == other.size());
  std::size_t numbers = 0;
  for (std::size_t k = 0; k < own.size(); ++k) {
    BOOST_REQUIRE(own[k].size() == other[k].size());
    std::size_t width = own[k].size() / (own[k].rank() == 3 ? 1 : own[k].shape(0));
    for (std::size_t i = 0; i < own[k].size(); ++i) {
      double a = own[k].value().at(i), b = other[k][i];
      if (std::isnan(b) && !std::isnan(a)) a = in_the_limit(a), b = in_the_limit(limit[k][i]);
      numbers += std::isfinite(a);
      BOOST_TEST(alike(a, b, tolerance), (k ? "gradient " + std::to_string(k - 1) : "the loss")
                                             << " of " << line(c, own[k].rank() == 3 ? 0 : i / width) << ": " << a
                                             << ", libtorch has " << b);
    }
  }
  BOOST_TEST(numbers > 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stress_peers)

BOOST_DATA_TEST_CASE(losses_at_the_edges, all_cases(), c) {
  for (DType dtype : {xtape::float64, xtape::float32})
    BOOST_TEST_CONTEXT(xtape::to_string(dtype)) { compare(c, dtype); }
}

BOOST_AUTO_TEST_SUITE_END()
