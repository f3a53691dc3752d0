#include <nn/losses/embedding.hpp>

#include <string>

#include <autograd/ops/distances.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reductions.hpp>
#include <nn/checks.hpp>
#include <nn/losses/checks.hpp>

namespace xtape::nn {
namespace {

using namespace detail;

void require_vectors(const char* operation, const Variable& x) {
  if (x.rank() == 0) throw ShapeError(std::string(operation) + ": " + describe(x) + ", needs vectors (..., width)");
}

// One loss where the label is 1, another where it is -1.
Variable by_label(const char* operation, const Variable& labels, const Variable& alike, const Variable& unlike) {
  if (labels.shape() != alike.shape() || labels.dtype() == boolean)
    throw ShapeError(std::string(operation) + ": target " + describe(labels) + " for losses " + describe(alike) +
                     ": needs their shape, and numbers");
  require_signs(operation, labels);
  return where(labels > 0, alike, unlike);
}

}  // namespace

Variable hinge_embedding_loss(const Variable& distances, const Variable& target, const HingeEmbeddingOptions& options) {
  constexpr const char* name = "hinge_embedding_loss";
  require_finite(name, "margin", options.margin);
  require_alike(name, "distances", distances, "target", as_numbers(target, distances));
  Variable losses = by_label(name, target, distances, at_least_zero(options.margin - distances));
  return reduce(name, losses, options.reduction);
}

Variable cosine_embedding_loss(const Variable& a, const Variable& b, const Variable& target,
                               const CosineEmbeddingOptions& options) {
  constexpr const char* name = "cosine_embedding_loss";
  constexpr double epsilon = 1e-12;
  require_between(name, "margin", options.margin, -1, 1);
  require_alike(name, "vectors", a, "vectors", b);
  require_vectors(name, a);
  if (!target.defined()) throw Error(std::string(name) + ": the target is an undefined Variable");
  Variable lengths = sqrt((sum(square(a), -1) + epsilon) * (sum(square(b), -1) + epsilon));
  Variable cosine = sum(a * b, -1) / lengths;
  Variable losses = by_label(name, target, 1 - cosine, at_least_zero(cosine - options.margin));
  return reduce(name, losses, options.reduction);
}

Variable margin_ranking_loss(const Variable& a, const Variable& b, const Variable& target,
                             const MarginRankingOptions& options) {
  constexpr const char* name = "margin_ranking_loss";
  require_finite(name, "margin", options.margin);
  require_alike(name, "scores", a, "scores", b);
  require_alike(name, "scores", a, "target", as_numbers(target, a));
  Variable lead = a - b;
  Variable losses =
      by_label(name, target, at_least_zero(options.margin - lead), at_least_zero(options.margin + lead));
  return reduce(name, losses, options.reduction);
}

Variable triplet_margin_loss(const Variable& anchor, const Variable& positive, const Variable& negative,
                             const TripletMarginOptions& options) {
  constexpr const char* name = "triplet_margin_loss";
  require_positive(name, "margin", options.margin);
  require_positive(name, "p", options.p);
  require_zero_or_more(name, "epsilon", options.epsilon);
  require_alike(name, "anchor", anchor, "positive", positive);
  require_alike(name, "anchor", anchor, "negative", negative);
  require_vectors(name, anchor);
  auto distance = [&](const Variable& a, const Variable& b) {
    return pairwise_distance(a, b, options.p, options.epsilon);
  };
  Variable apart = distance(anchor, negative);
  if (options.swap) apart = minimum(apart, distance(positive, negative));
  return reduce(name, at_least_zero(distance(anchor, positive) - apart + options.margin), options.reduction);
}

}  // namespace xtape::nn
