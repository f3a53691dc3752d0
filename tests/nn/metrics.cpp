// Metrics, against closed forms and small examples counted by hand.
#include <cmath>
#include <vector>

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;
using nn::Average;

namespace {

void equals(double a, double b) { BOOST_TEST(std::abs(a - b) <= 1e-14, a << " and " << b); }

Variable ints(std::initializer_list<Nested> values) { return Variable(values, int64); }

// Three classes. Of class 0: 2 of 3 right, 1 taken for 1. Of 1: 1 of 2 right, 1 taken for 2. Of 2: 1 of 1 right.
const Variable actual = ints({0, 0, 0, 1, 1, 2}), guessed = ints({0, 0, 1, 1, 2, 2});

}  // namespace

BOOST_AUTO_TEST_SUITE(metrics)

BOOST_AUTO_TEST_CASE(accuracy_of_labels_scores_and_probabilities) {
  equals(nn::accuracy(guessed, actual), 4.0 / 6);
  equals(nn::accuracy(one_hot(guessed, 3), actual), 4.0 / 6);
  equals(nn::accuracy(Variable{0.2, 0.5, 0.7, 0.9}, ints({0, 0, 1, 0})), 0.75);
  equals(nn::accuracy(Variable{0.2, 0.5, 0.7, 0.9} > 0.1, Variable{1, 0, 1, 1}), 0.75);
  equals(nn::accuracy(reshape(one_hot(guessed, 3), {2, 3, 3}), actual.reshape({2, 3})), 4.0 / 6);
  equals(nn::accuracy(Variable{0.1, 0.9}, Variable(1).to(int64)), 1);
}

// What a layer of one output gives: a number for each sample, not a row of scores of a single class.
BOOST_AUTO_TEST_CASE(probabilities_with_an_axis_of_one) {
  Variable p = Variable{0.9, 0.2, 0.7}.reshape({3, 1}), y = ints({1, 0, 0});
  equals(nn::accuracy(p, y), 2.0 / 3);
  equals(nn::accuracy(p.reshape({1, 3, 1}), y.reshape({1, 3})), 2.0 / 3);
  equals(nn::accuracy((p > 0.8).to(int64), y), 1);
  equals(nn::f1_score(p, y), nn::f1_score(p.reshape({3}), y));
  equals(nn::log_loss(p, y), nn::log_loss(p.reshape({3}), y));
  equals(nn::roc_auc(p, y), nn::roc_auc(p.reshape({3}), y));
  close(nn::confusion_matrix(p, y), ints({{1, 1}, {0, 1}}));
  throws<ShapeError>([&] { nn::accuracy(p, ints({1, 0})); }, {"accuracy", "float32(3, 1)", "int64(2,)"});
}

BOOST_AUTO_TEST_CASE(accuracy_of_logits_has_a_threshold) {
  Variable logits{-1, 0.3, 0.7, 2}, y = ints({0, 1, 1, 0});
  equals(nn::accuracy(logits, y), 0.5);
  equals(nn::accuracy(logits, y, {.threshold = 0}), 0.75);
  equals(nn::Metric{"accuracy", {nn::accuracy, {.threshold = 0}}}.function(logits, y), 0.75);
  throws<ValueError>([&] { nn::accuracy(logits, y, {.threshold = NAN}); }, {"accuracy", "threshold is nan"});
}

BOOST_AUTO_TEST_CASE(one_hot_targets) {
  Variable scores{{0.1, 0.9, 0}, {0.5, 0.25, 0.25}, {0.2, 0.3, 0.5}}, labels = ints({1, 2, 2});
  for (const Variable& rows : {one_hot(labels, 3), one_hot(labels, 3).to(int64), one_hot(labels, 3).to(float32)}) {
    equals(nn::accuracy(scores, rows), 2.0 / 3);
    equals(nn::top_k_accuracy(scores, rows, 2), nn::top_k_accuracy(scores, labels, 2));
    equals(nn::log_loss(scores, rows), nn::log_loss(scores, labels));
    close(nn::confusion_matrix(scores, rows), nn::confusion_matrix(scores, labels));
    equals(nn::f1_score(scores, rows, {.average = Average::macro}),
           nn::f1_score(scores, labels, {.average = Average::macro}));
  }
  equals(nn::accuracy(scores, Variable{{0.2, 0.8, 0}, {0, 0.1, 0.9}, {0.25, 0.25, 0.5}}), 2.0 / 3);
  // Labels for labels, and one probability in a row, are no scores.
  equals(nn::accuracy(guessed.reshape({2, 3}), actual.reshape({2, 3})), 4.0 / 6);
  equals(nn::accuracy(Variable{0.2, 0.7}.reshape({2, 1}), ones({2, 1})), 0.5);
  throws<ValueError>([&] { nn::accuracy(scores, Variable{{1, 1, 0}, {0, 0, 1}, {0, 0, 0}}); },
                     {"accuracy", "float32(3, 3)", "row 0", "reshape({-1})"});
  throws<ValueError>([&] { nn::accuracy(scores, Variable{{0, 1, 0}, {0, 0, 1}, {0, NAN, 0}}); }, {"accuracy", "row 2"});
}

