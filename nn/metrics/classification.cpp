#include <nn/metrics/classification.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include <nn/checks.hpp>
#include <nn/losses/checks.hpp>
#include <nn/metrics/labels.hpp>

namespace xtape::nn {
namespace {

using namespace detail;

constexpr double half = 0.5;

// How often a class was predicted, how often it was there, and how often both.
struct Counts {
  double predicted = 0, actual = 0, both = 0;
};

using Score = double (*)(const Counts&);

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }
double precision_of(const Counts& c) { return ratio(c.both, c.predicted); }
double recall_of(const Counts& c) { return ratio(c.both, c.actual); }
double f1_of(const Counts& c) { return ratio(2 * c.both, c.predicted + c.actual); }

double averaged(const char* metric, Score score, const Variable& predictions, const Variable& target,
                const AverageOptions& options) {
  auto [predicted, actual] = classes_of(metric, predictions, target, options.threshold);
  std::map<std::int64_t, Counts> classes;
  Counts all;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    bool both = predicted[i] == actual[i];
    for (Counts* c : {&classes[predicted[i]], &all}) c->predicted += 1, c->both += both;
    for (Counts* c : {&classes[actual[i]], &all}) c->actual += 1;
  }
  if (options.average == Average::micro) return score(all);
  if (options.average == Average::binary) {
    if (classes.size() > 2)
      throw ValueError(std::string(metric) + ": " + std::to_string(classes.size()) +
                       " classes for the average binary, needs two; use micro, macro or weighted");
    return score(classes[options.positive]);
  }
  double total = 0, weights = 0;
  for (const auto& [label, counts] : classes) {
    double weight = options.average == Average::macro ? 1 : counts.actual;
    total += weight * score(counts);
    weights += weight;
  }
  return total / weights;
}

void require_label(const char* metric, std::int64_t label, std::size_t sample, std::size_t classes) {
  if (label < 0 || label >= static_cast<std::int64_t>(classes))
    throw ValueError(std::string(metric) + ": label " + std::to_string(label) + " of sample " + std::to_string(sample) +
                     " is out of range for " + std::to_string(classes) + " classes");
}

// The number of classes of scores (..., classes).
std::size_t require_scores(const char* metric, const Variable& scores, const Variable& target) {
  std::string message = describe_both(metric, scores, target) + ": needs scores (..., classes), and labels (...)";
  if (!scores.defined() || !target.defined()) throw Error(message);
  if (scores.rank() != target.rank() + 1 ||
      !std::equal(target.shape().begin(), target.shape().end(), scores.shape().begin()))
    throw ShapeError(message);
  return scores.shape().back();
}

}  // namespace

double accuracy(const Variable& predictions, const Variable& target, const AccuracyOptions& options) {
  auto [predicted, actual] = classes_of("accuracy", predictions, target, options.threshold);
  std::size_t right = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) right += predicted[i] == actual[i];
  return static_cast<double>(right) / static_cast<double>(actual.size());
}

double top_k_accuracy(const Variable& scores, const Variable& target, std::size_t k) {
  constexpr const char* metric = "top_k_accuracy";
  Variable indices = class_indices(metric, scores, target);
  std::size_t classes = require_scores(metric, scores, indices);
  if (k == 0 || k > classes)
    throw ValueError("top_k_accuracy: the " + text(k) + " first of " + std::to_string(classes) + " classes");
  Labels labels = labels_of(metric, indices);
  std::vector<double> values = numbers_of(metric, scores);
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    require_label(metric, labels[i], i, classes);
    const double* row = values.data() + i * classes;
    const double* own = row + labels[i];
    auto before =
        std::count_if(row, row + classes, [&](const double& v) { return v > *own || (v == *own && &v < own); });
    right += static_cast<std::size_t>(before) < k;
  }
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

Variable confusion_matrix(const Variable& predictions, const Variable& target, std::size_t classes) {
  constexpr const char* metric = "confusion_matrix";
  auto [predicted, actual] = classes_of(metric, predictions, target, half);
  constexpr std::size_t most = 1 << 15;  // a matrix of 8 GiB
  std::int64_t greatest = std::max(std::ranges::max(predicted), std::ranges::max(actual));
  if (classes == 0) classes = static_cast<std::size_t>(std::clamp<std::int64_t>(greatest + 1, 1, most));
  for (std::size_t i = 0; i < actual.size(); ++i)
    for (std::int64_t label : {predicted[i], actual[i]}) require_label(metric, label, i, classes);
  Array matrix = Array::full({classes, classes}, 0, int64);
  auto* count = matrix.mutable_data<std::int64_t>();
  for (std::size_t i = 0; i < actual.size(); ++i)
    ++count[static_cast<std::size_t>(actual[i]) * classes + static_cast<std::size_t>(predicted[i])];
  return Variable(std::move(matrix));
}

double precision(const Variable& predictions, const Variable& target, const AverageOptions& options) {
  return averaged("precision", precision_of, predictions, target, options);
}

double recall(const Variable& predictions, const Variable& target, const AverageOptions& options) {
  return averaged("recall", recall_of, predictions, target, options);
}

double f1_score(const Variable& predictions, const Variable& target, const AverageOptions& options) {
  return averaged("f1_score", f1_of, predictions, target, options);
}

double log_loss(const Variable& p, const Variable& target) {
  constexpr const char* metric = "log_loss";
  Variable probabilities = without_axis_of_one(p, target), indices = class_indices(metric, probabilities, target);
  bool binary = probabilities.defined() && indices.defined() && probabilities.shape() == indices.shape();
  std::size_t classes = binary ? 2 : require_scores(metric, probabilities, indices);
  Labels labels = labels_of(metric, indices);
  std::vector<double> values = numbers_of(metric, probabilities);
  for (double p : values)
    if (p < 0 || p > 1) throw ValueError("log_loss: a probability of " + Scalar(p).text() + ", needs 0 to 1");
  double epsilon = probabilities.dtype() == float32 ? std::numeric_limits<float>::epsilon()
                                                    : std::numeric_limits<double>::epsilon();
  double total = 0;
  auto log_of = [epsilon](double p) { return std::log(std::clamp(p, epsilon, 1 - epsilon)); };
  auto samples = static_cast<double>(labels.size());
  if (has_rows(probabilities, target)) {
    for (std::size_t i = 0; i < values.size(); ++i) total -= target.value().at(i) * log_of(values[i]);
    return total / samples;
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    require_label(metric, labels[i], i, classes);
    auto label = static_cast<std::size_t>(labels[i]);
    double p = !binary ? values[i * classes + label] : label == 1 ? values[i] : 1 - values[i];
    total -= log_of(p);
  }
  return total / samples;
}

}  // namespace xtape::nn
