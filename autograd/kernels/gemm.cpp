#include <autograd/kernels/gemm.hpp>

#include <algorithm>

#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/targets/gemm.hpp>
#include <autograd/threads.hpp>

namespace xtape::kernels {
namespace {

constexpr std::size_t worth_a_part = 1 << 20;  // products
constexpr std::size_t whole = 32;              // rows and columns: borders of parts are multiples

// A cut into parts of rows and of columns.
struct Grid {
  std::size_t rows = 1, columns = 1;
};

// As many parts as threads, where each is worth one, such that operands are read by few.
Grid cut(std::size_t m, std::size_t n, std::size_t k) {
  std::size_t parts = std::min<std::size_t>(threads_here(), m * n * k / worth_a_part);
  Grid best;
  auto cost = [&](const Grid& grid) { return grid.rows * n + grid.columns * m; };
  for (std::size_t rows = 1; rows <= parts; ++rows) {
    Grid grid{std::clamp<std::size_t>(m / smallest_part, 1, rows),
              std::clamp<std::size_t>(n / smallest_part, 1, parts / rows)};
    std::size_t more = grid.rows * grid.columns, most = best.rows * best.columns;
    if (more > most || (more == most && cost(grid) < cost(best))) best = grid;
  }
  return best;
}

static_assert(smallest_part % whole == 0);

// Where part i begins. Parts that were `smallest_part` long or more before borders are rounded down still are, as that is
// a multiple of `whole`.
std::size_t begin_of(std::size_t i, std::size_t extent, std::size_t parts) {
  return i == parts ? extent : extent * i / parts / whole * whole;
}

}  // namespace

// No element of c depends on how it is cut: each is the same sum in the same order.
template <class T>
void gemm(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, std::size_t m, std::size_t n,
          std::size_t k, bool add) {
  static const auto gemm_here = with_target([]<Target target> { return &gemm_on<target, T>; });
  if (m * n * k < 2 * worth_a_part) return gemm_here(a, b, c, m, n, k, add);
  const Grid grid = cut(m, n, k);
  run_tasks(grid.rows * grid.columns, [&](std::size_t part) {
    const std::size_t i = part / grid.columns, j = part % grid.columns;
    const std::size_t row = begin_of(i, m, grid.rows), column = begin_of(j, n, grid.columns);
    gemm_here(a.from(row, 0), b.from(0, column), c.from(row, column), begin_of(i + 1, m, grid.rows) - row,
              begin_of(j + 1, n, grid.columns) - column, k, add);
  });
}

template void gemm(const Matrix<const float>&, const Matrix<const float>&, const Matrix<float>&, std::size_t, std::size_t,
                   std::size_t, bool);
template void gemm(const Matrix<const double>&, const Matrix<const double>&, const Matrix<double>&, std::size_t,
                   std::size_t, std::size_t, bool);

}  // namespace xtape::kernels
