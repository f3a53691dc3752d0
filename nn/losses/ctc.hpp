// Connectionist temporal classification: labels of a sequence without knowing where in it each belongs.
#pragma once

#include <cstdint>

#include <autograd/variable.hpp>
#include <nn/losses/reduction.hpp>

namespace xtape::nn {

struct CTCOptions {
  std::int64_t blank = 0;      ///< the class that stands for no label
  /// The mean is over the batch, each loss divided by the length of its target (or 1), as in PyTorch.
  Reduction reduction = Reduction::mean;
  bool zero_infinity = false;  ///< 0 instead of the infinite loss of a target that is too long for its input
};

/// The negative log-likelihood of each target: of all ways to say its labels in order, one class at a time, where
/// repetitions of a class in a row and blanks in between count nothing.
///
/// The log-probabilities are (time, batch, classes), such as `log_softmax` gives. Of sample n, the first input_lengths[n]
/// times count, and the first target_lengths[n] labels of targets (batch, longest), or of its part of targets that follow
/// each other on one axis. Targets and lengths are int64, the latter of shape (batch). The forward variables of Graves et
/// al., Connectionist temporal classification, ICML 2006, section 4.1, as logarithms; a loss that is infinite has the
/// gradient 0. Log-probabilities that sum to less than -1e29 count as -infinity. The gradient is that by the
/// log-probabilities as they stand, and agrees with PyTorch's, which takes them for normalized, behind `log_softmax`.
/// @throws ValueError for a label or length out of range, or a label that is the blank.
Variable ctc_loss(const Variable& log_probabilities, const Variable& targets, const Variable& input_lengths,
                  const Variable& target_lengths, const CTCOptions& options = {});

}  // namespace xtape::nn
