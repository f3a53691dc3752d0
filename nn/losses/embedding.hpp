// Losses of distances: what is alike shall lie close, and what is not a margin away.
#pragma once

#include <autograd/variable.hpp>
#include <nn/losses/reduction.hpp>

namespace xtape::nn {

struct HingeEmbeddingOptions {
  double margin = 1;
  Reduction reduction = Reduction::mean;
};
/// Of distances x with labels of their shape: x where the label is 1, max(0, margin - x) where it is -1. Labels are
/// integers, or of the distances' dtype. @throws ValueError for other labels.
Variable hinge_embedding_loss(const Variable& distances, const Variable& target,
                              const HingeEmbeddingOptions& options = {});

struct CosineEmbeddingOptions {
  double margin = 0;  ///< -1 to 1
  Reduction reduction = Reduction::mean;
};
/// Of the cosine of the angle between the vectors a and b (..., width), with labels (...): 1 - cos where the label is
/// 1, max(0, cos - margin) where it is -1. As in PyTorch, 1e-12 is added to the squared lengths.
/// @throws ValueError for other labels.
Variable cosine_embedding_loss(const Variable& a, const Variable& b, const Variable& target,
                               const CosineEmbeddingOptions& options = {});

struct MarginRankingOptions {
  double margin = 0;
  Reduction reduction = Reduction::mean;
};
/// max(0, margin - label (a - b)) of scores and labels of one shape: a label of 1 asks that a is the greater by the
/// margin, -1 that b is. Labels are integers, or of the scores' dtype. @throws ValueError for other labels.
Variable margin_ranking_loss(const Variable& a, const Variable& b, const Variable& target,
                             const MarginRankingOptions& options = {});

struct TripletMarginOptions {
  double margin = 1;      ///< above 0
  double p = 2;           ///< the norm, above 0
  double epsilon = 1e-6;  ///< added to the elements of differences
  bool swap = false;      ///< the negative counts as far as the nearer of anchor and positive is from it
  Reduction reduction = Reduction::mean;
};
/// max(0, d(anchor, positive) - d(anchor, negative) + margin) for d(a, b) = |a - b + epsilon|_p and vectors
/// (..., width) of one shape. Balntas et al., Learning shallow convolutional feature descriptors with triplet losses,
/// BMVC 2016.
Variable triplet_margin_loss(const Variable& anchor, const Variable& positive, const Variable& negative,
                             const TripletMarginOptions& options = {});

}  // namespace xtape::nn
