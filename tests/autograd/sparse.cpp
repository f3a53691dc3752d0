// Sparse Jacobians and Hessians of functions of scalars: against closed forms, and against the dense ones.
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <autograd/scalar/sparse.hpp>
#include <autograd/scalar/xtensor.hpp>

#include "../support.hpp"

using namespace xtape;
using scalar::Compression;

namespace {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;
using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;

constexpr Compression ways[] = {Compression::automatic, Compression::none, Compression::columns, Compression::rows};

Pairs pattern(const SparseMatrix& a) {
  BOOST_REQUIRE(a.rows.size() == a.values.size());
  BOOST_REQUIRE(a.columns.size() == a.values.size());
  Pairs result;
  for (std::size_t k = 0; k < a.rows.size(); ++k) result.emplace_back(a.rows[k], a.columns[k]);
  BOOST_TEST(std::ranges::is_sorted(result));
  BOOST_TEST((std::ranges::adjacent_find(result) == result.end()));
  for (auto [row, column] : result) {
    BOOST_TEST((row >= 0 && static_cast<std::size_t>(row) < a.row_count));
    BOOST_TEST((column >= 0 && static_cast<std::size_t>(column) < a.column_count));
  }
  return result;
}

void check_close(const Matrix& found, const Matrix& expected) {
  BOOST_REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    BOOST_REQUIRE(found[i].size() == expected[i].size());
    for (std::size_t j = 0; j < found[i].size(); ++j)
      BOOST_TEST((found[i][j] == expected[i][j] ||
                  std::abs(found[i][j] - expected[i][j]) <= 1e-12 * (1 + std::abs(expected[i][j]))),
                 "(" << i << ", " << j << "): " << found[i][j] << " is not " << expected[i][j]);
  }
}

// In every way: the pattern, and the elements of the dense matrix.
template <class F>
void check_jacobian(const F& f, const Vector& x, const Pairs& expected, const Matrix& dense) {
  for (Compression way : ways) {
    const SparseMatrix j = scalar::sparse_jacobian(f, x, {.compression = way});
    BOOST_TEST((pattern(j) == expected));
    BOOST_TEST((j.row_count == dense.size() && j.column_count == x.size()));
    check_close(j.dense(), dense);
  }
}
template <class F>
void check_hessian(const F& f, const Vector& x, const Pairs& expected, const Matrix& dense) {
  for (Compression way : ways) {
    const SparseMatrix h = scalar::sparse_hessian(f, x, {.compression = way});
    BOOST_TEST((pattern(h) == expected));
    BOOST_TEST((h.row_count == x.size() && h.column_count == x.size()));
    const Matrix all = h.dense();
    check_close(all, dense);
    for (std::size_t i = 0; i < x.size(); ++i)
      for (std::size_t j = 0; j < i; ++j) BOOST_TEST(all[i][j] == all[j][i]);
  }
}

Matrix zeros(std::size_t rows, std::size_t columns) { return Matrix(rows, Vector(columns)); }

Vector waves(std::size_t n) {
  Vector x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = std::sin(1.0 + static_cast<double>(i));
  return x;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sparse)

BOOST_AUTO_TEST_CASE(tridiagonal_jacobian_of_broyden) {
  // Broyden's tridiagonal function: (3 - 2 x_i) x_i - x_(i-1) - 2 x_(i+1) + 1.
  auto f = []<class T>(const std::vector<T>& x) {
    std::vector<T> y;
    for (std::size_t i = 0; i < x.size(); ++i) {
      T value = (3 - 2 * x[i]) * x[i] + 1;
      if (i > 0) value -= x[i - 1];
      if (i + 1 < x.size()) value -= 2 * x[i + 1];
      y.push_back(value);
    }
    return y;
  };
  for (std::size_t n : {1, 2, 3, 40, 200}) {
    const Vector x = waves(n);
    Matrix dense = zeros(n, n);
    Pairs expected;
    for (std::size_t i = 0; i < n; ++i) {
      if (i > 0) dense[i][i - 1] = -1, expected.emplace_back(i, i - 1);
      dense[i][i] = 3 - 4 * x[i], expected.emplace_back(i, i);
      if (i + 1 < n) dense[i][i + 1] = -2, expected.emplace_back(i, i + 1);
    }
    check_jacobian(f, x, expected, dense);
  }
}

