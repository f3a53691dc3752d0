#include <autograd/ops/decompositions.hpp>

#include <cstdlib>
#include <string>

#include <autograd/grad_mode.hpp>
#include <autograd/kernels/lapack.hpp>
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

void require_matrix(const char* operation, const Variable& a, bool square = true) {
  detail::require_floating(operation, a);
  if (a.rank() < 2 || (square && a.shape(-1) != a.shape(-2)))
    throw ShapeError(std::string(operation) + ": " + to_string(a.shape()) + ", needs " +
                     (square ? "square matrices" : "matrices") + " in the last two axes");
}

Variable transposed(const Variable& a) { return swapaxes(a, -1, -2); }
Variable symmetric(const Variable& a) { return (a + transposed(a)) * 0.5; }
// A number for each matrix, to multiply that by.
Variable each(const Variable& x) { return expand_dims(x, {-1, -2}); }

Shape with_batch(const Shape& batch, const Variable& x) {
  Shape shape = batch;
  shape.insert(shape.end(), x.shape().end() - 2, x.shape().end());
  return shape;
}

Variable regular_solve(const Variable& a, const Variable& b) {
  return record("solve", [&] { return kernels::solve("solve", a.value(), b.value()); },
                wrt(a, [a = save(a)](const Variable& x, const Variable& g) {
                  return -matmul(regular_solve(transposed(a()), g), transposed(x));
                }),
                wrt(b, [a = save(a)](const Variable& g) { return regular_solve(transposed(a()), g); }));
}

}  // namespace

// d(A^-1) = -A^-1 dA A^-1
Variable inverse(const Variable& a) {
  require_matrix("inverse", a);
  return record("inverse", [&] { return kernels::inverse("inverse", a.value()); },
                wrt(a, [](const Variable& y, const Variable& g) {
                  return -matmul(matmul(transposed(y), g), transposed(y));
                }));
}

Variable solve(const Variable& a, const Variable& b) {
  require_matrix("solve", a);
  detail::require_floating("solve", b);
  if (a.dtype() != b.dtype())
    throw DTypeError(std::string("solve: dtypes ") + to_string(a.dtype()) + " and " + to_string(b.dtype()) +
                     " differ; convert one with .to()");
  if (b.rank() == 1) return squeeze(solve(a, expand_dims(b, 1)), -1);
  if (b.rank() == 0 || b.shape(-2) != a.shape(-1))
    throw ShapeError("solve: " + to_string(a.shape()) + " x = " + to_string(b.shape()) + ": needs as many rows in both");
  Shape batch = broadcast_shapes("solve", Shape(a.shape().begin(), a.shape().end() - 2),
                                 Shape(b.shape().begin(), b.shape().end() - 2));
  return regular_solve(broadcast_to(a, with_batch(batch, a)), broadcast_to(b, with_batch(batch, b)));
}

Variable solve_triangular(const Variable& a, const Variable& b, bool upper) {
  require_matrix("solve_triangular", a);
  return solve(upper ? triu(a) : tril(a), b);
}

// d(det A) = det A trace(A^-1 dA)
Variable det(const Variable& a) {
  require_matrix("det", a);
  return record("det", [&] { return prod(Variable(kernels::pivots(a.value())), -1).value(); },
                wrt(a, [a = save(a)](const Variable& y, const Variable& g) {
                  return each(g * y) * transposed(inverse(a()));
                }));
}

SignAndLogDet slogdet(const Variable& a) {
  require_matrix("slogdet", a);
  Variable pivots(kernels::pivots(a.value()));
  return {prod(sign(pivots), -1), record("slogdet", [&] { return sum(log(abs(pivots)), -1).value(); },
                                         wrt(a, [a = save(a)](const Variable& g) {
                                           return each(g) * transposed(inverse(a()));
                                         }))};
}

