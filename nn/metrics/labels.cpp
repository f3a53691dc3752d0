#include <nn/metrics/labels.hpp>

#include <cmath>

#include <autograd/grad_mode.hpp>
#include <autograd/ops/elementwise.hpp>
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

Labels predicted_classes(const char* metric, const Variable& predictions, const Variable& target, double threshold) {
  if (!predictions.defined() || !target.defined())
    throw Error(describe_both(metric, predictions, target) + ": needs both");
  NoGrad guard;
  if (predictions.shape() == target.shape())
    return labels_of(metric, is_floating(predictions.dtype()) ? predictions > threshold : predictions);
  Shape samples = predictions.shape();
  if (!samples.empty()) samples.pop_back();
  if (predictions.rank() == 0 || samples != target.shape() || predictions.size() == 0)
    throw ShapeError(describe_both(metric, predictions, target) +
                     ": needs labels, or probabilities of class 1, of the target's shape, or scores (..., classes)");
  return labels_of(metric, argmax(predictions, -1));
}

std::vector<double> numbers_of(const char* metric, const Variable& x) {
  if (!x.defined()) throw Error(std::string(metric) + ": an operand is an undefined Variable");
  if (x.size() == 0) throw ShapeError(std::string(metric) + ": " + describe(x) + ", needs one element or more");
  std::vector<double> numbers;
  for (std::size_t i = 0; i < x.size(); ++i) {
    numbers.push_back(x.value().at(i));
    if (std::isnan(numbers.back()))
      throw ValueError(std::string(metric) + ": element " + std::to_string(i) + " is NaN");
  }
  return numbers;
}

}  // namespace xtape::nn::detail
