// Losses of classes, against closed forms and finite differences.
#include <cmath>

#include <tests/nn/losses_support.hpp>

using namespace xtape;
using namespace xtape::testing;
using nn::Reduction;

BOOST_AUTO_TEST_SUITE(classification_losses)

namespace {

// -log(exp(x_label) / sum(exp(x))) for rows of two: log(1 + exp(other - own)).
const Variable logits({{0.0, 1.0}, {2.0, -1.0}, {0.5, 0.5}}, float64);
const Variable labels({1, 1, 0}, int64);
const Variable expected({std::log1p(std::exp(-1.0)), std::log1p(std::exp(3.0)), std::log(2.0)}, float64);
const Variable one_hot_labels({{0, 1}, {0, 1}, {1, 0}}, float64);

}  // namespace

BOOST_AUTO_TEST_CASE(cross_entropy_in_closed_form) {
  close(nn::softmax_cross_entropy(logits, labels, {.reduction = Reduction::none}), expected, 1e-15);
  close(nn::softmax_cross_entropy(logits, labels), mean(expected), 1e-15);
  close(nn::softmax_cross_entropy(logits, labels, {.reduction = Reduction::sum}), sum(expected), 1e-15);
  close(nn::softmax_cross_entropy(logits, one_hot_labels), mean(expected), 1e-15);
  close(nn::softmax_cross_entropy(logits, one_hot_labels.to(int64)), mean(expected), 1e-15);
  xt::xarray<int> from_xtensor{1, 1, 0};
  close(nn::softmax_cross_entropy(logits, from_xtensor), mean(expected), 1e-15);
  // Far apart, and in more axes than one.
  Variable far({{{1000.0, 0.0}}}), label({{1}}, int64);
  close(nn::softmax_cross_entropy(far, label), Variable(1000.0f).to(float32));
  // With probabilities the loss is the mixture of those of the labels.
  Variable row({{0.0, 1.0}}, float64), soft({{0.25, 0.75}}, float64);
  BOOST_TEST(std::abs(nn::softmax_cross_entropy(row, soft).item() -
                      (0.25 * std::log1p(std::exp(1.0)) + 0.75 * std::log1p(std::exp(-1.0)))) < 1e-15);
}

BOOST_AUTO_TEST_CASE(cross_entropy_has_the_gradient_softmax_minus_one_hot) {
  Variable x = logits.copy().requires_grad_();
  nn::softmax_cross_entropy(x, labels).backward();
  close(x.grad(), (softmax(logits) - one_hot_labels) / 3, 1e-16);
  // The same when the walk is recorded.
  Variable recorded = grad(nn::softmax_cross_entropy(x, labels), x, {.create_graph = true});
  close(recorded.detach(), x.grad(), 1e-16);
}

BOOST_AUTO_TEST_CASE(cross_entropy_with_class_weights) {
  Variable w = numbers64({2, 0.5});
  Variable weighted = expected * numbers64({0.5, 0.5, 2});
  close(nn::softmax_cross_entropy(logits, labels, {.class_weights = w, .reduction = Reduction::none}), weighted, 1e-15);
  close(nn::softmax_cross_entropy(logits, labels, {.class_weights = w}), sum(weighted) / 3, 1e-15);
  close(nn::softmax_cross_entropy(logits, labels,
                                  {.class_weights = ones({2}, float64), .reduction = Reduction::batchmean}),
        mean(expected), 1e-15);
  Variable unbalanced = numbers64({3, 1});
  close(nn::softmax_cross_entropy(logits, labels, {.class_weights = unbalanced}),
        sum(expected * numbers64({1, 1, 3})) / 5, 1e-15);
  // Of probabilities, the mean is over samples.
  close(nn::softmax_cross_entropy(logits, one_hot_labels, {.class_weights = unbalanced}),
        sum(expected * numbers64({1, 1, 3})) / 3, 1e-15);
}

