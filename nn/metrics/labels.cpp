#include <nn/metrics/labels.hpp>

#include <algorithm>
#include <cmath>

#include <autograd/grad_mode.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/reductions.hpp>
#include <nn/losses/checks.hpp>

namespace xtape::nn::detail {

std::string describe_both(const char* metric, const Variable& predictions, const Variable& target) {
  return std::string(metric) + ": predictions " + describe(predictions) + " with target " + describe(target);
}

Labels labels_of(const char* metric, const Variable& target) {
  if (!target.defined()) throw Error(std::string(metric) + ": the target is an undefined Variable");
  if (target.size() == 0)
    throw ShapeError(std::string(metric) + ": target " + describe(target) + ", needs one label or more");
  Labels labels;
  for (std::size_t i = 0; i < target.size(); ++i) {
    double label = target.value().at(i);
    if (label != std::trunc(label) || !std::isfinite(label))
      throw ValueError(std::string(metric) + ": label " + std::to_string(label) + " of sample " + std::to_string(i) +
                       ", needs whole numbers");
    labels.push_back(static_cast<std::int64_t>(label));
  }
  return labels;
}

Variable without_axis_of_one(const Variable& predictions, const Variable& target) {
  if (!predictions.defined() || !target.defined() || predictions.rank() != target.rank() + 1) return predictions;
  Shape with_axis = target.shape();
  with_axis.push_back(1);
  return predictions.shape() == with_axis ? reshape(predictions, target.shape()) : predictions;
}

bool has_rows(const Variable& scores, const Variable& target) {
  return scores.defined() && target.defined() && is_floating(scores.dtype()) && scores.shape() == target.shape() &&
         scores.rank() > 1 && scores.shape(-1) > 1 && scores.size() > 0;
}

Variable class_indices(const char* metric, const Variable& scores, const Variable& target) {
  if (!has_rows(scores, target)) return target;
  NoGrad guard;
  constexpr double tolerance = 1e-3;
  std::size_t classes = target.shape(-1);
  for (std::size_t row = 0; row < target.size() / classes; ++row) {
    double total = 0;
    bool negative = false;
    for (std::size_t i = row * classes; i < (row + 1) * classes; ++i) {
      total += target.value().at(i);
      negative |= target.value().at(i) < 0;
    }
    if (negative || !(std::abs(total - 1) <= tolerance))
      throw ValueError(describe_both(metric, scores, target) + ": row " + std::to_string(row) + " of the target sums " +
                       "to " + Scalar(total).text() + ", needs one-hot rows or probabilities; elements that are " +
                       "labels each by itself need one axis for all, .reshape({-1})");
  }
  return argmax(target.to(float64), -1);
}

namespace {

void require_no_nan(const char* metric, const Variable& x) {
  visit(x.dtype(), [&]<class T>(T) {
    const T* first = x.data<T>();
    auto found = std::find_if(first, first + x.size(), [](T v) { return std::isnan(static_cast<double>(v)); });
    if (found != first + x.size())
      throw ValueError(std::string(metric) + ": element " + std::to_string(found - first) + " is NaN");
  });
}

}  // namespace

Classes classes_of(const char* metric, const Variable& predictions, const Variable& target, double threshold) {
  if (!predictions.defined() || !target.defined())
    throw Error(describe_both(metric, predictions, target) + ": needs both");
  if (std::isnan(threshold)) throw ValueError(std::string(metric) + ": threshold is nan, needs a number");
  require_no_nan(metric, predictions);
  NoGrad guard;
  Variable actual = class_indices(metric, predictions, target), single = without_axis_of_one(predictions, actual);
  if (single.shape() == actual.shape())
    return {labels_of(metric, is_floating(single.dtype()) ? single > threshold : single), labels_of(metric, actual)};
  Shape samples = predictions.shape();
  if (!samples.empty()) samples.pop_back();
  if (predictions.rank() == 0 || samples != actual.shape() || predictions.size() == 0)
    throw ShapeError(describe_both(metric, predictions, target) +
                     ": needs labels, or probabilities of class 1, of the target's shape, or scores (..., classes)");
  return {labels_of(metric, argmax(predictions, -1)), labels_of(metric, actual)};
}

std::vector<double> numbers_of(const char* metric, const Variable& x) {
  if (!x.defined()) throw Error(std::string(metric) + ": an operand is an undefined Variable");
  if (x.size() == 0) throw ShapeError(std::string(metric) + ": " + describe(x) + ", needs one element or more");
  require_no_nan(metric, x);
  std::vector<double> numbers;
  for (std::size_t i = 0; i < x.size(); ++i) numbers.push_back(x.value().at(i));
  return numbers;
}

}  // namespace xtape::nn::detail
