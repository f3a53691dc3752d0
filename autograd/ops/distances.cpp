#include <autograd/ops/distances.hpp>

#include <string>

#include <autograd/ops/creation.hpp>
#include <autograd/ops/diagonals.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/masking.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/rearranging.hpp>
#include <autograd/ops/reductions.hpp>

namespace xtape {

namespace {

void require_vectors(const char* operation, const Variable& a, const Variable& b) {
  detail::require_numbers(operation, a);
  detail::require_numbers(operation, b);
  broadcast_shapes(operation, a.shape(), b.shape());
}

}  // namespace

Variable vecdot(const Variable& a, const Variable& b, std::ptrdiff_t axis) {
  detail::Calling calling("vecdot");
  require_vectors("vecdot", a, b);
  return sum(a * b, axis);
}

Variable cross(const Variable& a, const Variable& b, std::ptrdiff_t axis) {
  detail::Calling calling("cross");
  require_vectors("cross", a, b);
  Shape shape = broadcast_shapes("cross", a.shape(), b.shape());
  Variable u = broadcast_to(a, shape), v = broadcast_to(b, shape);
  if (shape[normalize_axis("cross", axis, shape.size())] != 3)
    throw ShapeError("cross: " + to_string(a.shape()) + " and " + to_string(b.shape()) + ", needs 3 elements along axis " +
                     std::to_string(axis));
  return roll(u, -1, axis) * roll(v, 1, axis) - roll(u, 1, axis) * roll(v, -1, axis);
}

Variable normalize(const Variable& x, double p, std::ptrdiff_t axis, double epsilon) {
  detail::Calling calling("normalize");
  detail::require_floating("normalize", x);
  return x / clamp_min(norm(x, p, axis, true), epsilon);
}

Variable cosine_similarity(const Variable& a, const Variable& b, std::ptrdiff_t axis, double epsilon) {
  detail::Calling calling("cosine_similarity");
  require_vectors("cosine_similarity", a, b);
  Shape shape = broadcast_shapes("cosine_similarity", a.shape(), b.shape());
  return vecdot(normalize(broadcast_to(a, shape), 2, axis, epsilon), normalize(broadcast_to(b, shape), 2, axis, epsilon),
                axis);
}

Variable pairwise_distance(const Variable& a, const Variable& b, double p, double epsilon, bool keepdims) {
  detail::Calling calling("pairwise_distance");
  return norm(a - b + epsilon, p, -1, keepdims);
}

Variable cdist(const Variable& a, const Variable& b, double p) {
  detail::Calling calling("cdist");
  for (const Variable* x : {&a, &b}) {
    detail::require_floating("cdist", *x);
    if (x->rank() < 2 || x->shape(-1) != a.shape(-1))
      throw ShapeError("cdist: " + to_string(a.shape()) + " and " + to_string(b.shape()) +
                       ", needs (..., rows, width) of one width");
  }
  return norm(expand_dims(a, -2) - expand_dims(b, -3), p, -1);
}

Variable pdist(const Variable& x, double p) {
  detail::Calling calling("pdist");
  detail::require_floating("pdist", x);
  if (x.rank() != 2) throw ShapeError("pdist: " + to_string(x.shape()) + ", needs (rows, width)");
  std::size_t n = x.shape()[0];
  return masked_select(cdist(x, x, p), triu(ones({n, n}, x.dtype()), 1) > 0);
}

}  // namespace xtape
