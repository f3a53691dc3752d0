// Logarithms of probability densities, and samples: those of PyTorch's distributions, log_prob, rsample and sample, as
// functions. Parameters broadcast with each other and with x. A sample has the shape `sample_shape` followed by that of
// the parameters; one that is called rsample is differentiable in these.
#pragma once

#include <autograd/ops/per_axis.hpp>
#include <autograd/random.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// @name The normal distribution of mean `loc` and standard deviation `scale`
/// @{
/// @throws ValueError for a scale of 0 or less.
Variable normal_log_prob(const Variable& x, const Variable& loc, const Variable& scale);
Variable normal_rsample(const Variable& loc, const Variable& scale, const Dims& sample_shape = Shape(),
                        Generator& generator = default_generator());
/// @}

/// @name Student's t-distribution with `df` degrees of freedom, times `scale`, plus `loc`
/// @{
/// @throws ValueError for a df or a scale of 0 or less.
Variable student_t_log_prob(const Variable& x, const Variable& df, const Variable& loc = 0, const Variable& scale = 1);
/// By Bailey's polar method (1994, Polar generation of random variates with the t-distribution), which is differentiable
/// in df as well.
Variable student_t_rsample(const Variable& df, const Variable& loc = 0, const Variable& scale = 1,
                           const Dims& sample_shape = Shape(), Generator& generator = default_generator());
/// @}

/// The covariance of a multivariate normal distribution, by one of these (..., d, d).
struct Covariance {
  [[no_unique_address]] detail::ByName by_name = {};
  Variable covariance_matrix = {};  ///< symmetric, positive definite; the lower triangle is read
  Variable precision_matrix = {};   ///< the inverse of that
  Variable scale_tril = {};  ///< the lower triangular L with positive diagonal of L L', the covariance; its triangle is read
};

/// @name The multivariate normal distribution of mean `loc` (..., d)
/// @{
/// For vectors x (..., d). @throws ValueError unless just one of the matrices is given, for matrices that are not
/// positive definite, ShapeError for shapes that do not fit.
Variable multivariate_normal_log_prob(const Variable& x, const Variable& loc, const Covariance& covariance);
Variable multivariate_normal_rsample(const Variable& loc, const Covariance& covariance, const Dims& sample_shape = Shape(),
                                     Generator& generator = default_generator());
/// @}

/// @name The numbers 0, 1, ..., n - 1, of which the probabilities are the softmax of logits (..., n)
/// @{
/// For x of int64, which broadcasts with the leading axes of the logits.
/// @throws ValueError for a number out of range, ShapeError for 0-d logits.
Variable categorical_log_prob(const Variable& x, const Variable& logits);
/// int64, not differentiable. @throws ValueError for logits that are NaN or infinity, or all -infinity.
Variable categorical_sample(const Variable& logits, const Dims& sample_shape = Shape(),
                            Generator& generator = default_generator());
/// @}

}  // namespace xtape
