#include <autograd/kernels/normalize.hpp>

#include <cmath>

#include <autograd/kernels/map.hpp>

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
  std::size_t inner = shape[2], whole = inner / width, rest = inner % width;
  double sums[width] = {}, last[1] = {};
  auto of_channel = [&](std::size_t, auto... x) { return f(channel, x...); };
  for (std::size_t outer = 0; outer < shape[0]; ++outer) {
    std::size_t start = (outer * shape[1] + channel) * inner;
    add_pieces(sums, of_channel, whole, width, (in + start)...);
    add_pieces(last, of_channel, rest, 1, (in + start + whole * width)...);
  }
  double total = last[0];
  for (double sum : sums) total += sum;
  return total;
}

// For each channel, the sum of f(channel, elements...) over all of its elements.
template <class F, class... In>
Numbers channel_sums(const Shape& shape, const F& f, const In*... in) {
  std::size_t channels = shape[1], c = 0;
  Numbers result(channels, 0.0);
  if (shape[2] != 1) {
    for (; c < channels; ++c) result[c] = sum_of_channel(shape, c, f, in...);
    return result;
  }
  // Channels lie side by side.
  for (; c + width <= channels; c += width) {
    double sums[width] = {};
    add_pieces(sums, [&](std::size_t k, auto... x) { return f(c + k, x...); }, shape[0], channels, (in + c)...);
    std::copy_n(sums, width, &result[c]);
  }
  for (; c < channels; ++c) {
    double sum[1] = {};
    add_pieces(sum, [&](std::size_t, auto... x) { return f(c, x...); }, shape[0], channels, (in + c)...);
    result[c] = sum[0];
  }
  return result;
}

double count_of(const Shape& shape) { return static_cast<double>(shape[0] * shape[2]); }

double number(const Array& x, std::size_t i, double otherwise) { return x.defined() ? x.at(i) : otherwise; }

// f(channel) for each channel, as it broadcasts to (outer, channels, inner).
template <class F>
Array per_channel(std::size_t channels, DType dtype, const F& f) {
  Array result({1, channels, 1}, dtype);
  visit_floating("batch_norm", dtype, [&]<class T>(T) {
    T* out = result.mutable_data<T>();
    for (std::size_t c = 0; c < channels; ++c) out[c] = static_cast<T>(f(c));
  });
  return result;
}

}  // namespace

Moments channel_moments(const Array& x) {
  return visit_floating("batch_norm", x.dtype(), [&]<class T>(T) {
    Moments result;
    double n = count_of(x.shape());
    result.mean = channel_sums(x.shape(), [](std::size_t, double v) { return v; }, x.data<T>());
    for (double& mean : result.mean) mean /= n;
    auto squared_distance = [mean = result.mean.data()](std::size_t c,
                                                        double v) { return (v - mean[c]) * (v - mean[c]); };
    result.variance = channel_sums(x.shape(), squared_distance, x.data<T>());
    for (double& variance : result.variance) variance /= n;
    return result;
  });
}

Array normalize(const Array& x, const Moments& moments, const Array& weight, const Array& bias, double epsilon) {
  return visit_floating("batch_norm", x.dtype(), [&]<class T>(T) {
    std::size_t channels = x.shape()[1];
    Array mean = per_channel(channels, x.dtype(), [&](std::size_t c) { return moments.mean[c]; });
    Array scale = per_channel(channels, x.dtype(), [&](std::size_t c) {
      return number(weight, c, 1) / std::sqrt(moments.variance[c] + epsilon);
    });
    Array shift = per_channel(channels, x.dtype(), [&](std::size_t c) { return number(bias, c, 0); });
    Array result(x.shape(), x.dtype());
    map<T>([](auto x, auto mean, auto scale, auto shift) { return (x - mean) * scale + shift; }, result, x, mean, scale,
           shift);
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
    auto scale = [&](std::size_t c) { return 1 / std::sqrt(moments.variance[c] + epsilon); };
    auto moment = [mean = moments.mean.data()](std::size_t c, double g, double x) { return g * (x - mean[c]); };
    Numbers sums = channel_sums(g.shape(), [](std::size_t, double g) { return g; }, g.data<T>());
    Numbers products = channel_sums(g.shape(), moment, g.data<T>(), x.data<T>());
    NormalizeGradients result;
    result.bias = per_channel(channels, x.dtype(), [&](std::size_t c) { return sums[c]; }).reshaped({channels});
    result.weight = per_channel(channels, x.dtype(), [&](std::size_t c) { return products[c] * scale(c); })
                        .reshaped({channels});
    if (!x_wanted) return result;
    auto factor_of_g = [&](std::size_t c) { return number(weight, c, 1) * scale(c); };
    Array mean = per_channel(channels, x.dtype(), [&](std::size_t c) { return moments.mean[c]; });
    Array mean_g = per_channel(channels, x.dtype(), [&](std::size_t c) { return sums[c] / n; });
    Array of_g = per_channel(channels, x.dtype(), factor_of_g);
    Array of_x = per_channel(channels, x.dtype(), [&](std::size_t c) {
      return factor_of_g(c) * scale(c) * scale(c) * products[c] / n;
    });
    result.x = Array(x.shape(), x.dtype());
    map<T>([](auto g, auto x, auto mean, auto mean_g, auto of_g,
              auto of_x) { return of_g * (g - mean_g) - of_x * (x - mean); },
           result.x, g, x, mean, mean_g, of_g, of_x);
    return result;
  });
}

}  // namespace xtape::kernels
