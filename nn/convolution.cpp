#include <nn/convolution.hpp>

#include <algorithm>
#include <array>

#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/padding.hpp>
#include <nn/checks.hpp>

namespace xtape::nn {

using detail::text;
using Extents = std::vector<std::size_t>;

namespace {

// What one window covers of each axis.
Extents reach(const Extents& window, const Extents& dilation) {
  Extents result;
  for (std::size_t i = 0; i < window.size(); ++i) result.push_back(dilation[i] * (window[i] - 1) + 1);
  return result;
}

}  // namespace

std::size_t detail::KernelLayer::require_input(const char* name, std::size_t in) {
  if (in == 0) throw ValueError(std::string(name) + ": 0 input channels, needs 1 or more");
  return in;
}

template <class Options>
detail::KernelLayer::KernelLayer(const char* name, std::size_t axes, bool transposed, std::size_t in, std::size_t out,
                                 const PerAxis& window, const Options& options)
    : axes_(axes),
      transposed_(transposed),
      groups_(options.groups),
      stride_(options.stride.of(name, "stride", axes)),
      padding_(options.padding.numbers().of(name, "padding", axes)),
      dilation_(options.dilation.of(name, "dilation", axes)),
      least_(axes, 1),
      same_(options.padding.same()),
      weight_init_(options.weight_init),
      generator_(options.generator) {
  Extents extents = window.of(name, "the window", axes);
  std::string whole = std::string(name) + "(" + (in == 0 ? "?" : text(in)) + ", " + text(out) +
                      ", " + text(extents) + ")";
  detail::require_not_negative(name, "the window", extents);
  detail::require_not_negative(name, "stride", stride_);
  detail::require_not_negative(name, "padding", padding_);
  detail::require_not_negative(name, "dilation", dilation_);
  if (in > 0) detail::require_widths(whole, {in});
  detail::require_widths(whole, {out});
  for (const Extents* values : {&extents, &stride_, &dilation_})
    if (std::count(values->begin(), values->end(), 0u) > 0)
      throw ValueError(whole + ": a stride of " + text(stride_) + " and a dilation of " + text(dilation_) +
                       ", needs 1 or more of everything");
  detail::require_some(whole, "groups", groups_);
  if (in % groups_ != 0 || out % groups_ != 0)
    throw ValueError(whole + ": " + std::to_string(groups_) + " groups do not divide the channels");
  detail::require_floating(whole, options.dtype);
  if (!weight_init_) throw ValueError(whole + ": weight: the initializer is empty");

  Shape shape = transposed ? Shape{in, out / groups_} : Shape{out, in / groups_};
  shape.insert(shape.end(), extents.begin(), extents.end());
  weight = in == 0 ? add_lazy("weight", shape, options.dtype)
                   : add("weight", initialized(whole + ": weight", weight_init_, shape, options.dtype, generator_));
  if (options.bias)
    bias = add("bias", initialized(whole + ": bias", options.bias_init, {out}, options.dtype, generator_));
}

std::string detail::KernelLayer::description() const {
  const Shape& shape = weight.shape();
  std::string in = weight.size() == 0 ? "?" : std::to_string(transposed_ ? shape[0] : shape[1] * groups_);
  std::string out = std::to_string(transposed_ ? shape[1] * groups_ : shape[0]);
  auto unless = [&](const char* what, const Extents& values, std::size_t usual) {
    return values == Extents(axes_, usual) ? "" : std::string(", ") + what + " " + text(values);
  };
  return in + ", " + out + ", " + text(Extents(shape.begin() + 2, shape.end())) + unless("stride", stride_, 1) +
         (same_ ? ", same" : unless("padding", padding_, 0)) + unless("dilation", dilation_, 1) +
         (groups_ == 1 ? "" : ", groups " + std::to_string(groups_)) + (bias.defined() ? "" : ", no bias");
}

void detail::KernelLayer::prepare(const Variable& x) {
  complete(weight, [&] { materialize_for(x); });
}

void detail::KernelLayer::materialize_for(const Variable& x) {
  std::string whole = name() + "(" + description() + ")";
  const char* needs = axes_ == 1   ? "(batch, channels, length)"
                      : axes_ == 2 ? "(batch, channels, height, width)"
                                   : "(batch, channels, depth, height, width)";
  detail::require_rank(whole, x, axes_ + 2, needs);
  detail::require_dtype(whole, x, weight.dtype());
  std::size_t in = x.shape(1);
  bool fits = in > 0 && in % groups_ == 0;
  for (std::size_t i = 0; i < axes_; ++i) fits = fits && x.shape()[i + 2] >= least_[i];
  if (!fits)
    detail::refuse_input(whole, x, "channels that " + std::to_string(groups_) + " groups divide, and extents of " +
                                       text(least_) + " or more");
  Shape shape = weight.shape();
  shape[transposed_ ? 0 : 1] = transposed_ ? in : in / groups_;
  xtape::detail::PastForks drawn_once;
  materialize(weight, initialized(whole + ": weight", weight_init_, shape, weight.dtype(), generator_).value());
}

detail::Convolution::Convolution(const char* name, Operation operation, std::size_t axes, std::size_t in,
                                 std::size_t out, const PerAxis& window, const ConvOptions& options)
    : KernelLayer(name, axes, false, in, out, window, options),
      operation_(operation),
      options_{.stride = stride_, .padding = options.padding, .dilation = dilation_, .groups = groups_},
      padding_mode_(options.padding_mode) {
  Extents reaches = reach(window.of(name, "the window", axes), dilation_);
  if (same_ && stride_ != Extents(axes, 1))
    throw ValueError(std::string(name) + ": padding \"same\" with a stride of " + text(stride_) + ", needs 1");
  for (std::size_t i = 0; i < axes; ++i)
    if (!same_ && reaches[i] > 2 * padding_[i]) least_[i] = reaches[i] - 2 * padding_[i];
  if (padding_mode_ == PadMode::constant) return;
  around_.assign(2, {0, 0});
  for (std::size_t i = 0; i < axes; ++i) {
    std::size_t before = same_ ? (reaches[i] - 1) / 2 : padding_[i], after = same_ ? reaches[i] - 1 - before : before;
    around_.push_back({static_cast<std::ptrdiff_t>(before), static_cast<std::ptrdiff_t>(after)});
  }
  options_.padding = 0;
}

Variable detail::Convolution::forward(const Variable& x) { return forward_with(x, {}, {}, false); }

Variable detail::Convolution::forward_with(const Variable& x, const Variable& scale, const Variable& shift, bool relu) {
  prepare(x);
  Variable w = weight, b = bias;
  if (scale.defined()) {
    Shape of_channels(weight.rank(), 1);
    of_channels[0] = weight.shape(0);
    w = weight * reshape(scale, of_channels);
    b = bias.defined() ? bias * scale + shift : shift;
  }
  xtape::ConvOptions options = options_;
  options.relu = relu;
  return operation_(around_.empty() ? x : pad(x, around_, padding_mode_), w, b, options);
}

std::string detail::Convolution::description() const {
  constexpr std::array<const char*, 4> modes{"", ", reflect", ", replicate", ", circular"};
  return KernelLayer::description() + modes[static_cast<std::size_t>(padding_mode_)];
}

// "same" cuts off so much that the result is the input's extent times the stride, half of it before, and what is left
// after; a window that is shorter than the stride leaves a gap at the end instead.
detail::ConvolutionTranspose::ConvolutionTranspose(const char* name, Operation operation, std::size_t axes,
                                                   std::size_t in, std::size_t out, const PerAxis& window,
                                                   const ConvTransposeOptions& options)
    : KernelLayer(name, axes, true, in, out, window, options), operation_(operation) {
  Extents reaches = reach(window.of(name, "the window", axes), dilation_);
  Extents more = options.output_padding.of(name, "output_padding", axes);
  detail::require_not_negative(name, "output_padding", more);
  if (same_ && more != Extents(axes, 0))
    throw ValueError(std::string(name) + ": padding \"same\" with an output_padding of " + text(more) + ", needs 0");
  for (std::size_t i = 0; i < axes; ++i) {
    if (same_ && reaches[i] > stride_[i]) padding_[i] = (reaches[i] - stride_[i]) / 2;
    if (same_ && reaches[i] < stride_[i]) more[i] = stride_[i] - reaches[i];
    if (more[i] >= std::max(stride_[i], dilation_[i]))
      throw ValueError(std::string(name) + ": an output_padding of " + text(more) +
                       ", needs less than the stride or the dilation");
    if (std::size_t added = reaches[i] + more[i]; added <= 2 * padding_[i])
      least_[i] = (2 * padding_[i] - added) / stride_[i] + 2;
  }
  options_ = {
      .stride = stride_, .padding = padding_, .output_padding = more, .dilation = dilation_, .groups = groups_};
}

Variable detail::ConvolutionTranspose::forward(const Variable& x) {
  prepare(x);
  Variable y = operation_(x, weight, bias, options_);
  if (!same_) return y;
  std::vector<Index> inside{range(), range()};
  bool whole = true;
  for (std::size_t i = 2; i < x.rank(); ++i) {
    std::size_t extent = x.shape()[i] * stride_[i - 2];
    inside.push_back(range(0, static_cast<std::ptrdiff_t>(extent)));
    whole = whole && y.shape()[i] == extent;
  }
  return whole ? y : slice(y, inside);
}

}  // namespace xtape::nn
