// Every loss and metric with samples that are none, one, very large, infinite or NaN, against what mathematics says.
// stress_peers.cpp compares with libtorch.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <ostream>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>

#include <nn/nn.hpp>
#include <tests/nn/losses_support.hpp>

using namespace xtape;
using nn::Reduction;
using xtape::testing::close;
using xtape::testing::message;
using xtape::testing::throws;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// A loss of predictions (samples, width), with targets of its own that fit them.
struct Loss {
  std::string name;
  std::function<Variable(const Variable& x, Reduction reduction)> of;
  double low = -2, high = 2;  ///< what predictions it takes
};
std::ostream& operator<<(std::ostream& out, const Loss& loss) { return out << loss.name; }

// The first of these labels for each sample.
Variable labels(const Variable& x, std::int64_t label = 0) { return full({x.shape(0)}, double(label), int64); }
Variable signs(const Shape& shape) {
  return where(remainder(arange(element_count(shape)), 2) == 0, 1, -1).reshape(shape);
}
Variable like(const Variable& x, double value) { return full(x.shape(), value, x.dtype()); }

std::vector<Loss> losses() {
  std::vector<Loss> l;
  auto add = [&](const char* name, auto of, double low = -2, double high = 2) { l.push_back({name, of, low, high}); };
  add("softmax_cross_entropy", [](auto& x, Reduction r) {
    return nn::softmax_cross_entropy(x, labels(x), {.reduction = r});
  });
  add("cross_entropy", [](auto& x, Reduction r) { return nn::cross_entropy(x, softmax(like(x, 1)), {.reduction = r}); });
  add("nll_loss", [](auto& x, Reduction r) { return nn::nll_loss(x, labels(x), {.reduction = r}); }, -2, 0);
  add("sigmoid_cross_entropy", [](auto& x, Reduction r) {
    return nn::sigmoid_cross_entropy(x, like(x, 0.25), {.reduction = r});
  });
  add("binary_cross_entropy", [](auto& x, Reduction r) {
    return nn::binary_cross_entropy(x, like(x, 0.25), {.reduction = r});
  }, 0, 1);
  add("kl_divergence", [](auto& x, Reduction r) { return nn::kl_divergence(x, like(x, 0.25), {r}); }, -2, 0);
  add("kl_div", [](auto& x, Reduction r) { return nn::kl_div(x, like(x, -0.5), {r, true}); }, -2, 0);
  add("hinge_loss", [](auto& x, Reduction r) { return nn::hinge_loss(x, signs(x.shape()), {r}); });
  add("hinge_embedding_loss", [](auto& x, Reduction r) { return nn::hinge_embedding_loss(x, signs(x.shape()), {1, r}); });
  add("cosine_embedding_loss", [](auto& x, Reduction r) {
    return nn::cosine_embedding_loss(x, like(x, 0.5), signs({x.shape(0)}), {0, r});
  });
  add("margin_ranking_loss", [](auto& x, Reduction r) {
    return nn::margin_ranking_loss(x, like(x, 0.5), signs(x.shape()), {0.5, r});
  });
  add("triplet_margin_loss", [](auto& x, Reduction r) {
    return nn::triplet_margin_loss(x, like(x, 0.5), like(x, -0.5), {.reduction = r});
  });
  add("mse_loss", [](auto& x, Reduction r) { return nn::mse_loss(x, like(x, 0.5), {r}); });
  add("mae_loss", [](auto& x, Reduction r) { return nn::mae_loss(x, like(x, 0.5), {r}); });
  add("l1_loss", [](auto& x, Reduction r) { return nn::l1_loss(x, like(x, 0.5), {r}); });
  add("huber_loss", [](auto& x, Reduction r) { return nn::huber_loss(x, like(x, 0.5), {r}); });
  add("smooth_l1_loss", [](auto& x, Reduction r) { return nn::smooth_l1_loss(x, like(x, 0.5), {r}); });
  add("poisson_nll_loss", [](auto& x, Reduction r) {
    return nn::poisson_nll_loss(x, like(x, 3), {.full = true, .reduction = r});
  });
  add("gaussian_nll_loss", [](auto& x, Reduction r) {
    return nn::gaussian_nll_loss(x, like(x, 0.5), like(x, 2), {.reduction = r});
  });
  // Of two times, and the label 0 where there is a class beside the blank.
  add("ctc_loss", [](auto& x, Reduction r) {
    std::int64_t blank = static_cast<std::int64_t>(x.shape(1)) - 1;
    return nn::ctc_loss(stack({x, x}, 0), zeros({x.shape(0), 1}, int64), labels(x, 2), labels(x, blank > 0),
                        {blank, r});
  }, -2, -0.1);
  return l;
}

