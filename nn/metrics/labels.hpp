// What metrics make of predictions and targets. Not for users.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape::nn::detail {

using Labels = std::vector<std::int64_t>;

/// The target as class labels: int64, bool, or whole numbers.
/// @throws Error naming the metric when it is undefined or empty, ValueError for other numbers.
Labels labels_of(const char* metric, const Variable& target);

/// Predictions (..., 1) as (...), where that is the target's shape: one number for each sample, as a layer of one
/// output gives it, is no row of scores of a single class.
Variable without_axis_of_one(const Variable& predictions, const Variable& target);
/// Whether the target has a row, one-hot or of probabilities, for each row of scores (..., classes).
bool has_rows(const Variable& scores, const Variable& target);
/// The target, or where it has such rows the class of the greatest number in each.
/// @throws ValueError naming the metric for a row that does not sum to 1.
Variable class_indices(const char* metric, const Variable& scores, const Variable& target);

/// The classes of samples, as the predictions name them and as they are.
struct Classes {
  Labels predicted, actual;
};
/// Predictions are labels of the target's shape; numbers of that shape, class 1 where above the threshold, else 0; or
/// scores (..., classes), of which the greatest counts, with labels or rows for the target.
/// @throws ShapeError for other shapes, and for no elements; ValueError for a NaN.
Classes classes_of(const char* metric, const Variable& predictions, const Variable& target, double threshold);

/// The elements as doubles. @throws Error naming the metric when x is undefined or empty, ValueError for a NaN.
std::vector<double> numbers_of(const char* metric, const Variable& x);

/// "accuracy: predictions float32(3, 2) with target int64(4,)"
std::string describe_both(const char* metric, const Variable& predictions, const Variable& target);

}  // namespace xtape::nn::detail
