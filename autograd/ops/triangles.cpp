#include <autograd/ops/triangles.hpp>

#include <algorithm>
#include <string>

#include <autograd/ops/creation.hpp>
#include <autograd/ops/diagonals.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/searching.hpp>

namespace xtape {

namespace {

// The numbers, in row-major order, of the places on diagonal k and below it.
Variable places(std::size_t rows, std::size_t columns, std::ptrdiff_t k) {
  return reshape(nonzero(ravel(tril(ones({rows, columns}, boolean), k))), {-1});
}

// How many diagonals k is below the main one.
std::size_t below(std::ptrdiff_t k) { return k < 0 ? -static_cast<std::size_t>(k) : 0; }

// How many there are in a square matrix: a triangle, or all but a triangle.
std::size_t count(std::size_t n, std::ptrdiff_t k) {
  auto triangle = [](std::size_t side) { return side * (side + 1) / 2; };
  if (k < 0) return triangle(n - std::min(n, below(k)));
  return n * n - triangle(n - std::min(n, static_cast<std::size_t>(k) + 1));
}

}  // namespace

Variable tril_indices(std::size_t rows, std::size_t columns, std::ptrdiff_t k) {
  detail::Calling calling("tril_indices");
  return transpose(nonzero(tril(ones({rows, columns}, boolean), k)));
}
Variable triu_indices(std::size_t rows, std::size_t columns, std::ptrdiff_t k) {
  detail::Calling calling("triu_indices");
  return transpose(nonzero(triu(ones({rows, columns}, boolean), k)));
}

Variable vec_to_tril_matrix(const Variable& x, std::ptrdiff_t k) {
  detail::Calling calling("vec_to_tril_matrix");
  detail::require_defined("vec_to_tril_matrix", x);
  if (x.rank() == 0) throw ShapeError("vec_to_tril_matrix: (), needs one axis or more");
  std::size_t n = below(k), elements = x.shape(-1);
  while (count(n, k) < elements) ++n;
  if (count(n, k) != elements)
    throw ShapeError("vec_to_tril_matrix: " + std::to_string(elements) + " elements of " + to_string(x.shape()) +
                     " fill no square matrix up to diagonal " + std::to_string(k));
  Shape shape(x.shape().begin(), x.shape().end() - 1), flat = shape;
  shape.insert(shape.end(), {n, n});
  flat.push_back(n * n);
  return reshape(index_copy(zeros(flat, x.dtype()), -1, places(n, n, k), x), shape);
}

Variable tril_matrix_to_vec(const Variable& x, std::ptrdiff_t k) {
  detail::Calling calling("tril_matrix_to_vec");
  detail::require_defined("tril_matrix_to_vec", x);
  if (x.rank() < 2) throw ShapeError("tril_matrix_to_vec: " + to_string(x.shape()) + ", needs two axes or more");
  return take(flatten(x, -2), places(x.shape(-2), x.shape(-1), k), -1);
}

}  // namespace xtape
