#include <autograd/ops/neural.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <autograd/batch.hpp>
#include <autograd/kernels/matmul.hpp>
#include <autograd/kernels/positions.hpp>
#include <autograd/kernels/softmax.hpp>
#include <autograd/ops/attention_weights.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/matrix_product.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/padding.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/tape.hpp>

namespace xtape {
Variable dropout(const Variable& x, double p, Generator& generator) {
  detail::Calling calling("dropout");
  detail::require_floating("dropout", x);
  if (!(p >= 0 && p <= 1)) throw ValueError("dropout: a probability of " + Scalar(p).text() + ", needs 0 to 1");
  if (p == 0) return detail::same_value("dropout", x);
  if (p == 1) return x * 0;
  Variable kept = (Variable(generator.uniform(x.shape(), 0, 1, x.dtype())) >= p).to(x.dtype());
  return x * (kept / (1 - p));
}

namespace {

Shape with_last(Shape shape, std::size_t extent) {
  shape.back() = extent;
  return shape;
}

// All axes but the last as one.
Variable as_rows(const Variable& x) {
  return x.rank() == 2 ? x : reshape(x, {element_count(with_last(x.shape(), 1)), x.shape(-1)});
}

}  // namespace

namespace {

// With weights of each sample, products of matrices.
Variable all_linear(const detail::Batch& b) {
  const bool has_bias = b.operands() == 3;
  if (!b.is_mapped(1) && !(has_bias && b.is_mapped(2)))
    return linear(b.as_given(0), b.as_given(1), has_bias ? b.as_given(2) : Variable());
  const std::size_t rank = b.rank(0);
  const Variable x = rank > 1 ? b.as_given(0) : expand_dims(b.as_given(0), -2);
  Variable y = detail::product(x, b.spread(1, std::max<std::size_t>(rank, 2)), false, true);
  if (rank == 1) y = squeeze(y, -2);
  return has_bias ? y + b.spread(2, rank) : y;
}

}  // namespace

Variable linear(const Variable& x, const Variable& weight, const Variable& bias) {
  detail::Calling calling("linear");
  detail::require_floating("linear", x);
  detail::require_floating("linear", weight);
  if (weight.rank() != 2 || x.rank() == 0 || x.shape(-1) != weight.shape()[1])
    throw ShapeError("linear: x of " + to_string(x.shape()) + " and weights of " + to_string(weight.shape()) +
                     ": needs (..., in) and (out, in)");
  if (bias.defined() && bias.shape() != Shape{weight.shape()[0]})
    throw ShapeError("linear: a bias of " + to_string(bias.shape()) + " for weights of " + to_string(weight.shape()));
  if (x.dtype() != weight.dtype())
    throw DTypeError("linear: x " + describe(x) + " and weights " + describe(weight) + ": dtypes differ; convert one " +
                     "with .to()");
  auto of_x = wrt(x, [w = save(weight)](const Variable& g) {
    Variable product = detail::product(as_rows(g), w(), false, false);
    return g.rank() == 2 ? product : reshape(product, with_last(g.shape(), product.shape()[1]));
  }, [w = save(weight)](const Variable& t) { return linear(t, w()); });
  auto of_weight = wrt(weight, [x = save(x)](const Variable& g) {
    return detail::product(as_rows(g), as_rows(x()), true, false);
  }, [x = save(x)](const Variable& t) { return linear(x(), t); });
  if (!bias.defined()) {
    auto unbiased = [](const Array& x, const Array& w) { return kernels::linear(x, w, Array()); };
    return record(op("linear").mapped(all_linear), unbiased, std::move(of_x), std::move(of_weight));
  }
  return record(op("linear").mapped(all_linear), kernels::linear, std::move(of_x), std::move(of_weight),
                wrt(bias, [](const Variable& g) { return sum(as_rows(g), 0); }, [](const Variable& t) { return t; }));
}

Variable local_response_norm(const Variable& x, std::size_t size, double alpha, double beta, double k) {
  detail::Calling calling("local_response_norm");
  detail::require_floating("local_response_norm", x);
  if (x.rank() < 2 || size == 0)
    throw ShapeError("local_response_norm: " + std::to_string(size) + " channels of " + to_string(x.shape()) +
                     ": needs one or more of (batch, channels, ...)");
  auto before = static_cast<std::ptrdiff_t>(size / 2), after = static_cast<std::ptrdiff_t>((size - 1) / 2);
  Variable around = windows(pad(square(x), {{0, 0}, {before, after}}), 1, size);
  return x / pow(k + alpha * mean(around, -1), beta);
}

Variable embedding(const Variable& table, const Variable& indices, std::optional<std::ptrdiff_t> padding_idx,
                   bool scale_grad_by_freq) {
  detail::Calling calling("embedding");
  detail::require_floating("embedding", table);
  detail::require_integers("embedding", indices);
  if (table.rank() != 2) throw ShapeError("embedding: a table " + to_string(table.shape()) + ", needs (rows, width)");
  Variable y = take(table, indices, 0);
  if (scale_grad_by_freq) {
    Variable count = scatter_add(zeros({table.shape(0)}, table.dtype()), 0, reshape(indices, {-1}), 1);
    Variable share = expand_dims(1 / take(count, indices), -1);
    y = record(op("embedding", attribute("scale_grad_by_freq", true)), [](const Array& rows, bool) { return rows; },
               wrt(y, [share = save(share)](const Variable& g) { return g * share(); }));
  }
  if (!padding_idx) return y;
  auto rows = static_cast<std::ptrdiff_t>(table.shape(0));
  std::ptrdiff_t padding = *padding_idx < 0 ? *padding_idx + rows : *padding_idx;
  if (padding < 0 || padding >= rows)
    throw ValueError("embedding: padding_idx is " + std::to_string(*padding_idx) + ", out of range for " +
                     std::to_string(rows) + " rows");
  return where(expand_dims(indices == padding || indices == padding - rows, -1), y.detach(), y);
}

namespace {

// cross_entropy_rows made of other operations. A row without weight has no label.
Variable chosen_losses(const Variable& logits, const Variable& labels, const Variable& weights) {
  const Variable used = weights != 0, chosen = expand_dims(where(used, labels, 0), -1);
  const Variable rows = log_softmax(where(expand_dims(used, -1), logits, 0), -1);
  return -weights * squeeze(take_along_axis(rows, chosen, -1), -1);
}

}  // namespace

Variable cross_entropy_rows(const Variable& logits, const Variable& labels, const Variable& weights) {
  detail::Calling calling("cross_entropy_rows");
  detail::require_floating("cross_entropy_rows", logits);
  detail::require_integers("cross_entropy_rows", labels);
  detail::require_defined("cross_entropy_rows", weights);
  if (grad_enabled() && weights.requires_grad())
    throw GraphError("cross_entropy_rows: weights " + describe(weights) + " that need a gradient, which this does not "
                     "give; needs detach(), or -weights * log_softmax(logits) at the labels");
  Shape rows = logits.shape();
  if (logits.rank() > 0) rows.pop_back();
  if (logits.rank() == 0 || labels.shape() != rows || weights.shape() != rows || weights.dtype() != logits.dtype())
    throw ShapeError("cross_entropy_rows: logits " + std::string(to_string(logits.dtype())) + to_string(logits.shape()) +
                     ", labels " + to_string(labels.shape()) + ", weights " + to_string(weights.dtype()) +
                     to_string(weights.shape()) + ": needs (..., classes), and (...) for both others");
  std::size_t classes = logits.shape(-1);
  if (detail::any_mapped(logits, labels, weights)) return chosen_losses(logits, labels, weights);
  if (auto row = kernels::mislabeled(labels.value(), weights.value(), classes))
    throw ValueError("cross_entropy_rows: label " + std::to_string(labels.data<std::int64_t>()[*row]) + " of row " +
                     std::to_string(*row) + " is out of range for " + std::to_string(classes) + " classes");
  Array chosen = labels.value(), factor = weights.value();
  auto probabilities = std::make_shared<Array>(logits.shape(), logits.dtype());
  auto losses = [=](const Array& x) { return kernels::cross_entropy(x, chosen, factor, *probabilities); };
  auto vjp = [x = save(logits), probabilities, chosen, factor](const Variable& g) {
    if (!grad_enabled()) return Variable(kernels::cross_entropy_gradient(g.value(), *probabilities, chosen, factor));
    Variable w = Variable(factor), used = w != 0, classes = arange(probabilities->shape().back());
    Variable target = (expand_dims(Variable(chosen), -1) == classes).to(g.dtype());
    return expand_dims(g * w, -1) * (softmax(where(expand_dims(used, -1), x(), 0)) - target);
  };
  auto jvp = [vjp, rows](const Variable& t) { return sum(vjp(Variable(Array::full(rows, 1, t.dtype()))) * t, -1); };
  return record("cross_entropy_rows", losses, wrt(logits, vjp, jvp));
}

Variable scaled_dot_product_attention(const Variable& query, const Variable& key, const Variable& value,
                                      const Variable& mask, bool causal, std::optional<double> scale, double dropout_p,
                                      Generator& generator) {
  detail::Calling calling("scaled_dot_product_attention");
  const char* name = "scaled_dot_product_attention";
  for (const Variable* x : {&query, &key, &value}) {
    detail::require_floating(name, *x);
    if (x->rank() < 2) throw ShapeError(std::string(name) + ": " + to_string(x->shape()) + ", needs two axes or more");
  }
  if (query.shape(-1) != key.shape(-1) || key.shape(-2) != value.shape(-2))
    throw ShapeError(std::string(name) + ": queries " + to_string(query.shape()) + ", keys " + to_string(key.shape()) +
                     ", values " + to_string(value.shape()) + ": needs (..., n, d), (..., m, d), (..., m, e)");
  double factor = scale ? *scale : 1 / std::sqrt(static_cast<double>(query.shape(-1)));
  Variable scores = matmul(query, swapaxes(key, -1, -2)) * factor;
  std::vector<Variable> masks;
  if (causal) masks.push_back(expand_dims(arange(scores.shape(-1)), 0) <= expand_dims(arange(scores.shape(-2)), 1));
  if (mask.defined()) masks.push_back(mask);
  return matmul(dropout(detail::attention_weights(scores, masks), dropout_p, generator), value);
}

// In place of what is hidden stands the lowest number rather than -inf: a row with nothing else would be NaN, and so
// would its gradients.
Variable detail::attention_weights(const Variable& scores, const std::vector<Variable>& masks) {
  Variable sums = scores, hidden;
  for (const Variable& mask : masks) {
    bool adds = mask.dtype() != DType::boolean;
    Variable never = adds ? mask == -std::numeric_limits<double>::infinity() : logical_not(mask);
    if (adds) sums = sums + where(never, 0, mask);
    hidden = hidden.defined() ? logical_or(hidden, never) : never;
  }
  if (!hidden.defined()) return softmax(sums, -1);
  double lowest = sums.dtype() == DType::float32 ? std::numeric_limits<float>::lowest()
                                                 : std::numeric_limits<double>::lowest();
  return where(hidden, 0, softmax(where(hidden, lowest, sums), -1));
}

namespace {

// These extents in place of the last three of images x.
Shape with_leading(const Variable& x, const Shape& last) {
  Shape shape(x.shape().begin(), x.shape().end() - 3);
  shape.insert(shape.end(), last.begin(), last.end());
  return shape;
}

// The last axes of x in another order.
Variable last_axes(const Variable& x, const std::vector<std::ptrdiff_t>& order) {
  std::vector<std::ptrdiff_t> places;
  for (std::size_t i = 0; i < order.size(); ++i)
    places.push_back(static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(order.size()));
  return movedim(x, order, places);
}

}  // namespace

Variable pixel_shuffle(const Variable& x, std::size_t r) {
  detail::Calling calling("pixel_shuffle");
  detail::require_defined("pixel_shuffle", x);
  if (x.rank() < 3 || r == 0 || x.shape(-3) % r != 0 || x.shape(-3) / r % r != 0)
    throw ShapeError("pixel_shuffle: " + to_string(x.shape()) + " by " +
                     std::to_string(static_cast<std::ptrdiff_t>(r)) + ", needs (..., channels r^2, height, width)");
  std::size_t channels = x.shape(-3) / (r * r), height = x.shape(-2), width = x.shape(-1);
  Variable blocks = reshape(x, with_leading(x, {channels, r, r, height, width}));
  return reshape(last_axes(blocks, {-5, -2, -4, -1, -3}), with_leading(x, {channels, height * r, width * r}));
}

Variable pixel_unshuffle(const Variable& x, std::size_t r) {
  detail::Calling calling("pixel_unshuffle");
  detail::require_defined("pixel_unshuffle", x);
  if (x.rank() < 3 || r == 0 || x.shape(-2) % r != 0 || x.shape(-1) % r != 0)
    throw ShapeError("pixel_unshuffle: " + to_string(x.shape()) + " by " +
                     std::to_string(static_cast<std::ptrdiff_t>(r)) + ", needs (..., channels, height r, width r)");
  std::size_t channels = x.shape(-3), height = x.shape(-2) / r, width = x.shape(-1) / r;
  Variable blocks = reshape(x, with_leading(x, {channels, height, r, width, r}));
  return reshape(last_axes(blocks, {-5, -3, -1, -4, -2}), with_leading(x, {channels * r * r, height, width}));
}

}  // namespace xtape
