#include <autograd/ops/neural.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <autograd/kernels/softmax.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/tape.hpp>

namespace xtape {
Variable dropout(const Variable& x, double p, Generator& generator) {
  detail::require_floating("dropout", x);
  if (!(p >= 0 && p <= 1)) throw ValueError("dropout: a probability of " + std::to_string(p) + ", needs 0 to 1");
  if (p == 0) return x;
  if (p == 1) return x * 0;
  Variable kept = (Variable(generator.uniform(x.shape(), 0, 1, x.dtype())) >= p).to(x.dtype());
  return x * (kept / (1 - p));
}

Variable embedding(const Variable& table, const Variable& indices) {
  detail::require_floating("embedding", table);
  detail::require_integers("embedding", indices);
  if (table.rank() != 2) throw ShapeError("embedding: a table " + to_string(table.shape()) + ", needs (rows, width)");
  return take(table, indices, 0);
}

Variable cross_entropy(const Variable& logits, const Variable& labels, const Variable& weights) {
  detail::require_floating("cross_entropy", logits);
  detail::require_integers("cross_entropy", labels);
  detail::require_defined("cross_entropy", weights);
  Shape rows = logits.shape();
  if (logits.rank() > 0) rows.pop_back();
  if (logits.rank() == 0 || labels.shape() != rows || weights.shape() != rows || weights.dtype() != logits.dtype())
    throw ShapeError("cross_entropy: logits " + std::string(to_string(logits.dtype())) + to_string(logits.shape()) +
                     ", labels " + to_string(labels.shape()) + ", weights " + to_string(weights.dtype()) +
                     to_string(weights.shape()) + ": needs (..., classes), and (...) for both others");
  auto classes = static_cast<std::int64_t>(logits.shape(-1));
  const auto* label = labels.data<std::int64_t>();
  for (std::size_t i = 0; i < labels.size(); ++i)
    if ((label[i] < 0 || label[i] >= classes) && weights.value().at(i) != 0)
      throw ValueError("cross_entropy: label " + std::to_string(label[i]) + " of row " + std::to_string(i) +
                       " is out of range for " + std::to_string(classes) + " classes");
  Array chosen = labels.value().copy(), factor = weights.value().copy();  // later changes must not reach the vjp
  Array probabilities(logits.shape(), logits.dtype());
  auto losses = [&] { return kernels::cross_entropy(logits.value(), chosen, factor, probabilities); };
  auto vjp = [x = save(logits), probabilities, chosen, factor](const Variable& g) {
    if (!grad_enabled()) return Variable(kernels::cross_entropy_gradient(g.value(), probabilities, chosen, factor));
    Variable w = Variable(factor), used = w != 0, classes = arange(probabilities.shape().back());
    Variable target = (expand_dims(Variable(chosen), -1) == classes).to(g.dtype());
    return expand_dims(g * w, -1) * (softmax(where(expand_dims(used, -1), x(), 0)) - target);
  };
  return record("cross_entropy", losses, wrt(logits, std::move(vjp)));
}

Variable scaled_dot_product_attention(const Variable& query, const Variable& key, const Variable& value,
                                      const Variable& mask, bool causal) {
  const char* name = "scaled_dot_product_attention";
  for (const Variable* x : {&query, &key, &value}) {
    detail::require_floating(name, *x);
    if (x->rank() < 2) throw ShapeError(std::string(name) + ": " + to_string(x->shape()) + ", needs two axes or more");
  }
  if (query.shape(-1) != key.shape(-1) || key.shape(-2) != value.shape(-2))
    throw ShapeError(std::string(name) + ": queries " + to_string(query.shape()) + ", keys " + to_string(key.shape()) +
                     ", values " + to_string(value.shape()) + ": needs (..., n, d), (..., m, d), (..., m, e)");
  constexpr double never = -std::numeric_limits<double>::infinity();
  Variable scores = matmul(query, swapaxes(key, -1, -2)) * (1 / std::sqrt(static_cast<double>(query.shape(-1))));
  if (causal) scores = masked_fill(scores, triu(ones({scores.shape(-2), scores.shape(-1)}), 1) > 0, never);
  if (mask.defined())
    scores = mask.dtype() == DType::boolean ? masked_fill(scores, logical_not(mask), never) : scores + mask;
  return matmul(softmax(scores, -1), value);
}

Variable pixel_shuffle(const Variable& x, std::size_t r) {
  detail::require_defined("pixel_shuffle", x);
  if (x.rank() != 4 || r == 0 || x.shape()[1] % (r * r) != 0)
    throw ShapeError("pixel_shuffle: " + to_string(x.shape()) + " by " + std::to_string(r) +
                     ", needs (batch, channels r^2, height, width)");
  std::size_t batch = x.shape()[0], channels = x.shape()[1] / (r * r), height = x.shape()[2], width = x.shape()[3];
  Variable blocks = transpose(reshape(x, {batch, channels, r, r, height, width}), {0, 1, 4, 2, 5, 3});
  return reshape(blocks, {batch, channels, height * r, width * r});
}

namespace {

Variable indices_of(const std::vector<std::int64_t>& indices) {
  Array result({indices.size()}, DType::int64);
  std::copy(indices.begin(), indices.end(), result.mutable_data<std::int64_t>());
  return Variable(std::move(result));
}

Variable nearest_along(const Variable& x, std::ptrdiff_t axis, std::size_t n, bool) {
  std::vector<std::int64_t> from;
  for (std::size_t i = 0; i < n; ++i) from.push_back(static_cast<std::int64_t>(i * x.shape(axis) / n));
  return take(x, indices_of(from), axis);
}

// Between the two pixels whose centres are next: x[below] + (x[above] - x[below]) part.
Variable linear_along(const Variable& x, std::ptrdiff_t axis, std::size_t n, bool align_corners) {
  std::vector<std::int64_t> below, above;
  Shape shape(x.rank(), 1);
  shape[static_cast<std::size_t>(axis)] = n;
  Array part(shape, x.dtype());
  auto length = static_cast<double>(x.shape(axis));
  for (std::size_t i = 0; i < n; ++i) {
    auto at = static_cast<double>(i), count = static_cast<double>(n);
    double place = !align_corners ? std::max((at + 0.5) * length / count - 0.5, 0.0)
                                  : at * (length - 1) / std::max(count - 1, 1.0);
    auto first = static_cast<std::int64_t>(place);
    below.push_back(first);
    above.push_back(std::min<std::int64_t>(first + 1, static_cast<std::int64_t>(x.shape(axis)) - 1));
    visit_floating("interpolate", x.dtype(), [&]<class T>(T) {
      part.mutable_data<T>()[i] = static_cast<T>(place - static_cast<double>(first));
    });
  }
  Variable lower = take(x, indices_of(below), axis);
  return lower + (take(x, indices_of(above), axis) - lower) * Variable(part);
}

}  // namespace

Variable interpolate(const Variable& x, std::size_t height, std::size_t width, Interpolation mode,
                     bool align_corners) {
  detail::require_floating("interpolate", x);
  if (x.rank() != 4 || x.shape()[2] == 0 || x.shape()[3] == 0)
    throw ShapeError("interpolate: " + to_string(x.shape()) + ", needs (batch, channels, height, width), not empty");
  if (align_corners && mode == Interpolation::nearest)
    throw ValueError("interpolate: align_corners with nearest, needs bilinear");
  auto along = mode == Interpolation::nearest ? nearest_along : linear_along;
  return along(along(x, 2, height, align_corners), 3, width, align_corners);
}

}  // namespace xtape
