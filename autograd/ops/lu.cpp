#include <autograd/ops/lu.hpp>

#include <algorithm>
#include <string>

#include <autograd/batch.hpp>
#include <autograd/kernels/lapack.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/decompositions.hpp>
#include <autograd/ops/diagonals.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/sorting.hpp>
#include <autograd/tape.hpp>

namespace xtape {
namespace {

Variable transposed(const Variable& a) { return swapaxes(a, -1, -2); }

// What holds L below the diagonal and U on it and above, as parts: the square one, what is right of it, and what is below.
struct Parts {
  Variable square, right, below;

  Parts(const Variable& packed, std::ptrdiff_t k)
      : square(slice(packed, {ellipsis, range(0, k), range(0, k)})),
        right(slice(packed, {ellipsis, range(0, k), range(k, none)})),
        below(slice(packed, {ellipsis, range(k, none), range(0, k)})) {}
};

// With G = L' dL's gradient, strictly lower, plus dU's gradient U', upper: that of L U is L'^-1 G U'^-1. Of the parts
// beyond the square: U2 = L^-1 A2 and L2 = A2 U^-1.
Variable eliminated_gradient(const Variable& packed, const Variable& g) {
  auto m = static_cast<std::ptrdiff_t>(packed.shape(-2)), n = static_cast<std::ptrdiff_t>(packed.shape(-1));
  std::ptrdiff_t k = std::min(m, n);
  Parts own(packed, k), gradient(g, k);
  Variable lt = transposed(own.square), ut = lt;  // each is read where its triangle lies
  auto by_l = [&](const Variable& x) { return solve_triangular(lt, x, true, true); };
  auto by_u = [&](const Variable& x) { return solve_triangular(ut, x, false, false, false); };
  Variable of_l = tril(gradient.square, -1), of_u = triu(gradient.square), right, below;
  if (n > k) {
    right = by_l(gradient.right);
    of_l = of_l - tril(matmul(right, transposed(own.right)), -1);
  }
  if (m > k) {
    below = by_u(gradient.below);
    of_u = of_u - triu(matmul(transposed(own.below), below));
  }
  Variable unit = triu(lt, 1) + eye(static_cast<std::size_t>(k), packed.dtype());
  Variable square = by_u(by_l(tril(matmul(unit, of_l), -1) + triu(matmul(of_u, tril(ut)))));
  if (n > k) return concatenate({square, right}, -1);
  return m > k ? concatenate({square, below}, -2) : square;
}

struct Eliminated {
  Variable order, factors;  // of rows; L below the diagonal of U
};

Eliminated eliminated(const Variable& a) {
  // One call of LAPACK for both. Of mapped matrices, the rule of each calls it.
  kernels::Eliminated result;
  if (!detail::any_mapped(a)) result = kernels::eliminated("lu", a.value());
  Variable order;
  {
    NoGrad as_constant;
    order = record(op("lu order").mapped([](const detail::Batch& b) { return eliminated(b[0]).order; }),
                   [&](const Array&) { return result.order; }, constant(a));
  }
  auto in_each = [](const detail::Batch& b) { return eliminated(b[0]).factors; };
  return {order, record(op("lu").mapped(in_each), [factors = result.factors](const Array&) { return factors; },
                        wrt(a, [back = argsort(order)](const Variable& y, const Variable& g) {
                          return take_along_axis(eliminated_gradient(y, g), expand_dims(back, -1), -2);
                        }))};
}

}  // namespace

LU lu(const Variable& a) {
  detail::Calling calling("lu");
  detail::require_floating("lu", a);
  if (a.rank() < 2) throw ShapeError("lu: " + to_string(a.shape()) + ", needs matrices in the last two axes");
  auto [order, packed] = eliminated(a);
  std::size_t m = a.shape(-2), k = std::min(m, a.shape(-1));
  auto count = static_cast<std::ptrdiff_t>(k);
  Variable l = tril(slice(packed, {ellipsis, range(), range(0, count)}), -1) + eye(m, k, a.dtype());
  return {transposed(one_hot(order, m, a.dtype())), l, triu(slice(packed, {ellipsis, range(0, count), range()}))};
}

}  // namespace xtape