Variable predictions(const Loss& loss, const Shape& shape, DType dtype = float64) {
  return Variable(Generator(7).uniform(shape, loss.low, loss.high, dtype)).requires_grad_();
}

bool finite(const Variable& x) {
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!std::isfinite(x.value().at(i))) return false;
  return true;
}

// The names that headers of a folder declare with these types.
std::set<std::string> declared(const std::string& folder, const std::string& types,
                               const std::set<std::string>& without) {
  std::set<std::string> names;
  const std::regex declaration("^(?:inline )?(?:" + types + R"() (\w+)\()");
  for (const auto& file : std::filesystem::directory_iterator(testing::source_folder() + folder)) {
    if (file.path().extension() != ".hpp" || without.contains(file.path().stem())) continue;
    std::ifstream header(file.path());
    for (std::string line; std::getline(header, line);)
      if (std::smatch name; std::regex_search(line, name, declaration)) names.insert(name[1]);
  }
  return names;
}

// A loss, with its gradient by the first operand.
std::pair<Variable, Variable> with_gradient(const std::function<Variable(const Variable&)>& loss, const Variable& x) {
  Variable leaf = x.copy().requires_grad_(), y = loss(leaf);
  return {y, grad(sum(y), leaf)};
}

// Both are these numbers, in both precisions.
void gives(const std::function<Variable(const Variable&)>& loss, const Variable& x, const Variable& value,
           const Variable& gradient) {
  for (DType dtype : {float64, float32}) {
    auto [y, g] = with_gradient(loss, x.to(dtype));
    auto near = [&](const Variable& a, const Variable& b) {
      BOOST_REQUIRE(a.size() == b.size());
      for (std::size_t i = 0; i < a.size(); ++i) {
        double found = a.value().at(i), expected = b.value().at(i);
        bool right = found == expected || std::abs(found - expected) <=
                                              (dtype == float64 ? 1e-14 : 1e-6) * std::max(1.0, std::abs(expected));
        BOOST_TEST(right, to_string(dtype) << ", element " << i << ": " << found << " is not " << expected);
      }
    };
    near(y, value);
    near(g, gradient);
  }
}

using testing::number64;
using testing::numbers64;

}  // namespace

BOOST_AUTO_TEST_SUITE(stress_losses)

BOOST_AUTO_TEST_CASE(the_list_is_complete) {
  std::set<std::string> listed;
  for (const Loss& loss : losses()) listed.insert(loss.name);
  BOOST_TEST(listed == declared("/nn/losses", "Variable", {"checks"}), boost::test_tools::per_element());
}

// The mean of nothing is an error here, as xtape's mean is; PyTorch has NaN, which the next step would put everywhere.
BOOST_DATA_TEST_CASE(empty_batches, losses(), loss) {
  Variable x = predictions(loss, {0, 3});
  auto [none, gradient] = with_gradient([&](auto& x) { return loss.of(x, Reduction::none); }, x.detach());
  BOOST_TEST((none.shape(0) == 0 && none.size() == 0));
  BOOST_TEST((gradient.shape() == x.shape()));
  auto [total, of_total] = with_gradient([&](auto& x) { return loss.of(x, Reduction::sum); }, x.detach());
  BOOST_TEST(total.item() == 0);
  BOOST_TEST((of_total.shape() == x.shape()));
  for (Reduction mean : {Reduction::mean, Reduction::batchmean}) {
    std::string text = message([&] { loss.of(x, mean); });
    BOOST_TEST((text.find("_") != std::string::npos && text.find("the mean of losses") != std::string::npos), text);
    BOOST_CHECK_THROW(loss.of(x, mean), ShapeError);
  }
}

