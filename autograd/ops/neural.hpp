// What layers of neural networks compute, besides convolutions, activations and normalization.
#pragma once

#include <optional>

#include <autograd/random.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// Each element 0 with probability p, else divided by 1 - p (Srivastava et al. 2014).
/// @throws ValueError unless 0 <= p <= 1.
Variable dropout(const Variable& x, double p = 0.5, Generator& generator = default_generator());

/// x W' + b for x (..., in), weights W (out, in), PyTorch's layout, and an optional bias b (out,).
Variable linear(const Variable& x, const Variable& weight, const Variable& bias = {});

/// x (batch, channels, ...) divided by (k + alpha m)^beta, where m is the mean square of `size` channels around each one,
/// zeros beyond the first and the last (Krizhevsky et al. 2012).
Variable local_response_norm(const Variable& x, std::size_t size, double alpha = 1e-4, double beta = 0.75, double k = 1);

/// Rows of a table (rows, width): shape of `indices` (int64) + (width). The row `padding_idx`, counted from the end if
/// negative, gets no gradient. With scale_grad_by_freq the gradient of a row is divided by how often it occurs.
/// @throws ValueError for an index out of range.
Variable embedding(const Variable& table, const Variable& indices, std::optional<std::ptrdiff_t> padding_idx = {},
                   bool scale_grad_by_freq = false);

/// For each row of logits (..., classes), weight (logsumexp(row) - row[label]): the cross-entropy of softmax(row) and
/// its label. (PyTorch's cross_entropy, of all rows, is nn::cross_entropy.) Labels (int64) and weights (of the logits'
/// dtype) are (...), and not differentiable. Rows of weight 0 give 0 whatever they hold, labels included. One node, for
/// which the gradient is ready when the loss is.
/// @throws ValueError for a label out of range, GraphError for weights that need a gradient.
Variable cross_entropy_rows(const Variable& logits, const Variable& labels, const Variable& weights);

/// softmax(scale q k') v for queries (..., n, d), keys (..., m, d) and values (..., m, e) (Vaswani et al. 2017).
/// `mask` broadcasts to (..., n, m): bool, true where a query may look, or numbers to add, -inf where it may not; it may
/// be undefined. A query that may look at nothing gets zeros.
/// With `causal`, a query looks at no key behind its own place. The scale is 1 / sqrt(d) if left out.
/// Weights that softmax gives are dropped with probability dropout_p (PyTorch has this argument before `causal`).
/// @throws ShapeError for shapes that do not fit, ValueError unless 0 <= dropout_p <= 1.
Variable scaled_dot_product_attention(const Variable& query, const Variable& key, const Variable& value,
                                      const Variable& mask = {}, bool causal = false,
                                      std::optional<double> scale = {}, double dropout_p = 0,
                                      Generator& generator = default_generator());

/// x (..., channels r^2, height, width) as (..., channels, height r, width r): each block of channels becomes a block
/// of pixels (Shi et al. 2016). @throws ShapeError unless r^2 divides the channels.
Variable pixel_shuffle(const Variable& x, std::size_t r);
/// The same backwards: x (..., channels, height r, width r) as (..., channels r^2, height, width).
/// @throws ShapeError unless r divides height and width.
Variable pixel_unshuffle(const Variable& x, std::size_t r);

}  // namespace xtape