BOOST_AUTO_TEST_CASE(tridiagonal_hessian_of_rosenbrock) {
  // The sum of 100 (x_(i+1) - x_i^2)^2 + (1 - x_i)^2.
  auto f = []<class T>(const std::vector<T>& x) {
    T sum = 0;
    for (std::size_t i = 0; i + 1 < x.size(); ++i)
      sum += 100 * pow(x[i + 1] - x[i] * x[i], 2) + (1 - x[i]) * (1 - x[i]);
    return sum;
  };
  const std::size_t n = 50;
  const Vector x = waves(n);
  Matrix dense = zeros(n, n);
  Pairs expected;
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) dense[i][i] += 200, expected.emplace_back(i, i - 1);
    expected.emplace_back(i, i);
    if (i + 1 == n) break;
    expected.emplace_back(i, i + 1);
    dense[i][i] += 1200 * x[i] * x[i] - 400 * x[i + 1] + 2;
    dense[i][i + 1] = dense[i + 1][i] = -400 * x[i];
  }
  check_hessian(f, x, expected, dense);
}

BOOST_AUTO_TEST_CASE(arrows) {
  // A dense first row and first column, beside the diagonal.
  const std::size_t n = 30;
  auto f = []<class T>(const std::vector<T>& x) {
    std::vector<T> y{0};
    for (std::size_t i = 0; i < x.size(); ++i) y[0] += x[i] * x[i];
    for (std::size_t i = 1; i < x.size(); ++i) y.push_back(x[0] * exp(x[i]));
    return y;
  };
  const Vector x = waves(n);
  Matrix dense = zeros(n, n);
  Pairs expected;
  for (std::size_t j = 0; j < n; ++j) dense[0][j] = 2 * x[j], expected.emplace_back(0, j);
  for (std::size_t i = 1; i < n; ++i) {
    dense[i][0] = std::exp(x[i]), dense[i][i] = x[0] * std::exp(x[i]);
    expected.emplace_back(i, 0), expected.emplace_back(i, i);
  }
  check_jacobian(f, x, expected, dense);

  // x_0 times the sum of the squares of the others.
  auto g = []<class T>(const std::vector<T>& x) {
    T sum = 0;
    for (std::size_t i = 1; i < x.size(); ++i) sum += x[i] * x[i];
    return x[0] * sum;
  };
  Matrix second = zeros(n, n);
  Pairs arrow;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j)
      if (i != j ? i == 0 || j == 0 : i > 0) arrow.emplace_back(i, j);
    if (i > 0) second[i][i] = 2 * x[0], second[0][i] = second[i][0] = 2 * x[i];
  }
  check_hessian(g, x, arrow, second);
}

BOOST_AUTO_TEST_CASE(results_of_all_kinds) {
  // Constants, inputs as they are, one of them twice, the same result twice, x * x, x - x, and an older Real.
  Real old;
  scalar::gradient([&](const std::vector<Real>& x) { return old = x[0] * x[0]; }, Vector{3});
  auto f = [&](const std::vector<Real>& x) {
    const Real product = x[0] * x[2];
    return std::vector<Real>{7, x[3], product, x[3], product, x[1] * x[1], x[4] - x[4], old, old * x[1], Real()};
  };
  const Vector x{2, 3, 5, 7, 11};
  Matrix dense = zeros(10, 5);
  dense[1][3] = dense[3][3] = 1;
  dense[2] = dense[4] = {5, 0, 2, 0, 0};
  dense[5][1] = 6, dense[8][1] = 9;
  check_jacobian(f, x, {{1, 3}, {2, 0}, {2, 2}, {3, 3}, {4, 0}, {4, 2}, {5, 1}, {6, 4}, {8, 1}}, dense);
}

