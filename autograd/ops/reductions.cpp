#include <autograd/ops/reductions.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <autograd/batch.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/kernels/scans.hpp>
#include <autograd/kernels/softmax.hpp>
#include <autograd/ops/activations.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/sorting.hpp>
#include <autograd/tape.hpp>

namespace xtape {
namespace {

using detail::Batch;
using detail::require_defined;
using detail::require_floating;

// The axes of a mask, as functions take them; none stands for all.
Axes axes_of(const std::vector<bool>& mask) {
  std::vector<std::ptrdiff_t> axes;
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (mask[i]) axes.push_back(static_cast<std::ptrdiff_t>(i));
  return axes;
}

// A reduction that functions take axes for, over a batch: where no axis is reduced, all have.
template <class F>
Variable reduced_in_each(const Batch& b, const std::vector<bool>& mask, F reduce) {
  if (std::ranges::find(mask, true) == mask.end()) return reshape(reduce(expand_dims(b[0], -1), {-1}), b[0].shape());
  return reduce(b[0], axes_of(Batch::shifted(mask)));
}

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

// The max or the min, which go the same way: the gradient is shared by the elements that equal the result,
// and where NaN has won, by those that are NaN.
Variable extremum(const char* operation, Kernel kernel, const Variable& x, const Axes& axes, bool keepdims) {
  require_defined(operation, x);
  auto mask = axes_mask(operation, axes, x.rank());
  if (reduced_count(x.shape(), mask) == 0)
    throw ShapeError(std::string(operation) + ": " + to_string(x.shape()) + " has no elements to choose from");
  auto choose = [kernel](const Array& v, const std::vector<bool>& mask, bool keepdims) {
    return kernel(v, mask).reshaped(result_shape(v.shape(), mask, keepdims));
  };
  // The share of each element in the result.
  auto shares = [mask](const Variable& x, const Variable& y) {
    Shape kept = kernels::keep_dims(x.shape(), mask);
    Variable chosen = (equal(x, reshape(y, kept)) || isnan(x)).to(y.dtype());
    return chosen / sum_to(chosen, kept);
  };
  auto all_chosen = [is_max = kernel == kernels::max](const Batch& b, const std::vector<bool>& mask, bool keepdims) {
    return reduced_in_each(b, mask, [&](const Variable& v, const Axes& axes) {
      return is_max ? max(v, axes, keepdims) : min(v, axes, keepdims);
    });
  };
  return record(op(operation, attribute("axes", mask), attribute("keepdims", keepdims)).mapped(all_chosen), choose,
                wrt(x, [x = save(x), mask, shares](const Variable& y, const Variable& g) {
                  return shares(x(), y) * reshape(g, kernels::keep_dims(x().shape(), mask));
                }, [x = save(x), mask, shares](const Variable& y, const Variable& t) {
                  return reshape(sum_to(shares(x(), y) * t, kernels::keep_dims(t.shape(), mask)), y.shape());
                }));
}

Variable arg_best(const char* operation, Array (*kernel)(const Array&, std::size_t), const Variable& x,
                  std::optional<std::ptrdiff_t> axis, bool keepdims) {
  require_defined(operation, x);
  if (!axis || (x.rank() == 0 && (*axis == 0 || *axis == -1))) return arg_best(operation, kernel, reshape(x.detach(), {-1}), 0, false);
  std::size_t i = normalize_axis(operation, *axis, x.rank());
  if (x.shape()[i] == 0)
    throw ShapeError(std::string(operation) + ": " + to_string(x.shape()) + " has no elements along axis " +
                     std::to_string(*axis));
  std::vector<bool> mask(x.rank(), false);
  mask[i] = true;
  auto best = [kernel, shape = result_shape(x.shape(), mask, keepdims)](const Array& v, std::size_t axis) {
    return kernel(v, axis).reshaped(shape);
  };
  auto all_best = [operation, kernel, keepdims](const Batch& b, std::size_t axis) {
    return arg_best(operation, kernel, b[0], static_cast<std::ptrdiff_t>(axis + 1), keepdims);
  };
  NoGrad as_constant;
  return record(op(operation, attribute("axis", i)).mapped(all_best), best, constant(x));
}

WithIndices chosen(const Variable& x, const Variable& indices, std::ptrdiff_t axis, bool keepdims) {
  Variable values = take_along_axis(x, indices, axis);
  if (keepdims || x.rank() == 0) return {values, indices};
  return {squeeze(values, axis), squeeze(indices, axis)};
}

}  // namespace

Variable sum(const Variable& x, const Axes& axes, bool keepdims) {
  require_defined("sum", x);
  if (x.dtype() == DType::boolean) return sum(x.to(int64), axes, keepdims);
  auto mask = axes_mask("sum", axes, x.rank());
  auto add = [](const Array& v, const std::vector<bool>& mask, bool keepdims) {
    return kernels::sum(v, mask).reshaped(result_shape(v.shape(), mask, keepdims));
  };
  auto all_summed = [](const Batch& b, const std::vector<bool>& mask, bool keepdims) {
    return reduced_in_each(b, mask, [&](const Variable& v, const Axes& axes) { return sum(v, axes, keepdims); });
  };
  return record(op("sum", attribute("axes", mask), attribute("keepdims", keepdims)).mapped(all_summed), add,
                wrt(x, [shape = x.shape(), mask](const Variable& g) {
                  return broadcast_to(with_dims(g, shape, mask), shape);
                }, linear_in_operand));
}

Variable sum_to(const Variable& x, const Shape& shape) {
  detail::Calling calling("sum_to");
  require_defined("sum_to", x);
  if (broadcast_shapes("sum_to", x.shape(), shape) != x.shape())
    throw ShapeError("sum_to: " + to_string(x.shape()) + " is no broadcast of " + to_string(shape));
  // The axes of one sample that the shape lacks count as of extent 1.
  auto all_summed = [](const Batch& b, const Shape& shape) {
    return reshape(sum_to(b[0], b.with_samples(shape, b.rank(0))), b.with_samples(shape));
  };
  return record(op("sum_to", attribute("shape", shape)).mapped(all_summed), kernels::sum_to,
                wrt(x, [from = x.shape()](const Variable& g) { return broadcast_to(g, from); }, linear_in_operand));
}

namespace {

// Whether all elements of x are numbers of a magnitude from `least` on, or 0 if that counts.
bool all_moderate(const Variable& x, double least) {
  return visit_floating("norm", x.dtype(), [&]<class T>(T) {
    const Array& all = detail::every_sample(x.value());
    const T* elements = all.data<T>();
    return std::all_of(elements, elements + all.size(), [&](T v) {
      return std::abs(v) <= std::numeric_limits<T>::max() && std::abs(v) >= static_cast<T>(least);
    });
  });
}

// What lies so far above the smallest number that the squares of its parts that were lost do not count.
double least_exact(DType dtype) {
  return dtype == float32 ? std::numeric_limits<float>::min() / std::numeric_limits<float>::epsilon()
                          : std::numeric_limits<double>::min() / std::numeric_limits<double>::epsilon();
}

// f(x) for an f with f(c x) = c f(x), over axes that it keeps: of x scaled by its greatest element, or its least, where
// intermediate results may overflow or vanish. The scale is a constant to the derivative, for it plays no part.
template <class F>
Variable scaled(const Variable& x, const Axes& axes, Variable (*of_axes)(const Variable&, const Axes&, bool), const F& f) {
  Variable sizes = abs(x.detach()), scale = of_axes(sizes, axes, true);
  scale = where(isfinite(scale) && scale > 0, scale, 1);
  return f(x / scale) * scale;
}

// f(x) over axes that it keeps, but where a single one of the `sizes` is infinite, that: it is the limit, with the
// derivative 1, and the others have the derivative 0. Undefined if there is no such place.
template <class F>
Variable single_infinity_or(const Variable& x, const Variable& sizes, const Axes& axes, const F& f) {
  Variable infinite = equal(sizes, std::numeric_limits<double>::infinity());
  Variable single = equal(count_nonzero(infinite, axes, true), 1) && !any(isnan(sizes), axes, true);
  if (!detail::any_nonzero(single)) return {};
  return where(single, sum(where(infinite && single, sizes, 0), axes, true), f(where(single, 0, x)));
}

}  // namespace

Variable mean(const Variable& x, const Axes& axes, bool keepdims) {
  detail::Calling calling("mean");
  require_defined("mean", x);
  auto count = reduced_count(x.shape(), axes_mask("mean", axes, x.rank()));
  Variable total = sum(x, axes, keepdims);
  if (!is_floating(x.dtype())) return (total.to(float64) / count).to(default_dtype());
  return count == 0 || all_moderate(total, 0) ? total / count : sum(x / count, axes, keepdims);
}

Variable var(const Variable& x, const Axes& axes, bool keepdims, double ddof) {
  detail::Calling calling("var");
  require_floating("var", x);
  auto count = static_cast<double>(reduced_count(x.shape(), axes_mask("var", axes, x.rank())));
  if (ddof < 0) throw ValueError("var: ddof is " + Scalar(ddof).text() + ", needs 0 or more");
  // No degrees of freedom left give NaN or infinity, as in NumPy.
  return sum(square(x - mean(x, axes, true)), axes, keepdims) / std::max(count - ddof, 0.0);
}

// Multiplies halves until one element is left: the same work as a running product, and the derivatives of any order
// come out right where elements are 0, too.
Variable prod(const Variable& x, const Axes& axes, bool keepdims) {
  detail::Calling calling("prod");
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

namespace {

// The square root with derivative 0 at 0, where it has none: the derivative of the norm of nothing.
Variable root_or_zero(const Variable& x) {
  Variable is_zero = equal(x, 0);
  return where(is_zero, 0, sqrt(where(is_zero, 1, x)));
}

}  // namespace

Variable stddev(const Variable& x, const Axes& axes, bool keepdims, double ddof) {
  detail::Calling calling("stddev");
  Variable variance = var(x, axes, keepdims, ddof);
  if (x.size() == 0 || all_moderate(variance, least_exact(x.dtype()))) return root_or_zero(variance);
  Variable y = scaled(x - mean(x, axes, true), axes, max,
                      [&](const Variable& part) { return root_or_zero(var(part, axes, true, ddof)); });
  return reshape(y, variance.shape());
}

Variable median(const Variable& x) {
  detail::Calling calling("median");
  require_defined("median", x);
  auto all_medians = [n = x.size()](const Batch& b) { return median(reshape(b[0], {b.size(), n}), 1); };
  return record(op("median").mapped(all_medians), [](const Array& v) { return median(Variable(v.reshaped({v.size()})), 0).value(); },
                wrt(x, [x = save(x)](const Variable& y, const Variable& g) {
                  Variable chosen = (equal(x(), y) || isnan(x())).to(g.dtype());  // NaN is there only where it won
                  return chosen * (g / sum(chosen));
                }));
}

Variable median(const Variable& x, std::ptrdiff_t axis, bool keepdims) {
  detail::Calling calling("median");
  if (x.defined() && x.rank() == 0) return detail::with_an_axis("median", x, [&](auto& v) { return median(v, axis); });
  require_defined("median", x);
  std::size_t i = normalize_axis("median", axis, x.rank());
  std::size_t n = x.shape()[i];
  if (n == 0)
    throw ShapeError("median: " + to_string(x.shape()) + " has no elements along axis " + std::to_string(axis));
  // NaN is sorted to the end: where one is, the first of them, which is the argmax, stands for the middle element.
  Variable order = argsort(x.detach(), axis), sorted = take_along_axis(x.detach(), order, axis);
  auto at = [&](const Variable& v, std::size_t k) { return take(v, Variable({static_cast<double>(k)}, int64), axis); };
  Variable chosen = where(isnan(at(sorted, n - 1)), argmax(x, axis, true), at(order, (n - 1) / 2));
  Variable result = take_along_axis(x, chosen, axis);
  return keepdims ? result : squeeze(result, static_cast<std::ptrdiff_t>(i));
}

namespace {

// An element of 0 has the power 0 or infinity, and a total of that makes the norm 0.
double power_of_zero(double p) { return p > 0 ? 0 : std::numeric_limits<double>::infinity(); }

Variable sum_of_powers(const Variable& x, double p, const Axes& axes) {
  if (p == 2) return sum(square(x), axes, true);
  Variable is_zero = equal(x, 0), powers = pow(where(is_zero, 1, abs(x)), p);
  return sum(where(is_zero, power_of_zero(p), powers), axes, true);
}
Variable root_of_powers(const Variable& total, double p) {
  if (p == 2) return root_or_zero(total);
  Variable none = equal(total, power_of_zero(p));
  return where(none, 0, pow(where(none, 1, total), 1 / p));
}

}  // namespace

Variable norm(const Variable& x, double p, const Axes& axes, bool keepdims) {
  detail::Calling calling("norm");
  require_floating("norm", x);
  if (std::isnan(p)) throw ValueError("norm: p is NaN");
  if (p == 1) return sum(abs(x), axes, keepdims);
  if (p == 0) return sum(not_equal(x, 0).to(x.dtype()), axes, keepdims);
  if (std::isinf(p)) return p > 0 ? max(abs(x), axes, keepdims) : min(abs(x), axes, keepdims);
  auto mask = axes_mask("norm", axes, x.rank());
  if (p < 0 && reduced_count(x.shape(), mask) == 0)
    throw ShapeError("norm: " + to_string(x.shape()) + " has no elements, p = " + std::to_string(p) + " needs one");
  Variable total = sum_of_powers(x, p, axes);
  // The derivative of a root of negative powers has the square of their total, which overflows first.
  bool moderate = x.size() == 0 || (p > 0 && all_moderate(total, least_exact(x.dtype())));
  auto of_scaled = [&](const Variable& v) {
    return scaled(v, axes, p > 0 ? max : min,
                  [&](const Variable& part) { return root_of_powers(sum_of_powers(part, p, axes), p); });
  };
  Variable y = moderate ? root_of_powers(total, p) : p > 0 ? single_infinity_or(x, abs(x), axes, of_scaled) : Variable();
  if (!y.defined()) y = of_scaled(x);
  return keepdims ? y : reshape(y, kernels::drop_dims(x.shape(), mask));
}

Variable count_nonzero(const Variable& x, const Axes& axes, bool keepdims) {
  detail::Calling calling("count_nonzero");
  require_defined("count_nonzero", x);
  return sum(not_equal(x, 0), axes, keepdims);
}
Variable any(const Variable& x, const Axes& axes, bool keepdims) {
  detail::Calling calling("any");
  return count_nonzero(x, axes, keepdims) > 0;
}
Variable all(const Variable& x, const Axes& axes, bool keepdims) {
  detail::Calling calling("all");
  require_defined("all", x);
  return equal(sum(equal(x, 0), axes, keepdims), 0);
}

namespace {

Variable cumsum_from(const Variable& x, std::size_t axis, bool backwards) {
  auto all_summed = [](const Batch& b, std::size_t axis, bool backwards) {
    return cumsum_from(b[0], axis + 1, backwards);
  };
  return record(op("cumsum", attribute("axis", axis), attribute("reverse", backwards)).mapped(all_summed), kernels::cumsum,
                wrt(x, [axis, backwards](const Variable& g) { return cumsum_from(g, axis, !backwards); },
                    linear_in_operand));
}

}  // namespace

Variable cumsum(const Variable& x, std::ptrdiff_t axis) {
  require_defined("cumsum", x);
  if (x.dtype() == DType::boolean) return cumsum(x.to(int64), axis);
  return detail::with_an_axis("cumsum", x, [&](auto& v) {
    return cumsum_from(v, normalize_axis("cumsum", axis, v.rank()), false);
  });
}

namespace {

// The elements before each along an axis; 0 or 1 before the first.
Variable shifted(const Variable& x, std::size_t axis, double first) {
  if (x.shape()[axis] == 0) return x;
  Shape one = x.shape();
  one[axis] = 1;
  std::vector<Index> before(axis, Index(range()));
  before.push_back(range(0, -1));
  return concatenate({full(one, first, x.dtype()), slice(x, before)}, static_cast<std::ptrdiff_t>(axis));
}

// With y[i] = a[i] y[i - 1] + b[i] and a gradient g, the one of b is the same scan of g in the opposite direction. Of both
// scans, that which goes forwards has been through a link a[i] as y[i - 1], and that which goes backwards as s[i].
Variable linear_scan(const Variable& a, const Variable& b, std::size_t axis, bool backwards) {
  auto all_scanned = [](const Batch& batch, std::size_t axis, bool backwards) {
    return linear_scan(batch[0], batch[1], axis + 1, backwards);
  };
  return record(op("linear_scan", attribute("axis", axis), attribute("reverse", backwards)).mapped(all_scanned),
                kernels::linear_scan,
                wrt(a, [axis, backwards, a = save(a)](const Variable& y, const Variable& g) {
                  Variable s = linear_scan(a(), g, axis, !backwards);
                  return (backwards ? y : s) * shifted(backwards ? s : y, axis, 0);
                }),
                wrt(b, [axis, backwards, a = save(a)](const Variable& g) {
                  return linear_scan(a(), g, axis, !backwards);
                }));
}

}  // namespace

// Element i is a factor of product i and of all that follow: the gradient is the product before, times the sum of the
// gradients that follow, each times the factors in between. Nothing is divided by elements, which may be 0.
Variable cumprod(const Variable& x, std::ptrdiff_t axis) {
  require_defined("cumprod", x);
  if (x.dtype() == DType::boolean) return cumprod(x.to(int64), axis);
  return detail::with_an_axis("cumprod", x, [&](auto& v) {
    std::size_t i = normalize_axis("cumprod", axis, v.rank());
    auto all_multiplied = [](const Batch& b, std::size_t axis) {
      return cumprod(b[0], static_cast<std::ptrdiff_t>(axis + 1));
    };
    return record(op("cumprod", attribute("axis", i)).mapped(all_multiplied), kernels::cumprod,
                  wrt(v, [i, x = save(v)](const Variable& y, const Variable& g) {
                    return shifted(y, i, 1) * linear_scan(x(), g, i, true);
                  }));
  });
}

namespace {

// With y[i] = log(exp(y[i - 1]) + exp(x[i])), the share of x[i] in y[i] is the logistic function of x[i] - y[i - 1]. An
// element of -infinity has none, also where nothing comes before it.
Variable logcumsumexp_along(const Variable& x, std::size_t axis) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  auto difference = [axis](const Variable& x, const Variable& y) {
    return where(equal(x, -infinity), -infinity, x - shifted(y, axis, -infinity));
  };
  auto in_each = [](const Batch& b, std::size_t axis) { return logcumsumexp_along(b[0], axis + 1); };
  return record(op("logcumsumexp", attribute("axis", axis)).mapped(in_each), kernels::logcumsumexp,
                wrt(x, [axis, difference, x = save(x)](const Variable& y, const Variable& g) {
                  Variable d = difference(x(), y);
                  return sigmoid(d) * linear_scan(sigmoid(-d), g, axis, true);
                }, [axis, difference, x = save(x)](const Variable& y, const Variable& t) {
                  Variable d = difference(x(), y);
                  return linear_scan(sigmoid(-d), sigmoid(d) * t, axis, false);
                }));
}

}  // namespace

Variable logcumsumexp(const Variable& x, std::ptrdiff_t axis) {
  require_floating("logcumsumexp", x);
  return detail::with_an_axis("logcumsumexp", x, [&](auto& v) {
    return logcumsumexp_along(v, normalize_axis("logcumsumexp", axis, v.rank()));
  });
}

WithIndices max_with_indices(const Variable& x, std::ptrdiff_t axis, bool keepdims) {
  detail::Calling calling("max_with_indices");
  return chosen(x, argmax(x, axis, true), axis, keepdims);
}
WithIndices min_with_indices(const Variable& x, std::ptrdiff_t axis, bool keepdims) {
  detail::Calling calling("min_with_indices");
  return chosen(x, argmin(x, axis, true), axis, keepdims);
}

Variable max(const Variable& x, const Axes& axes, bool keepdims) {
  return extremum("max", kernels::max, x, axes, keepdims);
}

Variable min(const Variable& x, const Axes& axes, bool keepdims) {
  return extremum("min", kernels::min, x, axes, keepdims);
}

namespace {

// The max over axes that it keeps, as a constant; -infinity of no elements.
Variable greatest(const Variable& x, const std::vector<bool>& mask) {
  NoGrad as_constant;
  auto all_greatest = [](const Batch& b, const std::vector<bool>& mask) { return greatest(b[0], Batch::shifted(mask)); };
  return record(op("max", attribute("axes", mask)).mapped(all_greatest), kernels::max, constant(x));
}

}  // namespace

Variable logsumexp(const Variable& x, const Axes& axes, bool keepdims) {
  detail::Calling calling("logsumexp");
  require_floating("logsumexp", x);
  auto mask = axes_mask("logsumexp", axes, x.rank());
  constexpr double infinity = std::numeric_limits<double>::infinity();
  // The shift is a constant to the derivative. An infinite one would make NaN of inf - inf.
  Variable m = greatest(x, mask);
  if (detail::any_nonzero(equal(m, infinity))) {
    auto others = [&](const Variable& part) { return logsumexp(part, axes, true); };
    if (Variable y = single_infinity_or(x, x, axes, others); y.defined())
      return keepdims ? y : reshape(y, kernels::drop_dims(x.shape(), mask));
  }
  m = where(abs(m) < infinity, m, 0);
  Variable total = sum(exp(x - m), axes, true), nothing = equal(total, 0);  // of -infinity alone: then a constant
  Variable y = where(nothing, -infinity, log(where(nothing, 1, total))) + m;
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
  if (x.rank() == 0) return detail::with_an_axis("softmax", x, [&](auto& v) { return softmax(v, axis); });
  std::size_t i = normalize_axis("softmax", axis, x.rank());
  auto in_each = [](const Batch& b, std::size_t axis) { return softmax(b[0], static_cast<std::ptrdiff_t>(axis + 1)); };
  return record(op("softmax", attribute("axis", i)).mapped(in_each), kernels::softmax,
                wrt(x, [axis](const Variable& y, const Variable& g) {
                  Variable gy = g * y;
                  return gy - y * sum(gy, axis, true);
                }, symmetric_jacobian));
}

Variable softmin(const Variable& x, std::ptrdiff_t axis) {
  detail::Calling calling("softmin");
  return softmax(-x, axis);
}

Variable log_softmax(const Variable& x, std::ptrdiff_t axis) {
  require_floating("log_softmax", x);
  if (x.rank() == 0) return detail::with_an_axis("log_softmax", x, [&](auto& v) { return log_softmax(v, axis); });
  std::size_t i = normalize_axis("log_softmax", axis, x.rank());
  auto in_each = [](const Batch& b, std::size_t axis) { return log_softmax(b[0], static_cast<std::ptrdiff_t>(axis + 1)); };
  return record(op("log_softmax", attribute("axis", i)).mapped(in_each), kernels::log_softmax,
                wrt(x, [axis](const Variable& y, const Variable& g) { return g - exp(y) * sum(g, axis, true); },
                    [axis](const Variable& y, const Variable& t) { return t - sum(exp(y) * t, axis, true); }));
}

}  // namespace xtape
