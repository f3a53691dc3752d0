#include <nn/normalization.hpp>

#include <algorithm>
#include <limits>

#include <autograd/communicator.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/ops/collective.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/normalization.hpp>
#include <autograd/ops/reductions.hpp>
#include <nn/checks.hpp>
#include <nn/module_state.hpp>

namespace xtape::nn {
namespace {

std::string named(const std::string& name, const Module& module) { return name + "(" + module.description() + ")"; }

std::string text_of(const Shape& shape) {
  std::string result;
  for (std::size_t extent : shape) result += (result.empty() ? "" : ", ") + detail::text(extent);
  return result;
}

void check_shape(const std::string& name, const Shape& shape) {
  for (std::size_t extent : shape) detail::require_widths(name, {extent});
  if (shape.empty())
    throw ValueError(name + ": over " + to_string(shape) + ", needs one extent or more, of 1 or more");
}

void require_last(const char* name, const Module& module, const Variable& x, const Shape& shape) {
  if (!x.defined() || x.rank() < shape.size() || !std::equal(shape.rbegin(), shape.rend(), x.shape().rbegin()))
    detail::refuse_input(named(name, module), x, to_string(shape) + " as the last extents");
}

}  // namespace

detail::RunningNorm::RunningNorm(const char* name, std::size_t channels, const BatchNormOptions& options)
    : name_(name), channels_(channels), options_(options) {
  std::string whole = name_ + "(" + detail::text(channels) + ")";
  require_widths(whole, {channels});
  require_positive(whole, "epsilon", options.epsilon);
  if (options.momentum) require_between(whole, "momentum", *options.momentum, 0, 1);
  require_floating(whole, options.dtype);
  if (options.affine) {
    weight = add("weight", parameter(ones({channels}, options.dtype)));
    bias = add("bias", parameter(zeros({channels}, options.dtype)));
  }
  if (options.track_running_stats) {
    running_mean = add("running_mean", zeros({channels}, options.dtype));
    running_var = add("running_var", ones({channels}, options.dtype));
    num_batches_tracked = add("num_batches_tracked", Variable(Array::scalar(0, int64)));
  }
}

std::string detail::RunningNorm::description() const { return std::to_string(channels_); }

void detail::RunningNorm::check(const Variable& x, std::size_t low, std::size_t high) const {
  if (!x.defined() || x.rank() < low || x.rank() > high || x.shape()[1] != channels_)
    refuse_input(named(name_, *this), x,
                 std::to_string(channels_) + " channels as its second axis of " + std::to_string(low) +
                     (high == low ? "" : high == low + 1 ? " or " + std::to_string(high) : " or more"));
  for (const Variable* v : {&weight, &running_mean})
    if (v->defined() && x.dtype() != v->dtype()) require_dtype(named(name_, *this), x, v->dtype());
}

void detail::RunningNorm::require_several(const Variable& x, std::size_t of_channel) const {
  if (of_channel == 1 || (training() && of_channel == 0))
    throw ValueError(named(name_, *this) + ": input " + describe(x) + ", needs more than one element a channel" +
                     (training() ? " to train on" : ", as there are no running statistics"));
}

std::pair<Variable, Variable> detail::RunningNorm::scale_and_shift() const {
  Variable scale = rsqrt(running_var + options_.epsilon);
  if (weight.defined()) scale = scale * weight;
  Variable shift = -running_mean * scale;
  return {scale, bias.defined() ? shift + bias : shift};
}

void detail::RunningNorm::track(const Variable& mean, const Variable& variance, double count, double momentum) {
  NoGrad guard;
  const Variable new_mean = lerp(running_mean, mean, momentum);
  const Variable new_var = lerp(running_var, variance * (count / (count - 1)), momentum);
  const Array before = running_mean.value();
  running_mean.assign(new_mean);
  try {
    running_var.assign(new_var);
  } catch (...) {
    running_mean.impl()->value = before;
    throw;
  }
}

detail::ProcessesOfModule::ProcessesOfModule(const ProcessesOfModule& other)
    : of_all_copies(followed(other.of_all_copies)) {}

Variable detail::BatchNorm::forward(const Variable& x) {
  check(x, low_, high_);
  if (!by_input()) return batch_norm(x, running_mean, running_var, weight, bias, options_.epsilon);
  Communicator* processes = *processes_.of_all_copies;
  if (training() && processes && processes->size() > 1) return synchronized(x, *processes);
  std::size_t count = x.size() / channels_;
  if (count > 0) require_several(x, count);
  auto [y, mean, variance] = batch_norm_with_statistics(x, weight, bias, options_.epsilon);
  if (count > 0) take_note(mean, variance, static_cast<double>(count));
  return y;
}

void detail::BatchNorm::take_note(const Variable& mean, const Variable& variance, double count) {
  if (!training() || !running_mean.defined()) return;
  NoGrad guard;
  const Variable batches = num_batches_tracked + 1;
  const Array before = num_batches_tracked.value();
  num_batches_tracked.assign(batches);
  try {
    track(mean, variance, count, options_.momentum ? *options_.momentum : 1 / batches.item());
  } catch (...) {
    num_batches_tracked.impl()->value = before;
    throw;
  }
}

// The mean first, then the variance around it, which is more accurate than from sums of x and x^2.
Variable detail::BatchNorm::synchronized(const Variable& x, Communicator& processes) {
  const double counts = processes.share().mine > 0;  // not where the batch has no example for this process
  const double count = processes.sum(counts * static_cast<double>(x.size() / channels_), "a batch norm");
  if (count == 0) {
    auto [y, no_mean, no_variance] = batch_norm_with_statistics(x, weight, bias, options_.epsilon);
    return y;
  }
  require_several(x, static_cast<std::size_t>(count));
  std::vector<std::size_t> others{0};
  for (std::size_t i = 2; i < x.rank(); ++i) others.push_back(i);
  auto average = [&](const Variable& v) { return all_reduce(counts * sum(v, others), processes) / count; };
  Shape spread(x.rank(), 1);
  spread[1] = channels_;
  Variable mean = average(x), variance = average(square(x - mean.reshape(spread)));
  take_note(mean.detach(), variance.detach(), count);
  return batch_norm(x, mean, variance, weight, bias, options_.epsilon);
}

SyncBatchNorm::SyncBatchNorm(std::size_t channels, const BatchNormOptions& options, Communicator* processes)
    : BatchNorm("SyncBatchNorm", channels, options, 2, std::numeric_limits<std::size_t>::max()) {
  synchronize(processes ? processes : &Communicator::world());
}

void convert_sync_batchnorm(Module& net, Communicator* processes) {
  net.apply([&](Module& module) {
    if (auto* norm = dynamic_cast<detail::BatchNorm*>(&module))
      norm->synchronize(processes ? processes : &Communicator::world());
  });
}

InstanceNorm::InstanceNorm(std::size_t channels, const InstanceNormOptions& options)
    : RunningNorm("InstanceNorm", channels,
                  {options.epsilon, options.momentum, options.affine, options.track_running_stats, options.dtype}) {}

Variable InstanceNorm::forward(const Variable& x) {
  check(x, 3, std::numeric_limits<std::size_t>::max());
  if (!by_input()) return batch_norm(x, running_mean, running_var, weight, bias, options_.epsilon);
  std::size_t samples = x.shape()[0], instances = samples * channels_;
  std::size_t count = 1;
  for (std::size_t i = 2; i < x.rank(); ++i) count *= x.shape()[i];
  if (count > 0) require_several(x, count);
  auto [result, mean, variance] = batch_norm_with_statistics(reshape(x, {std::size_t(1), instances, count}), {}, {},
                                                             options_.epsilon);
  if (training() && running_mean.defined() && samples > 0 && count > 0) {
    auto average = [&](const Variable& v) { return xtape::mean(reshape(v, {samples, channels_}), 0); };
    track(average(mean), average(variance), static_cast<double>(count), *options_.momentum);
  }
  Variable y = reshape(result, x.shape());
  if (!weight.defined()) return y;
  Shape spread(x.rank() - 1, 1);
  spread[0] = channels_;
  return y * weight.reshape(spread) + bias.reshape(spread);
}

LayerNorm::LayerNorm(const Shape& shape, const LayerNormOptions& options) : shape_(shape), epsilon_(options.epsilon) {
  std::string name = named("LayerNorm", *this);
  check_shape(name, shape);
  detail::require_positive(name, "epsilon", epsilon_);
  detail::require_floating(name, options.dtype);
  if (options.affine) weight = add("weight", parameter(ones(shape, options.dtype)));
  if (options.affine && options.bias) bias = add("bias", parameter(zeros(shape, options.dtype)));
}

Variable LayerNorm::forward(const Variable& x) {
  require_last("LayerNorm", *this, x, shape_);
  return layer_norm(x, shape_.size(), weight, bias, epsilon_);
}

std::string LayerNorm::description() const { return text_of(shape_); }

RMSNorm::RMSNorm(const Shape& shape, const RMSNormOptions& options) : shape_(shape), epsilon_(options.epsilon) {
  std::string name = named("RMSNorm", *this);
  check_shape(name, shape);
  if (epsilon_) detail::require_positive(name, "epsilon", *epsilon_);
  detail::require_floating(name, options.dtype);
  if (options.affine) weight = add("weight", parameter(ones(shape, options.dtype)));
}

Variable RMSNorm::forward(const Variable& x) {
  require_last("RMSNorm", *this, x, shape_);
  constexpr double narrow = std::numeric_limits<float>::epsilon(), wide = std::numeric_limits<double>::epsilon();
  return rms_norm(x, shape_.size(), weight, epsilon_.value_or(x.dtype() == float32 ? narrow : wide));
}

std::string RMSNorm::description() const { return text_of(shape_); }

GroupNorm::GroupNorm(std::size_t groups, std::size_t channels, const GroupNormOptions& options)
    : groups_(groups), channels_(channels), epsilon_(options.epsilon) {
  std::string name = named("GroupNorm", *this);
  detail::require_widths(name, {groups, channels});
  if (channels % groups != 0) throw ValueError(name + ": needs groups that divide the channels");
  detail::require_positive(name, "epsilon", epsilon_);
  detail::require_floating(name, options.dtype);
  if (!options.affine) return;
  weight = add("weight", parameter(ones({channels}, options.dtype)));
  bias = add("bias", parameter(zeros({channels}, options.dtype)));
}

Variable GroupNorm::forward(const Variable& x) {
  if (!x.defined() || x.rank() < 2 || x.shape()[1] != channels_)
    detail::refuse_input(named("GroupNorm", *this), x, std::to_string(channels_) + " channels as its second axis");
  return group_norm(x, groups_, weight, bias, epsilon_);
}

std::string GroupNorm::description() const { return detail::text(groups_) + ", " + detail::text(channels_); }

}  // namespace xtape::nn
