#include <autograd/ops/normalization.hpp>

#include <algorithm>
#include <array>
#include <string>

#include <autograd/batch.hpp>
#include <autograd/fused/normalization.hpp>
#include <autograd/kernels/normalize.hpp>
#include <autograd/ops/define_elementwise.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/tape.hpp>

namespace xtape {
namespace {

struct Normalized {
  Variable result;
  kernels::Moments moments;
};

// What the functions below make themselves of: batch_norm of x (outer, channels, inner). The weight and the bias
// (channels) may be absent.
Normalized normalized(const char* operation, const Variable& x, const Variable& weight, const Variable& bias,
                      double epsilon);

class BatchNorm final : public OperationOf<BatchNorm> {
 public:
  BatchNorm(const char* name, double epsilon) : OperationOf(name), epsilon_(epsilon) {}

  const kernels::Moments& moments() const { return moments_; }

  Attributes attributes() const override { return {{"epsilon", epsilon_}}; }

  void evaluate(std::span<const Array> operands, std::span<Array> results) override {
    moments_ = kernels::channel_moments(operands[0]);
    results[0] = kernels::normalize(operands[0], moments_, operands[1], operands[2], epsilon_);
  }

  std::uint32_t saves(std::uint32_t) override { return 1 | 2; }

  void backward(const Node& node, std::span<Variable> outputs, std::span<InputGradient> inputs) const override {
    if (grad_enabled() || is_mapped(node, outputs[0])) return backward_recorded(node, outputs[0], inputs);
    auto gradients = kernels::normalize_gradients(outputs[0].value(), node.operand_value(0), moments_,
                                                  node.operand_value(1), epsilon_, inputs[0].wanted);
    if (inputs[0].wanted) inputs[0].value = Variable(std::move(gradients.x));
    if (inputs[1].wanted) inputs[1].value = Variable(std::move(gradients.weight));
    if (inputs[2].wanted) inputs[2].value = Variable(std::move(gradients.bias));
  }

  void jvp(const Node& node, std::span<Variable> tangents, std::span<ResultTangent> results) const override {
    Variable& sum = results[0].value;
    if (tangents[0].defined()) sum = tangent_of_x(node, tangents[0]);
    if (tangents[1].defined()) detail::accumulate_broadcast(sum, unit(node) * expand_dims(tangents[1], -1));
    if (tangents[2].defined()) detail::accumulate_broadcast(sum, expand_dims(tangents[2], -1));
    sum = detail::in_shape_of_result(node, std::move(sum));
  }

  // The channels of all samples beside each other.
  bool map(const detail::Batch& b, std::span<Variable> results) const override {
    const Variable x = movedim(b[0], 0, 1);  // (outer, samples, channels, inner)
    const std::size_t channels = x.shape()[1] * x.shape()[2];
    auto of_channels = [&](std::size_t k) { return b.has(k) ? reshape(b[k], {channels}) : Variable(); };
    const Variable y = normalized(name(), reshape(x, {x.shape()[0], channels, x.shape()[3]}), of_channels(1),
                                  of_channels(2), epsilon_).result;
    results[0] = movedim(reshape(y, x.shape()), 1, 0);
    return true;
  }

 private:
  // Whether the moments are not those of the operand, or not of use for v.
  static bool is_mapped(const Node& node, const Variable& v) {
    return detail::any_mapped(v) || node.operand_value(0).is_mapped() || node.operand_value(1).is_mapped();
  }

  // x without its mean and scaled to the variance 1, in differentiable operations. It has a symmetric Jacobian: the
  // same formula, see kernels::normalize_gradients, is the vjp and the jvp.
  struct Unit {
    Variable scale, value;

    Unit(const Variable& x, double epsilon) {
      Variable centred = x - channel_mean(x);
      scale = rsqrt(channel_mean(square(centred)) + epsilon);
      value = centred * scale;
    }
    Variable derivative(const Variable& v) const {
      return scale * (v - channel_mean(v) - value * channel_mean(v * value));
    }
  };

  static Variable channel_mean(const Variable& x) { return mean(x, {0, 2}, true); }

  static Variable weighted(const Node& node, const Variable& x) {
    return node.operand_value(1).defined() ? x * expand_dims(node.operand(1), -1) : x;
  }

  void backward_recorded(const Node& node, const Variable& g, std::span<InputGradient> inputs) const {
    Unit unit(node.operand(0), epsilon_);
    if (inputs[2].wanted) inputs[2].value = sum(g, {0, 2});
    if (inputs[1].wanted) inputs[1].value = sum(g * unit.value, {0, 2});
    if (inputs[0].wanted) inputs[0].value = unit.derivative(weighted(node, g));
  }

