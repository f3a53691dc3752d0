#include <autograd/kernels/normalize.hpp>

#include <algorithm>
#include <cmath>

#include <autograd/kernels/parallel.hpp>

namespace xtape::kernels {
namespace {

using Numbers = std::vector<double>;

constexpr std::size_t width = 32;  // so many sums run side by side, in double

// sums[k] += f(k, in[k]...) for each of `count` pieces of so many elements, `stride` apart.
template <std::size_t n, class F, class... In>
void add_pieces(double (&sums)[n], const F& f, std::size_t count, std::size_t stride, const In*... in) {
  double running[n];
  std::copy_n(sums, n, running);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t k = 0; k < n; ++k) running[k] += f(k, static_cast<double>(in[i * stride + k])...);
  std::copy_n(running, n, sums);
}

template <class F, class... In>
double sum_of_channel(const Shape& shape, std::size_t channel, const F& f, const In*... in) {
  constexpr std::size_t narrow = 8;
  std::size_t inner = shape[2], wide_end = inner / width * width, narrow_end = inner / narrow * narrow;
  double sums[width] = {}, few[narrow] = {}, last[1] = {};
  auto of_channel = [&](std::size_t, auto... x) { return f(channel, x...); };
  for (std::size_t outer = 0; outer < shape[0]; ++outer) {
    std::size_t start = (outer * shape[1] + channel) * inner;
    add_pieces(sums, of_channel, inner / width, width, (in + start)...);
    add_pieces(few, of_channel, (narrow_end - wide_end) / narrow, narrow, (in + start + wide_end)...);
    add_pieces(last, of_channel, inner - narrow_end, 1, (in + start + narrow_end)...);
  }
  double total = last[0];
  for (double sum : sums) total += sum;
  for (double sum : few) total += sum;
  return total;
}

// For each channel, the sum of f(channel, elements...) over all of its elements.
template <class F, class... In>
Numbers channel_sums(const Shape& shape, const F& f, const In*... in) {
  std::size_t channels = shape[1];
  Numbers result(channels, 0.0);
  auto channel_by_channel = [&](std::size_t c, std::size_t end) {
    for (; c < end; ++c) result[c] = sum_of_channel(shape, c, f, in...);
  };
  auto side_by_side = [&](std::size_t c, std::size_t end) {
    for (; c + width <= end; c += width) {
      double sums[width] = {};
      add_pieces(sums, [&](std::size_t k, auto... x) { return f(c + k, x...); }, shape[0], channels, (in + c)...);
      std::copy_n(sums, width, &result[c]);
    }
    for (; c < end; ++c) {
      double sum[1] = {};
      add_pieces(sum, [&](std::size_t, auto... x) { return f(c, x...); }, shape[0], channels, (in + c)...);
      result[c] = sum[0];
    }
  };
  const std::size_t enough = worth_a_thread_of(shape[0] * shape[2]);
  if (shape[2] == 1) parallel_for(channels, std::max(enough, width), side_by_side);
  else parallel_for(channels, enough, channel_by_channel);
  return result;
}

// out = f(channel)(elements...) for each element.
template <class T, class F, class... In>
void map_channels(const Shape& shape, T* out, const F& f, const In*... in) {
  std::size_t channels = shape[1], inner = shape[2];
  parallel_for(shape[0], worth_a_thread_of(channels * inner), [&](std::size_t outer, std::size_t end) {
    for (; outer < end; ++outer) {
      std::size_t start = outer * channels * inner;
      if (inner == 1) {
        for (std::size_t c = 0; c < channels; ++c) out[start + c] = f(c)(in[start + c]...);
        continue;
      }
      for (std::size_t c = 0; c < channels; ++c, start += inner) {
        auto of_channel = f(c);
        for (std::size_t i = 0; i < inner; ++i) out[start + i] = of_channel(in[start + i]...);
      }
    }
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
    result.mean = channel_sums(x.shape(), [](std::size_t, double v) { return v; }, x.data<T>());
    for (double& mean : result.mean) mean /= n;
    auto squared_distance = [mean = result.mean.data()](std::size_t c, double v) {
      return (v - mean[c]) * (v - mean[c]);
    };
    result.variance = channel_sums(x.shape(), squared_distance, x.data<T>());
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
    auto of_channel = [m = mean.data(), s = scale.data(), b = shift.data()](std::size_t c) {
      return [m = m[c], s = s[c], b = b[c]](T x) { return (x - m) * s + b; };
    };
    Array result = Array::like(x);
    map_channels(x.shape(), result.mutable_data<T>(), of_channel, x.data<T>());
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
    auto moment = [mean = moments.mean.data()](std::size_t c, double g, double x) { return g * (x - mean[c]); };
    Numbers sums = channel_sums(g.shape(), [](std::size_t, double g) { return g; }, g.data<T>());
    Numbers products = channel_sums(g.shape(), moment, g.data<T>(), x.data<T>());
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
    auto of_channel = [m = mean.data(), mg = mean_g.data(), fg = of_g.data(), fx = of_x.data()](std::size_t c) {
      return [m = m[c], mg = mg[c], fg = fg[c], fx = fx[c]](T g, T x) { return fg * (g - mg - fx * (x - m)); };
    };
    result.x = Array(x.shape(), x.dtype());
    map_channels(x.shape(), result.x.template mutable_data<T>(), of_channel, g.data<T>(), x.data<T>());
    return result;
  });
}

}  // namespace xtape::kernels
