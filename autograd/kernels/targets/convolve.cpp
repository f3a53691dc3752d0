// Products with the matrix of what windows read, which is never written down: a register holds several channels of the
// result, or where these are few, several windows.
#include <autograd/kernels/targets/convolve.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <autograd/kernels/targets/here.hpp>
#include <autograd/kernels/targets/pack.hpp>
#include <autograd/kernels/targets/tile.hpp>

namespace xtape::kernels {
namespace {

// Tiles of registers of windows, and of dot products.
#if defined(__AVX512F__)
constexpr std::size_t most_across = 4, few_channels = 6, dot_rows = 9;
#else
constexpr std::size_t most_across = 2, few_channels = 4, dot_rows = 5;
#endif

// Whether they would leave half of a register empty.
template <class T>
bool are_few(std::size_t channels) { return channels <= lanes<T> / 2; }

// Calls f(channel, count, width) for the channels of each panel of weights, where registers hold windows, or channels.
template <class T, class F>
void for_each_panel(std::size_t channels, bool by_windows, F&& f) {
  const std::size_t each = by_windows ? even(channels, few_channels) : panel_width<T>;
  for (std::size_t o = 0; o < channels; o += each) {
    std::size_t count = std::min(each, channels - o);
    f(o, count, by_windows ? count : whole_registers<T>(count));
  }
}

// Those of the rows of x that are not zeros alone for a run.
template <class T>
WindowMatrix<T> rows_for(const WindowMatrix<T>& x, const Run& run) {
  const std::size_t last = x.first_row + x.rows.size();
  const std::size_t begin = std::clamp(run.begin, x.first_row, last), end = std::clamp(run.end, begin, last);
  return x.slice(begin - x.first_row, end - begin);
}

// Calls f(p, n) for the windows of each sample.
template <class T, class Y, class F>
void for_each_sample(const WindowMatrix<T>& x, const WindowResults<Y>& y, F&& f) {
  const std::size_t end = x.first() + x.columns();
  for (std::size_t p = x.first(), n; p < end; p += n) {
    n = std::min(end - p, y.positions - p % y.positions);
    f(p, n);
  }
}

// c[i][j] for `Rows` windows, and `Across` registers of channels: the sum of weights[l][j] x[rows[l] + i] over l, after
// the biases, or if these are null, added to c.
template <class T, std::size_t Rows, std::size_t Across>
void windows_tile(std::span<const std::size_t> rows, const T* x, const T* biases, const T* weights, T* c,
                  std::size_t c_stride) {
  using R = Register<T>;
  constexpr std::size_t size = lanes<T>;
  R sums[Rows][Across];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Rows; ++i)
#pragma GCC unroll 16
    for (std::size_t j = 0; j < Across; ++j) sums[i][j] = biases ? R::load_unaligned(biases + j * size) : R(T(0));
  for (std::size_t row : rows) {
    R factors[Across];
#pragma GCC unroll 16
    for (std::size_t j = 0; j < Across; ++j) factors[j] = R::load_unaligned(weights + j * size);
    weights += Across * size;
    const T* from = x + row;
#pragma GCC unroll 16
    for (std::size_t i = 0; i < Rows; ++i) {
      const R term(from[i]);
#pragma GCC unroll 16
      for (std::size_t j = 0; j < Across; ++j) sums[i][j] = xsimd::fma(term, factors[j], sums[i][j]);
    }
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Rows; ++i)
#pragma GCC unroll 16
    for (std::size_t j = 0; j < Across; ++j) {
      T* to = c + i * c_stride + j * size;
      (biases ? sums[i][j] : sums[i][j] + R::load_unaligned(to)).store_unaligned(to);
    }
}

// y[i] for `Rows` channels, and `Across` registers of windows: the sum of weights[l][i] x[rows[l]] over l, after
// biases[i], or if these are null, added to y. Of the last register, only the first numbers are there where `Partial`.
template <class T, std::size_t Rows, std::size_t Across, bool Partial>
void channels_tile(std::span<const std::size_t> rows, const T* x, const T* biases, const T* weights, T* y,
                   std::size_t y_stride, std::size_t last) {
  using R = Register<T>;
  constexpr std::size_t size = lanes<T>;
  const First<T> first(Partial ? last : 0);
  R sums[Rows][Across];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Rows; ++i)
#pragma GCC unroll 16
    for (std::size_t j = 0; j < Across; ++j) sums[i][j] = R(biases ? biases[i] : T(0));
  for (std::size_t row : rows) {
    const T* from = x + row;
    R terms[Across];
#pragma GCC unroll 16
    for (std::size_t j = 0; j < Across; ++j)
      terms[j] = Partial && j + 1 == Across ? first.load(from + j * size) : R::load_unaligned(from + j * size);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < Rows; ++i) {
      const R factor(weights[i]);
#pragma GCC unroll 16
      for (std::size_t j = 0; j < Across; ++j) sums[i][j] = xsimd::fma(factor, terms[j], sums[i][j]);
    }
    weights += Rows;
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Rows; ++i)
#pragma GCC unroll 16
    for (std::size_t j = 0; j < Across; ++j) {
      T* to = y + i * y_stride + j * size;
      if (Partial && j + 1 == Across) first.store(to, biases ? sums[i][j] : sums[i][j] + first.load(to));
      else (biases ? sums[i][j] : sums[i][j] + R::load_unaligned(to)).store_unaligned(to);
    }
}