  Variable unit(const Node& node) const {
    if (grad_enabled() || is_mapped(node, {})) return Unit(node.operand(0), epsilon_).value;
    return Variable(kernels::normalize(node.operand_value(0), moments_, Array(), Array(), epsilon_));
  }

  // As symmetric as without the weight, which is the same within each channel.
  Variable tangent_of_x(const Node& node, const Variable& t) const {
    if (grad_enabled() || is_mapped(node, t)) return Unit(node.operand(0), epsilon_).derivative(weighted(node, t));
    return Variable(kernels::normalize_gradients(t.value(), node.operand_value(0), moments_, node.operand_value(1),
                                                 epsilon_, true).x);
  }

  kernels::Moments moments_;
  double epsilon_;
};

Normalized normalized(const char* operation, const Variable& x, const Variable& weight, const Variable& bias,
                      double epsilon) {
  BatchNorm normalization(operation, epsilon);
  Array result;
  std::array operands{&x, detail::if_defined(weight), detail::if_defined(bias)};
  NodePtr node = detail::perform(normalization, operands, {&result, 1});
  const auto& kept = node ? static_cast<const BatchNorm&>(*node->operation()) : normalization;
  kernels::Moments moments = kept.moments();
  return {detail::output_of(std::move(node), std::move(result)), std::move(moments)};
}

// The same of x under a shape (outer, channels, inner), as an array of x's own shape.
Normalized normalized(const char* operation, const Variable& x, const Shape& view, const Variable& weight,
                      const Variable& bias, double epsilon) {
  auto [result, moments] = normalized(operation, reshape(x, view), weight, bias, epsilon);
  return {reshape(result, x.shape()), std::move(moments)};
}

void require_channels(const char* operation, const Variable& x) {
  detail::require_floating(operation, x);
  if (x.rank() < 2)
    throw ShapeError(std::string(operation) + ": " + to_string(x.shape()) + ", needs (batch, channels, ...)");
}

// One element alone is its own mean: nothing would be left of it.
void require_several(const char* operation, const Variable& x, std::size_t of_channel) {
  if (of_channel == 1)
    throw ShapeError(std::string(operation) + ": " + to_string(x.shape()) + " has 1 element in each channel, needs more");
}

void require_shape(const char* operation, const Variable& x, const char* what, const Variable& v, const Shape& shape) {
  if (v.defined() && v.shape() != shape)
    throw ShapeError(std::string(operation) + ": " + to_string(x.shape()) + " with a " + what + " " +
                     to_string(v.shape()) + ", needs " + to_string(shape));
}

// x times a weight, plus a bias, where they are defined; both broadcast.
Variable scaled(const char* operation, const Variable& x, const Variable& weight, const Variable& bias,
                const Shape& spread) {
  std::array<const Variable*, 3> operands{&x, weight.defined() ? &weight : &x, bias.defined() ? &bias : &x};
  detail::common_dtype(operation, operands);
  if (weight.defined() && bias.defined())
    return fused::scale_and_shift_rule(x, reshape(weight, spread), reshape(bias, spread));
  if (weight.defined()) return x * reshape(weight, spread);
  return bias.defined() ? x + reshape(bias, spread) : detail::same_value(operation, x);
}

// (channels) as it broadcasts to (batch, channels, ...).
Shape spread_channels(const Variable& x) {
  Shape shape(x.rank() - 1, 1);
  shape[0] = x.shape()[1];
  return shape;
}

// (batch, channels, all else)
Shape channels_view(const Variable& x) {
  std::size_t inner = 1;
  for (std::size_t i = 2; i < x.rank(); ++i) inner *= x.shape()[i];
  return {x.shape()[0], x.shape()[1], inner};
}

// The shape of the last axes, after the checks that layer_norm and rms_norm share.
Shape last_axes(const char* operation, const Variable& x, std::size_t axes) {
  detail::require_floating(operation, x);
  if (axes == 0 || axes > x.rank())
    throw ShapeError(std::string(operation) + ": over the last " + std::to_string(axes) + " axes of " +
                     to_string(x.shape()) + ", needs 1 or more of them");
  return Shape(x.shape().end() - static_cast<std::ptrdiff_t>(axes), x.shape().end());
}

Variable statistic(const std::vector<double>& values, DType dtype) {
  return Variable(xt::adapt(values, {values.size()})).to(dtype);
}

Normalized normalized_batch(const Variable& x, const Variable& weight, const Variable& bias, double epsilon) {
  require_channels("batch_norm", x);
  require_shape("batch_norm", x, "weight", weight, {x.shape()[1]});
  require_shape("batch_norm", x, "bias", bias, {x.shape()[1]});
  require_several("batch_norm", x, x.size() / std::max<std::size_t>(x.shape()[1], 1));
  if (x.size() > 0 || !weight.defined()) return normalized("batch_norm", x, channels_view(x), weight, bias, epsilon);
  // Apart, so that the weight's gradient is 0 and not 0 times statistics that are NaN.
  auto [y, moments] = normalized("batch_norm", x, channels_view(x), {}, {}, epsilon);
  return {scaled("batch_norm", y, weight, bias, spread_channels(x)), std::move(moments)};
}

}  // namespace

Variable batch_norm(const Variable& x, const Variable& weight, const Variable& bias, double epsilon) {
  return normalized_batch(x, weight, bias, epsilon).result;
}

BatchNormalized batch_norm_with_statistics(const Variable& x, const Variable& weight, const Variable& bias,
                                           double epsilon) {
  detail::Calling calling("batch_norm_with_statistics");
  auto [result, moments] = normalized_batch(x, weight, bias, epsilon);
  if (detail::any_mapped(result)) detail::no_elements(result.value());
  return {result, statistic(moments.mean, x.dtype()), statistic(moments.variance, x.dtype())};
}

Variable batch_norm(const Variable& x, const Variable& mean, const Variable& variance, const Variable& weight,
                    const Variable& bias, double epsilon) {
  require_channels("batch_norm", x);
  detail::require_defined("batch_norm", mean);
  detail::require_defined("batch_norm", variance);
  Shape channels{x.shape()[1]}, spread = spread_channels(x);
  require_shape("batch_norm", x, "mean", mean, channels);
  require_shape("batch_norm", x, "variance", variance, channels);
  require_shape("batch_norm", x, "weight", weight, channels);
  require_shape("batch_norm", x, "bias", bias, channels);
  DType dtype = detail::common_dtype("batch_norm", std::array{&x, &mean, &variance, weight.defined() ? &weight : &x, bias.defined() ? &bias : &x});
  Variable scale = rsqrt(detail::in_dtype("batch_norm", variance, dtype) + epsilon);
  if (weight.defined()) scale = scale * weight;
  return fused::batch_norm_rule(x, reshape(mean, spread), reshape(scale, spread),
                                bias.defined() ? reshape(bias, spread) : Variable(0));
}

Variable layer_norm(const Variable& x, std::size_t axes, const Variable& weight, const Variable& bias,
                    double epsilon) {
  Shape shape = last_axes("layer_norm", x, axes);
  require_shape("layer_norm", x, "weight", weight, shape);
  require_shape("layer_norm", x, "bias", bias, shape);
  std::size_t width = element_count(shape), rows = width == 0 ? 0 : x.size() / width;
  Variable y = normalized("layer_norm", x, {1, rows, width}, {}, {}, epsilon).result;
  return scaled("layer_norm", y, weight, bias, shape);
}

Variable rms_norm(const Variable& x, std::size_t axes, const Variable& weight, double epsilon) {
  Shape shape = last_axes("rms_norm", x, axes);
  require_shape("rms_norm", x, "weight", weight, shape);
  std::vector<std::ptrdiff_t> last;
  for (std::size_t i = 1; i <= axes; ++i) last.push_back(-static_cast<std::ptrdiff_t>(i));
  return scaled("rms_norm", x * rsqrt(mean(square(x), last, true) + epsilon), weight, {}, shape);
}

namespace {

Variable normalized_groups(const char* operation, const Variable& x, std::size_t groups, const Variable& weight,
                           const Variable& bias, double epsilon) {
  std::size_t batch = x.shape()[0], channels = x.shape()[1];
  if (groups == 0 || channels % groups != 0)
    throw ShapeError(std::string(operation) + ": " + std::to_string(channels) + " channels in " + std::to_string(groups) +
                     " groups: needs equal ones");
  require_shape(operation, x, "weight", weight, {channels});
  require_shape(operation, x, "bias", bias, {channels});
  std::size_t inner = batch == 0 ? 0 : x.size() / (batch * groups);
  Variable y = normalized(operation, x, {1, batch * groups, inner}, {}, {}, epsilon).result;
  return scaled(operation, y, weight, bias, spread_channels(x));
}

}  // namespace

Variable group_norm(const Variable& x, std::size_t groups, const Variable& weight, const Variable& bias,
                    double epsilon) {
  require_channels("group_norm", x);
  return normalized_groups("group_norm", x, groups, weight, bias, epsilon);
}

Variable instance_norm(const Variable& x, const Variable& weight, const Variable& bias, double epsilon) {
  require_channels("instance_norm", x);
  require_several("instance_norm", x, x.size() / std::max<std::size_t>(x.shape()[0] * x.shape()[1], 1));
  return normalized_groups("instance_norm", x, x.shape()[1], weight, bias, epsilon);
}

}  // namespace xtape
