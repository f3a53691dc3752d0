#include <nn/losses/classification.hpp>

#include <cmath>
#include <limits>
#include <string>

#include <autograd/batch.hpp>
#include <autograd/fuse.hpp>
#include <autograd/ops/activations.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/neural.hpp>
#include <autograd/ops/reductions.hpp>
#include <nn/checks.hpp>
#include <nn/losses/checks.hpp>

namespace xtape::nn {
namespace {

using namespace detail;

Variable classes_last(const char* operation, const Variable& x, std::ptrdiff_t axis) {
  if (!x.defined() || axis == -1) return x;
  return normalize_axis(operation, axis, x.rank()) + 1 == x.rank() ? x : movedim(x, axis, -1);
}

void require_class_weights(const char* operation, const Variable& weights, const Variable& logits) {
  if (weights.defined() && (weights.shape() != Shape{logits.shape().back()} || weights.dtype() != logits.dtype()))
    throw ShapeError(std::string(operation) + ": class weights " + describe(weights) + " for " + describe(logits) +
                     ": needs " + to_string(logits.dtype()) + to_string(Shape{logits.shape().back()}));
}

// How much each sample counts: as much as the class of its label, and nothing when it is ignored.
struct SampleWeights {
  Variable each;
  Variable total;
};

// The same made of operations.
SampleWeights composed_weights(const Variable& labels, const Variable& class_weights, std::int64_t ignore_index,
                               DType dtype) {
  const Variable counted = labels != ignore_index;
  const Variable each = class_weights.defined() ? where(counted, take(class_weights, where(counted, labels, 0)), 0)
                                                : counted.to(dtype);
  return {each, sum(each)};
}

SampleWeights sample_weights(const char* operation, const Variable& logits, const Variable& labels,
                             const Variable& class_weights, std::int64_t ignore_index) {
  auto classes = static_cast<std::int64_t>(logits.shape().back());
  if (xtape::detail::any_mapped(labels, class_weights)) {
    if (xtape::detail::any_nonzero(labels != ignore_index && (labels < 0 || labels >= classes)))
      xtape::detail::no_elements(labels.value());  // the loop tells which
    return composed_weights(labels, class_weights, ignore_index, logits.dtype());
  }
  const auto* label = labels.data<std::int64_t>();
  Array array(labels.shape(), logits.dtype());
  double total = 0;
  visit_floating(operation, logits.dtype(), [&]<class T>(T) {
    T* each = array.mutable_data<T>();
    const T* of_class = class_weights.defined() ? class_weights.data<T>() : nullptr;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      bool ignored = label[i] == ignore_index;
      if (!ignored && (label[i] < 0 || label[i] >= classes))
        throw ValueError(std::string(operation) + ": label " + std::to_string(label[i]) + " of sample " +
                         std::to_string(i) + " is out of range for " + std::to_string(classes) +
                         " classes, needs 0 to " + std::to_string(classes - 1));
      each[i] = ignored ? T(0) : of_class ? of_class[label[i]] : T(1);
      total += static_cast<double>(each[i]);
    }
  });
  if (!class_weights.requires_grad()) return {Variable(std::move(array)), total};
  return composed_weights(labels, class_weights, ignore_index, logits.dtype());
}

// The losses, which are weighted already, of samples with these weights.
Variable reduce_weighted(const char* operation, const Variable& losses, const Variable& total, Reduction reduction) {
  if (reduction != Reduction::mean || losses.size() == 0) return reduce(operation, losses, reduction);
  return sum(losses) / total;
}

void require_labels(const char* operation, const char* what, const Variable& x, const Variable& labels) {
  auto message = [&] {
    return std::string(operation) + ": " + what + " " + describe(x) + " with target " + describe(labels) +
           ": needs floating-point " + what + " (..., classes), and int64 class indices of shape (...)";
  };
  if (!x.defined() || !labels.defined()) throw Error(message());
  if (!is_floating(x.dtype()) || labels.dtype() != int64) throw DTypeError(message());
  const Shape& shape = x.shape();
  if (shape.empty() || labels.rank() + 1 != shape.size() ||
      !std::equal(labels.shape().begin(), labels.shape().end(), shape.begin()))
    throw ShapeError(message());
}

// The target's probabilities by the logits' classes: one-hot rows, or what was given, smoothed and weighted.
Variable target_terms(const Variable& target, const SoftmaxCrossEntropyOptions& options) {
  Variable terms = target;
  double smoothing = options.label_smoothing;
  if (smoothing > 0) terms = (1 - smoothing) * terms + smoothing / static_cast<double>(target.shape().back());
  return options.class_weights.defined() ? terms * options.class_weights : terms;
}

// Each by its logarithm.
Variable products(const Variable& p, const Variable& log_p) {
  return fuse([](auto a, auto log) { return times_log(a, log); }, p, log_p);
}

// -weight log_p[label] of each sample.
Variable picked_losses(const Variable& log_p, const Variable& labels, const Variable& weights, std::int64_t ignored) {
  Variable counted = labels != ignored;
  Variable picked = take_along_axis(log_p, expand_dims(where(counted, labels, 0), -1), -1).reshape(labels.shape());
  return -weights * where(counted, picked, 0);
}

Variable cross_entropy_of_labels(const Variable& logits, const Variable& labels,
                                 const SoftmaxCrossEntropyOptions& options) {
  constexpr const char* name = "softmax_cross_entropy";
  auto [weights, total] = sample_weights(name, logits, labels, options.class_weights, options.ignore_index);
  if (options.label_smoothing == 0) {
    // The rows take as their weights what is ignored, whose logits may be NaN: that of a class of weight 0 stays NaN.
    const bool plain = !options.class_weights.defined();
    Variable counted = plain ? weights : (labels != options.ignore_index).to(logits.dtype());
    Variable losses = xtape::cross_entropy_rows(logits, labels, counted);
    return reduce_weighted(name, plain ? losses : losses * weights, total, options.reduction);
  }
  Variable counted = expand_dims(labels != options.ignore_index, -1);
  Variable one_hot = (expand_dims(labels, -1) == arange(logits.shape().back())).to(logits.dtype());
  Variable terms = where(counted, target_terms(one_hot, options), 0);
  // Ignored logits may be no numbers: 0 * NaN is not 0.
  Variable log_p = log_softmax(where(counted, logits, 0));
  return reduce_weighted(name, -sum(products(terms, log_p), -1), total, options.reduction);
}

void require_factor(const char* operation, const char* option, const Variable& losses, const Variable& weight) {
  if (weight.dtype() != losses.dtype() || broadcast_shapes(operation, losses.shape(), weight.shape()) != losses.shape())
    throw ShapeError(std::string(operation) + ": " + option + " " + describe(weight) + " for losses " +
                     describe(losses) + ": needs their dtype, and a shape that broadcasts to theirs");
}

// A factor of each loss.
Variable weighted(const char* operation, const Variable& losses, const Variable& weight) {
  if (!weight.defined()) return losses;
  require_factor(operation, "weight", losses, weight);
  return losses * weight;
}

// -(yes log(sigmoid(x)) + no log(sigmoid(-x))). The logarithms are min(x, 0) - l and -max(x, 0) - l, for
// l = log(1 + exp(-|x|)), whose slope is right at 0 as well. An infinite x adds nothing to what weighs 0.
template <class Number>
Number two_sided(const Number& x, const Number& yes, const Number& no) {
  constexpr double greatest = std::numeric_limits<float>::max();
  auto right = x > 0;
  Number slope = where(right, no, -yes), finite = clip(x, -greatest, greatest);
  return (yes + no) * log1p(exp(where(right, -x, x))) + slope * where(slope == 0, finite, x);
}

}  // namespace