BOOST_AUTO_TEST_CASE(ignored_samples_count_nothing) {
  Variable x = logits.copy().requires_grad_();
  Variable some({1, -100, 0}, int64);
  close(nn::softmax_cross_entropy(x, some), number64((expected.value().at(0) + expected.value().at(2)) / 2), 1e-15);
  nn::softmax_cross_entropy(x, some).backward();
  close(x.grad()[1], zeros({2}, float64));
  close(nn::softmax_cross_entropy(x, Variable({1, 7, 0}, int64), {.ignore_index = 7, .reduction = Reduction::none}),
        expected * numbers64({1, 0, 1}), 1e-15);
  close(nn::softmax_cross_entropy(x, labels, {.ignore_index = 1}), number64(std::log(2)), 1e-15);
  BOOST_TEST(std::isnan(nn::softmax_cross_entropy(x, zeros({3}, int64), {.ignore_index = 0}).item()));
  BOOST_TEST(nn::softmax_cross_entropy(x, zeros({3}, int64), {.ignore_index = 0, .reduction = Reduction::sum}).item() ==
             0);
  // Not even where the logits are no numbers.
  Variable bad = numbers64({{0, 1}, {NAN, INFINITY}, {0.5, 0.5}}).requires_grad_();
  nn::softmax_cross_entropy(bad, some).backward();
  close(bad.grad(), x.grad());
  BOOST_TEST(std::isnan(nn::softmax_cross_entropy(bad, labels).item()));
  Variable smoothed = bad.detach().copy().requires_grad_();
  close(nn::softmax_cross_entropy(smoothed, some, {.label_smoothing = 0.2}),
        nn::softmax_cross_entropy(x, some, {.label_smoothing = 0.2}));
  nn::softmax_cross_entropy(smoothed, some, {.label_smoothing = 0.2}).backward();
  close(smoothed.grad()[1], zeros({2}, float64));
  BOOST_TEST(std::isnan(nn::softmax_cross_entropy(bad, labels, {.label_smoothing = 0.2}).item()));
  close(nn::nll_loss(log_softmax(logits), some), nn::softmax_cross_entropy(logits, some), 1e-15);
  close(nn::nll_loss(numbers64({{-1, -2}, {-INFINITY, NAN}, {-3, -4}}), some), number64((2 + 3) / 2.0));
}

BOOST_AUTO_TEST_CASE(label_smoothing_and_temperature) {
  double s = 0.2;
  Variable smooth = (1 - s) * one_hot_labels + s / 2;
  close(nn::softmax_cross_entropy(logits, labels, {.label_smoothing = s}), nn::softmax_cross_entropy(logits, smooth),
        1e-15);
  close(nn::softmax_cross_entropy(logits, one_hot_labels, {.label_smoothing = s}),
        nn::softmax_cross_entropy(logits, smooth), 1e-15);
  // Smoothed wholly, the loss is the mean over classes.
  close(nn::softmax_cross_entropy(logits, labels, {.label_smoothing = 1}), -mean(log_softmax(logits)), 1e-15);
  close(nn::softmax_cross_entropy(logits, labels, {.label_smoothing = s, .temperature = 4}),
        nn::softmax_cross_entropy(logits / 4, smooth), 1e-15);
  Variable some({1, -100, 0}, int64), w = numbers64({3, 1});
  Variable terms = -smooth * w * log_softmax(logits);
  close(nn::softmax_cross_entropy(logits, some, {.class_weights = w, .label_smoothing = s}),
        (sum(terms[0]) + sum(terms[2])) / 4, 1e-15);
}

BOOST_AUTO_TEST_CASE(classes_on_another_axis) {
  Variable x = randn({2, 3, 4, 5}, float64), image_labels = argmax(randn({2, 4, 5, 3}, float64), 3);
  Variable moved = transpose(x, {0, 2, 3, 1});
  close(nn::softmax_cross_entropy(x, image_labels, {.axis = 1}), nn::softmax_cross_entropy(moved, image_labels));
  close(nn::softmax_cross_entropy(x, softmax(x, 1), {.axis = 1}), nn::softmax_cross_entropy(moved, softmax(moved)),
        1e-15);
  close(nn::nll_loss(log_softmax(x, 1), image_labels, {.axis = -3}), nn::softmax_cross_entropy(moved, image_labels),
        1e-15);
}

