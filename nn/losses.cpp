#include <nn/losses.hpp>

#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/reductions.hpp>

namespace xtape::nn {
namespace {

Variable reduce(const Variable& losses, Reduction reduction) {
  switch (reduction) {
    case Reduction::mean: return mean(losses);
    case Reduction::sum: return sum(losses);
    default: return losses;
  }
}

std::string describe(const Variable& x) {
  return x.defined() ? std::string(to_string(x.dtype())) + to_string(x.shape()) : "an undefined Variable";
}

void require_labels(const Variable& target, std::size_t classes) {
  const auto* labels = target.data<std::int64_t>();
  for (std::size_t i = 0; i < target.size(); ++i)
    if (labels[i] < 0 || labels[i] >= static_cast<std::int64_t>(classes))
      throw ValueError("softmax_cross_entropy: label " + std::to_string(labels[i]) + " of sample " +
                       std::to_string(i) + " is out of range for " + std::to_string(classes) + " classes, needs 0 to " +
                       std::to_string(static_cast<std::int64_t>(classes) - 1));
}

}  // namespace

Variable softmax_cross_entropy(const Variable& logits, const Variable& target, const LossOptions& options) {
  auto message = [&] {
    return "softmax_cross_entropy: logits " + describe(logits) + " with target " + describe(target) +
           ": needs floating-point logits (..., classes), and int64 class indices of shape (...) or probabilities of "
           "the logits' shape and dtype";
  };
  if (!logits.defined() || !target.defined()) throw Error(message());
  if (!is_floating(logits.dtype())) throw DTypeError(message());
  if (logits.rank() == 0) throw ShapeError(message());
  Shape samples(logits.shape().begin(), logits.shape().end() - 1);
  if (target.shape() == samples) {
    if (target.dtype() != int64) throw DTypeError(message());
    require_labels(target, logits.shape(-1));
    Variable picked = take_along_axis(log_softmax(logits), expand_dims(target, -1), -1);
    return -reduce(reshape(picked, samples), options.reduction);
  }
  if (target.shape() != logits.shape()) throw ShapeError(message());
  if (is_floating(target.dtype()) && target.dtype() != logits.dtype()) throw DTypeError(message());
  return -reduce(sum(target.to(logits.dtype()) * log_softmax(logits), -1), options.reduction);
}

Variable mse_loss(const Variable& prediction, const Variable& target, const LossOptions& options) {
  if (!prediction.defined() || !target.defined() || prediction.shape() != target.shape())
    throw ShapeError("mse_loss: prediction " + describe(prediction) + " with target " + describe(target) +
                     ": needs one shape");
  return reduce(square(prediction - target), options.reduction);
}

}  // namespace xtape::nn
