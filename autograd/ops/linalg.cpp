#include <autograd/ops/linalg.hpp>

#include <algorithm>
#include <array>

#include <autograd/batch.hpp>
#include <autograd/kernels/matmul.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/matrix_product.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/tape.hpp>

namespace xtape {
namespace {

Variable fold(const Variable& g, const Shape& shape) { return g.shape() == shape ? g : sum_to(g, shape); }

// Many matrices a, one beside the other, by one matrix b.
Variable tall_product(const detail::Batch& batch, bool tb) {
  const Variable &a = batch.as_given(0), &b = batch.as_given(1);
  Shape shape = a.shape();
  const std::size_t inner = shape.back(), rows = a.size() / inner;
  shape.back() = b.shape(tb ? 0 : 1);
  return reshape(detail::product(reshape(a, {rows, inner}), b, false, tb), shape);
}

// One matrix a by a column b in each sample: as rows, b' a'.
Variable rows_product(const detail::Batch& batch, bool ta, bool tb) {
  const Variable &a = batch.as_given(0), &b = batch.as_given(1);
  Variable rows = detail::product(reshape(b, {batch.size(), b.shape(tb ? -1 : -2)}), a, false, !ta);
  return expand_dims(rows, -1);
}

Variable all_products(const detail::Batch& batch, bool ta, bool tb) {
  const std::size_t rank = std::max(batch.rank(0), batch.rank(1));
  if (!ta && !batch.is_mapped(1) && batch.rank(1) == 2 && batch.as_given(0).size() > 0) return tall_product(batch, tb);
  if (rank == 2 && !batch.is_mapped(0) && batch.as_given(1).shape(tb ? -2 : -1) == 1) return rows_product(batch, ta, tb);
  return detail::product(batch.spread(0, rank), batch.spread(1, rank), ta, tb);
}

}  // namespace

// BLAS transposes as it reads: no gradient needs a transposed copy. With C = AB: dA = dC B', dB = A' dC.
Variable detail::product(const Variable& a, const Variable& b, bool ta, bool tb) {
  return record(
      op("matmul", attribute("transpose_a", ta), attribute("transpose_b", tb)).mapped(all_products), kernels::matmul,
      wrt(a, [b = save(b), ta, tb, shape = a.shape()](const Variable& g) {
        return fold(ta ? product(b(), g, tb, true) : product(g, b(), false, !tb), shape);
      }, [b = save(b), ta, tb](const Variable& t) { return product(t, b(), ta, tb); }),
      wrt(b, [a = save(a), ta, tb, shape = b.shape()](const Variable& g) {
        return fold(tb ? product(g, a(), true, ta) : product(a(), g, !ta, false), shape);
      }, [a = save(a), ta, tb](const Variable& t) { return product(a(), t, ta, tb); }));
}

Variable matmul(const Variable& left, const Variable& right) {
  DType dtype = detail::common_dtype("matmul", std::array{&left, &right});
  const Variable a = detail::in_dtype("matmul", left, dtype), b = detail::in_dtype("matmul", right, dtype);
  detail::require_numbers("matmul", a);
  auto text = [&] { return "matmul: " + to_string(a.shape()) + " x " + to_string(b.shape()); };
  if (a.rank() == 0 || b.rank() == 0) throw ShapeError(text() + ": needs one axis or more; use * for scalars");
  std::size_t inner_a = a.shape(-1), inner_b = b.shape(b.rank() == 1 ? -1 : -2);
  if (inner_a != inner_b)
    throw ShapeError(text() + ": inner dimensions " + std::to_string(inner_a) + " and " + std::to_string(inner_b) +
                     " differ");
  if (a.rank() == 1) return squeeze(matmul(expand_dims(a, 0), b), b.rank() == 1 ? -1 : -2);
  if (b.rank() == 1) return squeeze(matmul(a, expand_dims(b, 1)), -1);
  if (b.rank() == 2 && a.rank() > 2) {  // one product for the whole batch
    Shape shape = a.shape();
    shape.back() = 1;
    std::size_t rows = element_count(shape);
    shape.back() = b.shape(1);
    return reshape(detail::product(reshape(a, {rows, inner_a}), b, false, false), shape);
  }
  return detail::product(a, b, false, false);
}

}  // namespace xtape