BOOST_DATA_TEST_CASE(widths_of_0_and_1, losses(), loss) {
  const std::regex says_what_it_got(R"(\w+: .*(\(\d+,|classes))");
  for (std::size_t width : {0, 1})
    for (Reduction reduction : testing::all_reductions) {
      Variable x = predictions(loss, {2, width});
      try {
        Variable y = loss.of(x, reduction);
        BOOST_TEST(finite(y));
        sum(y).backward();
        BOOST_TEST((x.grad().shape() == x.shape() && finite(x.grad())));
      } catch (const Error& error) {
        BOOST_TEST(width == 0, error.what());
        BOOST_TEST(std::regex_search(error.what(), says_what_it_got), error.what());
      }
    }
}

// A sample that is NaN has a loss that is, and no other has.
BOOST_DATA_TEST_CASE(one_sample_that_is_nan, losses(), loss) {
  Variable plain = predictions(loss, {3, 4}).detach(), bad = plain.copy();
  bad[1] = NAN;
  auto each = [&](const Variable& x) { return loss.of(x, Reduction::none); };
  auto [y, g] = with_gradient(each, plain);
  auto [y_bad, g_bad] = with_gradient(each, bad);
  for (std::size_t sample : {0, 2}) {
    close(y_bad[sample], y[sample], 1e-15);
    close(g_bad[sample], g[sample], 1e-15);
  }
  for (std::size_t i = 0; i < y_bad[1].size(); ++i) BOOST_TEST(std::isnan(y_bad[1].copy().value().at(i)));
  for (Reduction all : {Reduction::mean, Reduction::sum}) BOOST_TEST(std::isnan(loss.of(bad, all).item()));
}

// Numbers that are large, but numbers: no NaN, and a gradient for each.
BOOST_DATA_TEST_CASE(large_numbers, losses(), loss) {
  for (DType dtype : {float32, float64})
    for (double size : {1e4, 1e30}) {
      Variable x = clip(predictions(loss, {4, 3}, dtype).detach() * size, loss.low < 0 ? -size : 0,
                        loss.high > 1 ? size : loss.high);
      auto [y, g] = with_gradient([&](auto& x) { return loss.of(x, Reduction::none); }, x);
      BOOST_TEST_CONTEXT(to_string(dtype) << ", " << size) {
        BOOST_TEST(!any(isnan(y)).item());
        BOOST_TEST(!any(isnan(g)).item());
        bool overflows = loss.name == "poisson_nll_loss" || (dtype == float32 && size > 1e20) ||  // exp(x), squares
                         (loss.name == "ctc_loss" && size > 1e29);
        BOOST_TEST((overflows || (finite(y) && finite(g))), y << g);
      }
    }
}

BOOST_AUTO_TEST_CASE(logarithms_of_softmax) {
  auto picked = [](auto& x) { return log_softmax(x, 0)[0]; };
  for (double size : {0.0, 1e4, -1e4, 1e30, -1e30}) {
    gives(picked, numbers64({size, size}), number64(-std::log(2)), numbers64({0.5, -0.5}));
    gives([](auto& x) { return log_softmax(x.reshape({2, 1}), 0)[0]; }, numbers64({size, size}),
          numbers64({-std::log(2)}), numbers64({0.5, -0.5}));
    gives([](auto& x) { return softmax(x, 0)[0]; }, numbers64({size, size}), number64(0.5), numbers64({0.25, -0.25}));
    gives([](auto& x) { return logsumexp(x); }, numbers64({size, size}), number64(size + std::log(2)),
          numbers64({0.5, 0.5}));
  }
  gives(picked, numbers64({1e4, 0, -infinity}), number64(0), numbers64({0, 0, 0}));
  gives(picked, numbers64({-1e30, 1e30}), number64(-2e30), numbers64({1, -1}));
}

