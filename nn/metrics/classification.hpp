// Metrics of classes.
//
// Predictions are class labels of the target's shape (int64 or bool); probabilities of class 1, of that shape and
// floating-point, which count as class 1 above 0.5, or another threshold: 0 for logits; or scores (..., classes), of
// which the greatest counts. Probabilities may have an axis of 1 behind the target's, as a layer of one output gives
// them. The target is labels, or as for softmax_cross_entropy one-hot rows or probabilities of the shape of the scores,
// with two classes or more: of probabilities the greatest counts. A NaN among the predictions is refused.
#pragma once

#include <cstdint>

#include <autograd/variable.hpp>

namespace xtape::nn {

struct AccuracyOptions {
  double threshold = 0.5;  ///< of probabilities of class 1
};

/// The part of the samples whose class was predicted.
double accuracy(const Variable& predictions, const Variable& target, const AccuracyOptions& options = {});

/// The part of the samples whose label is among the k classes of the greatest scores (..., classes). Of equal scores,
/// the first count. @throws ValueError for a k of 0 or more than there are classes, or a label out of range.
double top_k_accuracy(const Variable& scores, const Variable& target, std::size_t k = 5);

/// How many samples of each class (row) were taken for each (column), int64 (classes, classes). As many classes as the
/// greatest label needs, or as asked for. @throws ValueError for a label out of range.
Variable confusion_matrix(const Variable& predictions, const Variable& target, std::size_t classes = 0);

/// What classes are put together to one number: the positive class alone; all samples, whatever their class; the mean
/// of all classes that occur; or that weighted by the number of their samples.
enum class Average { binary, micro, macro, weighted };

struct AverageOptions {
  Average average = Average::binary;
  std::int64_t positive = 1;  ///< the class that counts for `binary`
  double threshold = 0.5;     ///< of probabilities of class 1
};

/// The part of what was taken for a class that belongs to it; 0 where nothing was.
/// @throws ValueError for `binary` when more than two classes occur.
double precision(const Variable& predictions, const Variable& target, const AverageOptions& options = {});
/// The part of what belongs to a class that was taken for it; 0 where nothing does. @throws as precision.
double recall(const Variable& predictions, const Variable& target, const AverageOptions& options = {});
/// The harmonic mean of precision and recall. @throws as precision.
double f1_score(const Variable& predictions, const Variable& target, const AverageOptions& options = {});

/// The mean of -log(p) of the probability p that was given to the label: probabilities (..., classes), or those of
/// class 1, of the target's shape. Of a target in rows, each class counts by its probability there. The p count as the
/// dtype's epsilon at least, and as 1 less that at most.
/// @throws ValueError for a probability or label out of range.
double log_loss(const Variable& probabilities, const Variable& target);

}  // namespace xtape::nn