BOOST_AUTO_TEST_CASE(sigmoid_and_binary_cross_entropy) {
  Variable x = numbers64({-2, 0, 3}), y = numbers64({1, 0.25, 0});
  auto p = [](double x) { return 1 / (1 + std::exp(-x)); };
  Variable parts = numbers64({-std::log(p(-2)), std::log(2), -std::log(1 - p(3))});
  auto none = Reduction::none;
  close(nn::sigmoid_cross_entropy(x, y, {.reduction = none}), parts, 1e-14);
  close(nn::sigmoid_cross_entropy(x, y), mean(parts), 1e-14);
  close(nn::sigmoid_cross_entropy(x, y, {.reduction = none, .positive_weight = numbers64({2})}),
        numbers64({-2 * std::log(p(-2)), (2 * 0.25 + 0.75) * std::log(2), -std::log(1 - p(3))}), 1e-14);
  close(nn::sigmoid_cross_entropy(x, y, {.weight = numbers64({1, 2, 3})}), mean(parts * numbers64({1, 2, 3})), 1e-14);
  close(nn::binary_cross_entropy(sigmoid(x), y, {.reduction = none}), parts, 1e-14);
  close(nn::binary_cross_entropy(sigmoid(x), y, {.weight = numbers64({1, 2, 3}), .reduction = none}),
        parts * numbers64({1, 2, 3}), 1e-14);
  // Labels may be integers or bool. Large logits lose nothing.
  Variable far({-1000.0, 1000.0, 1000.0}), bits({0, 0, 1}, int64);
  close(nn::sigmoid_cross_entropy(far, bits, {.reduction = none}), Variable{0, 1000, 0});
  close(nn::sigmoid_cross_entropy(far, bits > 0, {.reduction = none}), Variable{0, 1000, 0});
  // Certain and wrong: the logarithm is bounded, and the gradient points the right way.
  Variable certain = numbers64({0, 1, 0}).requires_grad_();
  Variable loss = nn::binary_cross_entropy(certain, Variable({1, 0, 0}, int64), {.reduction = Reduction::none});
  close(loss, numbers64({100, 100, 0}));
  sum(loss).backward();
  close(certain.grad(), numbers64({-1 / double{1e-12f}, 1 / double{1e-12f}, 0}));
}

BOOST_AUTO_TEST_CASE(kullback_leibler_divergence) {
  Variable p = numbers64({{0.5, 0.5}, {0, 1}}), q = numbers64({{0.25, 0.75}, {0.4, 0.6}});
  double first = 0.5 * std::log(2) + 0.5 * std::log(0.5 / 0.75), second = -std::log(0.6);
  close(nn::kl_divergence(log(q), p, {.reduction = Reduction::batchmean}), number64((first + second) / 2), 1e-15);
  close(nn::kl_div(log(q), p), number64((first + second) / 4), 1e-15);
  close(nn::kl_divergence(log(q), log(q), {.log_target = true}), number64(0));
  BOOST_TEST(nn::kl_divergence(numbers64({-INFINITY}), zeros({1}, float64)).item() == 0);
  BOOST_TEST(std::isnan(nn::nll_loss(numbers64({{-INFINITY, 0}, {-1, -2}}), Variable({0, 1}, int64),
                                     {.class_weights = numbers64({0, 1})}).item()));
  close(nn::kl_divergence(log(q), log(p + 0.1), {.log_target = true}), nn::kl_divergence(log(q), p + 0.1), 1e-15);
}

BOOST_AUTO_TEST_CASE(hinge) {
  Variable f = numbers64({0.5, -2, 3, 1}), y({1, 1, -1, 1}, int64);
  close(nn::hinge_loss(f, y, {Reduction::none}), numbers64({0.5, 3, 4, 0}));
  close(nn::hinge_loss(f, y.to(float64)), number64(7.5 / 4));
  throws<ValueError>(
      [&] {
        nn::hinge_loss(f, Variable({1, 0, 1, 1}, int64));
      },
      {"hinge_loss", "label 0", "sample 1", "-1 or 1"});
}

