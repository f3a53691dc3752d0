#include <nn/losses/checks.hpp>

#include <cmath>
#include <limits>

#include <autograd/batch.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reductions.hpp>
#include <nn/checks.hpp>

namespace xtape::nn::detail {

Variable reduce(const char* operation, const Variable& losses, Reduction reduction) {
  if (losses.size() == 0 && (reduction == Reduction::mean || reduction == Reduction::batchmean))
    throw ShapeError(std::string(operation) + ": the mean of losses " + describe(losses) + ", needs one or more");
  switch (reduction) {
    case Reduction::mean: return mean(losses);
    case Reduction::sum: return sum(losses);
    case Reduction::none: return losses;
    default: break;
  }
  if (losses.rank() == 0)
    throw ShapeError(std::string(operation) + ": batchmean of losses " + describe(losses) +
                     ", needs a batch as first axis");
  return sum(losses) / losses.shape(0);
}

void require_alike(const char* operation, const char* what, const Variable& x, const char* other, const Variable& y) {
  auto message = [&](const char* needs) {
    return std::string(operation) + ": " + what + " " + describe(x) + " with " + other + " " + describe(y) +
           ": needs " + needs;
  };
  if (!x.defined() || !y.defined()) throw Error(message("both"));
  if (x.shape() != y.shape()) throw ShapeError(message("one shape"));
  if (!is_floating(x.dtype()) || x.dtype() != y.dtype()) throw DTypeError(message("one floating-point dtype"));
}

void require_signs(const char* operation, const Variable& labels) {
  const Array& all = xtape::detail::every_sample(labels.value());
  for (std::size_t i = 0; i < all.size(); ++i)
    if (std::abs(all.at(i)) != 1)
      throw ValueError(std::string(operation) + ": label " + Scalar(all.at(i)).text() + " of sample " +
                       std::to_string(i % labels.size()) + ", needs -1 or 1");
}

Variable as_numbers(const Variable& x, const Variable& like) {
  return x.defined() && like.defined() && !is_floating(x.dtype()) ? x.to(like.dtype()) : x;
}

Variable at_least_zero(const Variable& x) { return clip(x, 0, std::numeric_limits<double>::infinity()); }

}  // namespace xtape::nn::detail
