// What layers of neural networks compute, besides convolutions and activations.
#pragma once

#include <autograd/random.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// @name Normalization: (x - mean) / sqrt(var + epsilon), times a weight, plus a bias, either of which may be undefined.
/// The variance is that of the elements at hand, not an estimate of a larger population's.
/// @{

/// Over the last axes, as many as `axes`, whose shape weight and bias have (Ba, Kiros, Hinton 2016).
Variable layer_norm(const Variable& x, std::size_t axes = 1, const Variable& weight = {}, const Variable& bias = {},
                    double epsilon = 1e-5);
/// Of x (batch, channels, ...), over groups of channels and all that follows (Wu, He 2018); weight and bias (channels).
/// @throws ShapeError unless the groups divide the channels.
Variable group_norm(const Variable& x, std::size_t groups, const Variable& weight = {}, const Variable& bias = {},
                    double epsilon = 1e-5);
/// group_norm with each channel on its own (Ulyanov, Vedaldi, Lempitsky 2016).
Variable instance_norm(const Variable& x, const Variable& weight = {}, const Variable& bias = {},
                       double epsilon = 1e-5);
/// Of x (batch, channels, ...), each channel over all else (Ioffe, Szegedy 2015).
Variable batch_norm(const Variable& x, const Variable& weight = {}, const Variable& bias = {}, double epsilon = 1e-5);
/// The same with a mean and a variance (channels) from elsewhere, such as from training.
Variable batch_norm(const Variable& x, const Variable& mean, const Variable& variance, const Variable& weight,
                    const Variable& bias, double epsilon = 1e-5);
/// @}

/// Each element 0 with probability p, else divided by 1 - p (Srivastava et al. 2014).
/// @throws ValueError unless 0 <= p <= 1.
Variable dropout(const Variable& x, double p = 0.5, Generator& generator = default_generator());

/// Rows of a table (rows, width): shape of `indices` (int64) + (width). @throws ValueError for an index out of range.
Variable embedding(const Variable& table, const Variable& indices);

/// For each row of logits (..., classes), weight (logsumexp(row) - row[label]): the cross-entropy of softmax(row) and
/// its label. Labels (int64) and weights (of the logits' dtype) are (...), and not differentiable. Rows of weight 0 give
/// 0 whatever they hold, labels included. One node, for which the gradient is ready when the loss is.
/// @throws ValueError for a label out of range.
Variable cross_entropy(const Variable& logits, const Variable& labels, const Variable& weights);

/// softmax(q k' / sqrt(d)) v for queries (..., n, d), keys (..., m, d) and values (..., m, e) (Vaswani et al. 2017).
/// `mask` broadcasts to (..., n, m): bool, false where a query must not look, or numbers to add; it may be undefined.
/// With `causal`, a query looks at no key behind its own place.
Variable scaled_dot_product_attention(const Variable& query, const Variable& key, const Variable& value,
                                      const Variable& mask = {}, bool causal = false);

/// x (batch, channels r^2, height, width) as (batch, channels, height r, width r): each block of channels becomes a
/// block of pixels (Shi et al. 2016). @throws ShapeError unless r^2 divides the channels.
Variable pixel_shuffle(const Variable& x, std::size_t r);

enum class Interpolation { nearest, bilinear };
/// x (batch, channels, height, width) at another size. The pixels are areas: the centre of pixel i of n lies at
/// (i + 0.5) / n. Nearest takes the pixel at floor(i height / n), as PyTorch does.
Variable interpolate(const Variable& x, std::size_t height, std::size_t width,
                     Interpolation mode = Interpolation::nearest);

}  // namespace xtape