BOOST_AUTO_TEST_CASE(softmax_cross_entropy_of_large_logits) {
  auto of = [](std::int64_t label) {
    return [=](const Variable& x) { return nn::softmax_cross_entropy(x, Variable(Array::scalar(double(label), int64))); };
  };
  Variable wide = numbers64({1e4, 0, -1e4});
  gives(of(0), wide, number64(0), numbers64({0, 0, 0}));
  gives(of(2), wide, number64(2e4), numbers64({1, 0, -1}));
  gives(of(1), numbers64({1e30, -1e30}), number64(2e30), numbers64({1, -1}));
  // A class that cannot be, as a mask makes it: nothing where it is not asked for, whatever says what is asked for.
  Variable masked = numbers64({0, -infinity, 0}), half = numbers64({-0.5, 0, 0.5});
  gives(of(0), masked, number64(std::log(2)), half);
  gives([](auto& x) { return nn::softmax_cross_entropy(x, Variable({1, 0, 0}, int64)); }, masked, number64(std::log(2)),
        half);
  gives([](auto& x) { return nn::softmax_cross_entropy(x, Variable({0.5, 0, 0.5}, x.dtype())); }, masked,
        number64(std::log(2)), numbers64({0, 0, 0}));
  gives(of(1), masked, number64(infinity), numbers64({0.5, -1, 0.5}));
  // An infinite logit leaves softmax without a value, as in PyTorch.
  BOOST_TEST(std::isnan(of(0)(numbers64({infinity, 0})).item()));
}

BOOST_AUTO_TEST_CASE(sigmoid_cross_entropy_of_large_logits) {
  auto to = [](double y) {
    return [=](const Variable& x) { return nn::sigmoid_cross_entropy(x, like(x, y), {.reduction = Reduction::none}); };
  };
  Variable x = numbers64({1e4, -1e4, 1e30, -1e30, infinity, -infinity});
  gives(to(1), x, numbers64({0, 1e4, 0, 1e30, 0, infinity}), numbers64({0, -1, 0, -1, 0, -1}));
  gives(to(0), x, numbers64({1e4, 0, 1e30, 0, infinity, 0}), numbers64({1, 0, 1, 0, 1, 0}));
  gives(to(0.25), x, numbers64({7.5e3, 2.5e3, 7.5e29, 2.5e29, infinity, infinity}),
        numbers64({0.75, -0.25, 0.75, -0.25, 0.75, -0.25}));
  auto weighted = [](const Variable& x) {
    return nn::sigmoid_cross_entropy(x, like(x, 1), {.reduction = Reduction::none, .positive_weight = like(x, 3)});
  };
  gives(weighted, x, numbers64({0, 3e4, 0, 3e30, 0, infinity}), numbers64({0, -3, 0, -3, 0, -3}));
  // The gradient by the target, which is the logit.
  Variable y = numbers64({0, 1, 0, 1}).requires_grad_();
  sum(nn::sigmoid_cross_entropy(numbers64({3, 3, -1e4, 1e4}), y)).backward();
  close(y.grad() * 4, numbers64({-3, -3, 1e4, -1e4}), 1e-10);
}