Variable softmax_cross_entropy(const Variable& logits, const Variable& target,
                               const SoftmaxCrossEntropyOptions& options) {
  constexpr const char* name = "softmax_cross_entropy";
  require_between(name, "label_smoothing", options.label_smoothing, 0, 1);
  require_positive(name, "temperature", options.temperature);
  auto message = [&] {
    return "softmax_cross_entropy: logits " + describe(logits) + " with target " + describe(target) +
           ": needs floating-point logits (..., classes), and int64 class indices of shape (...) or probabilities of "
           "the logits' shape and dtype";
  };
  if (!logits.defined() || !target.defined()) throw Error(message());
  if (!is_floating(logits.dtype())) throw DTypeError(message());
  if (logits.rank() == 0) throw ShapeError(message());
  Variable x = classes_last(name, logits, options.axis);
  require_class_weights(name, options.class_weights, x);
  if (options.temperature != 1) x = x / options.temperature;
  if (target.shape() == Shape(x.shape().begin(), x.shape().end() - 1)) {
    if (target.dtype() != int64) throw DTypeError(message());
    return cross_entropy_of_labels(x, target, options);
  }
  if (target.shape() != logits.shape()) throw ShapeError(message());
  if (is_floating(target.dtype()) && target.dtype() != logits.dtype()) throw DTypeError(message());
  Variable p = classes_last(name, target.to(logits.dtype()), options.axis);
  return reduce(name, -sum(products(target_terms(p, options), log_softmax(x)), -1), options.reduction);
}

