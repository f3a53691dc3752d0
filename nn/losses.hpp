// What training makes small.
#pragma once

#include <autograd/variable.hpp>

namespace xtape::nn {

/// What becomes of the samples' losses.
enum class Reduction { mean, sum, none };

struct LossOptions {
  Reduction reduction = Reduction::mean;
};

/// The cross-entropy -sum(p log(softmax(logits))) of each sample, along the last axis of the logits (..., classes).
/// The target is either class indices, int64 of shape (...), or the probabilities p, as rows of the logits' shape and
/// dtype; one-hot rows may be integers as well. The mean is over samples.
/// @throws ShapeError or DTypeError for other targets, ValueError naming the label that is out of range.
Variable softmax_cross_entropy(const Variable& logits, const Variable& target, const LossOptions& options = {});

/// (prediction - target)^2, the mean of all elements. @throws ShapeError unless both have one shape.
Variable mse_loss(const Variable& prediction, const Variable& target, const LossOptions& options = {});

}  // namespace xtape::nn
