#include <nn/linear.hpp>

#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/neural.hpp>
#include <autograd/ops/reductions.hpp>
#include <nn/checks.hpp>

namespace xtape::nn {
namespace {

void check(const std::string& name, std::initializer_list<std::size_t> widths, const DenseOptions& options) {
  detail::require_widths(name, widths);
  detail::require_floating(name, options.dtype);
}

Variable initial_bias(const std::string& name, std::size_t out, const DenseOptions& options) {
  return initialized(name + ": bias", options.bias_init, {out}, options.dtype, options.generator);
}

}  // namespace

Dense::Dense(std::size_t in, std::size_t out, const DenseOptions& options)
    : weight_init_(options.weight_init), generator_(options.generator) {
  std::string name = "Dense(" + detail::text(in) + ", " + detail::text(out) + ")";
  check(name, {in, out}, options);
  weight = add("weight", initialized(name + ": weight", options.weight_init, {out, in}, options.dtype,
                                     options.generator));
  if (options.bias) bias = add("bias", initial_bias(name, out, options));
}

Dense::Dense(std::size_t out, const DenseOptions& options)
    : weight_init_(options.weight_init), generator_(options.generator) {
  std::string name = "Dense(" + detail::text(out) + ")";
  check(name, {out}, options);
  if (!weight_init_) throw ValueError(name + ": weight: the initializer is empty");
  weight = add_lazy("weight", {out, 0}, options.dtype);
  if (options.bias) bias = add("bias", initial_bias(name, out, options));
}

std::string Dense::description() const {
  return (weight.size() == 0 ? "?" : std::to_string(weight.shape(1))) + ", " + std::to_string(weight.shape(0)) +
         (bias.defined() ? "" : ", no bias");
}

Variable Dense::forward(const Variable& x) {
  auto refuse = [&](const std::string& needs) { detail::refuse_input("Dense(" + description() + ")", x, needs); };
  if (!x.defined() || x.rank() == 0) refuse("one axis or more");
  complete(weight, [&] {
    if (x.shape(-1) == 0) refuse("a last extent of 1 or more");
    detail::require_dtype("Dense(" + description() + ")", x, weight.dtype());
    xtape::detail::PastForks drawn_once;
    materialize(weight, initialized("Dense: weight", weight_init_, {weight.shape(0), x.shape(-1)}, weight.dtype(),
                                    generator_).value());
  });
  if (x.shape(-1) != weight.shape(1)) refuse(std::to_string(weight.shape(1)) + " as the last extent");
  return linear(x, weight, bias);
}

Bilinear::Bilinear(std::size_t in1, std::size_t in2, std::size_t out, const DenseOptions& options) {
  std::string name = "Bilinear(" + detail::text(in1) + ", " + detail::text(in2) + ", " + detail::text(out) + ")";
  check(name, {in1, in2, out}, options);
  weight = add("weight", initialized(name + ": weight", options.weight_init, {out, in1, in2}, options.dtype,
                                     options.generator));
  if (options.bias) bias = add("bias", initial_bias(name, out, options));
}

std::string Bilinear::description() const {
  return std::to_string(weight.shape(1)) + ", " + std::to_string(weight.shape(2)) + ", " +
         std::to_string(weight.shape(0)) + (bias.defined() ? "" : ", no bias");
}

// a (..., in1) times all matrices side by side (in1, out in2), then each piece of the product times b.
Variable Bilinear::forward(const Variable& a, const Variable& b) {
  std::size_t out = weight.shape(0), in1 = weight.shape(1), in2 = weight.shape(2);
  if (!a.defined() || !b.defined() || a.rank() == 0 || b.rank() == 0 || a.shape(-1) != in1 || b.shape(-1) != in2)
    throw ShapeError("Bilinear(" + description() + "): inputs " + describe(a) + " and " + describe(b) +
                     ", needs " + std::to_string(in1) + " and " + std::to_string(in2) + " as their last extents");
  Variable product = matmul(a, reshape(transpose(weight, {1, 0, 2}), {in1, out * in2}));
  Shape pieces(a.shape().begin(), a.shape().end() - 1);
  pieces.push_back(out);
  pieces.push_back(in2);
  Variable y = squeeze(matmul(reshape(product, pieces), expand_dims(b, -1)), -1);
  return bias.defined() ? y + bias : y;
}

}  // namespace xtape::nn
