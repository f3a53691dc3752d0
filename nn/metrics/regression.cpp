#include <nn/metrics/regression.hpp>

#include <cmath>
#include <string>

#include <nn/metrics/labels.hpp>

namespace xtape::nn {
namespace {

using namespace detail;

struct Pairs {
  std::vector<double> predicted, actual;
};

Pairs pairs_of(const char* metric, const Variable& predictions, const Variable& target) {
  if (!predictions.defined() || !target.defined())
    throw Error(describe_both(metric, predictions, target) + ": needs both");
  if (predictions.shape() != target.shape())
    throw ShapeError(describe_both(metric, predictions, target) + ": needs one shape");
  return {numbers_of(metric, predictions), numbers_of(metric, target)};
}

template <class F>
double mean_error(const char* metric, const Variable& predictions, const Variable& target, F error) {
  auto [predicted, actual] = pairs_of(metric, predictions, target);
  double total = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) total += error(predicted[i] - actual[i]);
  return total / static_cast<double>(actual.size());
}

// The mean, over the numbers of a sample, of 1 - S(target - prediction) / S(target), where S is the sum of squares of
// deviations from the mean, or from 0 where an error that is constant shall count.
double explained_part(const char* metric, const Variable& predictions, const Variable& target, bool constant_counts) {
  const Pairs pairs = pairs_of(metric, predictions, target);
  const std::vector<double>&predicted = pairs.predicted, &actual = pairs.actual;
  std::size_t samples = target.rank() > 0 ? target.shape(0) : 1, outputs = actual.size() / samples;
  if (samples < 2) throw ShapeError(describe_both(metric, predictions, target) + ": needs two samples or more");
  auto squares = [&](auto value, bool centred) {
    double mean = 0, total = 0;
    for (std::size_t i = 0; centred && i < samples; ++i) mean += value(i) / static_cast<double>(samples);
    for (std::size_t i = 0; i < samples; ++i) total += (value(i) - mean) * (value(i) - mean);
    return total;
  };
  double result = 0;
  for (std::size_t k = 0; k < outputs; ++k) {
    auto at = [&](std::size_t i) { return i * outputs + k; };
    double unexplained = squares([&](std::size_t i) { return actual[at(i)] - predicted[at(i)]; }, !constant_counts);
    double whole = squares([&](std::size_t i) { return actual[at(i)]; }, true);
    result += whole > 0 ? 1 - unexplained / whole : unexplained > 0 ? 0 : 1;
  }
  return result / static_cast<double>(outputs);
}

}  // namespace

double mean_absolute_error(const Variable& predictions, const Variable& target) {
  return mean_error("mean_absolute_error", predictions, target, [](double d) { return std::abs(d); });
}

double mean_squared_error(const Variable& predictions, const Variable& target) {
  return mean_error("mean_squared_error", predictions, target, [](double d) { return d * d; });
}

double root_mean_squared_error(const Variable& predictions, const Variable& target) {
  return std::sqrt(mean_error("root_mean_squared_error", predictions, target, [](double d) { return d * d; }));
}

double r2_score(const Variable& predictions, const Variable& target) {
  return explained_part("r2_score", predictions, target, true);
}

double explained_variance(const Variable& predictions, const Variable& target) {
  return explained_part("explained_variance", predictions, target, false);
}

}  // namespace xtape::nn
