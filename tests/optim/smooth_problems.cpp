#include "smooth_problems.hpp"

#include <cmath>
#include <numbers>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

namespace xtape::testing {
namespace {

Variable vector(std::vector<double> values) { return Variable(std::move(values)); }
// first, first + 1, ..., of so many.
Variable count(int first, int size) { return arange(first, first + size).to(float64); }

SmoothProblem rosenbrock() {
  return {"Rosenbrock", vector({-1.2, 1}), {0},
          [](const Variable& x) { return stack({10 * (x[1] - square(x[0])), 1 - x[0]}); }};
}

SmoothProblem freudenstein_roth() {
  return {"Freudenstein and Roth", vector({0.5, -2}), {0, 48.9842}, [](const Variable& x) {
            return stack({-13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1], -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]});
          }};
}

SmoothProblem powell_badly_scaled() {
  return {"Powell badly scaled", vector({0, 1}), {0},
          [](const Variable& x) { return stack({1e4 * x[0] * x[1] - 1, exp(-x[0]) + exp(-x[1]) - 1.0001}); }};
}

SmoothProblem brown_badly_scaled() {
  return {"Brown badly scaled", vector({1, 1}), {0},
          [](const Variable& x) { return stack({x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2}); }};
}

SmoothProblem beale() {
  return {"Beale", vector({1, 1}), {0}, [](const Variable& x) {
            return vector({1.5, 2.25, 2.625}) - x[0] * (1 - pow(x[1], vector({1, 2, 3})));
          }};
}

SmoothProblem jennrich_sampson() {
  return {"Jennrich and Sampson", vector({0.3, 0.4}), {124.362}, [](const Variable& x) {
            Variable i = count(1, 10);
            return 2 + 2 * i - (exp(i * x[0]) + exp(i * x[1]));
          }};
}

SmoothProblem helical_valley() {
  return {"Helical valley", vector({-1, 0, 0}), {0}, [](const Variable& x) {
            Variable theta = atan(x[1] / x[0]) / (2 * std::numbers::pi) + 0.5 * (x[0] < 0.0).to(float64);
            return stack({10 * (x[2] - 10 * theta), 10 * (sqrt(square(x[0]) + square(x[1])) - 1), x[2].copy()});
          }};
}

SmoothProblem bard() {
  return {"Bard", vector({1, 1, 1}), {8.21487e-3}, [](const Variable& x) {
            Variable y = vector({0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96,
                                 1.34, 2.10, 4.39});
            Variable u = count(1, 15), v = 16 - u, w = minimum(u, v);
            return y - (x[0] + u / (v * x[1] + w * x[2]));
          }};
}

SmoothProblem gaussian() {
  return {"Gaussian", vector({0.4, 1, 0}), {1.12793e-8}, [](const Variable& x) {
            Variable y = vector({0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989, 0.3521, 0.2420, 0.1295,
                                 0.0540, 0.0175, 0.0044, 0.0009});
            Variable t = (8 - count(1, 15)) / 2;
            return x[0] * exp(-x[1] * square(t - x[2]) / 2) - y;
          }};
}

SmoothProblem meyer() {
  return {"Meyer", vector({0.02, 4000, 250}), {87.9458}, [](const Variable& x) {
            Variable y = vector({34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427,
                                 3820, 3307, 2872});
            return x[0] * exp(x[1] / (45 + 5 * count(1, 16) + x[2])) - y;
          }};
}

SmoothProblem box() {
  return {"Box", vector({0, 10, 20}), {0}, [](const Variable& x) {
            Variable t = 0.1 * count(1, 10);
            return exp(-t * x[0]) - exp(-t * x[1]) - x[2] * (exp(-t) - exp(-10 * t));
          }};
}

SmoothProblem powell_singular() {
  return {"Powell singular", vector({3, -1, 0, 1}), {0}, [](const Variable& x) {
            return stack({x[0] + 10 * x[1], std::sqrt(5) * (x[2] - x[3]), square(x[1] - 2 * x[2]),
                          std::sqrt(10) * square(x[0] - x[3])});
          }};
}

SmoothProblem wood() {
  return {"Wood", vector({-3, -1, -3, -1}), {0}, [](const Variable& x) {
            return stack({10 * (x[1] - square(x[0])), 1 - x[0], std::sqrt(90) * (x[3] - square(x[2])), 1 - x[2],
                          std::sqrt(10) * (x[1] + x[3] - 2), (x[1] - x[3]) / std::sqrt(10)});
          }};
}

SmoothProblem kowalik_osborne() {
  return {"Kowalik and Osborne", vector({0.25, 0.39, 0.415, 0.39}), {3.07505e-4, 1.02734e-3}, [](const Variable& x) {
            Variable y = vector({0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323,
                                 0.0235, 0.0246});
            Variable u = vector({4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625});
            return y - x[0] * (square(u) + u * x[1]) / (square(u) + u * x[2] + x[3]);
          }};
}

SmoothProblem brown_dennis() {
  return {"Brown and Dennis", vector({25, 5, -5, -1}), {85822.2}, [](const Variable& x) {
            Variable t = count(1, 20) / 5;
            return square(x[0] + t * x[1] - exp(t)) + square(x[2] + x[3] * sin(t) - cos(t));
          }};
}

SmoothProblem osborne_1() {
  return {"Osborne 1", vector({0.5, 1.5, -1, 0.01, 0.02}), {5.46489e-5}, [](const Variable& x) {
            Variable y = vector({0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751,
                                 0.718, 0.685, 0.658, 0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490,
                                 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406});
            Variable t = 10 * count(0, 33);
            return y - (x[0] + x[1] * exp(-t * x[3]) + x[2] * exp(-t * x[4]));
          }};
}

