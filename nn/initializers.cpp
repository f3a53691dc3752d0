#include <nn/initializers.hpp>

#include <cmath>
#include <numbers>

#include <autograd/grad_mode.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/manipulation.hpp>

namespace xtape::nn {
namespace {

void require_finite(const char* name, std::initializer_list<double> options) {
  for (double value : options)
    if (!std::isfinite(value))
      throw ValueError(std::string(name) + ": got " + Scalar(value).text() + ", needs finite numbers");
}

void require_spread(const char* name, double value) {
  require_finite(name, {value});
  if (value < 0) throw ValueError(std::string(name) + ": got " + Scalar(value).text() + ", needs 0 or more");
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

// With u uniform between the distribution function's values at the cuts, its inverse at u.
Initializer truncated_normal(double mean, double stddev, double low, double high) {
  require_finite("truncated_normal", {mean, low, high});
  require_spread("truncated_normal", stddev);
  if (low >= high)
    throw ValueError("truncated_normal: from " + Scalar(low).text() + " to " + Scalar(high).text() +
                     " standard deviations: needs low < high");
  // The function is 1/2 + erf(z / sqrt(2)) / 2; the halves drop out.
  double from = std::erf(low / std::numbers::sqrt2), to = std::erf(high / std::numbers::sqrt2);
  if (!(from < to))
    throw ValueError("truncated_normal: from " + Scalar(low).text() + " to " + Scalar(high).text() +
                     " standard deviations: so far out lie no numbers of double precision");
  return [=](const Shape& shape, DType dtype, Generator& g) {
    NoGrad guard;
    Variable z = erfinv(Variable(g.uniform(shape, from, to, float64))) * std::numbers::sqrt2;
    return (clip(z, low, high) * stddev + mean).to(dtype).value();
  };
}

Initializer uniform(double low, double high) {
  require_finite("uniform", {low, high});
  if (low > high)
    throw ValueError("uniform: from " + Scalar(low).text() + " to " + Scalar(high).text() + ": needs low <= high");
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

Initializer he_uniform(double gain, Fan which) {
  require_spread("he_uniform", gain);
  return symmetric_uniform([=](Fans fan) { return gain * std::sqrt(3 / (which == Fan::in ? fan.in : fan.out)); });
}

Initializer he_normal(double gain, Fan which) {
  require_spread("he_normal", gain);
  return centered_normal([=](Fans fan) { return gain / std::sqrt(which == Fan::in ? fan.in : fan.out); });
}

Initializer lecun_uniform() { return he_uniform(1); }
Initializer lecun_normal() { return he_normal(1); }

double calculate_gain(const std::string& nonlinearity, double slope) {
  require_finite("calculate_gain", {slope});
  for (const char* name : {"linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
                           "conv_transpose3d", "conv", "conv_transpose", "sigmoid"})
    if (nonlinearity == name) return 1;
  if (nonlinearity == "tanh") return 5.0 / 3;
  if (nonlinearity == "relu") return std::numbers::sqrt2;
  if (nonlinearity == "leaky_relu") return std::sqrt(2 / (1 + slope * slope));
  if (nonlinearity == "selu") return 0.75;
  throw ValueError("calculate_gain: \"" + nonlinearity + "\", needs linear, conv1d, conv2d, conv3d, "
                   "conv_transpose1d, conv_transpose2d, conv_transpose3d, sigmoid, tanh, relu, leaky_relu or selu");
}

namespace {

double dot(const double* a, const double* b, std::size_t n) {
  constexpr std::size_t lanes = 8;  // sums beside each other, for vector registers
  double sums[lanes]{};
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  double sum = 0;
  for (double part : sums) sum += part;
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// Makes the rows orthonormal, one after the other, by the Gram-Schmidt process; what is left over after the first pass
// goes in the second. The same bits on every machine, which a decomposition of LAPACK on several threads does not give.
void orthonormalize(double* rows, std::size_t count, std::size_t n) {
  for (std::size_t i = 0; i < count; ++i) {
    double* row = rows + i * n;
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t k = 0; k < i; ++k) {
        const double* other = rows + k * n;
        double part = dot(row, other, n);
        for (std::size_t j = 0; j < n; ++j) row[j] -= part * other[j];
      }
    double length = std::sqrt(dot(row, row, n));
    for (std::size_t j = 0; j < n; ++j) row[j] /= length;
  }
}

}  // namespace

Initializer orthogonal(double gain) {
  require_spread("orthogonal", gain);
  return [gain](const Shape& shape, DType dtype, Generator& generator) {
    if (shape.size() < 2)
      throw ShapeError("orthogonal: shape " + to_string(shape) + ", needs two axes or more");
    std::size_t rows = shape[0], columns = rows == 0 ? 0 : element_count(shape) / rows;
    if (columns == 0) return Array(shape, dtype);
    std::size_t count = std::min(rows, columns), n = std::max(rows, columns);
    Array vectors = generator.normal({count, n}, 0, 1, float64);
    orthonormalize(vectors.mutable_data<double>(), count, n);
    NoGrad guard;
    Variable q = gain * Variable(std::move(vectors));
    return reshape(rows < columns ? q : transpose(q), shape).to(dtype).value();
  };
}

Initializer sparse(double sparsity, double stddev) {
  if (!(sparsity >= 0 && sparsity <= 1))
    throw ValueError("sparse: a sparsity of " + std::to_string(sparsity) + ", needs 0 to 1");
  require_spread("sparse", stddev);
  return [=](const Shape& shape, DType dtype, Generator& generator) {
    if (shape.size() != 2) throw ShapeError("sparse: shape " + to_string(shape) + ", needs two axes");
    Array result = generator.normal(shape, 0, stddev, dtype);
    auto dropped = static_cast<std::size_t>(std::ceil(sparsity * static_cast<double>(shape[0])));
    visit_floating("sparse", dtype, [&]<class T>(T) {
      T* out = result.mutable_data<T>();
      for (std::size_t column = 0; column < shape[1]; ++column) {
        Array order = generator.permutation(shape[0]);
        for (std::size_t i = 0; i < dropped; ++i)
          out[static_cast<std::size_t>(order.data<std::int64_t>()[i]) * shape[1] + column] = T(0);
      }
    });
    return result;
  };
}

Fans fans(const Shape& shape) {
  if (shape.size() < 2)
    throw ShapeError("initializer: shape " + to_string(shape) + " has no fan-in and fan-out, which need two axes or "
                     "more; use another initializer");
  // An empty axis has no numbers to draw, and must not divide by zero.
  auto extent = [&](std::size_t axis) { return std::max(static_cast<double>(shape[axis]), 1.0); };
  double kernel = 1;
  for (std::size_t axis = 2; axis < shape.size(); ++axis) kernel *= extent(axis);
  return {extent(1) * kernel, extent(0) * kernel};
}

void init(const Variable& x, const Initializer& initializer, Generator& generator) {
  if (!x.defined() || x.size() == 0)
    throw Error("init: " + describe(x) + ", needs a Variable with elements; a layer that finds its input width at the "
                "first call has none before it, and takes its initializers as options");
  Variable value = initialized("init", initializer, x.shape(), x.dtype(), generator);
  NoGrad guard;
  x.assign(value.detach());
}

void init(Part&& part, const Initializer& initializer, Generator& generator) {
  NoGrad guard;
  Variable value = part.detach();
  init(value, initializer, generator);
  std::move(part) = value;
}

Variable initialized(const std::string& name, const Initializer& initializer, const Shape& shape, DType dtype,
                     Generator& generator) {
  xtape::detail::Calling calling(name.c_str());
  if (!initializer) throw ValueError(name + ": the initializer is empty");
  Array value = initializer(shape, dtype, generator);
  if (!value.defined() || value.shape() != shape || value.dtype() != dtype)
    throw ShapeError(name + ": the initializer gave " +
                     (value.defined() ? to_string(value.dtype()) + to_string(value.shape()) : "an undefined array") +
                     ", needs " + to_string(dtype) + to_string(shape));
  return Variable(std::move(value)).requires_grad_();
}

}  // namespace xtape::nn
