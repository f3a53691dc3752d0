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
namespace {

void require_channels(const char* operation, const Variable& x) {
  detail::require_floating(operation, x);
  if (x.rank() < 2) throw ShapeError(std::string(operation) + ": " + to_string(x.shape()) + ", needs (batch, channels, ...)");
}

Variable normalized(const Variable& x, const Axes& axes, double epsilon) {
  Variable centred = x - mean(x, axes, true);
  return centred / sqrt(mean(square(centred), axes, true) + epsilon);
}

Variable scaled(const char* operation, const Variable& x, const Variable& weight, const Variable& bias,
                const Shape& shape, const Shape& spread) {
  auto fitting = [&](const char* what, const Variable& v) {
    if (v.shape() != shape)
      throw ShapeError(std::string(operation) + ": " + to_string(x.shape()) + " with a " + what + " " +
                       to_string(v.shape()) + ", needs " + to_string(shape));
    return reshape(v, spread);
  };
  Variable result = x;
  if (weight.defined()) result = result * fitting("weight", weight);
  if (bias.defined()) result = result + fitting("bias", bias);
  return result;
}

// (channels) as it broadcasts to (batch, channels, ...).
Shape spread_channels(const Variable& x) {
  Shape shape(x.rank() - 1, 1);
  shape[0] = x.shape()[1];
  return shape;
}

}  // namespace

Variable layer_norm(const Variable& x, std::size_t axes, const Variable& weight, const Variable& bias,
                    double epsilon) {
  detail::require_floating("layer_norm", x);
  if (axes == 0 || axes > x.rank())
    throw ShapeError("layer_norm: over the last " + std::to_string(axes) + " axes of " + to_string(x.shape()) +
                     ", needs 1 or more of them");
  std::vector<std::ptrdiff_t> last;
  for (std::size_t i = 1; i <= axes; ++i) last.push_back(-static_cast<std::ptrdiff_t>(i));
  Shape shape(x.shape().end() - static_cast<std::ptrdiff_t>(axes), x.shape().end());
  return scaled("layer_norm", normalized(x, last, epsilon), weight, bias, shape, shape);
}

Variable group_norm(const Variable& x, std::size_t groups, const Variable& weight, const Variable& bias,
                    double epsilon) {
  require_channels("group_norm", x);
  std::size_t batch = x.shape()[0], channels = x.shape()[1];
  if (groups == 0 || channels % groups != 0)
    throw ShapeError("group_norm: " + std::to_string(channels) + " channels in " + std::to_string(groups) +
                     " groups: needs equal ones");
  std::size_t rest = batch * groups == 0 ? 0 : x.size() / (batch * groups);
  Variable y = reshape(normalized(reshape(x, {batch, groups, rest}), -1, epsilon), x.shape());
  return scaled("group_norm", y, weight, bias, {channels}, spread_channels(x));
}

Variable instance_norm(const Variable& x, const Variable& weight, const Variable& bias, double epsilon) {
  require_channels("instance_norm", x);
  return group_norm(x, x.shape()[1], weight, bias, epsilon);
}

Variable batch_norm(const Variable& x, const Variable& weight, const Variable& bias, double epsilon) {
  require_channels("batch_norm", x);
  std::vector<std::ptrdiff_t> axes{0};
  for (std::size_t i = 2; i < x.rank(); ++i) axes.push_back(static_cast<std::ptrdiff_t>(i));
  return scaled("batch_norm", normalized(x, axes, epsilon), weight, bias, {x.shape()[1]}, spread_channels(x));
}

Variable batch_norm(const Variable& x, const Variable& mean, const Variable& variance, const Variable& weight,
                    const Variable& bias, double epsilon) {
  require_channels("batch_norm", x);
  Variable shift = -mean, scale = 1 / sqrt(variance + epsilon);
  Shape channels{x.shape()[1]}, spread = spread_channels(x);
  Variable centred = scaled("batch_norm", x, {}, shift, channels, spread);
  return scaled("batch_norm", scaled("batch_norm", centred, scale, {}, channels, spread), weight, bias, channels, spread);
}

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

Variable nearest_along(const Variable& x, std::ptrdiff_t axis, std::size_t n) {
  std::vector<std::int64_t> from;
  for (std::size_t i = 0; i < n; ++i) from.push_back(static_cast<std::int64_t>(i * x.shape(axis) / n));
  return take(x, indices_of(from), axis);
}

// Between the two pixels whose centres are next: x[below] + (x[above] - x[below]) part.
Variable linear_along(const Variable& x, std::ptrdiff_t axis, std::size_t n) {
  std::vector<std::int64_t> below, above;
  Shape shape(x.rank(), 1);
  shape[static_cast<std::size_t>(axis)] = n;
  Array part(shape, x.dtype());
  auto length = static_cast<double>(x.shape(axis));
  for (std::size_t i = 0; i < n; ++i) {
    double place = std::max((static_cast<double>(i) + 0.5) * length / static_cast<double>(n) - 0.5, 0.0);
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

Variable interpolate(const Variable& x, std::size_t height, std::size_t width, Interpolation mode) {
  detail::require_floating("interpolate", x);
  if (x.rank() != 4 || x.shape()[2] == 0 || x.shape()[3] == 0)
    throw ShapeError("interpolate: " + to_string(x.shape()) + ", needs (batch, channels, height, width), not empty");
  auto along = mode == Interpolation::nearest ? nearest_along : linear_along;
  return along(along(x, 2, height), 3, width);
}

}  // namespace xtape