BOOST_AUTO_TEST_CASE(losses_at_infinity_and_nothing) {
  auto none = [](auto loss) { return [loss](const Variable& x) { return loss(x, like(x, 0)); }; };
  Variable ends = numbers64({infinity, -infinity, 1e30});
  gives(none([](auto& x, auto y) { return nn::huber_loss(x, y, {Reduction::none, 2}); }), ends,
        numbers64({infinity, infinity, 2e30}), numbers64({2, -2, 2}));
  gives(none([](auto& x, auto y) { return nn::smooth_l1_loss(x, y, {Reduction::none}); }), ends,
        numbers64({infinity, infinity, 1e30}), numbers64({1, -1, 1}));
  gives(none([](auto& x, auto y) { return nn::mae_loss(x, y, {Reduction::none}); }), ends,
        numbers64({infinity, infinity, 1e30}), numbers64({1, -1, 1}));
  // 0 log(0) is 0.
  gives([](auto& x) { return nn::kl_divergence(x, Variable({0, 1}, x.dtype()), {Reduction::sum}); },
        numbers64({-infinity, 0}), number64(0), numbers64({0, -1}));
  gives([](auto& x) { return nn::kl_divergence(x, Variable({-infinity, 0.0}, x.dtype()), {Reduction::sum, true}); },
        numbers64({-infinity, 0}), number64(0), numbers64({0, -1}));
  gives([](auto& x) { return nn::poisson_nll_loss(x, like(x, 0)); }, numbers64({-infinity}), number64(0), numbers64({0}));
  // A normal distribution that is infinitely wide.
  gives([](auto& x) { return nn::gaussian_nll_loss(x, like(x, 0), like(x, infinity)); }, numbers64({1}),
        number64(infinity), numbers64({0}));
  // Probabilities of 0 and 1: logarithms of -100 at least.
  Variable certain = numbers64({0, 1}), wrong = numbers64({1, 0});
  close(nn::binary_cross_entropy(certain, certain), number64(0));
  close(nn::binary_cross_entropy(certain, wrong), number64(100));
  BOOST_TEST(finite(with_gradient([&](auto& p) { return nn::binary_cross_entropy(p, wrong); }, certain).second));
}

BOOST_AUTO_TEST_CASE(vectors_of_zeros) {
  Variable zero = zeros({1, 2}, float64), one = numbers64({{1, 0}});
  auto [loss, g] = with_gradient([&](auto& x) { return nn::cosine_embedding_loss(x, one, Variable({1}, int64)); }, zero);
  BOOST_TEST(loss.item() == 1);
  BOOST_TEST(finite(g));
  auto finite_gradient = [&](auto f) { BOOST_TEST(finite(with_gradient(f, zero).second)); };
  finite_gradient([&](auto& x) { return nn::cosine_embedding_loss(x, zero, Variable({1}, int64)); });
  finite_gradient([&](auto& x) { return cosine_similarity(x, zero, -1); });
  finite_gradient([&](auto& x) { return nn::triplet_margin_loss(x, zero, zero); });
  finite_gradient([&](auto& x) { return nn::triplet_margin_loss(x, zero, zero, {.epsilon = 0}); });
  for (double p : {1.0, 1.5, 2.0, 3.0, infinity}) finite_gradient([&](auto& x) { return norm(x, p, -1); });
  finite_gradient([&](auto& x) { return normalize(x, 2, -1); });
  finite_gradient([&](auto& x) { return pairwise_distance(x, zero, 2, 0); });
  finite_gradient([&](auto& x) { return cdist(x, zero); });
}

BOOST_AUTO_TEST_CASE(sequences_that_cannot_be) {
  // The label 1 has no way to be said.
  Variable x = Variable({{{0.0, -infinity}}, {{0.0, -infinity}}}, float64), said = Variable({{1}}, int64);
  Variable inputs({2}, int64), targets({1}, int64);
  auto loss = [&](const Variable& x) { return nn::ctc_loss(x, said, inputs, targets); };
  gives(loss, x, number64(infinity), zeros({4}, float64));
  gives([&](auto& x) { return nn::ctc_loss(x, said, inputs, targets, {.zero_infinity = true}); }, x, number64(0),
        zeros({4}, float64));
  // One way of three: the label at the second time.
  x[0][0][1] = -infinity;
  x[1][0] = numbers64({-infinity, std::log(0.5)});
  auto [y, g] = with_gradient(loss, x);
  close(y, number64(std::log(2)), 1e-15);
  close(g, Variable({{{-1.0, 0.0}}, {{0.0, -1.0}}}, float64), 1e-15);
}

