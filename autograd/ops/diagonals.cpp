#include <autograd/ops/diagonals.hpp>

#include <algorithm>
#include <cstdlib>

#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/views.hpp>

namespace xtape {

using detail::require_defined;

namespace {

Variable triangle(const char* operation, const Variable& x, std::ptrdiff_t k, bool upper) {
  require_defined(operation, x);
  if (x.rank() < 2) throw ShapeError(std::string(operation) + ": " + to_string(x.shape()) + ", needs two axes or more");
  if (x.dtype() == DType::boolean) return triangle(operation, x.to(int64), k, upper).to(boolean);
  Variable row = expand_dims(arange(x.shape(-2)), 1), column = arange(x.shape(-1));
  return where(upper ? column - row >= k : column - row <= k, x, 0);
}

}  // namespace

Variable triu(const Variable& x, std::ptrdiff_t k) {
  detail::Calling calling("triu");
  return triangle("triu", x, k, true);
}
Variable tril(const Variable& x, std::ptrdiff_t k) {
  detail::Calling calling("tril");
  return triangle("tril", x, k, false);
}

namespace {

// Diagonal k of a dense array, along two axes.
kernels::View diagonal_view(const Shape& shape, std::ptrdiff_t k, std::size_t row, std::size_t column) {
  kernels::Strides strides = kernels::dense_strides(shape);
  kernels::View view;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i == row || i == column) continue;
    view.shape.push_back(shape[i]);
    view.strides.push_back(strides[i]);
  }
  auto rows = static_cast<std::ptrdiff_t>(shape[row]), columns = static_cast<std::ptrdiff_t>(shape[column]);
  std::ptrdiff_t length = std::max<std::ptrdiff_t>(std::min(rows + std::min<std::ptrdiff_t>(k, 0),
                                                            columns - std::max<std::ptrdiff_t>(k, 0)), 0);
  if (length > 0) view.offset = k >= 0 ? k * strides[column] : -k * strides[row];
  view.shape.push_back(static_cast<std::size_t>(length));
  view.strides.push_back(strides[row] + strides[column]);
  return view;
}

}  // namespace

Variable diagonal(const Variable& x, std::ptrdiff_t k, std::ptrdiff_t axis1, std::ptrdiff_t axis2) {
  require_defined("diagonal", x);
  std::size_t row = normalize_axis("diagonal", axis1, x.rank()), column = normalize_axis("diagonal", axis2, x.rank());
  if (row == column) throw ShapeError("diagonal: axis " + std::to_string(axis1) + " is named twice");
  return detail::read_part("diagonal", x, diagonal_view(x.shape(), k, row, column));
}

Variable diag(const Variable& x, std::ptrdiff_t k) {
  detail::Calling calling("diag");
  require_defined("diag", x);
  if (x.rank() == 2) return diagonal(x, k);
  if (x.rank() != 1) throw ShapeError("diag: " + to_string(x.shape()) + ", needs one or two axes");
  return diag_embed(x, k);
}

Variable diag_embed(const Variable& x, std::ptrdiff_t k) {
  require_defined("diag_embed", x);
  std::size_t last = normalize_axis("diag_embed", -1, x.rank());
  Shape shape = x.shape();
  std::size_t n = shape[last] + (k < 0 ? -static_cast<std::size_t>(k) : static_cast<std::size_t>(k));
  shape[last] = n;
  shape.push_back(n);
  element_count(shape);  // throws where the strides of the diagonal would be too large
  return detail::write_part("diag_embed", x, shape, diagonal_view(shape, k, last, last + 1));
}

Variable trace(const Variable& x) {
  detail::Calling calling("trace");
  require_defined("trace", x);
  if (x.rank() != 2) throw ShapeError("trace: " + to_string(x.shape()) + ", needs two axes");
  return sum(diagonal(x));
}

}  // namespace xtape