BOOST_AUTO_TEST_CASE(derivatives_of_classification_losses) {
  Variable x = randn({4, 3}, float64), p = softmax(randn({4, 3}, float64)).detach(), w = numbers64({2, 0.5, 1});
  Variable some({0, -100, 1, 2}, int64), signs = sign(randn({4, 3}, float64));
  for (Reduction reduction : all_reductions) {
    for (double smoothing : {0.0, 0.3}) {
      nn::SoftmaxCrossEntropyOptions options{.class_weights = w, .reduction = reduction, .label_smoothing = smoothing,
                                             .temperature = 1.5};
      has_derivatives([&](const Variable& x) { return nn::softmax_cross_entropy(x, some, options); }, {x});
      has_derivatives([&](auto& x, auto& p) { return nn::softmax_cross_entropy(x, p, options); }, {x, p});
    }
    has_derivatives(
        [&](const Variable& x) { return nn::nll_loss(x, some, {.class_weights = w, .reduction = reduction}); }, {x});
    has_derivatives([&](auto& x, auto& p) {
      return nn::sigmoid_cross_entropy(x, p, {.weight = w, .reduction = reduction, .positive_weight = w + 1});
    }, {x, p});
    has_derivatives([&](auto& x, auto& p) {
      return nn::binary_cross_entropy(x, p, {.weight = w, .reduction = reduction});
    }, {softmax(x).detach(), p});
    for (bool logarithms : {false, true})
      has_derivatives(
          [&](auto& x, auto& p) {
            return nn::kl_divergence(x, p, {reduction, logarithms});
          },
          {log_softmax(x).detach(), p});
    has_derivatives([&](const Variable& x) { return nn::hinge_loss(x, signs, {reduction}); }, {x});
  }
  auto third = gradcheck([&](const Variable& x) { return nn::softmax_cross_entropy(x, some); }, {x}, {.order = 3});
  BOOST_TEST(third.ok, third.message);
}

// Weights that need a gradient get it, in every loss that has some.
BOOST_AUTO_TEST_CASE(derivatives_with_respect_to_weights) {
  Variable x = randn({4, 3}, float64), p = softmax(rand({4, 3}, float64)).detach(), w = numbers64({2, 0.5, 1});
  Variable labels({0, -100, 1, 2}, int64);
  for (Reduction reduction : all_reductions) {
    for (double smoothing : {0.0, 0.3}) {
      auto options = [=](const Variable& w) {
        return nn::SoftmaxCrossEntropyOptions{.class_weights = w, .reduction = reduction, .label_smoothing = smoothing};
      };
      has_derivatives([&](auto& x, auto& w) { return nn::softmax_cross_entropy(x, labels, options(w)); }, {x, w});
      has_derivatives([&](auto& x, auto& w) { return nn::softmax_cross_entropy(x, p, options(w)); }, {x, w});
      close(nn::softmax_cross_entropy(x, labels, options(w.copy().requires_grad_())).detach(),
            nn::softmax_cross_entropy(x, labels, options(w)), 1e-14);
      close(nn::cross_entropy(x, labels, options(w)), nn::softmax_cross_entropy(x, labels, options(w)));
    }
    has_derivatives([&](auto& x, auto& w) {
      return nn::nll_loss(x, labels, {.class_weights = w, .reduction = reduction});
    }, {x, w});
    has_derivatives([&](auto& x, auto& w) {
      return nn::sigmoid_cross_entropy(x, p, {.weight = w, .reduction = reduction, .positive_weight = w + 1});
    }, {x, w});
    has_derivatives([&](auto& p, auto& w) {
      return nn::binary_cross_entropy(p, softmax(x), {.weight = w, .reduction = reduction});
    }, {p, w});
  }
  throws<GraphError>([&] { cross_entropy_rows(x, Variable({0, 1, 2, 0}, int64), ones({4}, float64).requires_grad_()); },
                     {"cross_entropy_rows", "float64(4,)", "gradient"});
}

