#include <nn/metrics/roc.hpp>

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>

#include <nn/metrics/labels.hpp>

namespace xtape::nn {
namespace {

using namespace detail;

struct Points {
  std::vector<double> false_positives, true_positives, thresholds;
};

Points points_of(const char* metric, const Variable& given, const Variable& target) {
  Variable scores = without_axis_of_one(given, target);
  if (!scores.defined() || !target.defined()) throw Error(describe_both(metric, scores, target) + ": needs both");
  if (scores.shape() != target.shape()) throw ShapeError(describe_both(metric, scores, target) + ": needs one shape");
  Labels labels = labels_of(metric, target);
  std::vector<double> values = numbers_of(metric, scores);
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] != 0 && labels[i] != 1)
      throw ValueError(std::string(metric) + ": label " + std::to_string(labels[i]) + " of sample " +
                       std::to_string(i) + ", needs 0 or 1");
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  Points points{{0}, {0}, {std::numeric_limits<double>::infinity()}};
  double counts[2] = {0, 0};
  for (std::size_t i = 0; i < order.size(); ++i) {
    ++counts[labels[order[i]]];
    if (i + 1 < order.size() && values[order[i + 1]] == values[order[i]]) continue;
    points.false_positives.push_back(counts[0]);
    points.true_positives.push_back(counts[1]);
    points.thresholds.push_back(values[order[i]]);
  }
  if (counts[0] == 0 || counts[1] == 0)
    throw ValueError(std::string(metric) + ": all labels are " + (counts[0] == 0 ? "1" : "0") + ", needs both classes");
  for (double& x : points.false_positives) x /= counts[0];
  for (double& x : points.true_positives) x /= counts[1];
  return points;
}

Variable array_of(const std::vector<double>& values) {
  Array result({values.size()}, float64);
  std::ranges::copy(values, result.mutable_data<double>());
  return Variable(std::move(result));
}

}  // namespace

RocCurve roc_curve(const Variable& scores, const Variable& target) {
  Points points = points_of("roc_curve", scores, target);
  return {array_of(points.false_positives), array_of(points.true_positives), array_of(points.thresholds)};
}

double roc_auc(const Variable& scores, const Variable& target) {
  Points points = points_of("roc_auc", scores, target);
  double area = 0;
  for (std::size_t i = 1; i < points.thresholds.size(); ++i)
    area += (points.false_positives[i] - points.false_positives[i - 1]) *
            (points.true_positives[i] + points.true_positives[i - 1]) / 2;
  return area;
}

}  // namespace xtape::nn