BOOST_AUTO_TEST_CASE(targets_that_do_not_fit) {
  Variable x = numbers64({{1, 2, 3}, {3, 1, 2}});
  for (std::int64_t bad : {-1, 3, 1000}) {
    Variable y({0, static_cast<int>(bad)}, int64);
    std::string label = "label " + std::to_string(bad) + " of sample 1";
    throws<ValueError>([&] { nn::softmax_cross_entropy(x, y); }, {"softmax_cross_entropy", label.c_str(), "3 classes"});
    throws<ValueError>([&] { nn::softmax_cross_entropy(x, y, {.label_smoothing = 0.1}); }, {label.c_str()});
    throws<ValueError>([&] { nn::nll_loss(x, y); }, {"nll_loss", label.c_str(), "3 classes"});
  }
  for (double bad : {0.0, 2.0, double(NAN), infinity}) {
    Variable y = numbers64({1, bad});
    throws<ValueError>([&] { nn::hinge_loss(y, y); }, {"hinge_loss: label", "sample 1", "-1 or 1"});
    throws<ValueError>([&] { nn::hinge_embedding_loss(y, y); }, {"hinge_embedding_loss: label", "-1 or 1"});
    throws<ValueError>([&] { nn::margin_ranking_loss(y, y, y); }, {"margin_ranking_loss: label", "-1 or 1"});
    throws<ValueError>([&] { nn::cosine_embedding_loss(x, x, y); }, {"cosine_embedding_loss: label", "-1 or 1"});
  }
  for (double bad : {-0.1, 1.1, infinity, -infinity})
    throws<ValueError>([&] { nn::binary_cross_entropy(numbers64({bad}), numbers64({1})); }, {"probabilities", "0 to 1"});
  for (double bad : {-1.0, -infinity})
    throws<ValueError>([&] { nn::gaussian_nll_loss(x, x, like(x, bad)); }, {"gaussian_nll_loss: variance", "0 or more"});
  for (double bad : {-0.1, 1.1, double(NAN)})
    throws<ValueError>([&] { nn::softmax_cross_entropy(x, Variable({0, 1}, int64), {.label_smoothing = bad}); },
                       {"label_smoothing"});
}

// Class weights are numbers as any: negative ones and NaN count as they stand, as in PyTorch.
BOOST_AUTO_TEST_CASE(class_weights_that_are_odd) {
  Variable x = numbers64({{0, 0}, {0, 0}}), y({0, 1}, int64);
  auto loss = [&](double first, double smoothing, Reduction reduction = Reduction::none) {
    return nn::softmax_cross_entropy(x, y, {.class_weights = numbers64({first, 1}), .reduction = reduction,
                                            .label_smoothing = smoothing});
  };
  const double log_2 = std::log(2);
  close(loss(-3, 0), numbers64({-3 * log_2, log_2}), 1e-15);
  close(loss(-3, 1), numbers64({-log_2, -log_2}), 1e-15);
  close(loss(-3, 0, Reduction::mean), number64(log_2), 1e-15);
  BOOST_TEST(std::isnan(loss(NAN, 0)[0].item()));
  close(loss(NAN, 0)[1], number64(log_2), 1e-15);
  BOOST_TEST(std::isnan(loss(NAN, 0, Reduction::mean).item()));
  BOOST_TEST(std::isnan(loss(-1, 0, Reduction::mean).item()));  // 0 / 0
  // A class that weighs nothing hides no NaN; an ignored sample does.
  x[0][0] = NAN;
  for (bool differentiated : {false, true}) {
    Variable weights = numbers64({0, 1}).requires_grad_(differentiated);
    Variable each = nn::softmax_cross_entropy(x, y, {.class_weights = weights, .reduction = Reduction::none});
    BOOST_TEST(std::isnan(each[0].item()));
    close(each[1].detach(), number64(log_2), 1e-15);
    Variable rest = nn::softmax_cross_entropy(x, y, {.class_weights = weights, .ignore_index = 0});
    close(rest.detach(), number64(log_2), 1e-15);
  }
}

