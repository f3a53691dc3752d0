#include <autograd/ops/matrix_functions.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <autograd/batch.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/decompositions.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/rearranging.hpp>
#include <autograd/ops/reductions.hpp>

namespace xtape {

Variable matrix_exp(const Variable& a) {
  detail::Calling calling("matrix_exp");
  detail::require_floating("matrix_exp", a);
  if (a.rank() < 2 || a.shape(-1) != a.shape(-2))
    throw ShapeError("matrix_exp: " + to_string(a.shape()) + ", needs square matrices in the last two axes");
  if (a.size() == 0) return positive(a);
  Variable norms = matrix_norm(a.detach(), 1, {-2, -1}, true);
  double greatest = detail::greatest(norms);
  if (!std::isfinite(greatest)) throw ValueError("matrix_exp: elements that are not finite");
  constexpr double theta13 = 5.371920351148152;  // up to which the approximant is exact to double's precision
  // For each matrix its own, so that the result is the same in any company.
  Variable squarings = clamp_min(ceil(log2(clamp_min(norms, 1e-30) / theta13)), 0);
  constexpr double b[] = {64764752532480000., 32382376266240000., 7771770303897600., 1187353796428800.,
                          129060195264000.,   10559470521600.,    670442572800.,     33522128640.,
                          1323241920.,        40840800.,          960960.,           16380.,
                          182.,               1.};
  Variable x = a * exp2(-squarings), identity = eye(a.shape(-1), a.dtype());
  Variable x2 = matmul(x, x), x4 = matmul(x2, x2), x6 = matmul(x4, x2);
  Variable odd = matmul(x, matmul(x6, b[13] * x6 + b[11] * x4 + b[9] * x2) + b[7] * x6 + b[5] * x4 + b[3] * x2 +
                               b[1] * identity);
  Variable even = matmul(x6, b[12] * x6 + b[10] * x4 + b[8] * x2) + b[6] * x6 + b[4] * x4 + b[2] * x2 +
                  b[0] * identity;
  Variable result = solve(even - odd, even + odd);
  for (int i = 0; i < detail::greatest(squarings); ++i) result = where(squarings > i, matmul(result, result), result);
  return result;
}

Variable logdet(const Variable& a) {
  detail::Calling calling("logdet");
  auto [sign, logabsdet] = slogdet(a);
  return where(sign < 0, std::numeric_limits<double>::quiet_NaN(), logabsdet);
}

Variable cholesky_solve(const Variable& b, const Variable& triangle, bool upper) {
  detail::Calling calling("cholesky_solve");
  detail::require_floating("cholesky_solve", triangle);
  Variable other = triangle.rank() < 2 ? triangle : swapaxes(triangle, -1, -2);
  const Variable& first = upper ? other : triangle;
  const Variable& second = upper ? triangle : other;
  return solve_triangular(second, solve_triangular(first, b), true);
}

Variable multi_dot(const std::vector<Variable>& given) {
  detail::Calling calling("multi_dot");
  if (given.empty()) throw ShapeError("multi_dot: got no matrices, needs one or more");
  std::vector<Variable> matrices = given;
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    detail::require_numbers("multi_dot", matrices[i]);
    bool may_be_vector = i == 0 || i + 1 == matrices.size();
    if (matrices[i].rank() != 2 && !(may_be_vector && matrices[i].rank() == 1))
      throw ShapeError("multi_dot: " + to_string(matrices[i].shape()) + " at place " + std::to_string(i) +
                       ", needs matrices, or vectors at the ends");
  }
  std::size_t n = matrices.size();
  if (n == 1) return positive(matrices[0]);
  bool row = matrices.front().rank() == 1, column = matrices.back().rank() == 1;
  if (row) matrices.front() = expand_dims(matrices.front(), 0);
  if (column) matrices.back() = expand_dims(matrices.back(), 1);
  std::vector<double> extents{static_cast<double>(matrices[0].shape()[0])};
  for (const Variable& m : matrices) {
    if (static_cast<double>(m.shape()[0]) != extents.back())
      throw ShapeError("multi_dot: " + to_string(m.shape()) + " after a matrix of " +
                       std::to_string(static_cast<std::size_t>(extents.back())) + " columns");
    extents.push_back(static_cast<double>(m.shape()[1]));
  }
  // cost[i][j] is that of the product of the matrices i to j, which is split after the one in split[i][j].
  std::vector cost(n, std::vector<double>(n, 0));
  std::vector split(n, std::vector<std::size_t>(n, 0));
  for (std::size_t length = 1; length < n; ++length)
    for (std::size_t i = 0, j = length; j < n; ++i, ++j) {
      cost[i][j] = std::numeric_limits<double>::infinity();
      for (std::size_t k = i; k < j; ++k) {
        double c = cost[i][k] + cost[k + 1][j] + extents[i] * extents[k + 1] * extents[j + 1];
        if (c < cost[i][j]) cost[i][j] = c, split[i][j] = k;
      }
    }
  auto product = [&](auto& self, std::size_t i, std::size_t j) -> Variable {
    if (i == j) return matrices[i];
    return matmul(self(self, i, split[i][j]), self(self, split[i][j] + 1, j));
  };
  Variable result = product(product, 0, n - 1);
  if (column) result = squeeze(result, 1);
  return row ? squeeze(result, 0) : result;
}

