#include <autograd/kernels/targets/convolve_planes.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <autograd/kernels/targets/here.hpp>
#include <autograd/kernels/targets/pack.hpp>
#include <autograd/kernels/targets/tile.hpp>

namespace xtape::kernels {
namespace {

constexpr std::size_t tile_lines = 8;     // as many sums as keep the processor busy
constexpr std::size_t tile_elements = 9;  // the same, and a 3 x 3 kernel

// The numbers of a register from an address on, of which there are `count`; zeros beyond.
template <class T>
Register<T> load_up_to(std::size_t count, const T* from) {
  if (count >= lanes<T>) return Register<T>::load_unaligned(from);
  return count == 0 ? Register<T>(T(0)) : First<T>(count).load(from);
}

// Writes a register of which `count` numbers matter: the others too, where that is before the end, since this is faster.
template <class T>
void store_before(const T* end, std::size_t count, const Register<T>& x, T* to) {
  if (static_cast<std::size_t>(end - to) >= lanes<T>) x.store_unaligned(to);
  else First<T>(count).store(to, x);
}

// x0 x2 ... y0 y2 ..., and x1 x3 ... y1 y3 ...
template <class T, std::size_t... I>
std::pair<Register<T>, Register<T>> apart(const Register<T>& x, const Register<T>& y, std::index_sequence<I...>) {
  using R = typename Register<T>::register_type;
  R a = x, b = y;
  return {static_cast<R>(__builtin_shufflevector(a, b, static_cast<int>(2 * I)...)),
          static_cast<R>(__builtin_shufflevector(a, b, static_cast<int>(2 * I + 1)...))};
}

// `Lines` lines of up to a register.
template <class T, std::size_t Lines>
void lines_tile(const T* x, std::span<const std::size_t> places, const T* weights, T bias, const PlaneLines& lines, T* y,
                T* end) {
  using R = Register<T>;
  const std::size_t row = lines.x_row, three = 3 * row;
  R sums[Lines];
#pragma GCC unroll 16
  for (R& sum : sums) sum = R(bias);
  for (std::size_t e = 0; e < places.size(); ++e) {
    const R factor(weights[e]);
    const T* from = x + places[e];
    // A pointer serves four lines: addresses that the processor adds up by itself.
#pragma GCC unroll 16
    for (std::size_t i = 0; i < Lines; ++i) {
      if (i > 0 && i % 4 == 0) from += 4 * row;
      sums[i] = xsimd::fma(factor, R::load_unaligned(from + (i % 4 == 3 ? three : i % 4 * row)), sums[i]);
    }
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Lines; ++i) store_before(end, lines.length, sums[i], y + i * lines.y_row);
}

template <class T, std::size_t Elements>
void plane_dots_tile(const T* x, const std::size_t* places, const PlaneLines& lines, const T* y, T* sums) {
  using R = Register<T>;
  constexpr std::size_t size = lanes<T>;
  const T* from[Elements];
  R registers[Elements];
#pragma GCC unroll 16
  for (std::size_t e = 0; e < Elements; ++e) {
    from[e] = x + places[e];
    registers[e] = R(T(0));
  }
  const std::size_t last = lines.length % size, whole = lines.length - last;
  const First<T> first(last);
  for (std::size_t line = 0; line < lines.count; ++line, y += lines.y_row) {
    auto step = [&, row = line * lines.x_row](std::size_t i, auto load) {
      const R factor = load(y + i);
#pragma GCC unroll 16
      for (std::size_t e = 0; e < Elements; ++e)
        registers[e] = xsimd::fma(load(from[e] + row + i), factor, registers[e]);
    };
    for (std::size_t i = 0; i < whole; i += size) step(i, [](const T* at) { return R::load_unaligned(at); });
    if (last > 0) step(whole, [first](const T* at) { return first.load(at); });
  }
  T totals[Elements];
  add_up<Elements>(registers, totals);
#pragma GCC unroll 16
  for (std::size_t e = 0; e < Elements; ++e) sums[e] += totals[e];
}

// Tables of these, by lines and by elements.
template <class T, std::size_t... I>
constexpr auto lines_tiles(std::index_sequence<I...>) { return std::array{lines_tile<T, I + 1>...}; }
template <class T, std::size_t... I>
constexpr auto plane_dots_tiles(std::index_sequence<I...>) { return std::array{plane_dots_tile<T, I + 1>...}; }

// A row into two pieces.
template <class T>
void halve_row(const T* x, std::size_t width, T* evens, T* odds) {
  constexpr std::size_t size = lanes<T>;
  for (std::size_t c = 0; c < width; c += 2 * size) {
    const std::size_t left = width - c, right = left > size ? left - size : 0;
    const auto [even, odd] = apart<T>(load_up_to(left, x + c), load_up_to(right, x + c + size),
                                      std::make_index_sequence<size>());
    even.store_unaligned(evens + c / 2);
    odd.store_unaligned(odds + c / 2);
  }
}

template <class T>
void join_halves(const T* evens, const T* odds, std::size_t width, T* y, const T* end) {
  constexpr std::size_t size = lanes<T>;
  for (std::size_t c = 0; c < width; c += 2 * size) {
    Register<T> low, high;
    interleave<T>(Register<T>::load_unaligned(evens + c / 2), Register<T>::load_unaligned(odds + c / 2), low, high,
                  std::make_index_sequence<size>());
    const std::size_t left = width - c;
    store_before(end, left, low, y + c);
    if (left > size) store_before(end, left - size, high, y + c + size);
  }
}

}  // namespace

template <Target target, class T>
void take_plane_apart_on(const PlaneCopy& copy, const T* x, std::size_t rows, T* to) {
  const std::size_t width = copy.width, stride = copy.stride;
  // Where pixel k of a row stands, and every so many after it.
  auto place = [&](std::size_t k) { return (copy.padding + k) % stride * copy.piece + (copy.padding + k) / stride; };
  const std::size_t first = place(0), second = place(1);
  for (std::size_t row = 0; row < rows; ++row, x += width, to += copy.row) {
    if (stride == 1)
      for (std::size_t c = 0; c < width; c += lanes<T>) load_up_to(width - c, x + c).store_unaligned(to + first + c);
    else if (stride == 2) halve_row(x, width, to + first, to + second);
    else
      for (std::size_t k = 0; k < std::min(stride, width); ++k) {
        T* piece = to + place(k);
        for (std::size_t c = k; c < width; c += stride) *piece++ = x[c];
      }
  }
}

template <Target target, class T>
void join_plane_on(const PlaneCopy& copy, const T* from, T* y, T* end) {
  const std::size_t width = copy.width, stride = copy.stride;
  for (; y != end; y += width, from += copy.row) {
    if (stride == 1) std::copy_n(from, width, y);
    else if (stride == 2) join_halves(from, from + copy.piece, width, y, end);
    else
      for (std::size_t k = 0; k < std::min(stride, width); ++k) {
        const T* piece = from + k * copy.piece;
        for (std::size_t c = k; c < width; c += stride) y[c] = *piece++;
      }
  }
}

template <Target target, class T>
void convolve_plane_on(const T* x, std::span<const std::size_t> places, const T* weights, T bias, const PlaneLines& lines,
                       T* y, T* end) {
  static constexpr auto tiles = lines_tiles<T>(std::make_index_sequence<tile_lines>());
  constexpr std::size_t size = lanes<T>;
  const std::size_t length = lines.length;
  auto all_lines = [&](const PlaneLines& all, std::size_t i) {
    const std::size_t each = even(all.count, tile_lines);
    for (std::size_t l = 0; l < all.count; l += each)
      tiles[std::min(each, all.count - l) - 1](x + i + l * all.x_row, places, weights, bias, all, y + i + l * all.y_row,
                                               end);
  };
  // The last register of a line is one that ends with it, where there is one: then some is computed twice.
  if (length < size) return all_lines(lines, 0);
  if (lines.count == 1) {  // the registers of the line are as lines
    all_lines({length / size, size, size, size}, 0);
    if (length % size > 0) all_lines({1, size, size, size}, length - size);
    return;
  }
  for (std::size_t i = 0; i < length; i += size)
    all_lines({lines.count, size, lines.x_row, lines.y_row}, std::min(i, length - size));
}

template <Target target, class T>
void convolve_plane_weight_on(const T* x, std::span<const std::size_t> places, const PlaneLines& lines, const T* y,
                              T* sums) {
  static constexpr auto tiles = plane_dots_tiles<T>(std::make_index_sequence<tile_elements>());
  const std::size_t each = even(places.size(), tile_elements);
  for (std::size_t e = 0; e < places.size(); e += each)
    tiles[std::min(each, places.size() - e) - 1](x, places.data() + e, lines, y, sums + e);
}

template void take_plane_apart_on<here>(const PlaneCopy&, const float*, std::size_t, float*);
template void join_plane_on<here>(const PlaneCopy&, const float*, float*, float*);
template void convolve_plane_on<here>(const float*, std::span<const std::size_t>, const float*, float, const PlaneLines&,
                                      float*, float*);
template void convolve_plane_weight_on<here>(const float*, std::span<const std::size_t>, const PlaneLines&, const float*,
                                             float*);
template void take_plane_apart_on<here>(const PlaneCopy&, const double*, std::size_t, double*);
template void join_plane_on<here>(const PlaneCopy&, const double*, double*, double*);
template void convolve_plane_on<here>(const double*, std::span<const std::size_t>, const double*, double,
                                      const PlaneLines&, double*, double*);
template void convolve_plane_weight_on<here>(const double*, std::span<const std::size_t>, const PlaneLines&,
                                             const double*, double*);

}  // namespace xtape::kernels