Variable nll_loss(const Variable& log_probabilities, const Variable& target, const NLLOptions& options) {
  Variable x = classes_last("nll_loss", log_probabilities, options.axis);
  require_labels("nll_loss", "log_probabilities", x, target);
  require_class_weights("nll_loss", options.class_weights, x);
  auto [weights, total] = sample_weights("nll_loss", x, target, options.class_weights, options.ignore_index);
  return reduce_weighted("nll_loss", picked_losses(x, target, weights, options.ignore_index), total, options.reduction);
}

Variable sigmoid_cross_entropy(const Variable& logits, const Variable& target,
                               const SigmoidCrossEntropyOptions& options) {
  constexpr const char* name = "sigmoid_cross_entropy";
  Variable y = as_numbers(target, logits);
  require_alike(name, "logits", logits, "target", y);
  const Variable& factor = options.positive_weight;
  if (factor.defined()) require_factor(name, "positive_weight", y, factor);
  Variable losses = factor.defined()
                        ? fuse([](auto x, auto y, auto w) { return two_sided(x, w * y, 1 - y); }, logits, y, factor)
                        : fuse([](auto x, auto y) { return two_sided(x, y, 1 - y); }, logits, y);
  return reduce(name, weighted(name, losses, options.weight), options.reduction);
}

Variable binary_cross_entropy(const Variable& probabilities, const Variable& target,
                              const BinaryCrossEntropyOptions& options) {
  constexpr const char* name = "binary_cross_entropy";
  constexpr double least_log = -100, least_product = 1e-12f;  // PyTorch's is a float
  Variable y = as_numbers(target, probabilities);
  require_alike(name, "probabilities", probabilities, "target", y);
  if (xtape::detail::any_nonzero(probabilities < 0 || probabilities > 1))
    throw ValueError("binary_cross_entropy: probabilities " + describe(probabilities) + " from " +
                     Scalar(min(probabilities).item()).text() + " to " + Scalar(max(probabilities).item()).text() +
                     ", needs 0 to 1");
  // Near 0 and 1 the logarithms are bounded, and the loss goes on in a straight line of a bounded slope.
  Variable p = probabilities, fixed = p.detach();
  Variable inner = fixed * (1 - fixed) >= least_product, safe = where(inner, p, 0.5);
  Variable log_p = where(inner, log(safe), maximum(log(fixed), least_log));
  Variable log_rest = where(inner, log1p(-safe), maximum(log1p(-fixed), least_log));
  Variable line = where(inner, 0, (fixed - y.detach()) / least_product * (p - fixed));
  Variable losses = line - (y * log_p + (1 - y) * log_rest);
  return reduce(name, weighted(name, losses, options.weight), options.reduction);
}

Variable kl_divergence(const Variable& log_probabilities, const Variable& target, const KLDivergenceOptions& options) {
  require_alike("kl_divergence", "log_probabilities", log_probabilities, "target", target);
  auto by_log = [](auto log_p, auto log_q) {
    auto p = exp(log_p);
    return times_log(p, log_p) - times_log(p, log_q);
  };
  auto plain = [](auto p, auto log_q) { return xlogy(p, p) - times_log(p, log_q); };
  Variable losses = options.log_target ? fuse(by_log, target, log_probabilities) : fuse(plain, target, log_probabilities);
  return reduce("kl_divergence", losses, options.reduction);
}

Variable hinge_loss(const Variable& scores, const Variable& target, const LossOptions& options) {
  Variable y = as_numbers(target, scores);
  require_alike("hinge_loss", "scores", scores, "target", y);
  require_signs("hinge_loss", y);
  return reduce("hinge_loss", at_least_zero(1 - y * scores), options.reduction);
}

}  // namespace xtape::nn