BOOST_AUTO_TEST_CASE(top_k) {
  Variable scores{{0.1, 0.4, 0.3, 0.2}, {0.4, 0.1, 0.2, 0.3}, {0, 0, 0, 0}};
  Variable labels = ints({2, 1, 1});
  equals(nn::top_k_accuracy(scores, labels, 1), 0);
  equals(nn::top_k_accuracy(scores, labels, 2), 2.0 / 3);
  equals(nn::top_k_accuracy(scores, labels, 3), 2.0 / 3);
  equals(nn::top_k_accuracy(scores, labels, 4), 1);
  seed(1);
  Variable many = randn({200, 10}), any = argmax(randn({200, 10}), 1);
  equals(nn::top_k_accuracy(many, any, 1), nn::accuracy(many, any));
  throws<ValueError>([&] { nn::top_k_accuracy(scores, labels, 0); }, {"top_k_accuracy", "0 first of 4"});
  throws<ValueError>([&] { nn::top_k_accuracy(scores, labels); }, {"top_k_accuracy", "5 first of 4"});
  throws<ValueError>([&] { nn::top_k_accuracy(scores, ints({2, 4, 1}), 2); }, {"label 4 of sample 1", "4 classes"});
  throws<ShapeError>([&] { nn::top_k_accuracy(scores, ints({2, 1}), 2); }, {"float32(3, 4)", "int64(2,)"});
  throws<ValueError>([&] { nn::top_k_accuracy(scores * NAN, labels, 2); }, {"top_k_accuracy", "NaN"});
}

BOOST_AUTO_TEST_CASE(confusion) {
  close(nn::confusion_matrix(guessed, actual), ints({{2, 1, 0}, {0, 1, 1}, {0, 0, 1}}));
  close(nn::confusion_matrix(guessed, actual, 4), ints({{2, 1, 0, 0}, {0, 1, 1, 0}, {0, 0, 1, 0}, {0, 0, 0, 0}}));
  throws<ValueError>([&] { nn::confusion_matrix(guessed, actual, 2); }, {"confusion_matrix", "label 2 of sample 4"});
  throws<ValueError>([&] { nn::confusion_matrix(guessed, actual - 1); }, {"confusion_matrix", "label -1 of sample 0"});
  throws<ValueError>([&] { nn::confusion_matrix(guessed * 1000000000, actual); }, {"confusion_matrix", "out of range"});
}

