// After Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (ACM TOMS 34, 2008): blocks of the
// operands are packed in the order in which they are read, such that those of b stay in the last cache, those of a in the
// second, and what the innermost loop reads again and again in the first. Small operands are read where they stand.
#include <autograd/kernels/targets/gemm.hpp>

#include <algorithm>

#include <autograd/kernels/targets/here.hpp>
#include <autograd/kernels/targets/pack.hpp>
#include <autograd/kernels/targets/tile.hpp>

namespace xtape::kernels {
namespace {

// The size of blocks.
constexpr std::size_t most_rows = 12 * tile_rows;
template <class T>
constexpr std::size_t most_columns = 64 * panel_width<T>;
template <class T>
constexpr std::size_t few_columns = 4 * panel_width<T>;
template <class T>
constexpr std::size_t long_sum = 16 * lanes<T>;  // that makes up for the sum of a register's numbers at its end

// The rows of tiles one after the other, each (depth, rows). A register beyond them is spoilt.
template <class T>
void pack_left(const Matrix<const T>& a, std::size_t rows, std::size_t depth, T* to) {
  const std::size_t each = even(rows, tile_rows);
  for (std::size_t i = 0; i < rows; i += each) {
    const std::size_t count = std::min(each, rows - i);
    const T* from = a.from(i, 0).data;
    if (a.transposed) copy_rows(from, a.stride, count, depth, to, count);
    else pack_rows<T>(rows_at(from, a.stride), count, depth, rows_at(to, count), count);
    to += depth * count;
  }
}

// Panels of columns one after the other, each (depth, width), padded with zeros to whole registers.
template <class T>
void pack_right(const Matrix<const T>& b, std::size_t columns, std::size_t depth, T* to) {
  for (std::size_t j = 0; j < columns; j += panel_width<T>) {
    std::size_t count = std::min(panel_width<T>, columns - j), width = whole_registers<T>(count);
    const T* from = b.from(0, j).data;
    if (b.transposed) pack_rows<T>(rows_at(from, b.stride), count, depth, rows_at(to, width), width);
    else copy_rows(from, b.stride, count, depth, to, width);
    to += depth * width;
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
  const std::size_t each = rows <= tile_rows ? rows : even(rows, tile_rows), last = columns % lanes<T>;
  const bool together = a.packed || a.matrix.transposed;
  const Tile<T>* tiles = together ? Tiles<T, true>::across(columns) : Tiles<T, false>::across(columns);
  for (std::size_t i = 0; i < rows; i += each) {
    std::size_t count = std::min(each, rows - i);
    const T* left = a.packed ? a.packed + i * depth : a.matrix.from(i, 0).data;
    tiles[count - 1](depth, left, a.packed ? count : a.matrix.stride, b, b_stride, c + i * c_stride, c_stride, last, add);
  }
}

// The blocks of a left operand (m, k), of `high` rows and `deep` numbers each.
struct Blocks {
  std::size_t m, k, high, deep;

  std::size_t rows(std::size_t row) const { return std::min(high, m - row); }
  std::size_t depth(std::size_t l) const { return std::min(deep, k - l); }
};

// Hands out the blocks of a left operand, packed or where they stand.
template <class T>
class LeftBlocks {
 public:
  LeftBlocks(const Matrix<const T>& a, const Blocks& blocks, bool pack)
      : a_(a), blocks_(blocks), room_(pack ? room<T>(Scratch::left, blocks.high * blocks.deep + lanes<T>) : nullptr) {}

  Left<T> at(std::size_t row, std::size_t l) {
    const Matrix<const T> block = a_.from(row, l);
    if (room_ && (row != row_ || l != l_)) pack_left(block, blocks_.rows(row), blocks_.depth(l), room_);
    row_ = row, l_ = l;
    return {block, room_};
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  const Matrix<const T>& a_;
  const Blocks& blocks_;
  T* room_;
  std::size_t row_ = none, l_ = none;  // what is packed
};

// By tiles, block after block.
template <class T>
void by_tiles(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, std::size_t m, std::size_t n,
              std::size_t k, bool add) {
  constexpr std::size_t size = lanes<T>, first_cache = 24 * 1024, enough_rows = 28, enough_columns = 128, enough = 4096;
  const bool one_tile = m <= tile_rows && n <= panel_width<T> && k <= deepest<T> && !b.transposed;
  if (one_tile) return multiply_columns<T>({a, nullptr}, b.data, b.stride, c.data, c.stride, m, n, k, add);
  const Blocks blocks{m, k, even(m, most_rows), even(k, deepest<T>)};
  const bool pack_b = b.transposed || (m > enough_rows && k * n * sizeof(T) > first_cache);
  LeftBlocks<T> lefts(a, blocks, n > enough_columns && m * k > enough);
  // Where all rows are in one block, it reads what is packed of b once, and soon.
  const std::size_t wide = blocks.high == m ? few_columns<T> : most_columns<T>;
  T* packed_b = nullptr;
  if (pack_b) packed_b = room<T>(Scratch::right, whole_registers<T>(std::min(wide, n)) * blocks.deep + size);
  const std::size_t across = m <= few_rows && !pack_b ? four_registers * size : panel_width<T>;
  for (std::size_t l = 0; l < k; l += blocks.deep) {
    const std::size_t depth = blocks.depth(l);
    for (std::size_t column = 0; column < n; column += wide) {
      const std::size_t columns = std::min(wide, n - column);
      const Matrix<const T> right = b.from(l, column);
      if (pack_b) pack_right(right, columns, depth, packed_b);
      for (std::size_t row = 0; row < m; row += blocks.high) {
        const Left<T> left = lefts.at(row, l);
        for (std::size_t j = 0, count; j < columns; j += count) {
          count = columns - j >= across ? across : std::min(panel_width<T>, columns - j);
          multiply_columns(left, pack_b ? packed_b + j * depth : right.data + j,
                           pack_b ? whole_registers<T>(count) : b.stride, c.from(row, column + j).data, c.stride,
                           blocks.rows(row), count, depth, add || l > 0);
        }
      }
    }
  }
}

// By dot products of rows of a with rows of b, which is transposed: c[i][j] is at i * c_row + j * c_column.
template <class T>
void by_dots(const T* a, std::size_t a_stride, const T* b, std::size_t b_stride, T* c, std::size_t c_row,
             std::size_t c_column, std::size_t m, std::size_t n, std::size_t k, bool add) {
  static constexpr auto dots = all_dots<T>(std::make_index_sequence<most_dots>());
  for (std::size_t i = 0; i < m; i += most_dots)
    for (std::size_t j = 0; j < n; j += most_dots)
      dots[std::min(most_dots, m - i) - 1][std::min(most_dots, n - j) - 1](
          k, a + i * a_stride, a_stride, b + j * b_stride, b_stride, c + i * c_row + j * c_column, c_row, c_column, add);
}

// Row by row of b, for `Rows` rows of c, of which a part stays in the first cache.
template <class T, std::size_t Rows>
void by_rows_of(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, std::size_t n, std::size_t k,
                bool add) {
  constexpr std::size_t part = 8192 / sizeof(T) / Rows / lanes<T> * lanes<T>, step = Rows == 1 ? 8 : 4;
  for (std::size_t j = 0; j < n; j += part) {
    const std::size_t columns = std::min(part, n - j);
    auto rows = [&]<std::size_t Depth>(std::integral_constant<std::size_t, Depth>, std::size_t l) {
      add_rows<T, Rows, Depth>(a.from(0, l).data, a.row_step(), a.column_step(), b.from(l, j).data, b.stride,
                               c.from(0, j).data, c.stride, columns, add || l > 0);
    };
    std::size_t l = 0;
    for (; l + step <= k; l += step) rows(std::integral_constant<std::size_t, step>(), l);
    for (; l < k; ++l) rows(std::integral_constant<std::size_t, 1>(), l);
  }
}
template <class T>
void by_rows(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, std::size_t m, std::size_t n,
             std::size_t k, bool add) {
  if (m == 3) return by_rows_of<T, 3>(a, b, c, n, k, add);
  for (std::size_t i = 0; i < m; i += 2)
    (m - i == 1 ? by_rows_of<T, 1> : by_rows_of<T, 2>)(a.from(i, 0), b, c.from(i, 0), n, k, add);
}

// By tiles, or row by row where b is read once and there is no time to lose: it depends on extents of which no cut into
// parts of `smallest_part` rows and columns or more makes others.
template <class T>
void by_panels(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, std::size_t m, std::size_t n,
               std::size_t k, bool add) {
  constexpr std::size_t deep = 128, shallow = 2;
  if (!b.transposed && n >= smallest_part && ((m <= few_rows && k >= deep) || k <= shallow))
    return by_rows<T>(a, b, c, m, n, k, add);
  by_tiles<T>(a, b, c, m, n, k, add);
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
  if (n == 1 && c.stride == 1) return by_panels<T>(transposed(b), transposed(a), {c.data, m}, 1, m, k, add);
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
  constexpr std::size_t few = 4, less_than_tile = 8, few_tiles = 16, many = 32;
  // What is one row, or one number and a column, read as such.
  if (k == 1 && b.transposed && b.stride == 1) return gemm_on<target, T>(a, {b.data, n}, c, m, n, k, add);
  if (k == 1 && n == 1 && m > 1 && a.stride == 1 && c.stride == 1)
    return by_panels<T>(b, {a.data, m}, {c.data, m}, 1, m, 1, add);
  // Columns that would leave much of their last register empty.
  const bool thin = n < lanes<T> || (n > lanes<T> && 2 * n <= 3 * lanes<T>);
  if (a.transposed)
    return thin && m >= many ? by_transposed_tiles<T>(a, b, c, m, n, k, add) : by_panels<T>(a, b, c, m, n, k, add);
  // A single column is a row of its transposed matrix.
  const bool rows_of_b = b.transposed || (n == 1 && b.stride == 1);
  if (n == 1 && rows_of_b) return by_dots<T>(b.data, 1, a.data, a.stride, c.data, 1, c.stride, 1, m, k, add);
  const bool few_long_rows = (m < few_tiles && k >= 4 * lanes<T>) || (m < many && k >= long_sum<T>);
  if (rows_of_b && (m < less_than_tile || n <= few || few_long_rows))
    return by_dots<T>(a.data, a.stride, b.data, b.stride, c.data, c.stride, 1, m, n, k, add);
  const bool tall = m >= less_than_tile && k >= 2 * lanes<T>;
  auto by_dots_from = [&](std::size_t column) {
    const Matrix<T> rest = c.from(0, column);
    const T* rows = rows_of(b.from(0, column), n - column, k);
    by_dots<T>(a.data, a.stride, rows, k, rest.data, c.stride, 1, m, n - column, k, add);
  };
  if (n <= few && tall) return by_dots_from(0);
  // A few columns more than a register has.
  if (n > lanes<T> && n <= lanes<T> + few && tall && !b.transposed) {
    by_panels<T>(a, b, c, m, lanes<T>, k, add);
    return by_dots_from(lanes<T>);
  }
  by_panels<T>(a, b, c, m, n, k, add);
}

template void gemm_on<here>(const Matrix<const float>&, const Matrix<const float>&, const Matrix<float>&, std::size_t,
                            std::size_t, std::size_t, bool);
template void gemm_on<here>(const Matrix<const double>&, const Matrix<const double>&, const Matrix<double>&, std::size_t,
                            std::size_t, std::size_t, bool);

}  // namespace xtape::kernels
