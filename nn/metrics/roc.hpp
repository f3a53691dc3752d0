// The receiver operating characteristic: how well scores tell two classes apart, at any threshold.
#pragma once

#include <autograd/variable.hpp>

namespace xtape::nn {

/// The parts of the negatives and of the positives whose score is each threshold or more. All are float64 of one
/// axis. Thresholds descend through all scores that occur; the first is infinite, where nothing counts as positive.
struct RocCurve {
  Variable false_positive_rate, true_positive_rate, thresholds;
};
/// Of scores and labels, 0 or 1, of one shape. Unlike scikit-learn's default, points on a straight line are kept.
/// @throws ValueError for other labels, a NaN, or when one of the classes does not occur.
RocCurve roc_curve(const Variable& scores, const Variable& target);

/// The area under that curve: the probability that a positive has a greater score than a negative, equal ones counting
/// half. @throws as roc_curve.
double roc_auc(const Variable& scores, const Variable& target);

}  // namespace xtape::nn