BOOST_AUTO_TEST_CASE(precision_recall_and_f1) {
  // Two classes: 3 taken for positive, of which 2 are; 4 are positive.
  Variable p = ints({1, 1, 1, 0, 0, 0}), y = ints({1, 1, 0, 1, 1, 0});
  equals(nn::precision(p, y), 2.0 / 3);
  equals(nn::recall(p, y), 0.5);
  equals(nn::f1_score(p, y), 2 * (2.0 / 3) * 0.5 / (2.0 / 3 + 0.5));
  equals(nn::precision(p, y, {.positive = 0}), 1.0 / 3);
  equals(nn::recall(p, y, {.positive = 0}), 0.5);
  Variable probabilities{0.9, 0.8, 0.6, 0.4, 0.3, 0.1};
  equals(nn::precision(probabilities, y), 2.0 / 3);
  equals(nn::recall(probabilities, y, {.threshold = 0.2}), 1);
  // Three classes: precision 1, 1/2, 1/2; recall 2/3, 1/2, 1; F1 4/5, 1/2, 2/3.
  equals(nn::precision(guessed, actual, {.average = Average::macro}), 2.0 / 3);
  equals(nn::precision(guessed, actual, {.average = Average::weighted}), (3 + 1 + 0.5) / 6);
  equals(nn::recall(guessed, actual, {.average = Average::macro}), (2.0 / 3 + 0.5 + 1) / 3);
  equals(nn::recall(guessed, actual, {.average = Average::weighted}), 4.0 / 6);
  equals(nn::f1_score(guessed, actual, {.average = Average::macro}), (0.8 + 0.5 + 2.0 / 3) / 3);
  equals(nn::f1_score(guessed, actual, {.average = Average::weighted}), (3 * 0.8 + 2 * 0.5 + 2.0 / 3) / 6);
  for (auto metric : {nn::precision, nn::recall, nn::f1_score})
    equals(metric(guessed, actual, {.average = Average::micro}), nn::accuracy(guessed, actual));
  // Nothing was taken for positive, or nothing is.
  equals(nn::precision(zeros({3}, int64), ints({1, 0, 1})), 0);
  equals(nn::f1_score(ints({1, 0, 1}), zeros({3}, int64)), 0);
  throws<ValueError>([&] { nn::precision(guessed, actual); }, {"precision", "3 classes", "macro"});
  throws<ValueError>([&] { nn::recall(probabilities, y, {.threshold = NAN}); }, {"recall", "threshold is nan"});
}

BOOST_AUTO_TEST_CASE(areas_under_curves) {
  // scikit-learn's own example: the curve passes (0, 0.5), (0.5, 0.5), (0.5, 1).
  Variable scores({0.1, 0.4, 0.35, 0.8}, float64), labels = ints({0, 0, 1, 1});
  nn::RocCurve curve = nn::roc_curve(scores, labels);
  close(curve.false_positive_rate, Variable({0, 0, 0.5, 0.5, 1}, float64));
  close(curve.true_positive_rate, Variable({0, 0.5, 0.5, 1, 1}, float64));
  BOOST_TEST(curve.thresholds.value().at(0) == INFINITY);
  close(curve.thresholds[range(1, none)], Variable({0.8, 0.4, 0.35, 0.1}, float64));
  equals(nn::roc_auc(scores, labels), 0.75);
  equals(nn::roc_auc(-scores, labels), 0.25);
  equals(nn::roc_auc(zeros({4}), labels), 0.5);
  // The probability that a positive is above a negative, counted pair by pair, with many ties.
  seed(2);
  Variable some = floor(rand({300}, float64) * 20), sides = (rand({300}, float64) < 0.3).to(int64);
  double above = 0, pairs = 0;
  for (std::size_t i = 0; i < 300; ++i)
    for (std::size_t j = 0; j < 300; ++j) {
      if (sides.value().at(i) != 1 || sides.value().at(j) != 0) continue;
      double a = some.value().at(i), b = some.value().at(j);
      above += a > b ? 1 : a == b ? 0.5 : 0;
      ++pairs;
    }
  equals(nn::roc_auc(some, sides), above / pairs);
  throws<ValueError>([&] { nn::roc_auc(scores, ones({4}, int64)); }, {"roc_auc", "all labels are 1"});
  throws<ValueError>([&] { nn::roc_auc(scores, zeros({4}, int64)); }, {"roc_auc", "all labels are 0"});
  throws<ValueError>([&] { nn::roc_curve(scores, ints({0, 1, 2, 0})); }, {"roc_curve", "label 2 of sample 2"});
  throws<ValueError>([&] { nn::roc_curve(scores * NAN, labels); }, {"roc_curve", "element 0 is NaN"});
  throws<ShapeError>([&] { nn::roc_auc(zeros({4, 2}), labels); }, {"roc_auc", "(4, 2)", "one shape"});
}

