// Losses of classes that are predicted.
#pragma once

#include <cstdint>

#include <autograd/variable.hpp>
#include <nn/losses/reduction.hpp>

namespace xtape::nn {

struct SoftmaxCrossEntropyOptions {
  /// (classes), of the logits' dtype: each class counts so much. Undefined: 1. Gradients reach them, where needed.
  Variable class_weights = {};
  std::int64_t ignore_index = -100;    ///< samples with this label count nothing, also in the mean
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;          ///< this part of the target is spread evenly over all classes, 0 to 1
  double temperature = 1;              ///< the logits are divided by it, above 0
  std::ptrdiff_t axis = -1;            ///< of the classes among those of the logits; 1 for PyTorch's images
};

/// The cross-entropy -sum(p log(softmax(logits / temperature))) of each sample, for logits (..., classes). The target is
/// either class indices, int64 of shape (...), or the probabilities p, of the logits' shape and dtype; one-hot rows may
/// be integers as well. With class weights w the terms are weighted, sum(w p log(...)), and the mean of samples with
/// class indices is a weighted one: it divides by the sum of the weights of their labels. It is NaN, as in PyTorch, where
/// all samples are ignored. A logit of -infinity, such as a mask leaves, makes its class impossible: that costs nothing
/// where p is 0 (in PyTorch, NaN for probabilities), and infinity elsewhere. One of +infinity makes NaN. Ignored samples
/// may hold anything; a class weight of 0 hides no NaN, and weights of any sign count as they are. Szegedy et al.,
/// Rethinking the Inception architecture, CVPR 2016 (label smoothing); Hinton, Vinyals, Dean, Distilling the knowledge in
/// a neural network, 2015 (temperature).
/// @throws ValueError naming the label that is out of range.
Variable softmax_cross_entropy(const Variable& logits, const Variable& target,
                               const SoftmaxCrossEntropyOptions& options = {});

/// softmax_cross_entropy under PyTorch's name.
inline Variable cross_entropy(const Variable& logits, const Variable& target,
                              const SoftmaxCrossEntropyOptions& options = {}) {
  return softmax_cross_entropy(logits, target, options);
}

struct NLLOptions {
  Variable class_weights = {};       ///< as for softmax_cross_entropy
  std::int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
  std::ptrdiff_t axis = -1;
};
/// -log_probabilities[label] of each sample, for log-probabilities (..., classes) such as `log_softmax` gives, and
/// labels, int64 of shape (...). The mean is as that of softmax_cross_entropy. A log-probability of -inf is NaN for a
/// label whose class weighs 0, as in PyTorch; that of an ignored label counts nothing.
Variable nll_loss(const Variable& log_probabilities, const Variable& target, const NLLOptions& options = {});

struct SigmoidCrossEntropyOptions {
  Variable weight = {};           ///< a factor of each loss; broadcasts to the logits' shape
  Reduction reduction = Reduction::mean;
  Variable positive_weight = {};  ///< a factor of the target's part; broadcasts to the logits' shape
};
/// -(pw y log(sigmoid(x)) + (1 - y) log(1 - sigmoid(x))) for each of the logits x and its target y in [0, 1], exact for
/// large logits, too, and for infinite ones: 0 for the right side, else infinity (PyTorch has NaN). The target may be
/// integers or bool. The mean is over elements, whatever their weights.
Variable sigmoid_cross_entropy(const Variable& logits, const Variable& target,
                               const SigmoidCrossEntropyOptions& options = {});

struct BinaryCrossEntropyOptions {
  Variable weight = {};  ///< a factor of each loss; broadcasts to the input's shape
  Reduction reduction = Reduction::mean;
};
/// -(y log(p) + (1 - y) log(1 - p)) for probabilities p in [0, 1] and targets y. Logarithms count -100 at least, and the
/// gradient divides by 1e-12 at least, as in PyTorch. A probability that is NaN gives NaN.
/// @throws ValueError for a probability out of range.
Variable binary_cross_entropy(const Variable& probabilities, const Variable& target,
                              const BinaryCrossEntropyOptions& options = {});

struct KLDivergenceOptions {
  Reduction reduction = Reduction::mean;  ///< batchmean is what mathematics calls the divergence
  bool log_target = false;                ///< the target is log-probabilities, too
};
/// The terms target (log(target) - log_probabilities) of the Kullback-Leibler divergence; 0 where the target is 0, and
/// infinite where the log-probability alone is -infinity. (PyTorch has NaN where both are impossible.)
Variable kl_divergence(const Variable& log_probabilities, const Variable& target,
                       const KLDivergenceOptions& options = {});
/// kl_divergence under PyTorch's name.
inline Variable kl_div(const Variable& log_probabilities, const Variable& target,
                       const KLDivergenceOptions& options = {}) {
  return kl_divergence(log_probabilities, target, options);
}

/// max(0, 1 - y f) for scores f and labels y, -1 or 1, as integers or of the scores' dtype.
/// @throws ValueError for other labels.
Variable hinge_loss(const Variable& scores, const Variable& target, const LossOptions& options = {});

}  // namespace xtape::nn