BOOST_AUTO_TEST_CASE(nothing) {
  auto none = [](const std::vector<Real>&) { return std::vector<Real>(); };
  auto constant = [](const std::vector<Real>&) { return std::vector<Real>{1, 2}; };
  check_jacobian(none, Vector{}, {}, {});
  check_jacobian(none, Vector{1, 2}, {}, {});
  check_jacobian(constant, Vector{}, {}, zeros(2, 0));
  check_jacobian(constant, Vector{1, 2}, {}, zeros(2, 2));
  check_hessian([](const std::vector<Real>&) { return Real(3); }, Vector{}, {}, {});
  check_hessian([](const std::vector<Real>& x) { return 2 * x[0] - x[1] / 3 + 1; }, Vector{1, 2}, {}, zeros(2, 2));
  check_hessian([](const std::vector<Real>& x) { return x[1]; }, Vector{1, 2}, {}, zeros(2, 2));
}

BOOST_AUTO_TEST_CASE(containers_and_single_numbers) {
  auto product = [](const auto& x) { return x[0] * x[2]; };
  const SparseMatrix row = scalar::sparse_jacobian(product, std::array{2.0, 3.0, 5.0});
  BOOST_TEST((row.row_count == 1 && row.columns == std::vector<std::int64_t>{0, 2} && row.values == Vector{5, 2}));
  const SparseMatrix h = scalar::sparse_hessian(product, std::array{2.0, 3.0, 5.0});
  BOOST_TEST((pattern(h) == Pairs{{0, 2}, {2, 0}} && h.values == Vector{1, 1}));
  // By rows of an array of two axes.
  auto f = []<class X>(const X& x) { return xt::xarray<typename X::value_type>{x(1, 0) * x(1, 0), x(0, 1)}; };
  const SparseMatrix j = scalar::sparse_jacobian(f, xt::xarray<double>{{2, 3}, {5, 7}});
  BOOST_TEST((pattern(j) == Pairs{{0, 2}, {1, 1}} && j.values == Vector{10, 1}));
}

BOOST_AUTO_TEST_CASE(infinite_slopes_go_nowhere_else) {
  auto f = [](const std::vector<Real>& x) { return std::vector<Real>{sqrt(x[0]) + 0 * x[1], 2 * x[0], x[1]}; };
  for (Compression way : ways) {
    const Matrix j = scalar::sparse_jacobian(f, Vector{0, 1}, {.compression = way}).dense();
    BOOST_TEST((std::isinf(j[0][0]) && j[0][1] == 0 && j[1][0] == 2 && j[1][1] == 0 && j[2][0] == 0 && j[2][1] == 1));
  }
  // Both roots are one statement's: one row has it with a slope of 0.
  auto g = [](const std::vector<Real>& x) {
    const Real root = sqrt(x[0]);
    return std::vector<Real>{0 * root + x[1], root};
  };
  for (Compression way : ways) {
    const SparseMatrix j = scalar::sparse_jacobian(g, Vector{0, 1}, {.compression = way});
    if (way == Compression::columns) continue;  // 0 * infinity, as in any forward mode
    BOOST_TEST((j.dense()[0][0] == 0 && j.dense()[0][1] == 1 && std::isinf(j.dense()[1][0])));
  }
}

