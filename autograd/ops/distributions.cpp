#include <autograd/ops/distributions.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>

#include <autograd/batch.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/decompositions.hpp>
#include <autograd/ops/diagonals.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>

namespace xtape {

namespace {

const double log_2_pi = std::log(2 * std::numbers::pi);

void require_positive(const char* operation, const char* parameter, const Variable& x) {
  detail::require_defined(operation, x);
  if (detail::any_nonzero(x.detach() <= 0))
    throw ValueError(std::string(operation) + ": a " + parameter + " of 0 or less, needs more");
}

// Parameters in their floating-point dtype: where all are C++ scalars, the default one.
template <class... Vs>
std::array<Variable, sizeof...(Vs)> parameters(const char* operation, const Vs&... given) {
  std::array operands{&given...};
  DType dtype = detail::common_dtype(operation, operands);
  if (detail::all_scalars(operands)) dtype = default_dtype();
  visit_floating(operation, dtype, [](auto) {});
  return {detail::in_dtype(operation, given, dtype)...};
}

Shape joined(const Shape& front, const Shape& back) {
  Shape result = front;
  result.insert(result.end(), back.begin(), back.end());
  return result;
}

}  // namespace

Variable normal_log_prob(const Variable& at, const Variable& mean, const Variable& deviation) {
  detail::Calling calling("normal_log_prob");
  auto [x, loc, scale] = parameters("normal_log_prob", at, mean, deviation);
  require_positive("normal_log_prob", "scale", scale);
  return -0.5 * square((x - loc) / scale) - log(scale) - 0.5 * log_2_pi;
}

Variable normal_rsample(const Variable& mean, const Variable& deviation, const Dims& sample_shape,
                        Generator& generator) {
  detail::Calling calling("normal_rsample");
  auto [loc, scale] = parameters("normal_rsample", mean, deviation);
  require_positive("normal_rsample", "scale", scale);
  Shape shape = broadcast_shapes("normal_rsample", loc.shape(), scale.shape());
  Shape all = joined(sample_shape.shape("normal_rsample"), shape);
  return loc + scale * Variable(generator.normal(all, 0, 1, loc.dtype()));
}

namespace {

// log(1 + u^2), where the square may be beyond the dtype's numbers.
Variable log_one_plus_square(const Variable& u) {
  Variable is_small = abs(u) < 1, small = where(is_small, u, 0), large = where(is_small, 1, abs(u));
  return where(is_small, log1p(square(small)), 2 * log(large) + log1p(square(1 / large)));
}

}  // namespace

// log of (1 + y^2 / df)^(-(df + 1) / 2) / (sqrt(df) B(df / 2, 1 / 2) scale)
Variable student_t_log_prob(const Variable& at, const Variable& degrees, const Variable& centre, const Variable& width) {
  detail::Calling calling("student_t_log_prob");
  auto [x, df, loc, scale] = parameters("student_t_log_prob", at, degrees, centre, width);
  require_positive("student_t_log_prob", "df", df);
  require_positive("student_t_log_prob", "scale", scale);
  Variable y = (x - loc) / scale;
  return -0.5 * (df + 1) * log_one_plus_square(y / sqrt(df)) - 0.5 * log(df) - log(beta(0.5 * df, 0.5)) - log(scale);
}

// sqrt(df (U^(-2 / df) - 1)) cos(2 pi V) for U and V uniform in (0, 1)
Variable student_t_rsample(const Variable& degrees, const Variable& centre, const Variable& width,
                           const Dims& sample_shape, Generator& generator) {
  detail::Calling calling("student_t_rsample");
  auto [df, loc, scale] = parameters("student_t_rsample", degrees, centre, width);
  DType dtype = df.dtype();
  require_positive("student_t_rsample", "df", df);
  require_positive("student_t_rsample", "scale", scale);
  Shape shape = broadcast_shapes("student_t_rsample", broadcast_shapes("student_t_rsample", df.shape(), loc.shape()),
                                 scale.shape());
  Shape all = joined(sample_shape.shape("student_t_rsample"), shape);
  // Of U = 1 the root would have no derivative.
  Variable log_u = minimum(log1p(-Variable(generator.uniform(all, 0, 1, float64))), -1e-17);
  Variable angle = Variable(generator.uniform(all, 0, 2 * std::numbers::pi, float64));
  Variable radius = sqrt(df * expm1((-2 * log_u).to(dtype) / df));
  return loc + scale * (radius * cos(angle).to(dtype));
}

namespace {

// A triangle of the covariance, L L', or of the precision.
struct Factor {
  Variable l;
  bool of_precision;

