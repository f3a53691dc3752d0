#include <nn/initializers.hpp>

#include <cmath>

namespace xtape::nn {
namespace {

void require_finite(const char* name, std::initializer_list<double> options) {
  for (double value : options)
    if (!std::isfinite(value))
      throw ValueError(std::string(name) + ": got " + std::to_string(value) + ", needs finite numbers");
}

void require_spread(const char* name, double value) {
  require_finite(name, {value});
  if (value < 0) throw ValueError(std::string(name) + ": got " + std::to_string(value) + ", needs 0 or more");
}

// Uniform in [-a, a), a = bound(fans).
template <class Bound>
Initializer symmetric_uniform(Bound bound) {
  return [bound](const Shape& shape, DType dtype, Generator& generator) {
    double a = bound(fans(shape));
    return generator.uniform(shape, -a, a, dtype);
  };
}

template <class Stddev>
Initializer centered_normal(Stddev stddev) {
  return [stddev](const Shape& shape, DType dtype, Generator& generator) {
    return generator.normal(shape, 0, stddev(fans(shape)), dtype);
  };
}

}  // namespace

Initializer normal(double mean, double stddev) {
  require_finite("normal", {mean});
  require_spread("normal", stddev);
  return [=](const Shape& shape, DType dtype, Generator& g) { return g.normal(shape, mean, stddev, dtype); };
}

Initializer truncated_normal(double mean, double stddev) {
  require_finite("truncated_normal", {mean});
  require_spread("truncated_normal", stddev);
  return [=](const Shape& shape, DType dtype, Generator& g) { return g.truncated_normal(shape, mean, stddev, dtype); };
}

Initializer uniform(double low, double high) {
  require_finite("uniform", {low, high});
  if (low > high)
    throw ValueError("uniform: from " + std::to_string(low) + " to " + std::to_string(high) + ": needs low <= high");
  return [=](const Shape& shape, DType dtype, Generator& g) { return g.uniform(shape, low, high, dtype); };
}

Initializer constant(double value) {
  require_finite("constant", {value});
  return [=](const Shape& shape, DType dtype, Generator&) { return Array::full(shape, value, dtype); };
}

Initializer zeros() { return constant(0); }
Initializer ones() { return constant(1); }

Initializer xavier_uniform(double gain) {
  require_spread("xavier_uniform", gain);
  return symmetric_uniform([gain](Fans fan) { return gain * std::sqrt(6 / (fan.in + fan.out)); });
}

Initializer xavier_normal(double gain) {
  require_spread("xavier_normal", gain);
  return centered_normal([gain](Fans fan) { return gain * std::sqrt(2 / (fan.in + fan.out)); });
}

Initializer he_uniform(double gain) {
  require_spread("he_uniform", gain);
  return symmetric_uniform([gain](Fans fan) { return gain * std::sqrt(3 / fan.in); });
}

Initializer he_normal(double gain) {
  require_spread("he_normal", gain);
  return centered_normal([gain](Fans fan) { return gain / std::sqrt(fan.in); });
}

Fans fans(const Shape& shape) {
  if (shape.size() < 2)
    throw ShapeError("initializer: shape " + to_string(shape) + " has no fan-in and fan-out, which need two axes or "
                     "more; use another initializer");
  // An empty axis has no numbers to draw, and must not divide by zero.
  auto extent = [&](std::size_t axis) { return std::max(static_cast<double>(shape[axis]), 1.0); };
  if (shape.size() == 2) return {extent(0), extent(1)};
  double kernel = 1;
  for (std::size_t axis = 2; axis < shape.size(); ++axis) kernel *= extent(axis);
  return {extent(1) * kernel, extent(0) * kernel};
}

Variable initialized(const std::string& name, const Initializer& initializer, const Shape& shape, DType dtype,
                     Generator& generator) {
  if (!initializer) throw ValueError(name + ": the initializer is empty");
  Array value = initializer(shape, dtype, generator);
  if (!value.defined() || value.shape() != shape || value.dtype() != dtype)
    throw ShapeError(name + ": the initializer gave " +
                     (value.defined() ? to_string(value.dtype()) + to_string(value.shape()) : "an undefined array") +
                     ", needs " + to_string(dtype) + to_string(shape));
  return Variable(std::move(value)).requires_grad_();
}

}  // namespace xtape::nn
