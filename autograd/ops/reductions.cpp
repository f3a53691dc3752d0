#include <autograd/ops/reductions.hpp>

#include <limits>
#include <optional>

#include <autograd/kernels/reduce.hpp>
#include <autograd/kernels/softmax.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/tape.hpp>

namespace xtape {
namespace {

using detail::require_defined;
using detail::require_floating;

Shape result_shape(const Shape& shape, const std::vector<bool>& mask, bool keepdims) {
  return keepdims ? kernels::keep_dims(shape, mask) : kernels::drop_dims(shape, mask);
}

// g, which has lost the reduced axes of a `shape`, with those axes as 1 again.
Variable with_dims(const Variable& g, const Shape& shape, const std::vector<bool>& mask) {
  return reshape(g, kernels::keep_dims(shape, mask));
}

std::size_t reduced_count(const Shape& shape, const std::vector<bool>& mask) {
  std::size_t count = 1;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (mask[i]) count *= shape[i];
  return count;
}

// The order of axes that puts the reduced ones last.
Axes kept_axes_first(const std::vector<bool>& mask) {
  std::vector<std::ptrdiff_t> order;
  for (bool reduced : {false, true})
    for (std::size_t i = 0; i < mask.size(); ++i)
      if (mask[i] == reduced) order.push_back(static_cast<std::ptrdiff_t>(i));
  return order;
}

using Kernel = Array (*)(const Array&, const std::vector<bool>&);

// The max or the min, which go the same way: the gradient is shared by the elements that equal the result.
Variable extremum(const char* operation, Kernel kernel, const Variable& x, const Axes& axes, bool keepdims) {
  require_defined(operation, x);
  auto mask = axes_mask(operation, axes, x.rank());
  if (reduced_count(x.shape(), mask) == 0)
    throw ShapeError(std::string(operation) + ": " + to_string(x.shape()) + " has no elements to choose from");
  Array y = kernel(x.value(), mask).reshaped(result_shape(x.shape(), mask, keepdims));
  return record(operation, y, wrt(x, [x = save(x), mask](const Variable& y, const Variable& g) {
                  Shape kept = kernels::keep_dims(x().shape(), mask);
                  Variable chosen = equal(x(), reshape(y, kept)).to(g.dtype());
                  return chosen / sum_to(chosen, kept) * reshape(g, kept);
                }));
}

Variable arg_best(const char* operation, Array (*kernel)(const Array&, std::size_t), const Variable& x,
                  std::optional<std::ptrdiff_t> axis, bool keepdims) {
  require_defined(operation, x);
  if (!axis) return arg_best(operation, kernel, reshape(x.detach(), {-1}), 0, false);
  std::size_t i = normalize_axis(operation, *axis, x.rank());
  if (x.shape()[i] == 0)
    throw ShapeError(std::string(operation) + ": " + to_string(x.shape()) + " has no elements along axis " +
                     std::to_string(*axis));
  std::vector<bool> mask(x.rank(), false);
  mask[i] = true;
  return Variable(kernel(x.value(), i).reshaped(result_shape(x.shape(), mask, keepdims)));
}

}  // namespace

Variable sum(const Variable& x, const Axes& axes, bool keepdims) {
  require_defined("sum", x);
  if (x.dtype() == DType::boolean) return sum(x.to(int64), axes, keepdims);
  auto mask = axes_mask("sum", axes, x.rank());
  Array value = kernels::sum(x.value(), mask).reshaped(result_shape(x.shape(), mask, keepdims));
  return record("sum", std::move(value), wrt(x, [shape = x.shape(), mask](const Variable& g) {
                  return broadcast_to(with_dims(g, shape, mask), shape);
                }));
}

Variable sum_to(const Variable& x, const Shape& shape) {
  require_defined("sum_to", x);
  if (broadcast_shapes("sum_to", x.shape(), shape) != x.shape())
    throw ShapeError("sum_to: " + to_string(x.shape()) + " is no broadcast of " + to_string(shape));
  return record("sum_to", kernels::sum_to(x.value(), shape),
                wrt(x, [from = x.shape()](const Variable& g) { return broadcast_to(g, from); }));
}

Variable mean(const Variable& x, const Axes& axes, bool keepdims) {
  require_floating("mean", x);
  auto count = reduced_count(x.shape(), axes_mask("mean", axes, x.rank()));
  return sum(x, axes, keepdims) / count;
}

Variable var(const Variable& x, const Axes& axes, bool keepdims, int ddof) {
  require_floating("var", x);
  auto count = static_cast<double>(reduced_count(x.shape(), axes_mask("var", axes, x.rank())));
  if (ddof < 0) throw ValueError("var: ddof is " + std::to_string(ddof) + ", needs 0 or more");
  // No degrees of freedom left give NaN or infinity, as in NumPy.
  return sum(square(x - mean(x, axes, true)), axes, keepdims) / std::max(count - ddof, 0.0);
}

// Multiplies halves until one element is left: the same work as a running product, and the derivatives of any order
// come out right where elements are 0, too.
Variable prod(const Variable& x, const Axes& axes, bool keepdims) {
  require_defined("prod", x);
  if (x.dtype() == DType::boolean) return prod(x.to(int64), axes, keepdims);
  auto mask = axes_mask("prod", axes, x.rank());
  Axes order = kept_axes_first(mask);
  Shape kept = kernels::drop_dims(x.shape(), mask);
  Shape result = result_shape(x.shape(), mask, keepdims);
  std::size_t n = reduced_count(x.shape(), mask);
  if (n == 0) return sum(x, axes, keepdims) + 1;  // the product of nothing, still connected to x
  kept.push_back(n);
  Variable y = reshape(transpose(x, order), kept);
  std::optional<Variable> odd;
  for (std::ptrdiff_t size = static_cast<std::ptrdiff_t>(n); size > 1; size /= 2) {
    if (size % 2) {
      Variable last = y[{ellipsis, range(size - 1, size)}];
      odd = odd ? *odd * last : last;
    }
    y = y[{ellipsis, range(0, size / 2)}] * y[{ellipsis, range(size / 2, size / 2 * 2)}];
  }
  return reshape(odd ? y * *odd : y, result);
}

Variable max(const Variable& x, const Axes& axes, bool keepdims) {
  return extremum("max", kernels::max, x, axes, keepdims);
}

Variable min(const Variable& x, const Axes& axes, bool keepdims) {
  return extremum("min", kernels::min, x, axes, keepdims);
}

Variable logsumexp(const Variable& x, const Axes& axes, bool keepdims) {
  require_floating("logsumexp", x);
  auto mask = axes_mask("logsumexp", axes, x.rank());
  // The shift is a constant to the derivative. An infinite one would make NaN of inf - inf.
  Array shift = kernels::max(x.value(), mask);
  Variable m = Variable(shift);
  m = where(abs(m) < std::numeric_limits<double>::infinity(), m, 0);
  Variable y = log(sum(exp(x - m), axes, true)) + m;
  return keepdims ? y : reshape(y, kernels::drop_dims(x.shape(), mask));
}

Variable argmax(const Variable& x) { return arg_best("argmax", kernels::argmax, x, {}, false); }
Variable argmax(const Variable& x, std::ptrdiff_t axis, bool keepdims) {
  return arg_best("argmax", kernels::argmax, x, axis, keepdims);
}
Variable argmin(const Variable& x) { return arg_best("argmin", kernels::argmin, x, {}, false); }
Variable argmin(const Variable& x, std::ptrdiff_t axis, bool keepdims) {
  return arg_best("argmin", kernels::argmin, x, axis, keepdims);
}

Variable softmax(const Variable& x, std::ptrdiff_t axis) {
  require_floating("softmax", x);
  std::size_t i = normalize_axis("softmax", axis, x.rank());
  return record("softmax", kernels::softmax(x.value(), i), wrt(x, [axis](const Variable& y, const Variable& g) {
                  Variable gy = g * y;
                  return gy - y * sum(gy, axis, true);
                }));
}

Variable log_softmax(const Variable& x, std::ptrdiff_t axis) {
  require_floating("log_softmax", x);
  std::size_t i = normalize_axis("log_softmax", axis, x.rank());
  return record("log_softmax", kernels::log_softmax(x.value(), i),
                wrt(x, [axis](const Variable& y, const Variable& g) { return g - exp(y) * sum(g, axis, true); }));
}

}  // namespace xtape
