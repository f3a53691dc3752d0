// After Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (ACM TOMS 34, 2008): blocks of the
// operands are packed in the order in which they are read, such that those of b stay in the last cache, those of a in the
// second, and what the innermost loop reads again and again in the first. Small operands are read where they stand.
#include <autograd/kernels/targets/gemm.hpp>

#include <algorithm>

#include <autograd/kernels/scratch.hpp>
#include <autograd/kernels/targets/here.hpp>
#include <autograd/kernels/targets/tile.hpp>

namespace xtape::kernels {
namespace {

// The size of blocks.
constexpr std::size_t most_rows = 12 * tile_rows;
template <class T>
constexpr std::size_t deepest = 1280 / sizeof(T);
template <class T>
constexpr std::size_t panel_width = tile_registers * lanes<T>;
template <class T>
constexpr std::size_t most_columns = 64 * panel_width<T>;

template <class T>
T* room(Scratch use, std::size_t count) {
  return static_cast<T*>(scratch(use, count * sizeof(T)));
}

// The length of parts of n, as even as they can be, of at most so many each.
std::size_t even(std::size_t n, std::size_t most) {
  std::size_t parts = (n + most - 1) / most;
  return (n + parts - 1) / parts;
}

std::size_t whole_registers(std::size_t count, std::size_t lanes) { return (count + lanes - 1) / lanes * lanes; }

// to[l][j] = from[j][l] for j < count, and 0 for the other j < width.
template <class T>
void pack_transposed(const T* from, std::size_t stride, std::size_t count, std::size_t depth, T* to, std::size_t width) {
  constexpr std::size_t n = lanes<T>;
  std::size_t j = 0;
  for (; j + n <= count; j += n) {
    std::size_t l = 0;
    for (; l + n <= depth; l += n) transpose_square(from + j * stride + l, stride, to + l * width + j, width);
    for (; l < depth; ++l)
      for (std::size_t i = j; i < j + n; ++i) to[l * width + i] = from[i * stride + l];
  }
  for (std::size_t l = 0; l < depth; ++l)
    for (std::size_t i = j; i < width; ++i) to[l * width + i] = i < count ? from[i * stride + l] : T(0);
}

// Panels of columns one after the other, each (depth, width), padded with zeros to whole registers.
template <class T>
void pack_right(const Matrix<const T>& b, std::size_t columns, std::size_t depth, T* to) {
  constexpr std::size_t size = lanes<T>;
  for (std::size_t j = 0; j < columns; j += panel_width<T>) {
    std::size_t count = std::min(panel_width<T>, columns - j), width = whole_registers(count, size);
    const T* from = b.from(0, j).data;
    if (b.transposed) pack_transposed(from, b.stride, count, depth, to, width);
    for (std::size_t l = 0; !b.transposed && l < depth; ++l, from += b.stride) {
      std::size_t i = 0;
      for (; i + size <= count; i += size) Register<T>::load_unaligned(from + i).store_unaligned(to + l * width + i);
      if (i < count) First<T>(count - i).load(from + i).store_unaligned(to + l * width + i);
    }
    to += depth * width;
  }
}

// The rows of tiles one after the other, each (depth, rows).
template <class T>
void pack_left(const Matrix<const T>& a, std::size_t rows, std::size_t depth, T* to) {
  const std::size_t each = even(rows, tile_rows);
  for (std::size_t i = 0; i < rows; i += each) {
    std::size_t count = std::min(each, rows - i);
    const T* from = a.from(i, 0).data;
    if (a.transposed) {
      for (std::size_t l = 0; l < depth; ++l, to += count) std::copy_n(from + l * a.stride, count, to);
      continue;
    }
    for (std::size_t row = 0; row < count; ++row)
      for (std::size_t l = 0; l < depth; ++l) to[l * count + row] = from[row * a.stride + l];
    to += depth * count;
  }
}

// What one block computes: rows of a, (rows, depth), packed or where they stand.
template <class T>
struct Left {
  Matrix<const T> matrix;
  const T* packed;  // or null
};

// All rows of a block for a few columns.
template <class T>
void multiply_columns(const Left<T>& a, const T* b, std::size_t b_stride, T* c, std::size_t c_stride, std::size_t rows,
                      std::size_t columns, std::size_t depth, bool add) {
  const std::size_t each = even(rows, tile_rows), last = columns % lanes<T>;
  const bool together = a.packed || a.matrix.transposed;
  const Tile<T>* tiles = together ? Tiles<T, true>::across(columns) : Tiles<T, false>::across(columns);
  for (std::size_t i = 0; i < rows; i += each) {
    std::size_t count = std::min(each, rows - i);
    const T* left = a.packed ? a.packed + i * depth : a.matrix.from(i, 0).data;
    tiles[count - 1](depth, left, a.packed ? count : a.matrix.stride, b, b_stride, c + i * c_stride, c_stride, last, add);
  }
}

// By tiles, block after block.
template <class T>
void by_tiles(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, std::size_t m, std::size_t n,
              std::size_t k, bool add) {
  constexpr std::size_t size = lanes<T>, first_cache = 24 * 1024, enough_rows = 28, enough_columns = 128, enough = 4096;
  const bool pack_b = b.transposed || (m > enough_rows && k * n * sizeof(T) > first_cache);
  const bool pack_a = n > enough_columns && m * k > enough;
  const std::size_t deep = even(k, deepest<T>), high = even(m, most_rows), wide = most_columns<T>;
  T* packed_a = pack_a ? room<T>(Scratch::left, high * deep) : nullptr;
  T* packed_b = pack_b ? room<T>(Scratch::right, whole_registers(std::min(wide, n), size) * deep) : nullptr;
  const std::size_t across = m <= few_rows && !pack_b ? four_registers * size : panel_width<T>;
  for (std::size_t l = 0; l < k; l += deep) {
    const std::size_t depth = std::min(deep, k - l);
    for (std::size_t column = 0; column < n; column += wide) {
      const std::size_t columns = std::min(wide, n - column);
      const Matrix<const T> right = b.from(l, column);
      if (pack_b) pack_right(right, columns, depth, packed_b);
      for (std::size_t row = 0; row < m; row += high) {
        const std::size_t rows = std::min(high, m - row);
        const Left<T> left{a.from(row, l), packed_a};
        if (pack_a) pack_left(left.matrix, rows, depth, packed_a);
        for (std::size_t j = 0, count; j < columns; j += count) {
          count = columns - j >= across ? across : std::min(panel_width<T>, columns - j);
          multiply_columns(left, pack_b ? packed_b + j * depth : right.data + j,
                           pack_b ? whole_registers(count, size) : b.stride, c.from(row, column + j).data, c.stride,
                           rows, count, depth, add || l > 0);
        }
      }
    }
  }
}

// By dot products of rows of a with rows of b, which is transposed: c[i][j] is at i * c_row + j * c_column.
template <class T>
void by_dots(const T* a, std::size_t a_stride, const T* b, std::size_t b_stride, T* c, std::size_t c_row,
             std::size_t c_column, std::size_t m, std::size_t n, std::size_t k, bool add) {
  auto rows = [&]<std::size_t Rows>(std::integral_constant<std::size_t, Rows>, std::size_t i) {
    auto columns = [&]<std::size_t Columns>(std::integral_constant<std::size_t, Columns>, std::size_t j) {
      dots<T, Rows, Columns>(k, a + i * a_stride, a_stride, b + j * b_stride, b_stride, c + i * c_row + j * c_column, c_row,
                             c_column, add);
    };
    std::size_t j = 0;
    for (; j + 4 <= n; j += 4) columns(std::integral_constant<std::size_t, 4>(), j);
    for (; j < n; ++j) columns(std::integral_constant<std::size_t, 1>(), j);
  };
  std::size_t i = 0;
  for (; i + 4 <= m; i += 4) rows(std::integral_constant<std::size_t, 4>(), i);
  for (; i < m; ++i) rows(std::integral_constant<std::size_t, 1>(), i);
}

// Few columns of b as rows.
template <class T>
T* rows_of(const Matrix<const T>& b, std::size_t n, std::size_t k) {
  T* rows = room<T>(Scratch::right, n * k);
  for (std::size_t l = 0; l < k; ++l)
    for (std::size_t j = 0; j < n; ++j) rows[j * k + l] = b.data[l * b.stride + j];
  return rows;
}

template <class T>
Matrix<T> transposed(const Matrix<T>& x) {
  return {x.data, x.stride, !x.transposed};
}

// c^T = b^T a^T, for few columns of c, so that registers hold many of its rows.
template <class T>
void by_transposed_tiles(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, std::size_t m,
                         std::size_t n, std::size_t k, bool add) {
  if (n == 1 && c.stride == 1)
    return by_tiles<T>(transposed(b), transposed(a), {c.data, m}, 1, m, k, add);
  T* result = room<T>(Scratch::result, n * m);
  by_tiles<T>(transposed(b), transposed(a), {result, m}, n, m, k, false);
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      T& to = c.data[i * c.stride + j];
      to = add ? to + result[j * m + i] : result[j * m + i];
    }
}

}  // namespace