BOOST_AUTO_TEST_CASE(logarithmic_loss) {
  Variable p({0.9, 0.2, 1.0}, float64), y = ints({1, 0, 1});
  equals(nn::log_loss(p, y), -(std::log(0.9) + std::log(0.8)) / 3);
  Variable rows({{0.1, 0.9, 0}, {0.5, 0.25, 0.25}}, float64);
  equals(nn::log_loss(rows, ints({1, 2})), -(std::log(0.9) + std::log(0.25)) / 2);
  // Certain and wrong counts as the dtype's epsilon.
  equals(nn::log_loss(zeros({1}, float64), ints({1})), 52 * std::log(2.0));
  equals(nn::log_loss(zeros({1}), ints({1})), 23 * std::log(2.0));
  throws<ValueError>([&] { nn::log_loss(p * 2, y); }, {"log_loss", "1.8", "0 to 1"});
  throws<ValueError>([&] { nn::log_loss(p, y * 2); }, {"log_loss", "label 2", "2 classes"});
  throws<ShapeError>([&] { nn::log_loss(p, ints({1})); }, {"log_loss", "float64(3,)", "int64(1,)"});
}

BOOST_AUTO_TEST_CASE(errors_of_numbers) {
  Variable p{2.5, 0.0, 2, 8}, y{3, -0.5, 2, 7};
  equals(nn::mean_absolute_error(p, y), 2.0 / 4);
  equals(nn::mean_squared_error(p, y), 1.5 / 4);
  equals(nn::root_mean_squared_error(p, y), std::sqrt(1.5 / 4));
  // The target's mean is 2.875, its squared deviations 29.1875.
  equals(nn::r2_score(p, y), 1 - 1.5 / 29.1875);
  // Errors 0.5, -0.5, 0, -1 have the mean -0.25.
  equals(nn::explained_variance(p, y), 1 - (1.5 - 4 * 0.0625) / 29.1875);
  equals(nn::explained_variance(y + 100, y), 1);
  equals(nn::r2_score(full({4}, 2.875), y), 0);
  equals(nn::r2_score(ones({3}), ones({3})), 1);
  equals(nn::r2_score(zeros({3}), ones({3})), 0);
  // Of several numbers, the mean: 1 for the first, 0 for the second.
  equals(nn::r2_score(Variable{{1, 1}, {2, 1}, {3, 1}}, Variable{{1, 0}, {2, 1}, {3, 2}}), 0.5);
  // Labels are numbers as well.
  equals(nn::mean_absolute_error(guessed, actual), 2.0 / 6);
}

BOOST_AUTO_TEST_CASE(metrics_refuse_what_does_not_fit) {
  Variable none, nothing = zeros({0}), y = ints({0, 1});
  using Metric = std::function<double(const Variable&, const Variable&)>;
  std::vector<Metric> all{nn::log_loss,
                          nn::roc_auc,
                          nn::mean_absolute_error,
                          nn::mean_squared_error,
                          nn::root_mean_squared_error,
                          nn::r2_score,
                          nn::explained_variance,
                          [](auto& p, auto& y) { return nn::accuracy(p, y); },
                          [](auto& p, auto& y) { return nn::precision(p, y); },
                          [](auto& p, auto& y) { return nn::recall(p, y); },
                          [](auto& p, auto& y) { return nn::f1_score(p, y); }};
  for (const Metric& metric : all) {
    throws<Error>([&] { metric(none, y); }, {"undefined"});
    throws<Error>([&] { metric(y.to(float32), none); }, {"undefined"});
    throws<ShapeError>([&] { metric(nothing, nothing); }, {"(0,)", "or more"});
    throws<ShapeError>([&] { metric(zeros({5}), y); }, {"float32(5,)", "int64(2,)"});
  }
  throws<ValueError>([&] { nn::accuracy(y, Variable{0, 0.5}); }, {"accuracy", "label 0.5", "sample 1", "whole"});
  throws<ValueError>(
      [&] {
        nn::mean_squared_error(Variable{1.0, NAN}, Variable{1, 2});
      },
      {"mean_squared_error", "element 1 is NaN"});
  Variable wrong{{0, 1}, {NAN, 0}};
  throws<ValueError>([&] { nn::accuracy(wrong, y); }, {"accuracy", "element 2 is NaN"});
  throws<ValueError>([&] { nn::f1_score(Variable{1, NAN}, y); }, {"f1_score", "element 1 is NaN"});
  throws<ValueError>([&] { nn::confusion_matrix(wrong, y); }, {"confusion_matrix", "element 2 is NaN"});
  throws<ShapeError>([&] { nn::r2_score(zeros({1}), zeros({1})); }, {"r2_score", "two samples"});
  throws<ShapeError>([&] { nn::accuracy(zeros({2, 0}), y); }, {"accuracy", "(2, 0)"});
}

BOOST_AUTO_TEST_SUITE_END()