Variable matrix_rank(const Variable& a, const RankOptions& options) {
  detail::Calling calling("matrix_rank");
  detail::require_floating("matrix_rank", a);
  if (a.rank() < 2) throw ShapeError("matrix_rank: " + to_string(a.shape()) + ", needs matrices in the last two axes");
  double epsilon = a.dtype() == float32 ? 0x1p-23 : 0x1p-52;
  double usual = options.atol > 0 ? 0 : epsilon * static_cast<double>(std::max(a.shape(-2), a.shape(-1)));
  double atol = options.atol, rtol = options.rtol.value_or(usual);
  if (!(atol >= 0) || !(rtol >= 0))
    throw ValueError("matrix_rank: atol is " + std::to_string(atol) + " and rtol " + std::to_string(rtol) +
                     ", needs 0 or more");
  Variable values = options.hermitian ? abs(eigvalsh(a.detach(), "L")) : svdvals(a.detach());
  if (values.shape(-1) == 0) return zeros(Shape(a.shape().begin(), a.shape().end() - 2), int64);
  return count_nonzero(values > clamp_min(max(values, -1, true) * rtol, atol), -1);
}

namespace {

// The first norm divided by the second, and infinity where that is 0.
Variable quotient_or_infinity(const Variable& a, const Variable& b) {
  Variable none = equal(b, 0);
  return where(none, std::numeric_limits<double>::infinity(), a / where(none, 1, b));
}

template <class Norm>
Variable condition(const Variable& a, const Norm& norm) {
  detail::require_floating("cond", a);
  if (a.rank() < 2 || a.shape(-1) != a.shape(-2))
    throw ShapeError("cond: " + to_string(a.shape()) + ", needs square matrices in the last two axes");
  Variable singular = equal(slogdet(a.detach()).sign, 0);
  Variable regular = where(expand_dims(singular, {-1, -2}), eye(a.shape(-1), a.dtype()), a);
  return where(singular, std::numeric_limits<double>::infinity(), norm(regular) * norm(inverse(regular)));
}

}  // namespace

Variable cond(const Variable& a) { return cond(a, 2); }

Variable cond(const Variable& a, double p) {
  detail::Calling calling("cond");
  if (std::abs(p) != 2) return condition(a, [p](const Variable& x) { return matrix_norm(x, p); });
  detail::require_floating("cond", a);
  Variable values = svdvals(a), greatest = max(values, -1), least = min(values, -1);
  return p > 0 ? quotient_or_infinity(greatest, least) : least / greatest;
}

Variable cond(const Variable& a, const std::string& kind) {
  detail::Calling calling("cond");
  return condition(a, [&](const Variable& x) { return matrix_norm(x, kind); });
}

Variable vander(const Variable& x, std::size_t n, bool increasing) {
  detail::Calling calling("vander");
  detail::require_floating("vander", x);
  if (x.rank() == 0) throw ShapeError("vander: (), needs one axis or more");
  if (n == 0) n = x.shape(-1);
  Shape one = x.shape(), others = x.shape();
  one.push_back(1);
  others.push_back(n == 0 ? 0 : n - 1);
  if (n == 0) return reshape(x, others);
  Variable powers = cumprod(concatenate({ones(one, x.dtype()), broadcast_to(expand_dims(x, -1), others)}, -1), -1);
  return increasing ? powers : flip(powers, -1);
}

}  // namespace xtape
