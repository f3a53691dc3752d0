// Softmax along one axis, and the cross-entropy of its last.
#pragma once

#include <autograd/array.hpp>

namespace xtape::kernels {

Array softmax(const Array& x, std::size_t axis);
Array log_softmax(const Array& x, std::size_t axis);

/// For each row of x (..., classes), weight (logsumexp(row) - row[label]), and 0 for a row of weight 0. Writes
/// softmax(x) to `probabilities`.
Array cross_entropy(const Array& x, const Array& labels, const Array& weights, Array& probabilities);
/// Its derivative by x, times g (...): g weight (probabilities - 1 at the label).
Array cross_entropy_gradient(const Array& g, const Array& probabilities, const Array& labels, const Array& weights);

}  // namespace xtape::kernels
