#include <autograd/ops/decompositions.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>

#include <autograd/batch.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/kernels/lapack.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/diagonals.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/tape.hpp>

namespace xtape {
namespace {

using detail::Batch;

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

// Whether b stands for columns without an axis of their own.
bool is_column(const Variable& a, const Variable& b) {
  return b.rank() == 1 || (b.rank() > 0 && b.shape() == Shape(a.shape().begin(), a.shape().end() - 1));
}

Variable regular_solve(const Variable& a, const Variable& b) {
  auto in_each = [](const Batch& b) { return regular_solve(b[0], b[1]); };
  return record(op("solve").mapped(in_each), [](const Array& a, const Array& b) { return kernels::solve("solve", a, b); },
                wrt(a, [a = save(a)](const Variable& x, const Variable& g) {
                  return -matmul(regular_solve(transposed(a()), g), transposed(x));
                }, [a = save(a)](const Variable& x, const Variable& t) { return -regular_solve(a(), matmul(t, x)); }),
                wrt(b, [a = save(a)](const Variable& g) { return regular_solve(transposed(a()), g); },
                    [a = save(a)](const Variable& t) { return regular_solve(a(), t); }));
}

// Of matrices whose extents fit, and batches that broadcast.
Variable solve_matrices(const Variable& a, const Variable& b) {
  Shape batch = broadcast_shapes("solve", Shape(a.shape().begin(), a.shape().end() - 2),
                                 Shape(b.shape().begin(), b.shape().end() - 2));
  return regular_solve(broadcast_to(a, with_batch(batch, a)), broadcast_to(b, with_batch(batch, b)));
}

}  // namespace

// d(A^-1) = -A^-1 dA A^-1
Variable inverse(const Variable& a) {
  detail::Calling calling("inverse");
  require_matrix("inverse", a);
  return record(op("inverse").mapped([](const Batch& b) { return inverse(b[0]); }), [](const Array& a) { return kernels::inverse("inverse", a); },
                wrt(a, [](const Variable& y, const Variable& g) {
                  return -matmul(matmul(transposed(y), g), transposed(y));
                }, [](const Variable& y, const Variable& t) { return -matmul(matmul(y, t), y); }));
}

Variable solve(const Variable& matrix, const Variable& columns, bool left) {
  detail::Calling calling("solve");
  DType dtype = detail::common_dtype("solve", std::array{&matrix, &columns});
  const Variable a = detail::in_dtype("solve", matrix, dtype), b = detail::in_dtype("solve", columns, dtype);
  require_matrix("solve", a);
  if (!left) {
    if (b.rank() < 2 || b.shape(-1) != a.shape(-1))
      throw ShapeError("solve: x " + to_string(a.shape()) + " = " + to_string(b.shape()) +
                       ": needs rows as long as those of the matrix");
    return transposed(solve_matrices(transposed(a), transposed(b)));
  }
  if (is_column(a, b)) return squeeze(solve(a, expand_dims(b, -1)), -1);
  if (b.rank() == 0 || b.shape(-2) != a.shape(-1))
    throw ShapeError("solve: " + to_string(a.shape()) + " x = " + to_string(b.shape()) + ": needs as many rows in both");
  return solve_matrices(a, b);
}

Variable solve_triangular(const Variable& a, const Variable& b, bool upper, bool unit_diagonal, bool left) {
  detail::Calling calling("solve_triangular");
  require_matrix("solve_triangular", a);
  Variable triangle = upper ? triu(a, unit_diagonal) : tril(a, -static_cast<std::ptrdiff_t>(unit_diagonal));
  return solve(unit_diagonal ? triangle + eye(a.shape(-1), a.shape(-1), a.dtype()) : triangle, b, left);
}

namespace {

double epsilon(DType dtype) { return dtype == float32 ? 0x1p-23 : 0x1p-52; }

// Whether elimination leaves no more than rounding of a pivot, in any of the matrices.
bool any_singular(const Variable& pivots) {
  if (pivots.size() == 0) return false;
  Variable sizes = abs(pivots), least = min(sizes, -1), bound = max(sizes, -1) * epsilon(pivots.dtype()) * pivots.shape(-1);
  return detail::any_nonzero(least <= bound);
}

// The pivots of elimination, as constants.
Variable pivots_of(const Variable& a) {
  NoGrad as_constant;
  return record(op("pivots").mapped([](const Batch& b) { return pivots_of(b[0]); }), kernels::pivots, constant(a));
}

// The cofactors of A = U S V': det U det V times U diag(the product of all other singular values) V'.
Variable cofactors_by_svd(const Variable& a) {
  auto [u, s, vh] = svd(a);
  std::size_t n = a.shape(-1);
  Variable others = prod(where(eye(n, n, a.dtype()) == 1, 1, expand_dims(s, -2)), -1);
  return each(det(u) * det(vh)) * matmul(u * expand_dims(others, -2), vh);
}

// The same as a polynomial in A, which has derivatives of any order, by Faddeev and LeVerrier's method: M_1 = I,
// M_{k+1} = A M_k - I trace(A M_k) / k, and the adjugate is (-1)^(n-1) M_n. It rounds more.
Variable cofactors_by_powers(const Variable& a) {
  std::size_t n = a.shape(-1);
  Variable identity = eye(n, n, a.dtype()), m = broadcast_to(identity, a.shape());
  for (std::size_t k = 1; k < n; ++k) {
    Variable product = matmul(a, m);
    m = product - each(sum(diagonal(product, 0, -2, -1), -1) / static_cast<double>(k)) * identity;
  }
  return transposed(n % 2 ? m : -m);
}

}  // namespace

// d(det A) = trace(cofactors' dA), where the cofactors are det A A'^-1 of a regular matrix.
Variable det(const Variable& a) {
  detail::Calling calling("det");
  require_matrix("det", a);
  return record(op("det").mapped([](const Batch& b) { return det(b[0]); }), [](const Array& a) { return prod(Variable(kernels::pivots(a)), -1).value(); },
                wrt(a, [a = save(a), singular = any_singular(pivots_of(a))](const Variable& y, const Variable& g) {
                  if (!singular) return each(g * y) * transposed(inverse(a()));
                  return each(g) * (grad_enabled() ? cofactors_by_powers(a()) : cofactors_by_svd(a()));
                }));
}

SignAndLogDet slogdet(const Variable& a) {
  detail::Calling calling("slogdet");
  require_matrix("slogdet", a);
  auto in_each = [](const Batch& b) { return slogdet(b[0]).logabsdet; };
  auto log_of_pivots = [](const Array& a) { return sum(log(abs(Variable(kernels::pivots(a)))), -1).value(); };
  return {prod(sign(pivots_of(a)), -1), record(op("slogdet").mapped(in_each), log_of_pivots, wrt(a, [a = save(a)](const Variable& g) {
                                           return each(g) * transposed(inverse(a()));
                                         }))};
}

// With P the lower triangle of L' dL's gradient, its diagonal halved: dA = L'^-1 P L^-1, made symmetric.
Variable cholesky(const Variable& a, bool upper) {
  detail::Calling calling("cholesky");
  require_matrix("cholesky", a);
  if (upper) return transposed(cholesky(transposed(a)));
  return record(op("cholesky").mapped([](const Batch& b) { return cholesky(b[0]); }),
                [](const Array& a) { return kernels::cholesky("cholesky", a); },
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
  return record(op("eigh").mapped([](const Batch& b) { return eigenvectors(b[0]); }), [](const Array& a) { return kernels::eigenvectors("eigh", a); },
                wrt(a, [a = save(a)](const Variable& v, const Variable& g) {
                  Variable w = rayleigh(a(), v), one = eye(v.shape(-1), v.shape(-1), v.dtype());
                  Variable gaps = expand_dims(w, -2) - expand_dims(w, -1) + one;
                  Variable f = (1 - one) / gaps;
                  return symmetric(matmul(matmul(v, f * matmul(transposed(v), g)), transposed(v)));
                }));
}

// With U = Q' G: dA = (G - Q U + Q tril(U - U', -1)) R'^-1. The difference is 0 for a square Q, and left out there:
// R'^-1 would make much of its rounding.
Variable orthonormal(const Variable& a) {
  auto in_each = [](const Batch& b, const char*) { return orthonormal(b[0]); };
  return record(op("qr", attribute("mode", "reduced")).mapped(in_each),
                [](const Array& a, const char*) { return kernels::orthonormal("qr", a); },
                wrt(a, [a = save(a)](const Variable& q, const Variable& g) {
                  Variable r = triu(matmul(transposed(q), a()));
                  Variable u = matmul(transposed(q), g), inside = matmul(q, tril(u - transposed(u), -1));
                  bool square = q.shape(-1) == q.shape(-2);
                  return transposed(solve(r, transposed(square ? inside : g - matmul(q, u) + inside)));
                }));
}

}  // namespace

namespace {

Variable values_of_symmetric(const Variable& s);

// dw = diag(V' dA V), whatever the vectors of equal values are.
Variable eigenvalues(const Variable& a, const Variable& v) {
  auto in_each = [](const Batch& b) { return values_of_symmetric(b[0]); };
  return record(op("eigvalsh").mapped(in_each), [](const Array& a) { return kernels::eigenvalues("eigvalsh", a); },
                wrt(a, [v = save(v)](const Variable& g) {
                  return matmul(v() * expand_dims(g, -2), transposed(v()));
                }));
}

}  // namespace

namespace {

Eigen of_symmetric(const Variable& s) {
  Variable v = eigenvectors(s);
  return {eigenvalues(s, v), v};
}
Variable values_of_symmetric(const Variable& s) { return eigenvalues(s, recording(s) ? eigenvectors(s) : Variable()); }

Variable mirrored(const char* operation, const Variable& a, const std::string& uplo) {
  if (uplo != "L" && uplo != "U")
    throw ValueError(std::string(operation) + ": uplo is \"" + uplo + "\", needs \"L\" or \"U\"");
  require_matrix(operation, a);
  auto mirror = [](const Array& elements, const std::string& uplo) {
    Variable a(elements), half = uplo == "L" ? tril(a, -1) : triu(a, 1);
    return (tril(triu(a)) + half + transposed(half)).value();
  };
  auto in_each = [operation](const Batch& b, const std::string& uplo) { return mirrored(operation, b[0], uplo); };
  return record(op(operation, attribute("uplo", uplo)).mapped(in_each), mirror, wrt(a, [](const Variable& g) { return g; }));
}

}  // namespace

Eigen eigh(const Variable& a) {
  detail::Calling calling("eigh");
  require_matrix("eigh", a);
  return of_symmetric(symmetric(a));
}
Eigen eigh(const Variable& a, const std::string& uplo) {
  detail::Calling calling("eigh");
  return of_symmetric(mirrored("eigh", a, uplo));
}

Variable eigvalsh(const Variable& a) {
  detail::Calling calling("eigvalsh");
  require_matrix("eigvalsh", a);
  return values_of_symmetric(symmetric(a));
}
Variable eigvalsh(const Variable& a, const std::string& uplo) {
  detail::Calling calling("eigvalsh");
  return values_of_symmetric(mirrored("eigvalsh", a, uplo));
}

namespace {

struct Singular {
  Variable u, v;  // as columns
};

Singular parts(const Variable& uv, std::size_t m) {
  auto split = static_cast<std::ptrdiff_t>(m);
  return {slice(uv, {ellipsis, range(0, split), range()}), slice(uv, {ellipsis, range(split, none), range()})};
}

// With F_ij = 1 / (s_j^2 - s_i^2), 0 on the diagonal, and for gradients G of U and H of V:
// dA = U [(F . (U'G - G'U)) S + S (F . (V'H - H'V))] V' + (I - UU') G S^-1 V' + U S^-1 H' (I - VV').
Variable singular_gradient(const Variable& a, const Singular& own, const Singular& gradient) {
  const auto& [u, v] = own;
  const auto& [g, h] = gradient;
  Variable s = expand_dims(sum(u * matmul(a, v), -2), -2), squares = square(s);
  Variable one = eye(s.shape(-1), s.shape(-1), s.dtype());
  Variable f = (1 - one) / (squares - transposed(squares) + one);
  auto turned = [](const Variable& x, const Variable& y) { return matmul(transposed(x), y); };
  Variable p = turned(u, g), q = turned(v, h);
  Variable inner = f * (p - transposed(p)) * s + transposed(s) * f * (q - transposed(q));
  Variable outside_u = (g - matmul(u, p)) / s, outside_v = (h - matmul(v, q)) / s;
  return matmul(matmul(u, inner) + outside_u, transposed(v)) + matmul(u, transposed(outside_v));
}

// U above V, which one LAPACK call and one node make.
Variable singular_vectors(const Variable& a) {
  std::size_t m = a.shape(-2);
  auto join = [](const Array& a) {
    auto [u, s, v] = kernels::singular_vectors("svd", a);
    return concatenate({Variable(u), Variable(v)}, -2).value();
  };
  return record(op("svd").mapped([](const Batch& b) { return singular_vectors(b[0]); }), join, wrt(a, [a = save(a), m](const Variable& uv, const Variable& g) {
                  return singular_gradient(a(), parts(uv, m), parts(g, m));
                }));
}

// dS = diag(U' dA V), whatever the vectors of equal values are.
Variable singular_values(const Variable& a, const Singular& vectors) {
  return record(op("svdvals").mapped([](const Batch& b) { return svdvals(b[0]); }), [](const Array& a) { return kernels::singular_vectors("svd", a).s; },
                wrt(a, [u = save(vectors.u), v = save(vectors.v)](const Variable& g) {
                  return matmul(u() * expand_dims(g, -2), transposed(v()));
                }));
}

}  // namespace

namespace {

// Orthonormal columns for all of space, the first of which span a's.
Variable whole_basis(const char* operation, const Variable& a) {
  if (a.shape(-1) > 0) {
    NoGrad as_constant;
    auto in_each = [operation](const Batch& b) { return whole_basis(operation, b[0]); };
    return record(op(operation).mapped(in_each),
                  [operation](const Array& a) { return kernels::orthonormal(operation, a, true); }, constant(a));
  }
  Variable one = eye(a.shape(-2), a.shape(-2), a.dtype());
  return broadcast_to(one, with_batch(Shape(a.shape().begin(), a.shape().end() - 2), one));
}

// These orthonormal columns, and constant ones for the rest of space.
Variable filled_up(const Variable& columns) {
  auto rank = static_cast<std::ptrdiff_t>(columns.shape(-1));
  return concatenate({columns, slice(whole_basis("svd", columns), {ellipsis, range(), range(rank, none)})}, -1);
}

}  // namespace

SVD svd(const Variable& a, bool full_matrices) {
  detail::Calling calling("svd");
  require_matrix("svd", a, false);
  Singular vectors = parts(singular_vectors(a), a.shape(-2));
  auto all = [&](const Variable& columns) { return full_matrices ? filled_up(columns) : columns; };
  return {all(vectors.u), singular_values(a, vectors), transposed(all(vectors.v))};
}

Variable svdvals(const Variable& a) {
  detail::Calling calling("svdvals");
  require_matrix("svdvals", a, false);
  return singular_values(a, recording(a) ? parts(singular_vectors(a), a.shape(-2)) : Singular());
}

namespace {

// As many columns beyond a's as there are is no function of a: they are any basis of the rest of space.
QR complete_qr(const Variable& a) {
  auto basis = [](const Array& a, const char*) { return whole_basis("qr", Variable(a)).value(); };
  auto in_each = [](const Batch& b, const char*) { return whole_basis("qr", b[0]); };
  Variable q = record(op("qr", attribute("mode", "complete")).mapped(in_each), basis, wrt(a, [](const Variable&) -> Variable {
                        throw ValueError("qr: mode \"complete\" has no derivatives for more rows than columns, "
                                         "needs \"reduced\"");
                      }));
  return {q, triu(matmul(transposed(q), a))};
}

}  // namespace

QR qr(const Variable& a, const std::string& mode) {
  detail::Calling calling("qr");
  require_matrix("qr", a, false);
  if (mode != "reduced" && mode != "complete")
    throw ValueError("qr: mode is \"" + mode + "\", needs \"reduced\" or \"complete\"");
  if (mode == "complete" && a.shape(-2) > a.shape(-1)) return complete_qr(a);
  // Q is that of the first columns, as many as there are rows.
  auto rows = static_cast<std::ptrdiff_t>(a.shape(-2));
  Variable q = orthonormal(a.shape(-2) < a.shape(-1) ? slice(a, {ellipsis, range(), range(0, rows)}) : a);
  return {q, triu(matmul(transposed(q), a))};
}

namespace {

// Whether a column of Q R, of so many rows, is a sum of others but for rounding, in any of the matrices.
bool any_dependent(const Variable& r, std::size_t rows) {
  Variable left = abs(diagonal(r, 0, -2, -1)), all = norm(r, 2, -2);
  return detail::any_nonzero(left <= all * epsilon(r.dtype()) * rows);
}

}  // namespace

Variable lstsq(const Variable& a, const Variable& b) {
  detail::Calling calling("lstsq");
  require_matrix("lstsq", a, false);
  detail::require_floating("lstsq", b);
  if (b.rank() > 1 && is_column(a, b)) return squeeze(lstsq(a, expand_dims(b, -1)), -1);
  if (b.rank() == 0 || b.shape(b.rank() == 1 ? 0 : -2) != a.shape(-2))
    throw ShapeError("lstsq: " + to_string(a.shape()) + " x = " + to_string(b.shape()) + ": needs as many rows in both");
  if (a.shape(-2) < a.shape(-1)) return matmul(pinv(a), b);
  auto [q, r] = qr(a);
  if (r.size() > 0 && any_dependent(r.detach(), a.shape(-2)))
    throw ValueError("lstsq: the columns of " + to_string(a.shape()) + " are not independent; use pinv");
  return solve(r, matmul(transposed(q), b));
}

namespace {

// A symmetric matrix's: |w| are its singular values, and those vectors change sides whose w are negative.
kernels::SingularVectors singular_by_eigenvalues(const Variable& a) {
  Variable v(kernels::eigenvectors("pinv", a.value())), w(kernels::eigenvalues("pinv", a.value()));
  return {v.value(), abs(w).value(), (v * expand_dims(sign(w), -2)).value()};
}

Array pseudo_inverse(const Array& elements, double atol, double rtol, bool symmetric) {
  const Variable a(elements);
  auto [u, s, v] = symmetric ? singular_by_eigenvalues(a) : kernels::singular_vectors("pinv", a.value());
  if (s.size() == 0) return Array::full(transposed(a).shape(), 0, a.dtype());
  Variable values(s), large = values > clamp_min(max(values, -1, true) * rtol, atol);
  Variable inverses = where(large, 1 / where(large, values, 1), 0);
  return matmul(Variable(v) * expand_dims(inverses, -2), transposed(Variable(u))).value();
}

}  // namespace

// With Y = A^+: dA = -Y'GY' + (I - AY) G'YY' + Y'YG' (I - YA).
Variable pinv(const Variable& matrix, const PinvOptions& options) {
  detail::Calling calling("pinv");
  require_matrix("pinv", matrix, options.hermitian);
  double usual = options.atol > 0 ? 0 : epsilon(matrix.dtype()) * static_cast<double>(std::max(matrix.shape(-2), matrix.shape(-1)));
  double atol = options.atol, rtol = options.rtol.value_or(usual);
  if (!(atol >= 0) || !(rtol >= 0))
    throw ValueError("pinv: atol is " + Scalar(atol).text() + " and rtol " + Scalar(rtol).text() +
                     ", needs 0 or more");
  Variable a = options.hermitian ? mirrored("pinv", matrix, "L") : matrix;
  auto in_each = [](const Batch& b, double atol, double rtol, bool hermitian) {
    return pinv(b[0], {.atol = atol, .rtol = rtol, .hermitian = hermitian});
  };
  return record(op("pinv", attribute("atol", atol), attribute("rtol", rtol),
                   attribute("hermitian", options.hermitian)).mapped(in_each),
                pseudo_inverse,
                wrt(a, [a = save(a)](const Variable& y, const Variable& g) {
                  Variable yt = transposed(y), gt = transposed(g);
                  Variable left = matmul(gt, matmul(y, yt)), right = matmul(matmul(yt, y), gt);
                  return left - matmul(a(), matmul(y, left)) + right - matmul(matmul(right, y), a()) -
                         matmul(matmul(yt, g), yt);
                }));
}

Variable pinv(const Variable& a, double rtol) {
  detail::Calling calling("pinv");
  return pinv(a, {.rtol = rtol < 0 ? std::nullopt : std::optional(rtol)});
}

namespace {

// The two axes brought to the end, and what becomes of the result's shape.
Variable over_matrices(const char* operation, const Variable& a, const Axes& axes, bool keepdims,
                       const std::function<Variable(const Variable&)>& norm) {
  detail::require_floating(operation, a);
  auto mask = axes_mask(operation, axes, a.rank());
  std::vector<std::ptrdiff_t> order(axes.begin(), axes.end());
  if (order.size() != 2)
    throw ShapeError(std::string(operation) + ": " + std::to_string(order.size()) + " axes, needs two");
  Variable result = norm(movedim(a, order, {-2, -1}));
  if (!keepdims) return result;
  Shape shape = a.shape();
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (mask[i]) shape[i] = 1;
  return reshape(result, shape);
}

}  // namespace

Variable matrix_norm(const Variable& a, const std::string& kind, const Axes& axes, bool keepdims) {
  detail::Calling calling("matrix_norm");
  if (kind != "fro" && kind != "nuc")
    throw ValueError("matrix_norm: the kind is \"" + kind + "\", needs \"fro\", \"nuc\" or a number");
  return over_matrices("matrix_norm", a, axes, keepdims, [&](const Variable& x) {
    return kind == "fro" ? norm(x, 2, {-2, -1}) : sum(svdvals(x), -1);
  });
}

Variable matrix_norm(const Variable& a, double p, const Axes& axes, bool keepdims) {
  detail::Calling calling("matrix_norm");
  double size = std::abs(p);
  if (size != 1 && size != 2 && !std::isinf(p))
    throw ValueError("matrix_norm: p is " + Scalar(p).text() + ", needs 1, 2, infinity, or one of these negative");
  return over_matrices("matrix_norm", a, axes, keepdims, [&](const Variable& x) {
    Variable candidates = size == 2 ? svdvals(x) : sum(abs(x), size == 1 ? -2 : -1);
    return p > 0 ? max(candidates, -1) : min(candidates, -1);
  });
}

Variable matrix_power(const Variable& a, int n) {
  detail::Calling calling("matrix_power");
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
