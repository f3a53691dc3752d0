#include <autograd/ops/creation.hpp>

#include <cmath>

#include <autograd/ops/operands.hpp>

namespace xtape {

Variable detail::from_blob(void* elements, const Dims& dims, DType dtype, std::shared_ptr<const void> owner,
                           bool read_only) {
  Shape shape = dims.shape("from_blob");
  if (!elements && element_count(shape) > 0)
    throw ValueError("from_blob: a null pointer to " + std::string(to_string(dtype)) + to_string(shape));
  return Variable(Array::around(elements, shape, dtype, std::move(owner), read_only));
}

Variable empty(const Dims& shape, DType dtype) {
  detail::Calling calling("empty");
  return Variable(Array(shape.shape("empty"), dtype));
}
Variable full(const Dims& shape, const Scalar& value, DType dtype) {
  detail::Calling calling("full");
  return Variable(Array::full(shape.shape("full"), value, dtype));
}
Variable zeros(const Dims& shape, DType dtype) {
  detail::Calling calling("zeros");
  return full(shape, 0, dtype);
}
Variable ones(const Dims& shape, DType dtype) {
  detail::Calling calling("ones");
  return full(shape, 1, dtype);
}

Variable empty_like(const Variable& x) {
  detail::Calling calling("empty_like");
  detail::require_defined("empty_like", x);
  return empty(x.shape(), x.dtype());
}
Variable zeros_like(const Variable& x) {
  detail::Calling calling("zeros_like");
  detail::require_defined("zeros_like", x);
  return zeros(x.shape(), x.dtype());
}
Variable ones_like(const Variable& x) {
  detail::Calling calling("ones_like");
  detail::require_defined("ones_like", x);
  return ones(x.shape(), x.dtype());
}
Variable full_like(const Variable& x, const Scalar& value) {
  detail::Calling calling("full_like");
  detail::require_defined("full_like", x);
  return Variable(Array::full_like(x.value(), value, "full_like"));
}

Variable eye(std::size_t n, std::size_t m, DType dtype) {
  detail::Calling calling("eye");
  Array result = Array::full({n, m}, 0, dtype);
  visit(dtype, [&]<class T>(T) {
    T* out = result.mutable_data<T>();
    for (std::size_t i = 0; i < std::min(n, m); ++i) out[i * m + i] = T(1);
  });
  return Variable(std::move(result));
}
Variable eye(std::size_t n, DType dtype) { return eye(n, n, dtype); }

namespace {

// How many steps from start come before stop, and each of them, for integers of 64 bits. Distances are exact as unsigned
// numbers, wherever start and stop are.
Array integer_range(std::int64_t start, std::int64_t stop, std::int64_t step, DType dtype) {
  auto bits = [](std::int64_t x) { return static_cast<std::uint64_t>(x); };
  bool up = step > 0;
  std::uint64_t distance = up ? bits(stop) - bits(start) : bits(start) - bits(stop), by = up ? bits(step) : -bits(step);
  std::size_t count = (up ? start < stop : stop < start) ? (distance - 1) / by + 1 : 0;
  Array result({count}, dtype);
  visit(dtype, [&]<class T>(T) {
    T* out = result.mutable_data<T>();
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<T>(static_cast<std::int64_t>(bits(start) + i * bits(step)));
  });
  return result;
}

Array floating_range(double start, double stop, double step, DType dtype) {
  double count = std::ceil((stop - start) / step);
  Array result({static_cast<std::size_t>(std::max(count, 0.0))}, dtype);
  visit(dtype, [&]<class T>(T) {
    T* out = result.mutable_data<T>();
    for (std::size_t i = 0; i < result.size(); ++i) out[i] = Scalar(start + static_cast<double>(i) * step).to<T>("arange");
  });
  return result;
}

}  // namespace

Variable arange(const Scalar& start, const Scalar& stop, const Scalar& step, DType dtype) {
  detail::Calling calling("arange");
  double first = start.as_double(), end = stop.as_double(), by = step.as_double();
  if (!std::isfinite(first) || !std::isfinite(end) || !std::isfinite(by) || by == 0 || (end - first) / by > 0x1p62)
    throw ValueError("arange: from " + start.text() + " to " + stop.text() + " by " + step.text() +
                     ": needs finite numbers and a step that is not 0");
  if (is_floating(start.dtype()) || is_floating(stop.dtype()) || is_floating(step.dtype()))
    return Variable(floating_range(first, end, by, dtype));
  auto integer = [](const Scalar& x) { return x.to<std::int64_t>("arange"); };
  return Variable(integer_range(integer(start), integer(stop), integer(step), dtype));
}

namespace {

// Rounded towards 0 to int64.
template <class T>
T in(const char* operation, double x) {
  return std::is_integral_v<T> ? Scalar(std::trunc(x)).to<T>(operation) : static_cast<T>(x);
}

template <class F>
Variable spaced(const char* operation, double start, double stop, std::size_t count, DType dtype, F f) {
  detail::Calling calling(operation);
  if (!std::isfinite(start) || !std::isfinite(stop))
    throw ValueError(std::string(operation) + ": from " + Scalar(start).text() + " to " + Scalar(stop).text() +
                     ": needs finite numbers");
  Array result({count}, dtype);
  double step = count > 1 ? (stop - start) / static_cast<double>(count - 1) : 0;
  visit(dtype, [&]<class T>(T) {
    for (std::size_t i = 0; i < count; ++i) {
      double x = i > 0 && i + 1 == count ? stop : start + static_cast<double>(i) * step;
      result.mutable_data<T>()[i] = in<T>(operation, f(x));
    }
  });
  return Variable(std::move(result));
}

}  // namespace

Variable linspace(double start, double stop, std::size_t count, DType dtype) {
  return spaced("linspace", start, stop, count, dtype, [](double x) { return x; });
}
Variable logspace(double start, double stop, std::size_t count, double base, DType dtype) {
  return spaced("logspace", start, stop, count, dtype, [base](double x) { return std::pow(base, x); });
}

Variable rand(const Dims& shape, DType dtype, Generator& generator) {
  detail::Calling calling("rand");
  return Variable(generator.uniform(shape.shape("rand"), 0, 1, dtype));
}
Variable randn(const Dims& shape, DType dtype, Generator& generator) {
  detail::Calling calling("randn");
  return Variable(generator.normal(shape.shape("randn"), 0, 1, dtype));
}

}  // namespace xtape