SmoothProblem biggs() {
  return {"Biggs", vector({1, 2, 1, 1, 1, 1}), {0, 5.65565e-3}, [](const Variable& x) {
            Variable t = 0.1 * count(1, 13), y = exp(-t) - 5 * exp(-10 * t) + 3 * exp(-4 * t);
            return x[2] * exp(-t * x[0]) - x[3] * exp(-t * x[1]) + x[5] * exp(-t * x[4]) - y;
          }};
}

SmoothProblem osborne_2() {
  return {"Osborne 2", vector({1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5}), {4.01377e-2}, [](const Variable& x) {
            Variable y = vector(
                {1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608,
                 0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661,
                 0.612, 0.558, 0.533, 0.495, 0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428,
                 0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559,
                 0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054});
            Variable t = count(0, 65) / 10;
            return y - (x[0] * exp(-t * x[4]) + x[1] * exp(-square(t - x[8]) * x[5]) +
                        x[2] * exp(-square(t - x[9]) * x[6]) + x[3] * exp(-square(t - x[10]) * x[7]));
          }};
}

SmoothProblem watson(int n, double least) {
  return {"Watson " + std::to_string(n), zeros({n}, float64), {least}, [n](const Variable& x) {
            Variable t = expand_dims(count(1, 29) / 29, 1), j = count(0, n);
            Variable slopes = sum((j * x)[range(1, n)] * pow(t, j[range(0, n - 1)]), 1);
            Variable values = sum(x * pow(t, j), 1);
            return concatenate({slopes - square(values) - 1, stack({x[0].copy(), x[1] - square(x[0]) - 1})});
          }};
}

SmoothProblem penalty_1(int n, double least) {
  return {"Penalty I " + std::to_string(n), count(1, n), {least}, [](const Variable& x) {
            return concatenate({std::sqrt(1e-5) * (x - 1), (sum(square(x)) - 0.25).reshape({1})});
          }};
}

SmoothProblem variably_dimensioned(int n) {
  return {"Variably dimensioned", 1 - count(1, n) / n, {0}, [n](const Variable& x) {
            Variable s = dot(count(1, n), x - 1).reshape({1});
            return concatenate({x - 1, s, square(s)});
          }};
}

SmoothProblem chebyquad(int n, double least) {
  return {"Chebyquad " + std::to_string(n), count(1, n) / (n + 1), {least}, [n](const Variable& x) {
            std::vector<Variable> residuals;
            Variable before = ones_like(x), at = 2 * x - 1;
            for (int i = 1; i <= n; ++i) {
              residuals.push_back(mean(at) - (i % 2 == 0 ? -1.0 / (i * i - 1) : 0.0));
              Variable next = 2 * (2 * x - 1) * at - before;
              before = at;
              at = next;
            }
            return stack(residuals);
          }};
}

SmoothProblem linear_full_rank(int m, int n) {
  return {"Linear, full rank", ones({n}, float64), {static_cast<double>(m - n)}, [m, n](const Variable& x) {
            return concatenate({x, zeros({m - n}, float64)}) - 2.0 / m * sum(x) - 1;
          }};
}

SmoothProblem linear_rank_1(int m, int n) {
  return {"Linear, rank 1", ones({n}, float64), {m * (m - 1) / (2.0 * (2 * m + 1))},
          [m, n](const Variable& x) { return count(1, m) * dot(count(1, n), x) - 1; }};
}

// x with a 0 on either side.
Variable bordered(const Variable& x) {
  Variable zero = zeros({1}, float64);
  return concatenate({zero, x, zero});
}

}  // namespace

SmoothProblem broyden_tridiagonal(std::size_t n) {
  return {"Broyden tridiagonal", -ones({n}, float64), {0}, [](const Variable& x) {
            auto n = static_cast<std::ptrdiff_t>(x.size());
            Variable y = bordered(x);
            return (3 - 2 * x) * x - y[range(0, n)] - 2 * y[range(2, n + 2)] + 1;
          }};
}

SmoothProblem discrete_boundary_value(std::size_t size) {
  Variable t = count(1, static_cast<int>(size)) / static_cast<double>(size + 1);
  return {"Discrete boundary value", t * (t - 1), {0}, [t](const Variable& x) {
            auto n = static_cast<std::ptrdiff_t>(x.size());
            double h = 1.0 / static_cast<double>(n + 1);
            Variable y = bordered(x), u = x + t + 1;
            return 2 * x - y[range(0, n)] - y[range(2, n + 2)] + h * h / 2 * u * square(u);
          }};
}

const std::vector<SmoothProblem>& smooth_problems() {
  static const std::vector<SmoothProblem> problems{
      rosenbrock(), freudenstein_roth(), powell_badly_scaled(), brown_badly_scaled(), beale(), jennrich_sampson(),
      helical_valley(), bard(), gaussian(), meyer(), box(), powell_singular(), wood(), kowalik_osborne(),
      brown_dennis(), osborne_1(), biggs(), osborne_2(), watson(6, 2.28767e-3), watson(9, 1.39976e-6),
      penalty_1(4, 2.24997e-5), penalty_1(10, 7.08765e-5), variably_dimensioned(10), discrete_boundary_value(10),
      broyden_tridiagonal(10), linear_full_rank(20, 5), linear_rank_1(20, 5), chebyquad(8, 3.51687e-3)};
  return problems;
}

const SmoothProblem& smooth_problem(const std::string& name) {
  for (const SmoothProblem& problem : smooth_problems())
    if (problem.name == name) return problem;
  BOOST_FAIL("there is no problem " << name);
  return smooth_problems().front();
}

}  // namespace xtape::testing
