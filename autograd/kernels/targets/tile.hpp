// The innermost loops of a matrix product: a tile of the result stands in registers while the sums grow.
#pragma once

#include <array>

#include <autograd/kernels/targets/registers.hpp>

namespace xtape::kernels {
namespace {

/// Rows of a tile: as many as leave, of the registers that the processor has, three for operands.
#if defined(__AVX512F__)
constexpr std::size_t tile_rows = 14;
#elif defined(__AVX2__)
constexpr std::size_t tile_rows = 6;
#else
constexpr std::size_t tile_rows = 4;
#endif
constexpr std::size_t tile_registers = 2;  ///< of each row
template <class T>
constexpr std::size_t panel_width = tile_registers * lanes<T>;  ///< numbers of a row
template <class T>
constexpr std::size_t deepest = 1280 / sizeof(T);  ///< how many are added up in a row: what they read stays in the caches

/// c = a b, or c + a b, for `Rows` rows and `Across` registers of columns. The numbers that one step multiplies stand next
/// to each other in a where `Together`, and one step is a row of a then; otherwise a has `Rows` rows. In the last
/// register, only the first numbers count where `Partial`.
template <class T, std::size_t Rows, std::size_t Across, bool Together, bool Partial>
void tile(std::size_t k, const T* a, std::size_t a_stride, const T* b, std::size_t b_stride, T* c, std::size_t c_stride,
          std::size_t last, bool add) {
  using R = Register<T>;
  constexpr std::size_t size = lanes<T>;
  const First<T> first(Partial ? last : 0);
  auto load = [&](const T* from, std::size_t j) {
    return Partial && j + 1 == Across ? first.load(from + j * size) : R::load_unaligned(from + j * size);
  };
  R sums[Rows][Across];
#pragma GCC unroll 16
  for (auto& row : sums)
#pragma GCC unroll 16
    for (R& sum : row) sum = R(T(0));
  // Each pointer serves four rows, at 0, 1, 2 and 3 strides: addresses that the processor adds up by itself.
  const T* rows[(Rows + 3) / 4];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Rows; i += 4) rows[i / 4] = a + (Together ? i : i * a_stride);
  const std::size_t three = 3 * a_stride;
  constexpr std::size_t long_enough = 32;  // steps that it takes to fetch c
  if (add && k > long_enough)
#pragma GCC unroll 16
    for (std::size_t i = 0; i < Rows; ++i)
#pragma GCC unroll 16
      for (std::size_t j = 0; j < Across; ++j) __builtin_prefetch(c + i * c_stride + j * size, 1);
  for (std::size_t l = 0; l < k; ++l, b += b_stride) {
    R terms[Across];
#pragma GCC unroll 16
    for (std::size_t j = 0; j < Across; ++j) terms[j] = load(b, j);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < Rows; ++i) {
      const T* four = rows[i / 4];
      const R factor(Together ? four[i % 4] : i % 4 == 3 ? four[three] : four[i % 4 * a_stride]);
#pragma GCC unroll 16
      for (std::size_t j = 0; j < Across; ++j) sums[i][j] = xsimd::fma(factor, terms[j], sums[i][j]);
    }
#pragma GCC unroll 16
    for (const T*& row : rows) row += Together ? a_stride : 1;
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Rows; ++i, c += c_stride)
#pragma GCC unroll 16
    for (std::size_t j = 0; j < Across; ++j) {
      if (add) sums[i][j] = sums[i][j] + load(c, j);
      if (Partial && j + 1 == Across) first.store(c + j * size, sums[i][j]);
      else sums[i][j].store_unaligned(c + j * size);
    }
}

template <class T>
using Tile = void (*)(std::size_t, const T*, std::size_t, const T*, std::size_t, T*, std::size_t, std::size_t, bool);

/// Those of 1, 2, ... rows.
template <class T, std::size_t Across, bool Together, bool Partial, std::size_t... I>
constexpr std::array<Tile<T>, sizeof...(I)> tiles(std::index_sequence<I...>) {
  return {tile<T, I + 1, Across, Together, Partial>...};
}

constexpr std::size_t few_rows = 3;        ///< so few leave registers free for more columns
constexpr std::size_t four_registers = 4;  ///< across, which tiles of few rows have, to keep the processor busy

template <class T, bool Together>
struct Tiles {
  static constexpr auto any = std::make_index_sequence<tile_rows>();
  static constexpr auto partial_one = tiles<T, 1, Together, true>(any), one = tiles<T, 1, Together, false>(any);
  static constexpr auto partial_two = tiles<T, 2, Together, true>(any), two = tiles<T, 2, Together, false>(any);
  static constexpr auto four = tiles<T, four_registers, Together, false>(std::make_index_sequence<few_rows>());

  /// Those for so many columns.
  static const Tile<T>* across(std::size_t columns) {
    constexpr std::size_t size = lanes<T>;
    if (columns == four_registers * size) return four.data();
    if (columns > size) return columns == 2 * size ? two.data() : partial_two.data();
    return columns == size ? one.data() : partial_one.data();
  }
};