// Adds to c[i] for the rows of x, `Rows` of them, and `Across` registers of channels: the sum of x[i, p] g[p] over all p.
// The last register has `last` channels.
template <class T, std::size_t Rows, std::size_t Across>
void elements_tile(const WindowMatrix<T>& x, const T* g, T* c, std::size_t c_stride, std::size_t last) {
  using R = Register<T>;
  constexpr std::size_t size = lanes<T>;
  R sums[Rows][Across];
#pragma GCC unroll 16
  for (auto& row : sums)
#pragma GCC unroll 16
    for (R& sum : row) sum = R(T(0));
  for (const Run& run : x.runs) {
    if (rows_for(x, run).rows.empty()) continue;
    const T* from[Rows];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < Rows; ++i) from[i] = x.data + x.rows[i] + run.offset;
    const T* at = g + (run.first - x.first()) * Across * size;
    for (std::size_t p = 0; p < run.count; ++p, at += Across * size) {
      R factors[Across];
#pragma GCC unroll 16
      for (std::size_t j = 0; j < Across; ++j) factors[j] = R::load_unaligned(at + j * size);
#pragma GCC unroll 16
      for (std::size_t i = 0; i < Rows; ++i) {
        const R term(from[i][p]);
#pragma GCC unroll 16
        for (std::size_t j = 0; j < Across; ++j) sums[i][j] = xsimd::fma(term, factors[j], sums[i][j]);
      }
    }
  }
  const First<T> first(last % size);
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Rows; ++i)
#pragma GCC unroll 16
    for (std::size_t j = 0; j < Across; ++j) {
      T* to = c + i * c_stride + j * size;
      if (j + 1 == Across && last < size) first.store(to, sums[i][j] + first.load(to));
      else (sums[i][j] + R::load_unaligned(to)).store_unaligned(to);
    }
}

// Adds to c[i] for the rows of x, `Rows` of them, and one channel: the sum of x[i, p] g[p] over all p.
template <class T, std::size_t Rows>
void dots_tile(const WindowMatrix<T>& x, const WindowResults<const T>& g, std::size_t channel, T* c,
               std::size_t c_stride) {
  using R = Register<T>;
  constexpr std::size_t size = lanes<T>;
  R sums[Rows];
#pragma GCC unroll 16
  for (R& sum : sums) sum = R(T(0));
  for (const Run& run : x.runs) {
    if (rows_for(x, run).rows.empty()) continue;
    const T *factors = g.at(channel, run.first), *from = x.data + run.offset;
    auto step = [&](auto load) {
      const R factor = load(factors);
#pragma GCC unroll 16
      for (std::size_t i = 0; i < Rows; ++i) sums[i] = xsimd::fma(load(from + x.rows[i]), factor, sums[i]);
    };
    std::size_t n = run.count;
    for (; n >= size; n -= size, factors += size, from += size) step([](const T* at) { return R::load_unaligned(at); });
    if (n > 0) step([first = First<T>(n)](const T* at) { return first.load(at); });
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Rows; ++i) c[i * c_stride] += xsimd::hadd(sums[i]);
}

