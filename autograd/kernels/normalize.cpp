#include <autograd/kernels/normalize.hpp>

#include <algorithm>
#include <cmath>

#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/targets/normalize.hpp>

namespace xtape::kernels {
namespace {

using Numbers = std::vector<double>;

// For each channel, the sum of f(channel, elements...) over all of its elements.
template <class T, class F, class... Ts>
Numbers channel_sums(const Shape& shape, const F& f, const T* x, const Ts*... more) {
  constexpr std::size_t N = 1 + sizeof...(more);
  const auto sums_on = with_target([]<Target target>() { return &channel_sums_on<target, T, F, N>; });
  const ChannelShape channels{shape[0], shape[1], shape[2]};
  Numbers result(shape[1], 0.0);
  const std::size_t enough = worth_a_thread_of(shape[0] * shape[2]);
  parallel_for(shape[1], shape[2] == 1 ? std::max(enough, channels_together) : enough, [&](std::size_t c, std::size_t end) {
    sums_on(channels, c, end, f, {x, more...}, result.data());
  });
  return result;
}

// out = f.of_channel(c)(elements...) for each element of channel c.
template <class T, class F, class... Ts>
void map_channels(const Shape& shape, T* out, const F& f, const T* x, const Ts*... more) {
  constexpr std::size_t N = 1 + sizeof...(more);
  const auto map_on = with_target([]<Target target>() { return &map_channels_on<target, T, F, N>; });
  const ChannelShape channels{shape[0], shape[1], shape[2]};
  parallel_for(shape[0], worth_a_thread_of(shape[1] * shape[2]), [&](std::size_t outer, std::size_t end) {
    map_on(channels, outer, end, f, {x, more...}, out);
  });
}

double count_of(const Shape& shape) { return static_cast<double>(shape[0] * shape[2]); }

// f(channel) for each channel.
template <class T, class F>
std::vector<T> per_channel(std::size_t channels, const F& f) {
  std::vector<T> result(channels);
  for (std::size_t c = 0; c < channels; ++c) result[c] = static_cast<T>(f(c));
  return result;
}

template <class T>
std::vector<T> elements(const Array& x, std::size_t channels, T otherwise) {
  if (!x.defined()) return std::vector<T>(channels, otherwise);
  return std::vector<T>(x.data<T>(), x.data<T>() + channels);
}

template <class T, class F>
Array channel_array(std::size_t channels, DType dtype, const F& f) {
  Array result({channels}, dtype);
  for (std::size_t c = 0; c < channels; ++c) result.mutable_data<T>()[c] = static_cast<T>(f(c));
  return result;
}

}  // namespace

Moments channel_moments(const Array& x) {
  return visit_floating("batch_norm", x.dtype(), [&]<class T>(T) {
    Moments result;
    double n = count_of(x.shape());
    result.mean = channel_sums(x.shape(), Value(), x.data<T>());
    for (double& mean : result.mean) mean /= n;
    result.variance = channel_sums(x.shape(), SquaredDistance{result.mean.data()}, x.data<T>());
    for (double& variance : result.variance) variance /= n;
    return result;
  });
}

Array normalize(const Array& x, const Moments& moments, const Array& weight, const Array& bias, double epsilon) {
  return visit_floating("batch_norm", x.dtype(), [&]<class T>(T) {
    std::size_t channels = x.shape()[1];
    auto factor = elements<T>(weight, channels, 1), shift = elements<T>(bias, channels, 0);
    auto mean = per_channel<T>(channels, [&](std::size_t c) { return moments.mean[c]; });
    auto scale = per_channel<T>(channels, [&](std::size_t c) {
      return factor[c] / std::sqrt(moments.variance[c] + epsilon);
    });
    Array result = Array::like(x);
    map_channels(x.shape(), result.mutable_data<T>(), Normalized<T>{mean.data(), scale.data(), shift.data()}, x.data<T>());
    return result;
  });
}

// With s = 1 / sqrt(variance + epsilon), u = (x - mean) s and means over the channel's elements:
//   bias: sum(g)    weight: sum(g u)    x: weight s (g - mean(g) - u mean(g u))
NormalizeGradients normalize_gradients(const Array& g, const Array& x, const Moments& moments, const Array& weight,
                                       double epsilon, bool x_wanted) {
  return visit_floating("batch_norm", x.dtype(), [&]<class T>(T) {
    std::size_t channels = x.shape()[1];
    double n = count_of(x.shape());
    Numbers sums = channel_sums(g.shape(), Value(), g.data<T>());
    Numbers products = channel_sums(g.shape(), Moment{moments.mean.data()}, g.data<T>(), x.data<T>());
    Numbers scale = per_channel<double>(channels, [&](std::size_t c) {
      return 1 / std::sqrt(moments.variance[c] + epsilon);
    });
    NormalizeGradients result;
    result.bias = channel_array<T>(channels, x.dtype(), [&](std::size_t c) { return sums[c]; });
    result.weight = channel_array<T>(channels, x.dtype(), [&](std::size_t c) { return products[c] * scale[c]; });
    if (!x_wanted) return result;
    auto factor = elements<T>(weight, channels, 1);
    auto mean = per_channel<T>(channels, [&](std::size_t c) { return moments.mean[c]; });
    auto mean_g = per_channel<T>(channels, [&](std::size_t c) { return sums[c] / n; });
    auto of_g = per_channel<T>(channels, [&](std::size_t c) { return factor[c] * scale[c]; });
    auto of_x = per_channel<T>(channels, [&](std::size_t c) { return scale[c] * scale[c] * products[c] / n; });
    result.x = Array(x.shape(), x.dtype());
    map_channels(x.shape(), result.x.template mutable_data<T>(),
                 NormalizedGradient<T>{mean.data(), mean_g.data(), of_g.data(), of_x.data()}, g.data<T>(), x.data<T>());
    return result;
  });
}

}  // namespace xtape::kernels
