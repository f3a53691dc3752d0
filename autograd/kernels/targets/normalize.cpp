#include <autograd/kernels/targets/normalize.hpp>

#include <algorithm>
#include <tuple>

#include <autograd/kernels/targets/here.hpp>

namespace xtape::kernels {
namespace {

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
double sum_of_channel(const ChannelShape& shape, std::size_t channel, const F& f, const In*... in) {
  constexpr std::size_t width = 32, narrow = 8;
  const std::size_t inner = shape.inner, wide_end = inner / width * width, narrow_end = inner / narrow * narrow;
  double sums[width] = {}, few[narrow] = {}, last[1] = {};
  auto of_channel = [&](std::size_t, auto... x) { return f(channel, x...); };
  for (std::size_t outer = 0; outer < shape.outer; ++outer) {
    const std::size_t start = (outer * shape.channels + channel) * inner;
    add_pieces(sums, of_channel, inner / width, width, (in + start)...);
    add_pieces(few, of_channel, (narrow_end - wide_end) / narrow, narrow, (in + start + wide_end)...);
    add_pieces(last, of_channel, inner - narrow_end, 1, (in + start + narrow_end)...);
  }
  double total = last[0];
  for (double sum : sums) total += sum;
  for (double sum : few) total += sum;
  return total;
}

// The sums of `n` channels, whose inner extent is 1, side by side.
template <std::size_t n, class F, class... In>
void sums_side_by_side(const ChannelShape& shape, std::size_t channel, const F& f, double* result, const In*... in) {
  double sums[n] = {};
  auto of_channels = [&](std::size_t k, auto... x) { return f(channel + k, x...); };
  add_pieces(sums, of_channels, shape.outer, shape.channels, (in + channel)...);
  std::copy_n(sums, n, result + channel);
}

}  // namespace

template <Target target, class T, class F, std::size_t N>
void channel_sums_on(const ChannelShape& shape, std::size_t begin, std::size_t end, const F& f,
                     const std::array<const T*, N>& in, double* sums) {
  std::apply([&](auto*... x) {
    std::size_t c = begin;
    if (shape.inner != 1)
      for (; c < end; ++c) sums[c] = sum_of_channel(shape, c, f, x...);
    for (; c + channels_together <= end; c += channels_together)
      sums_side_by_side<channels_together>(shape, c, f, sums, x...);
    for (; c < end; ++c) sums_side_by_side<1>(shape, c, f, sums, x...);
  }, in);
}

template <Target target, class T, class F, std::size_t N>
void map_channels_on(const ChannelShape& shape, std::size_t begin, std::size_t end, const F& f,
                     const std::array<const T*, N>& in, T* out) {
  std::apply([&](auto*... x) {
    const std::size_t inner = shape.inner;
    for (std::size_t start = begin * shape.channels * inner; begin < end; ++begin) {
      if (inner == 1) {
        for (std::size_t c = 0; c < shape.channels; ++c, ++start) out[start] = f.of_channel(c)(x[start]...);
        continue;
      }
      for (std::size_t c = 0; c < shape.channels; ++c, start += inner) {
        auto of_channel = f.of_channel(c);
        for (std::size_t i = 0; i < inner; ++i) out[start + i] = of_channel(x[start + i]...);
      }
    }
  }, in);
}

template <Target target, class... Ts>
struct CompiledNormalization {
  static constexpr auto functions = std::tuple(
      &channel_sums_on<target, Ts, Value, 1>..., &channel_sums_on<target, Ts, SquaredDistance, 1>...,
      &channel_sums_on<target, Ts, Moment, 2>..., &map_channels_on<target, Ts, Normalized<Ts>, 1>...,
      &map_channels_on<target, Ts, NormalizedGradient<Ts>, 2>...);
};
template struct CompiledNormalization<here, float, double>;

}  // namespace xtape::kernels