// The mean where no sample counts is NaN, as in PyTorch: 0 / 0.
BOOST_AUTO_TEST_CASE(all_samples_ignored) {
  Variable x = numbers64({{1, 2}, {3, NAN}}).requires_grad_(), y({-100, -100}, int64);
  BOOST_TEST(std::isnan(nn::softmax_cross_entropy(x, y).item()));
  BOOST_TEST(std::isnan(nn::nll_loss(x, y).item()));
  sum(nn::softmax_cross_entropy(x, y, {.reduction = Reduction::sum})).backward();
  BOOST_TEST(sum(abs(x.grad())).item() == 0);
}

// Metrics

struct Metric {
  std::string name;
  /// Of predictions with a target of its own, for samples of whose sizes there are 0, 1 and more.
  std::function<void(const Variable& predictions)> of;
  std::size_t least = 1;  ///< samples
};
std::ostream& operator<<(std::ostream& out, const Metric& metric) { return out << metric.name; }

std::vector<Metric> metrics() {
  auto y = [](const Variable& p) { return remainder(arange(p.shape(0)), 2); };
  auto number = [](double value) { BOOST_TEST(std::isfinite(value)); };
  auto rows = [](const Variable& p) { return stack({p, 1 - p}, 1); };
  return {
      {"accuracy", [=](auto& p) { number(nn::accuracy(p, y(p))); }},
      {"top_k_accuracy", [=](auto& p) { number(nn::top_k_accuracy(rows(p), y(p), 1)); }},
      {"confusion_matrix", [=](auto& p) { BOOST_TEST(sum(nn::confusion_matrix(p, y(p))).item() == p.size()); }},
      {"precision", [=](auto& p) { number(nn::precision(p, y(p))); }},
      {"recall", [=](auto& p) { number(nn::recall(p, y(p))); }},
      {"f1_score", [=](auto& p) { number(nn::f1_score(p, y(p))); }},
      {"log_loss", [=](auto& p) { number(nn::log_loss(p, y(p))); }},
      {"mean_absolute_error", [=](auto& p) { number(nn::mean_absolute_error(p, y(p))); }},
      {"mean_squared_error", [=](auto& p) { number(nn::mean_squared_error(p, y(p))); }},
      {"root_mean_squared_error", [=](auto& p) { number(nn::root_mean_squared_error(p, y(p))); }},
      {"r2_score", [=](auto& p) { number(nn::r2_score(p, y(p))); }, 2},
      {"explained_variance", [=](auto& p) { number(nn::explained_variance(p, y(p))); }, 2},
      {"roc_curve", [=](auto& p) { BOOST_TEST(finite(nn::roc_curve(p, y(p)).true_positive_rate)); }, 2},
      {"roc_auc", [=](auto& p) { number(nn::roc_auc(p, y(p))); }, 2},
  };
}

BOOST_AUTO_TEST_CASE(the_list_of_metrics_is_complete) {
  std::set<std::string> listed;
  for (const Metric& metric : metrics()) listed.insert(metric.name);
  BOOST_TEST(listed == declared("/nn/metrics", "Variable|double|RocCurve", {"labels"}), boost::test_tools::per_element());
}

BOOST_DATA_TEST_CASE(samples_of_metrics, metrics(), metric) {
  for (std::size_t n : {0, 1, 2, 5}) {
    Variable p(Generator(3).uniform({n}, 0, 1, float64));
    if (n >= metric.least)
      metric.of(p);
    else
      throws<Error>([&] { metric.of(p); }, {(metric.name + ": ").c_str()});
    if (n == 0) continue;
    p[n - 1] = NAN;
    throws<ValueError>([&] { metric.of(p); }, {"is NaN"});
  }
  for (double end : {0.0, 1.0}) metric.of(full({4}, end, float64));
}

BOOST_AUTO_TEST_SUITE_END()