  Factor(const char* operation, const Variable& loc, const Covariance& covariance)
      : of_precision(covariance.precision_matrix.defined()) {
    int given = covariance.covariance_matrix.defined() + of_precision + covariance.scale_tril.defined();
    if (given != 1)
      throw ValueError(std::string(operation) + ": " + std::to_string(given) +
                       " matrices, needs one of covariance_matrix, precision_matrix and scale_tril");
    const Variable& matrix = of_precision ? covariance.precision_matrix
                             : covariance.scale_tril.defined() ? covariance.scale_tril
                                                           : covariance.covariance_matrix;
    parameters(operation, loc, matrix);
    if (loc.rank() == 0 || matrix.rank() < 2 || matrix.shape(-1) != matrix.shape(-2) || matrix.shape(-1) != loc.shape(-1))
      throw ShapeError(std::string(operation) + ": a mean of " + to_string(loc.shape()) + " with a matrix of " +
                       to_string(matrix.shape()) + ", needs (..., d) and (..., d, d)");
    l = covariance.scale_tril.defined() ? tril(matrix) : cholesky(matrix);
    if (covariance.scale_tril.defined()) require_positive(operation, "diagonal of scale_tril", diagonal(l, 0, -2, -1));
  }

  Shape batch() const { return Shape(l.shape().begin(), l.shape().end() - 2); }
};

Variable transposed(const Variable& a) { return swapaxes(a, -1, -2); }

// f(matrix, columns) for vectors (..., d) as columns: all those of one matrix together.
template <class F>
Variable for_columns(const Variable& matrix, const Variable& vectors, F f) {
  if (matrix.rank() > 2) return squeeze(f(matrix, expand_dims(vectors, -1)), -1);
  std::size_t d = vectors.shape(-1);
  Variable rows = reshape(vectors, {vectors.size() / std::max<std::size_t>(d, 1), d});
  return reshape(transposed(f(matrix, transposed(rows))), vectors.shape());
}

}  // namespace

Variable multivariate_normal_log_prob(const Variable& x, const Variable& loc, const Covariance& covariance) {
  constexpr const char* operation = "multivariate_normal_log_prob";
  detail::Calling calling(operation);
  parameters(operation, x, loc);
  Factor factor(operation, loc, covariance);
  Variable deviation = x - loc;
  Shape shape = joined(factor.batch(), {loc.shape(-1)});
  deviation = broadcast_to(deviation, broadcast_shapes(operation, deviation.shape(), shape));
  // |L^-1 y|^2, or |L' y|^2 of the precision's L, and log det L
  Variable z = for_columns(factor.l, deviation, [&](const Variable& l, const Variable& y) {
    return factor.of_precision ? matmul(transposed(l), y) : solve_triangular(l, y);
  });
  Variable log_det = sum(log(diagonal(factor.l, 0, -2, -1)), -1);
  Variable shared = -0.5 * (sum(square(z), -1) + log_2_pi * static_cast<double>(loc.shape(-1)));
  return factor.of_precision ? shared + log_det : shared - log_det;
}

Variable multivariate_normal_rsample(const Variable& loc, const Covariance& covariance, const Dims& sample_shape,
                                     Generator& generator) {
  constexpr const char* operation = "multivariate_normal_rsample";
  detail::Calling calling(operation);
  detail::require_floating(operation, loc);
  Factor factor(operation, loc, covariance);
  Shape shape = broadcast_shapes(operation, loc.shape(), joined(factor.batch(), {loc.shape(-1)}));
  Variable noise(generator.normal(joined(sample_shape.shape(operation), shape), 0, 1, loc.dtype()));
  return loc + for_columns(factor.l, noise, [&](const Variable& l, const Variable& z) {
           return factor.of_precision ? solve_triangular(transposed(l), z, true) : matmul(l, z);
         });
}

Variable categorical_log_prob(const Variable& x, const Variable& logits) {
  detail::Calling calling("categorical_log_prob");
  detail::require_integers("categorical_log_prob", x);
  detail::require_floating("categorical_log_prob", logits);
  if (logits.rank() == 0) throw ShapeError("categorical_log_prob: logits of (), needs one axis or more");
  std::size_t n = logits.shape(-1);
  if (x.size() > 0 && detail::any_nonzero(x < 0 || x >= n))
    throw ValueError("categorical_log_prob: a number out of range, needs those from 0 to " + std::to_string(n) + " - 1");
  Variable logarithms = log_softmax(logits);
  if (logits.rank() == 1) return take(logarithms, x);
  Shape batch(logits.shape().begin(), logits.shape().end() - 1);
  batch = broadcast_shapes("categorical_log_prob", x.shape(), batch);
  Variable choices = expand_dims(broadcast_to(x, batch), -1);
  return squeeze(take_along_axis(broadcast_to(logarithms, joined(batch, {n})), choices, -1), -1);
}

// The greatest of the logits, to each of which a number of Gumbel's distribution is added: -log(E), E exponential.
Variable categorical_sample(const Variable& logits, const Dims& sample_shape, Generator& generator) {
  detail::Calling calling("categorical_sample");
  detail::require_floating("categorical_sample", logits);
  if (logits.rank() == 0) throw ShapeError("categorical_sample: logits of (), needs one axis or more");
  Variable wide = logits.detach().to(float64);
  if (!detail::all_nonzero(wide < HUGE_VAL) || !detail::all_nonzero(any(wide > -HUGE_VAL, -1)))
    throw ValueError("categorical_sample: logits of " + to_string(logits.shape()) +
                     " that are NaN or infinity, or all -infinity");
  Variable uniform(generator.uniform(joined(sample_shape.shape("categorical_sample"), logits.shape()), 0, 1, float64));
  return argmax(wide - log(maximum(-log1p(-uniform), 1e-300)), -1);
}

}  // namespace xtape