// Tables of these, by rows.
template <class T, std::size_t Across, std::size_t... I>
constexpr auto windows_tiles(std::index_sequence<I...>) { return std::array{windows_tile<T, I + 1, Across>...}; }
template <class T, std::size_t Across, std::size_t... I>
constexpr auto elements_tiles(std::index_sequence<I...>) { return std::array{elements_tile<T, I + 1, Across>...}; }
template <class T, std::size_t... I>
constexpr auto dots_tiles(std::index_sequence<I...>) { return std::array{dots_tile<T, I + 1>...}; }
// By channels, then by registers of windows.
template <class T, std::size_t Rows, bool Partial, std::size_t... I>
constexpr auto across_tiles(std::index_sequence<I...>) { return std::array{channels_tile<T, Rows, I + 1, Partial>...}; }
template <class T, bool Partial, std::size_t... I>
constexpr auto channels_tiles(std::index_sequence<I...>) {
  return std::array{across_tiles<T, I + 1, Partial>(std::make_index_sequence<most_across>())...};
}

template <class T>
void convolve_by_windows(const WindowMatrix<T>& x, const T* weights, const WindowResults<T>& y) {
  constexpr auto rows = std::make_index_sequence<few_channels>();
  static constexpr auto whole = channels_tiles<T, false>(rows), partial = channels_tiles<T, true>(rows);
  const std::size_t depth = x.rows.size(), deep = even(depth, deepest<T>);
  for_each_panel<T>(y.channels, true, [&](std::size_t o, std::size_t channels, std::size_t) {
    const T* biases = weights + o * (depth + 1);
    for (std::size_t l = 0; l < depth; l += deep)
      for (const Run& run : x.runs) {
        const WindowMatrix<T> part = rows_for(x.slice(l, std::min(deep, depth - l)), run);
        const T *from = x.data + run.offset, *factors = biases + (part.first_row + 1) * channels;
        for (std::size_t p = 0, count; p < run.count; p += count) {
          count = std::min(most_across * lanes<T>, run.count - p);
          const std::size_t last = count % lanes<T>, across = (count - 1) / lanes<T>;
          const auto tile = (last == 0 ? whole : partial)[channels - 1][across];
          tile(part.rows, from + p, l == 0 ? biases : nullptr, factors, y.at(o, run.first + p), y.positions, last);
        }
      }
  });
}

// The results stand window by window, until all rows are added up.
template <class T>
void convolve_by_channels(const WindowMatrix<T>& x, const T* weights, const WindowResults<T>& y) {
  constexpr auto any = std::make_index_sequence<tile_rows>();
  static constexpr auto one = windows_tiles<T, 1>(any);
  static constexpr auto two = windows_tiles<T, 2>(any);
  const std::size_t width = whole_registers<T>(y.channels), depth = x.rows.size(), deep = even(depth, deepest<T>);
  T* results = room<T>(Scratch::result, x.columns() * width);
  for (std::size_t l = 0; l < depth; l += deep) {
    const WindowMatrix<T> block = x.slice(l, std::min(deep, depth - l));
    for_each_panel<T>(y.channels, false, [&](std::size_t o, std::size_t, std::size_t panel) {
      const auto& tiles = panel == panel_width<T> ? two : one;
      const T* biases = weights + o * (depth + 1);
      for (const Run& run : x.runs) {
        const WindowMatrix<T> part = rows_for(block, run);
        const T *from = x.data + run.offset, *factors = biases + (part.first_row + 1) * panel;
        T* to = results + (run.first - x.first()) * width + o;
        const std::size_t each = even(run.count, tile_rows);
        for (std::size_t p = 0; p < run.count; p += each)
          tiles[std::min(each, run.count - p) - 1](part.rows, from + p, l == 0 ? biases : nullptr, factors,
                                                   to + p * width, width);
      }
    });
  }
  for_each_sample(x, y, [&](std::size_t p, std::size_t n) {
    const T* from = results + (p - x.first()) * width;
    pack_rows<T, true>(rows_at(from, width), n, y.channels, rows_at(y.at(0, p), y.positions), n);
  });
}

// Calls f(rows of x, sums of these) for tiles of up to `most` rows, which are zeros for the same runs.
template <class T, class F>
void for_each_tile(const WindowMatrix<T>& x, std::size_t most, std::size_t channels, T* sums, F&& f) {
  const std::size_t depth = x.rows.size();
  for (std::size_t begin = 0, end; begin < depth; begin = end) {
    end = std::min(depth, begin + x.together - (x.first_row + begin) % x.together);
    const std::size_t each = even(end - begin, most);
    for (std::size_t l = begin; l < end; l += each) f(x.slice(l, std::min(each, end - l)), sums + l * channels);
  }
}