// Functions drawn at random: each step takes two earlier numbers, mostly late ones, or inputs.
BOOST_AUTO_TEST_CASE(random_functions) {
  std::mt19937 engine(7);
  auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(engine); };
  for (int turn = 0; turn < 60; ++turn) {
    const std::size_t n = 1 + below(40), steps = below(turn % 3 == 0 ? 3000 : 200), m = below(50);
    struct Step {
      std::size_t what, a, b;
    };
    std::vector<Step> program;
    for (std::size_t i = 0; i < steps; ++i) {
      auto operand = [&] { return below(3) ? below(n) : n + i - 1 - below(std::min<std::size_t>(n + i, 12)); };
      program.push_back({below(5), operand(), operand()});
    }
    std::vector<std::size_t> results(m);
    for (std::size_t& r : results) r = below(n + steps);
    auto numbers = [&]<class T>(const std::vector<T>& x) {
      std::vector<T> all(x);
      for (auto [what, a, b] : program) {
        if (what == 0) all.push_back(sin(all[a]) + all[b]);
        else if (what == 1) all.push_back(sin(all[a] * all[b]));
        else if (what == 2) all.push_back(cos(all[a]));
        else if (what == 3) all.push_back(T(0.5));
        else all.push_back(0.5 * all[a] - sin(all[b]) * all[a]);
      }
      return all;
    };
    auto f = [&]<class T>(const std::vector<T>& x) {
      const std::vector<T> all = numbers(x);
      std::vector<T> y;
      for (std::size_t r : results) y.push_back(all[r]);
      return y;
    };
    const Vector x = waves(n);
    const Pairs expected = pattern(scalar::sparse_jacobian(f, x, {.compression = Compression::none}));
    check_jacobian(f, x, expected, scalar::jacobian(f, x));
    if (steps > 200) continue;
    auto sum = [&]<class T>(const std::vector<T>& x) {
      T total = 0;
      for (const T& y : f(x)) total += y * y;
      return total;
    };
    const Pairs second = pattern(scalar::sparse_hessian(sum, x, {.compression = Compression::none}));
    check_hessian(sum, x, second, scalar::hessian(sum, x));
  }
}

BOOST_AUTO_TEST_CASE(patterns_are_no_larger_than_need_be) {
  // A result for each subset of 6 inputs: their product.
  auto f = []<class T>(const std::vector<T>& x) {
    std::vector<T> y;
    for (unsigned subset = 0; subset < 64; ++subset) {
      T product = 1;
      for (unsigned i = 0; i < 6; ++i)
        if (subset >> i & 1) product *= x[i];
      y.push_back(product);
    }
    return y;
  };
  Pairs expected;
  Matrix dense = zeros(64, 6);
  const Vector x{2, 3, 5, 7, 11, 13};
  for (unsigned subset = 0; subset < 64; ++subset)
    for (unsigned i = 0; i < 6; ++i)
      if (subset >> i & 1) {
        expected.emplace_back(subset, i);
        dense[subset][i] = 1;
        for (unsigned k = 0; k < 6; ++k)
          if (k != i && (subset >> k & 1)) dense[subset][i] *= x[k];
      }
  check_jacobian(f, x, expected, dense);
}

