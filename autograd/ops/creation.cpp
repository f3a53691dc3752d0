#include <autograd/ops/creation.hpp>

#include <cmath>

#include <autograd/ops/operands.hpp>

namespace xtape {

Variable empty(const Dims& shape, DType dtype) { return Variable(Array(shape.shape("empty"), dtype)); }
Variable full(const Dims& shape, double value, DType dtype) {
  return Variable(Array::full(shape.shape("full"), value, dtype));
}
Variable zeros(const Dims& shape, DType dtype) { return full(shape, 0, dtype); }
Variable ones(const Dims& shape, DType dtype) { return full(shape, 1, dtype); }

Variable empty_like(const Variable& x) {
  detail::require_defined("empty_like", x);
  return empty(x.shape(), x.dtype());
}
Variable zeros_like(const Variable& x) {
  detail::require_defined("zeros_like", x);
  return zeros(x.shape(), x.dtype());
}
Variable ones_like(const Variable& x) {
  detail::require_defined("ones_like", x);
  return ones(x.shape(), x.dtype());
}
Variable full_like(const Variable& x, double value) {
  detail::require_defined("full_like", x);
  return full(x.shape(), value, x.dtype());
}

Variable eye(std::size_t n, std::size_t m, DType dtype) {
  Array result = Array::full({n, m}, 0, dtype);
  visit(dtype, [&]<class T>(T) {
    T* out = result.mutable_data<T>();
    for (std::size_t i = 0; i < std::min(n, m); ++i) out[i * m + i] = T(1);
  });
  return Variable(std::move(result));
}
Variable eye(std::size_t n, DType dtype) { return eye(n, n, dtype); }

Variable arange(double start, double stop, double step, DType dtype) {
  double count = std::ceil((stop - start) / step);
  if (!std::isfinite(start) || !std::isfinite(stop) || !std::isfinite(step) || step == 0 || count > 0x1p53)
    throw ValueError("arange: from " + std::to_string(start) + " to " + std::to_string(stop) + " by " +
                     std::to_string(step) + ": needs finite numbers and a step that is not 0");
  Array result({static_cast<std::size_t>(std::max(count, 0.0))}, dtype);
  visit(dtype, [&]<class T>(T) {
    T* out = result.mutable_data<T>();
    for (std::size_t i = 0; i < result.size(); ++i) out[i] = static_cast<T>(start + static_cast<double>(i) * step);
  });
  return Variable(std::move(result));
}

namespace {

template <class F>
Variable spaced(const char* operation, double start, double stop, std::size_t count, DType dtype, F f) {
  if (!std::isfinite(start) || !std::isfinite(stop))
    throw ValueError(std::string(operation) + ": from " + std::to_string(start) + " to " + std::to_string(stop) +
                     ": needs finite numbers");
  Array result({count}, dtype);
  double step = count > 1 ? (stop - start) / static_cast<double>(count - 1) : 0;
  visit(dtype, [&]<class T>(T) {
    for (std::size_t i = 0; i < count; ++i) {
      double x = i > 0 && i + 1 == count ? stop : start + static_cast<double>(i) * step;
      result.mutable_data<T>()[i] = static_cast<T>(f(x));
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
  return Variable(generator.uniform(shape.shape("rand"), 0, 1, dtype));
}
Variable randn(const Dims& shape, DType dtype, Generator& generator) {
  return Variable(generator.normal(shape.shape("randn"), 0, 1, dtype));
}

}  // namespace xtape