// With P the lower triangle of L' dL's gradient, its diagonal halved: dA = L'^-1 P L^-1, made symmetric.
Variable cholesky(const Variable& a) {
  require_matrix("cholesky", a);
  return record("cholesky", [&] { return kernels::cholesky("cholesky", a.value()); },
                wrt(a, [](const Variable& l, const Variable& g) {
                  Variable p = matmul(transposed(l), tril(g));
                  p = tril(p) - p * (0.5 * eye(p.shape(-1), p.shape(-1), p.dtype()));
                  Variable left = solve(transposed(l), p);
                  return symmetric(transposed(solve(transposed(l), transposed(left))));
                }));
}

namespace {

// The eigenvalues belonging to V, as v' A v: exact where V is, and so are its derivatives.
Variable rayleigh(const Variable& a, const Variable& v) { return sum(v * matmul(a, v), -2); }

// dV = V (F . (V' dA V)) with F_ij = 1 / (w_j - w_i), 0 on the diagonal.
Variable eigenvectors(const Variable& a) {
  return record("eigh", [&] { return kernels::eigenvectors("eigh", a.value()); },
                wrt(a, [a = save(a)](const Variable& v, const Variable& g) {
                  Variable w = rayleigh(a(), v), one = eye(v.shape(-1), v.shape(-1), v.dtype());
                  Variable gaps = expand_dims(w, -2) - expand_dims(w, -1) + one;
                  Variable f = (1 - one) / gaps;
                  return symmetric(matmul(matmul(v, f * matmul(transposed(v), g)), transposed(v)));
                }));
}

// With M = -G' Q made symmetric from its lower triangle: dA = (G + Q M) R'^-1.
Variable orthonormal(const Variable& a) {
  return record("qr", [&] { return kernels::orthonormal("qr", a.value()); },
                wrt(a, [a = save(a)](const Variable& q, const Variable& g) {
                  Variable r = triu(matmul(transposed(q), a()));
                  Variable m = -matmul(transposed(g), q), lower = tril(m, -1);
                  Variable copied = tril(m) + transposed(lower);
                  return transposed(solve(r, transposed(g + matmul(q, copied))));
                }));
}

}  // namespace

Eigen eigh(const Variable& a) {
  require_matrix("eigh", a);
  Variable s = symmetric(a), v = eigenvectors(s);
  return {rayleigh(s, v), v};
}

QR qr(const Variable& a) {
  require_matrix("qr", a, false);
  if (a.shape(-2) < a.shape(-1))
    throw ShapeError("qr: " + to_string(a.shape()) + ", needs as many rows as columns, or more");
  Variable q = orthonormal(a);
  return {q, triu(matmul(transposed(q), a))};
}

Variable lstsq(const Variable& a, const Variable& b) {
  require_matrix("lstsq", a, false);
  detail::require_floating("lstsq", b);
  if (b.rank() == 0 || b.shape(b.rank() == 1 ? 0 : -2) != a.shape(-2))
    throw ShapeError("lstsq: " + to_string(a.shape()) + " x = " + to_string(b.shape()) + ": needs as many rows in both");
  auto [q, r] = qr(a);
  return solve(r, matmul(transposed(q), b));
}

Variable pinv(const Variable& a) {
  require_matrix("pinv", a, false);
  if (a.shape(-2) < a.shape(-1)) return transposed(pinv(transposed(a)));
  auto [q, r] = qr(a);
  return solve(r, transposed(q));
}

Variable matrix_power(const Variable& a, int n) {
  require_matrix("matrix_power", a);
  if (n == 0) return broadcast_to(eye(a.shape(-1), a.shape(-1), a.dtype()), a.shape());
  // By squaring: a^n is the product of those a^(2^k) whose bit is set in n.
  Variable square = n < 0 ? inverse(a) : a, result;
  for (unsigned bits = static_cast<unsigned>(std::abs(static_cast<long>(n)));; square = matmul(square, square)) {
    if (bits & 1) result = result.defined() ? matmul(result, square) : square;
    if ((bits >>= 1) == 0) return result;
  }
}

}  // namespace xtape
