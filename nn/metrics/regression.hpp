// Metrics of numbers: predictions and target of one shape, along whose first axis the samples lie. Where a sample has
// several numbers, the metric is the mean of that of each.
#pragma once

#include <autograd/variable.hpp>

namespace xtape::nn {

/// The mean of |prediction - target|.
double mean_absolute_error(const Variable& predictions, const Variable& target);
/// The mean of (prediction - target)^2.
double mean_squared_error(const Variable& predictions, const Variable& target);
/// Its square root, over all numbers.
double root_mean_squared_error(const Variable& predictions, const Variable& target);

/// R^2 = 1 - sum((target - prediction)^2) / sum((target - mean(target))^2). Where the target is constant, 1 for the
/// right prediction, else 0. @throws ShapeError for fewer than two samples.
double r2_score(const Variable& predictions, const Variable& target);
/// 1 - var(target - prediction) / var(target): R^2 but for a constant error. @throws as r2_score.
double explained_variance(const Variable& predictions, const Variable& target);

}  // namespace xtape::nn
