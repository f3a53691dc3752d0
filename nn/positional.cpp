#include <nn/positional.hpp>

#include <cmath>
#include <sstream>

#include <autograd/autograd.hpp>
#include <nn/checks.hpp>
#include <nn/initializers.hpp>

namespace xtape::nn {
namespace {

void check(const std::string& name, std::initializer_list<std::size_t> extents, const PositionalOptions& options) {
  detail::require_widths(name, extents);
  detail::require_between(name, "dropout", options.dropout, 0, 1);
  detail::require_floating(name, options.dtype);
}

void check_input(const std::string& name, const Variable& x, std::size_t width, const PositionalOptions& options) {
  if (!x.defined() || x.rank() != 3 || x.shape()[2] != width)
    detail::refuse_input(name, x, (options.batch_first ? "(batch, steps, " : "(steps, batch, ") +
                                      std::to_string(width) + ")");
}

std::size_t steps_of(const Variable& x, const PositionalOptions& options) {
  return x.shape()[options.batch_first ? 1 : 0];
}

// x + encoding (steps, width)
Variable sum_of(const Variable& x, const Variable& encoding, const PositionalOptions& options, bool training) {
  Variable y = x + (options.batch_first ? encoding : expand_dims(encoding, 1));
  return training ? dropout(y, options.dropout, options.generator) : y;
}

std::string describe(const std::string& extents, const PositionalOptions& options) {
  std::ostringstream out;
  out << extents;
  if (options.dropout > 0) out << ", dropout " << options.dropout;
  if (options.batch_first) out << ", batch first";
  return out.str();
}

// f(t / base^(2 i / width), i) for each step t and pair i, to fill an array (steps, width).
template <class F>
Variable table_of_angles(std::size_t steps, std::size_t width, double base, DType dtype, F fill) {
  Array table({steps, width}, dtype);
  visit_floating("positional encoding", dtype, [&]<class T>(T) {
    T* row = table.mutable_data<T>();
    for (std::size_t t = 0; t < steps; ++t, row += width)
      for (std::size_t i = 0; 2 * i < width; ++i)
        fill(row, i, static_cast<double>(t) *
                         std::pow(base, -2 * static_cast<double>(i) / static_cast<double>(width)));
  });
  return Variable(std::move(table));
}

}  // namespace

Variable sinusoidal_encoding(std::size_t steps, std::size_t width, DType dtype) {
  detail::require_not_negative("sinusoidal_encoding", "steps", {steps});
  detail::require_not_negative("sinusoidal_encoding", "width", {width});
  return table_of_angles(steps, width, 10000, dtype, [width]<class T>(T* row, std::size_t i, double angle) {
    row[2 * i] = static_cast<T>(std::sin(angle));
    if (2 * i + 1 < width) row[2 * i + 1] = static_cast<T>(std::cos(angle));
  });
}

SinusoidalEncoding::SinusoidalEncoding(std::size_t width, const PositionalOptions& options)
    : width_(width), options_(options) {
  check("SinusoidalEncoding(" + detail::text(width) + ")", {width}, options);
}

Variable SinusoidalEncoding::forward(const Variable& x) {
  check_input("SinusoidalEncoding(" + description() + ")", x, width_, options_);
  return sum_of(x, sinusoidal_encoding(steps_of(x, options_), width_, x.dtype()), options_, training());
}

std::string SinusoidalEncoding::description() const { return describe(std::to_string(width_), options_); }

LearnedEncoding::LearnedEncoding(std::size_t max_steps, std::size_t width, const PositionalOptions& options)
    : options_(options) {
  std::string name = "LearnedEncoding(" + detail::text(max_steps) + ", " + detail::text(width) + ")";
  check(name, {max_steps, width}, options);
  weight = add("weight", initialized(name + ": weight", normal(0, 0.02), {max_steps, width}, options.dtype,
                                     options.generator));
}

Variable LearnedEncoding::forward(const Variable& x) {
  std::string name = "LearnedEncoding(" + description() + ")";
  check_input(name, x, weight.shape()[1], options_);
  std::size_t steps = steps_of(x, options_);
  if (steps > weight.shape()[0])
    throw ShapeError(name + ": input of shape " + to_string(x.shape()) + " has " + std::to_string(steps) + " steps, " +
                     "more than the " + std::to_string(weight.shape()[0]) + " that were learned");
  return sum_of(x, weight[range(0, static_cast<std::ptrdiff_t>(steps))], options_, training());
}

std::string LearnedEncoding::description() const {
  return describe(std::to_string(weight.shape()[0]) + ", " + std::to_string(weight.shape()[1]), options_);
}

Variable rotary_encoding(const Variable& x, double base) {
  if (!x.defined() || x.rank() < 2 || x.shape().back() % 2 != 0)
    detail::refuse_input("rotary_encoding", x, "(..., steps, width) of an even width");
  detail::require_positive("rotary_encoding", "base", base);
  std::size_t steps = x.shape(-2), width = x.shape(-1), half = width / 2;
  auto fill = [&](double (*f)(double)) {
    return table_of_angles(steps, width, base, x.dtype(), [f, half]<class T>(T* row, std::size_t i, double angle) {
      row[i] = row[i + half] = static_cast<T>(f(angle));
    });
  };
  std::vector<Variable> halves = split(x, 2, -1);
  Variable turned = concatenate({-halves[1], halves[0]}, -1);
  return x * fill(std::cos) + turned * fill(std::sin);
}

}  // namespace xtape::nn