template <Target target, class T>
void gemm_on(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, std::size_t m, std::size_t n,
             std::size_t k, bool add) {
  constexpr std::size_t few = 4, less_than_tile = 8, many = 32;
  if (a.transposed)
    return n < lanes<T> && m >= many ? by_transposed_tiles<T>(a, b, c, m, n, k, add) : by_tiles<T>(a, b, c, m, n, k, add);
  // A single column is a row of its transposed matrix.
  const bool rows_of_b = b.transposed || (n == 1 && b.stride == 1);
  if (n == 1 && rows_of_b) return by_dots<T>(b.data, 1, a.data, a.stride, c.data, 1, c.stride, 1, m, k, add);
  if (rows_of_b && (m < less_than_tile || n <= few))
    return by_dots<T>(a.data, a.stride, b.data, b.stride, c.data, c.stride, 1, m, n, k, add);
  if (n <= few && m >= less_than_tile && k >= 2 * lanes<T>)
    return by_dots<T>(a.data, a.stride, rows_of(b, n, k), k, c.data, c.stride, 1, m, n, k, add);
  by_tiles<T>(a, b, c, m, n, k, add);
}

template void gemm_on<here>(const Matrix<const float>&, const Matrix<const float>&, const Matrix<float>&, std::size_t,
                            std::size_t, std::size_t, bool);
template void gemm_on<here>(const Matrix<const double>&, const Matrix<const double>&, const Matrix<double>&, std::size_t,
                            std::size_t, std::size_t, bool);

}  // namespace xtape::kernels
