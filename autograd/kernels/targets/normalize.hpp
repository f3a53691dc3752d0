// Sums over the channels of (outer, channels, inner) and functions of each, in one thread, for each target.
#pragma once

#include <array>
#include <cstddef>

#include <autograd/kernels/target.hpp>

namespace xtape::kernels {

struct ChannelShape {
  std::size_t outer, channels, inner;
};

/// Channels whose sums run side by side, in double, where the inner extent is 1.
constexpr std::size_t channels_together = 32;

// What is summed, of the elements of a channel.
struct Value {
  double operator()(std::size_t, double x) const { return x; }
};
struct SquaredDistance {
  const double* mean;
  double operator()(std::size_t channel, double x) const { return (x - mean[channel]) * (x - mean[channel]); }
};
struct Moment {
  const double* mean;
  double operator()(std::size_t channel, double g, double x) const { return g * (x - mean[channel]); }
};

// What becomes of the elements of a channel.
template <class T>
struct Normalized {
  const T *mean, *scale, *shift;
  auto of_channel(std::size_t c) const {
    return [m = mean[c], s = scale[c], b = shift[c]](T x) { return (x - m) * s + b; };
  }
};
template <class T>
struct NormalizedGradient {
  const T *mean, *mean_g, *of_g, *of_x;
  auto of_channel(std::size_t c) const {
    return [m = mean[c], mg = mean_g[c], fg = of_g[c], fx = of_x[c]](T g, T x) { return fg * (g - mg - fx * (x - m)); };
  }
};

/// sums[c] = the sum of f(c, elements...) over all elements of the channels from `begin` to `end`.
template <Target target, class T, class F, std::size_t N>
void channel_sums_on(const ChannelShape& shape, std::size_t begin, std::size_t end, const F& f,
                     const std::array<const T*, N>& in, double* sums);

/// out = f.of_channel(c)(elements...) for the elements of the channels, with outer indices from `begin` to `end`.
template <Target target, class T, class F, std::size_t N>
void map_channels_on(const ChannelShape& shape, std::size_t begin, std::size_t end, const F& f,
                     const std::array<const T*, N>& in, T* out);

}  // namespace xtape::kernels