BOOST_AUTO_TEST_CASE(one_point_after_the_other) {
  // A function that branches: max(x_i, x_(i+1)).
  auto f = [](const std::vector<Real>& x) {
    std::vector<Real> y;
    for (std::size_t i = 0; i + 1 < x.size(); ++i) y.push_back(x[i] < x[i + 1] ? x[i + 1] * x[i + 1] : 3 * x[i]);
    return y;
  };
  for (Compression way : ways) {
    scalar::SparseJacobian jacobian(f, {.compression = way});
    BOOST_TEST((pattern(jacobian(Vector{1, 2, 3})) == Pairs{{0, 1}, {1, 2}}));
    BOOST_TEST(jacobian.pattern_changed());
    BOOST_TEST((jacobian.results() == Vector{4, 9}));
    BOOST_TEST((jacobian(Vector{2, 3, 4}).values == Vector{6, 8}));
    BOOST_TEST(!jacobian.pattern_changed());
    BOOST_TEST((pattern(jacobian(Vector{4, 3, 5})) == Pairs{{0, 0}, {1, 2}}));
    BOOST_TEST(jacobian.pattern_changed());
    BOOST_TEST((jacobian.matrix().values == Vector{3, 10}));
    BOOST_TEST((pattern(jacobian(Vector{1, 2, 3, 0})) == Pairs{{0, 1}, {1, 2}, {2, 2}}));
    BOOST_TEST((jacobian(Vector{1, 2}).values == Vector{4}));
    BOOST_TEST((jacobian.matrix().row_count == 1 && jacobian.matrix().column_count == 2));
  }
  auto g = [](const std::vector<Real>& x) { return x[0] < 0 ? x[0] * x[1] : x[1] * x[1] * x[1] + x[0]; };
  for (Compression way : ways) {
    scalar::SparseHessian hessian(g, {.compression = way});
    BOOST_TEST((pattern(hessian(Vector{-1, 2})) == Pairs{{0, 1}, {1, 0}}));
    BOOST_TEST((hessian.value() == -2 && hessian.gradient() == Vector{2, -1}));
    BOOST_TEST((pattern(hessian(Vector{-3, 5})) == Pairs{{0, 1}, {1, 0}} && !hessian.pattern_changed()));
    BOOST_TEST((hessian(Vector{1, 2}).values == Vector{12} && hessian.pattern_changed()));
    BOOST_TEST((hessian(Vector{1, 3}).values == Vector{18} && !hessian.pattern_changed()));
  }
}

// Whether the pattern is another one, whatever the caller did with the matrix; sizes belong to it.
BOOST_AUTO_TEST_CASE(patterns_are_compared_after_a_move) {
  auto f = [](const std::vector<Real>& x) {
    std::vector<Real> y;
    for (std::size_t i = 0; i < x.size(); ++i) y.push_back(x[i] * x[x[0] < 0 ? i : x.size() - 1]);
    return y;
  };
  auto g = [](const std::vector<Real>& x) { return x[0] < 0 ? x[0] * x[1] : x[1] * x[1]; };
  auto compare = [](auto& derivatives) {
    auto taken = [&](const Vector& x) {
      derivatives(x);
      SparseMatrix matrix = std::move(derivatives.matrix());
      return matrix.values.size();
    };
    const std::size_t count = taken(Vector{1, 2, 3});
    BOOST_TEST(derivatives.pattern_changed());
    BOOST_TEST((taken(Vector{2, 3, 4}) == count && !derivatives.pattern_changed()));
    BOOST_TEST((taken(Vector{-1, 2, 3}) != count && derivatives.pattern_changed()));
    taken(Vector{-2, 3, 4});
    BOOST_TEST(!derivatives.pattern_changed());
    derivatives.matrix() = derivatives(Vector{-2, 3, 4});
    derivatives.matrix().rows.assign(7, 0);
    derivatives(Vector{-2, 3, 4});
    BOOST_TEST(!derivatives.pattern_changed());
  };
  for (Compression way : ways) {
    scalar::SparseJacobian jacobian(f, {.compression = way});
    scalar::SparseHessian hessian(g, {.compression = way});
    compare(jacobian);
    compare(hessian);
    scalar::SparseJacobian constant([](const std::vector<Real>& x) { return std::vector<Real>(x.size() / 2, 1.0); },
                                    {.compression = way});
    for (std::size_t size : {1, 0, 2, 4, 5}) {
      constant(Vector(size, 1.0));
      BOOST_TEST(constant.pattern_changed());
      constant(Vector(size, 2.0));
      BOOST_TEST(!constant.pattern_changed());
    }
  }
}

BOOST_AUTO_TEST_CASE(an_exception_leaves_nothing_behind) {
  scalar::SparseJacobian jacobian([](const std::vector<Real>& x) {
    if (x[0] > 5) throw std::runtime_error("too large");
    return std::vector<Real>{x[0] * x[1], x[1]};
  });
  const Matrix before = jacobian(Vector{2, 3}).dense();
  BOOST_CHECK_THROW(jacobian(Vector{6, 3}), std::runtime_error);
  BOOST_TEST((jacobian.matrix().dense() == before && jacobian.results() == Vector{6, 3}));
  BOOST_TEST((jacobian(Vector{2, 3}).dense() == before));
}