/// The sum of each register's numbers: of as many registers together as one has numbers, unless there are few.
template <std::size_t N, class T>
void add_up(const xsimd::batch<T>* registers, T* totals) {
  constexpr std::size_t size = lanes<T>, few = size / 2;
#pragma GCC unroll 16
  for (std::size_t first = 0; first < N; first += size) {
    const std::size_t count = first + size <= N ? size : N - first;
    if (count <= few) {
#pragma GCC unroll 16
      for (std::size_t i = 0; i < count; ++i) totals[first + i] = xsimd::hadd(registers[first + i]);
      continue;
    }
    Register<T> together[size];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < size; ++i) together[i] = i < count ? registers[first + i] : Register<T>(T(0));
    // Of two registers, every other number of one is of the first and the rest of the second, and so on.
#pragma GCC unroll 16
    for (std::size_t half = size / 2; half > 0; half /= 2)
#pragma GCC unroll 16
      for (std::size_t i = 0; i < half; ++i) {
        Register<T> low, high;
        interleave<T>(together[i], together[i + half], low, high, std::make_index_sequence<size>());
        together[i] = low + high;
      }
    if (count == size) together[0].store_unaligned(totals + first);
    else First<T>(count).store(totals + first, together[0]);
  }
}

/// c[i][j] = sum of a[i][l] b[j][l] over l, or that added to it, for `Rows` rows of a and `Columns` of b.
template <class T, std::size_t Rows, std::size_t Columns>
void dots(std::size_t k, const T* a, std::size_t a_stride, const T* b, std::size_t b_stride, T* c, std::size_t c_row,
          std::size_t c_column, bool add) {
  using R = Register<T>;
  R sums[Rows][Columns];
#pragma GCC unroll 16
  for (auto& row : sums)
#pragma GCC unroll 16
    for (R& sum : row) sum = R(T(0));
  auto step = [&](auto load) {
    R factors[Rows];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < Rows; ++i) factors[i] = load(a + i * a_stride);
#pragma GCC unroll 16
    for (std::size_t j = 0; j < Columns; ++j) {
      R terms = load(b + j * b_stride);
#pragma GCC unroll 16
      for (std::size_t i = 0; i < Rows; ++i) sums[i][j] = xsimd::fma(factors[i], terms, sums[i][j]);
    }
  };
  constexpr std::size_t size = lanes<T>;
  for (; k >= size; k -= size, a += size, b += size) step([](const T* from) { return R::load_unaligned(from); });
  if (k > 0) step([first = First<T>(k)](const T* from) { return first.load(from); });
  T totals[Rows * Columns];
  add_up<Rows * Columns>(&sums[0][0], totals);
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Rows; ++i)
#pragma GCC unroll 16
    for (std::size_t j = 0; j < Columns; ++j) {
      T& to = c[i * c_row + j * c_column];
      const T total = totals[i * Columns + j];
      to = add ? to + total : total;
    }
}

template <class T>
using Dots = void (*)(std::size_t, const T*, std::size_t, const T*, std::size_t, T*, std::size_t, std::size_t, bool);
constexpr std::size_t most_dots = 4;  ///< rows, and columns

/// Those of 1, 2, ... rows, and of each those of 1, 2, ... columns.
template <class T, std::size_t Rows, std::size_t... J>
constexpr std::array<Dots<T>, most_dots> dots_of_rows(std::index_sequence<J...>) {
  return {dots<T, Rows, J + 1>...};
}
template <class T, std::size_t... I>
constexpr std::array<std::array<Dots<T>, most_dots>, most_dots> all_dots(std::index_sequence<I...> any) {
  return {dots_of_rows<T, I + 1>(any)...};
}

/// c[i][j] = sum of a[i][l] b[l][j] over l < `Depth`, or that added to it, for `Rows` rows: memory is read row by row. The
/// numbers of a are a_row and a_column apart.
template <class T, std::size_t Rows, std::size_t Depth>
void add_rows(const T* a, std::size_t a_row, std::size_t a_column, const T* b, std::size_t b_stride, T* c,
              std::size_t c_stride, std::size_t n, bool add) {
  using R = Register<T>;
  constexpr std::size_t size = lanes<T>;
  R factors[Rows][Depth];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Rows; ++i)
#pragma GCC unroll 16
    for (std::size_t l = 0; l < Depth; ++l) factors[i][l] = R(a[i * a_row + l * a_column]);
  auto step = [&](std::size_t j, auto load, auto store) {
    R sums[Rows];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < Rows; ++i) sums[i] = add ? load(c + i * c_stride + j) : R(T(0));
#pragma GCC unroll 16
    for (std::size_t l = 0; l < Depth; ++l) {
      const R terms = load(b + l * b_stride + j);
#pragma GCC unroll 16
      for (std::size_t i = 0; i < Rows; ++i) sums[i] = xsimd::fma(factors[i][l], terms, sums[i]);
    }
#pragma GCC unroll 16
    for (std::size_t i = 0; i < Rows; ++i) store(c + i * c_stride + j, sums[i]);
  };
  std::size_t j = 0;
  for (; j + size <= n; j += size)
    step(j, [](const T* from) { return R::load_unaligned(from); }, [](T* to, const R& x) { x.store_unaligned(to); });
  const First<T> first(n - j);
  if (j < n) step(j, [&](const T* from) { return first.load(from); }, [&](T* to, const R& x) { first.store(to, x); });
}

}  // namespace
}  // namespace xtape::kernels