BOOST_AUTO_TEST_CASE(classification_losses_refuse_what_does_not_fit) {
  Variable x = zeros({3, 10}), classes({1, 2, 3}, int64);
  auto cross_entropy = [&](const Variable& x, const Variable& y, const nn::SoftmaxCrossEntropyOptions& options = {}) {
    return [=] { nn::softmax_cross_entropy(x, y, options); };
  };
  throws<ValueError>(cross_entropy(x, Variable({1, 10, 2}, int64)),
                     {"softmax_cross_entropy", "label 10", "sample 1", "0 to 9"});
  throws<ValueError>(cross_entropy(x, Variable({1, 2, -1}, int64)), {"label -1", "sample 2"});
  throws<DTypeError>(cross_entropy(x, Variable{1, 2, 3}), {"float32(3, 10)", "float32(3,)", "int64 class indices"});
  throws<ShapeError>(cross_entropy(x, Variable({1, 2}, int64)), {"(3, 10)", "int64(2,)"});
  throws<DTypeError>(cross_entropy(x, zeros({3, 10}, float64)), {"float32", "float64(3, 10)"});
  throws<DTypeError>(cross_entropy(x.to(int64), classes), {"int64(3, 10)"});
  throws<ShapeError>(cross_entropy(Variable(1.0), Variable({1}, int64)), {"float32()"});
  throws<Error>(cross_entropy(x, Variable()), {"undefined"});
  throws<ShapeError>(cross_entropy(zeros({0, 10}), zeros({0}, int64)),
                     {"softmax_cross_entropy", "float32(0,)", "one or more"});
  throws<ShapeError>(cross_entropy(x, classes, {.class_weights = ones({9})}),
                     {"class weights float32(9,)", "float32(10,)"});
  throws<ShapeError>(cross_entropy(x, classes, {.class_weights = ones({10}, float64)}), {"class weights float64(10,)"});
  throws<ValueError>(cross_entropy(x, classes, {.label_smoothing = 1.5}), {"label_smoothing is 1.5", "to 1"});
  throws<ValueError>(cross_entropy(x, classes, {.label_smoothing = NAN}), {"label_smoothing is nan"});
  throws<ValueError>(cross_entropy(x, classes, {.temperature = 0}), {"temperature is 0"});
  throws<ShapeError>(cross_entropy(x, classes, {.axis = 2}), {"softmax_cross_entropy", "axis 2"});
  throws<ValueError>([&] { nn::nll_loss(x, Variable({1, 10, 2}, int64)); }, {"nll_loss", "label 10", "sample 1"});
  throws<DTypeError>([&] { nn::nll_loss(x, Variable{1, 2, 3}); }, {"nll_loss", "float32(3,)", "int64"});
  throws<ShapeError>([&] { nn::nll_loss(x, Variable({1}, int64)); }, {"nll_loss", "int64(1,)"});
  throws<ShapeError>([&] { nn::nll_loss(x, classes, {.class_weights = ones({3})}); }, {"nll_loss", "float32(3,)"});
  throws<ShapeError>([&] { nn::sigmoid_cross_entropy(x, zeros({3})); }, {"sigmoid_cross_entropy", "(3, 10)", "(3,)"});
  throws<ShapeError>(
      [&] {
        nn::sigmoid_cross_entropy(x, x, {.weight = ones({2, 3, 10})});
      },
      {"weight float32(2, 3, 10)"});
  throws<ShapeError>([&] { nn::sigmoid_cross_entropy(x, x, {.positive_weight = ones({4})}); },
                     {"sigmoid_cross_entropy"});
  throws<ValueError>([&] { nn::binary_cross_entropy(x + 1.5, x); }, {"binary_cross_entropy", "1.5", "0 to 1"});
  throws<ValueError>([&] { nn::binary_cross_entropy(x - 0.5, x); }, {"binary_cross_entropy", "-0.5", "0 to 1"});
  throws<ShapeError>([&] { nn::kl_divergence(x, zeros({10})); }, {"kl_divergence", "(10,)"});
  throws<ShapeError>([&] { nn::hinge_loss(x, zeros({10})); }, {"hinge_loss", "(10,)"});
}

BOOST_AUTO_TEST_SUITE_END()