template <class T>
void add_few(const WindowMatrix<T>& x, const WindowResults<const T>& g, T* sums) {
  static constexpr auto tiles = dots_tiles<T>(std::make_index_sequence<dot_rows>());
  for_each_tile(x, dot_rows, g.channels, sums, [&](const WindowMatrix<T>& rows, T* to) {
    for (std::size_t o = 0; o < g.channels; ++o) tiles[rows.rows.size() - 1](rows, g, o, to + o, g.channels);
  });
}

template <class T>
void add_many(const WindowMatrix<T>& x, const WindowResults<const T>& g, T* sums) {
  constexpr auto any = std::make_index_sequence<tile_rows>();
  static constexpr auto one = elements_tiles<T, 1>(any);
  static constexpr auto two = elements_tiles<T, 2>(any);
  T* packed = room<T>(Scratch::right, x.columns() * panel_width<T> + lanes<T>);
  for_each_panel<T>(g.channels, false, [&](std::size_t o, std::size_t count, std::size_t panel) {
    const auto& tiles = panel == panel_width<T> ? two : one;
    for_each_sample(x, g, [&](std::size_t p, std::size_t n) {
      pack_rows<T>(rows_at(g.at(o, p), g.positions), count, n, rows_at(packed + (p - x.first()) * panel, panel), panel);
    });
    const std::size_t last = count - (panel - lanes<T>);
    for_each_tile(x, tile_rows, g.channels, sums + o, [&](const WindowMatrix<T>& rows, T* to) {
      tiles[rows.rows.size() - 1](rows, packed, to, g.channels, last);
    });
  });
}

}  // namespace

template <Target target, class T>
void pack_weights_on(const T* weights, const T* biases, std::size_t channels, std::span<const std::size_t> places,
                     bool by_windows, T* to) {
  const std::size_t depth = places.size();
  for_each_panel<T>(channels, by_windows, [&](std::size_t o, std::size_t count, std::size_t panel) {
    for (std::size_t i = 0; i < panel; ++i) to[i] = biases && i < count ? biases[o + i] : T(0);
    const auto rows = rows_at(weights + o * depth, depth);
    auto place = [first = to + panel, places, panel](std::size_t l) { return first + places[l] * panel; };
    if (by_windows)
      for (std::size_t l = 0; l < depth; ++l)
        for (std::size_t i = 0; i < count; ++i) place(l)[i] = rows(i)[l];
    else pack_rows<T>(rows, count, depth, place, panel);
    to += (depth + 1) * panel;
  });
}

template <Target target, class T>
bool holds_windows_on(std::size_t channels, std::size_t depth, std::size_t line) {
  constexpr std::size_t shallow = 96;
  const std::size_t room = whole_registers<T>(line);
  return are_few<T>(channels) || (depth <= shallow && line >= room - room / 4);
}

template <Target target, class T>
void convolve_on(const WindowMatrix<T>& x, const T* weights, bool by_windows, const WindowResults<T>& y) {
  by_windows ? convolve_by_windows(x, weights, y) : convolve_by_channels(x, weights, y);
}

template <Target target, class T>
void convolve_weight_on(const WindowMatrix<T>& x, const WindowResults<const T>& g, T* sums) {
  are_few<T>(g.channels) ? add_few(x, g, sums) : add_many(x, g, sums);
}

template void pack_weights_on<here>(const float*, const float*, std::size_t, std::span<const std::size_t>, bool, float*);
template bool holds_windows_on<here, float>(std::size_t, std::size_t, std::size_t);
template void convolve_on<here>(const WindowMatrix<float>&, const float*, bool, const WindowResults<float>&);
template void convolve_weight_on<here>(const WindowMatrix<float>&, const WindowResults<const float>&, float*);
template void pack_weights_on<here>(const double*, const double*, std::size_t, std::span<const std::size_t>, bool, double*);
template bool holds_windows_on<here, double>(std::size_t, std::size_t, std::size_t);
template void convolve_on<here>(const WindowMatrix<double>&, const double*, bool, const WindowResults<double>&);
template void convolve_weight_on<here>(const WindowMatrix<double>&, const WindowResults<const double>&, double*);

}  // namespace xtape::kernels