BOOST_AUTO_TEST_CASE(long_computations_that_all_results_share) {
  // Row by row, these would take 40,000^2 visits. By columns there are two colors.
  const std::size_t n = 40'000;
  auto f = [](const auto& x) {
    auto chain = x[0];
    for (std::size_t i = 0; i < x.size(); ++i) chain = sin(chain) + chain * 0.5;
    std::vector<Real> y;
    for (std::size_t i = 1; i < x.size(); ++i) y.push_back(chain * x[i]);
    return y;
  };
  const Vector x = waves(n);
  scalar::SparseJacobian jacobian(f);
  const SparseMatrix j = jacobian(x);
  const Vector slope = scalar::gradient([&](const std::vector<Real>& at) { return f(at)[0] / at[1]; }, x);
  const double chain = jacobian.results()[0] / x[1];
  BOOST_REQUIRE(j.values.size() == 2 * (n - 1));
  std::size_t wrong = 0;
  for (std::size_t i = 0; i + 1 < n; ++i) {
    wrong += j.columns[2 * i] != 0 || j.columns[2 * i + 1] != static_cast<std::int64_t>(i + 1);
    wrong += std::abs(j.values[2 * i] - slope[0] * x[i + 1]) > 1e-12 || std::abs(j.values[2 * i + 1] - chain) > 1e-12;
  }
  BOOST_TEST(wrong == 0);
  BOOST_TEST((jacobian(x).values == j.values && !jacobian.pattern_changed()));
  // One dense row is no more than one sweep.
  auto sum = [](const std::vector<Real>& at) { return std::accumulate(at.begin(), at.end(), Real(0)); };
  BOOST_TEST((scalar::sparse_jacobian(sum, x).values == Vector(n, 1)));
}

BOOST_AUTO_TEST_CASE(large_and_local) {
  // 100,000 results that each depend on 15 of 100,000 inputs.
  const std::size_t n = 100'000;
  auto f = [](const std::vector<Real>& x) {
    std::vector<Real> y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      for (std::size_t k = 0; k < 15; ++k) y[i] += static_cast<double>(k + 1) * x[(i + 257 * k) % x.size()];
    return y;
  };
  const SparseMatrix j = scalar::sparse_jacobian(f, Vector(n, 1));
  BOOST_REQUIRE(j.values.size() == 15 * n);
  const Vector sums = j.times(Vector(n, 1)), transposed = j.transposed_times(Vector(n, 1));
  BOOST_TEST((sums == Vector(n, 120) && transposed == Vector(n, 120)));
  BOOST_TEST((j.columns[0] == 0 && j.columns[14] == 257 * 14 && j.values[14] == 15));
}

BOOST_AUTO_TEST_CASE(products_and_messages) {
  SparseMatrix a{2, 3, {0, 1, 1}, {2, 0, 2}, {5, 7, 11}};
  BOOST_TEST((a.times({1, 2, 3}) == Vector{15, 40} && a.transposed_times({1, 2}) == Vector{14, 0, 27}));
  BOOST_TEST((a.dense() == Matrix{{0, 0, 5}, {7, 0, 11}}));
  testing::throws<ShapeError>([&] { a.times({1, 2}); }, {"SparseMatrix: times: a vector of 2", "2 x 3", "needs 3"});
  testing::throws<ShapeError>([&] { a.transposed_times({1}); }, {"transposed_times: a vector of 1", "needs 2"});
  // Among Variables, such as for the structure of least squares.
  BOOST_TEST((Variable(a.rows).dtype() == int64 && Variable(a.columns).size() == 3));
}

BOOST_AUTO_TEST_SUITE_END()
