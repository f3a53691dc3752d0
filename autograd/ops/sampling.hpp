// Random arrays beside those of creation.hpp. Nothing here is differentiable.
#pragma once

#include <autograd/random.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// Uniform in [0, 1), of the shape and dtype of x. @throws DTypeError unless x is floating-point.
Variable rand_like(const Variable& x, Generator& generator = default_generator());
/// Normal, of mean 0 and variance 1, of the shape and dtype of x. @throws DTypeError unless x is floating-point.
Variable randn_like(const Variable& x, Generator& generator = default_generator());
/// Integers in [low, high), all equally likely, as int64 or another dtype. @throws ValueError unless low < high.
Variable randint(std::int64_t low, std::int64_t high, const Dims& shape, DType dtype = int64,
                 Generator& generator = default_generator());
/// The same from 0.
Variable randint(std::int64_t high, const Dims& shape, DType dtype = int64, Generator& generator = default_generator());
/// The numbers 0 to n - 1 in random order, as int64.
Variable randperm(std::size_t n, Generator& generator = default_generator());
/// For each element of p, 1 with that probability, else 0, of the dtype of p.
/// @throws ValueError for a p beyond [0, 1] or NaN, DTypeError unless floating-point.
Variable bernoulli(const Variable& p, Generator& generator = default_generator());
/// So many numbers 0 to n - 1, drawn with probabilities in proportion to weights (n), or (m, n) for m draws of their own;
/// as int64, (num_samples) or (m, num_samples). Without replacement no number is drawn twice, and those drawn first come
/// first.
/// @throws ValueError for weights that are negative, not finite or all 0, or too few of them that are not 0 without
/// replacement, DTypeError unless floating-point, ShapeError for other shapes.
Variable multinomial(const Variable& weights, std::size_t num_samples, bool replacement = false,
                     Generator& generator = default_generator());

}  // namespace xtape
