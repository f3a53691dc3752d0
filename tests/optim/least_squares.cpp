// Nonlinear least squares.
#include <cmath>

#include "smooth_problems.hpp"
#include "support.hpp"

using namespace xtape;
using namespace xtape::testing;
using namespace xtape::optim;

namespace {

// Where the elements of a matrix with three diagonals stand.
JacobianStructure tridiagonal(int n) {
  std::vector<std::int64_t> rows, columns;
  for (int i = 0; i < n; ++i)
    for (int j = std::max(0, i - 1); j < std::min(n, i + 2); ++j) rows.push_back(i), columns.push_back(j);
  return {.rows = Variable(std::move(rows)), .columns = Variable(std::move(columns))};
}

Variable rosenbrock(const Variable& x) { return stack({10 * (x[1] - square(x[0])), 1 - x[0]}); }
const Variable rosenbrock_start({-1.2, 1}, float64);

}  // namespace

BOOST_AUTO_TEST_SUITE(least_squares_problems)

BOOST_AUTO_TEST_CASE(more_garbow_and_hillstrom) {
  for (const SmoothProblem& problem : smooth_problems()) {
    LeastSquaresResult result = least_squares(problem.residuals, problem.start);
    BOOST_TEST(result.converged, problem.name << ": " << result.message);
    BOOST_TEST(is_among(result.value, problem.minima, 1e-10),
               problem.name << ": " << result.value << ": " << result.message);
    same(result.residuals, problem.residuals(result.x[0]));
    BOOST_TEST(result.evaluations < (problem.name == "Brown and Dennis" ? 300 : 160), problem.name);
  }
}

// From ten times as far, as the paper has it, too.
BOOST_AUTO_TEST_CASE(far_starts) {
  for (const char* name : {"Rosenbrock", "Helical valley", "Powell singular", "Bard", "Brown and Dennis", "Gaussian"}) {
    const SmoothProblem& problem = smooth_problem(name);
    LeastSquaresResult result = least_squares(problem.residuals, 10 * problem.start);
    std::vector<double> minima = problem.minima;
    if (problem.name == "Bard") minima.push_back(17.4286);  // where two unknowns are infinite
    BOOST_TEST(is_among(result.value, minima, 1e-10), name << ": " << result.value << ": " << result.message);
  }
}

// The same steps, but for rounding, with a few columns at a time.
BOOST_AUTO_TEST_CASE(sparse_jacobians) {
  for (const SmoothProblem& problem : {broyden_tridiagonal(150), discrete_boundary_value(150)}) {
    LeastSquaresResult dense = least_squares(problem.residuals, problem.start);
    LeastSquaresResult sparse = least_squares(problem.residuals, problem.start, {.structure = tridiagonal(150)});
    BOOST_TEST(sparse.converged, sparse.message);
    BOOST_TEST(is_among(sparse.value, {0}, 1e-10));
    close(sparse.x[0], dense.x[0], 1e-7);
    BOOST_TEST(sparse.evaluations <= dense.evaluations + 2);
  }
  for (const SmoothProblem& problem : smooth_problems()) {
    if (problem.name == "Meyer" || problem.name == "Powell badly scaled") continue;  // for conjugate gradients
    auto m = static_cast<std::int64_t>(problem.residuals(problem.start).size());
    auto n = static_cast<std::int64_t>(problem.start.size());
    Variable all = arange(m * n);
    JacobianStructure full{.rows = floor_divide(all, n), .columns = remainder(all, n)};
    LeastSquaresResult result = least_squares(problem.residuals, problem.start, {.structure = full});
    BOOST_TEST(is_among(result.value, problem.minima, 1e-10),
               problem.name << ": " << result.value << ": " << result.message);
  }
}

// Whatever element a structure lacks: its row may have another one of its group, its column may have none.
BOOST_AUTO_TEST_CASE(structures_that_lack_an_element) {
  auto line = [](const Variable& x) { return stack({x[0] - 1, x[1] - 2, x[0] + x[1] - 3.3}); };
  auto plane = [](const Variable& x) { return stack({x[0] - 2 * x[1] - 1, x[0] - 3}); };
  struct Case {
    Callable f;
    std::vector<std::pair<std::int64_t, std::int64_t>> elements;
  };
  auto solved = [](const Callable& f, const auto& elements, DType dtype) {
    std::vector<std::int64_t> rows, columns;
    for (auto [row, column] : elements) rows.push_back(row), columns.push_back(column);
    return least_squares(f, zeros({2}, dtype), {.structure = {.rows = Variable(rows).to(int64),
                                                              .columns = Variable(columns).to(int64)}});
  };
  for (DType dtype : {float32, float64})
    for (const Case& each : {Case{line, {{0, 0}, {1, 1}, {2, 0}, {2, 1}}}, Case{plane, {{0, 0}, {0, 1}, {1, 0}}}}) {
      close(solved(each.f, each.elements, dtype).x[0].to(float64),
            each.elements.size() == 4 ? Variable({1.1, 2.1}, float64) : Variable({3, 1}, float64), 1e-4);
      // All structures with fewer elements.
      for (std::size_t kept = 0; kept + 1 < std::size_t{1} << each.elements.size(); ++kept) {
        auto elements = each.elements;
        for (std::size_t k = elements.size(); k-- > 0;)
          if (!(kept >> k & 1)) elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(k));
        throws<ValueError>([&] { solved(each.f, elements, dtype); },
                           {"least_squares: structure: lacks an element of row", "not 0"});
      }
    }
  // One that is missed on the way only.
  auto branch = [](const Variable& x) {
    return stack({x[0] - 1, 2 * x[1] - 1, where(x[0] < 0.5, x[0], x[0] + x[1]) - 3});
  };
  throws<ValueError>([&] { solved(branch, std::vector<std::pair<int, int>>{{0, 0}, {1, 1}, {2, 0}}, float64); },
                     {"lacks an element of row 2"});
}

// The derivatives' rounding is no missing element, though a thousandfold of what is left of them.
BOOST_AUTO_TEST_CASE(structures_of_derivatives_that_cancel) {
  for (DType dtype : {float32, float64}) {
    auto f = [](const Variable& x) { return 1000.1 * x - 999.3 * x + 0.1 * square(x) - 1; };
    Variable all = arange(20);
    LeastSquaresResult result = least_squares(f, zeros({20}, dtype), {.structure = {.rows = all, .columns = all}});
    BOOST_TEST(result.converged);
    close(result.x[0].to(float64), full({20}, std::sqrt(26.0) - 4, float64), 1e-3);
    // A double root, where all of the derivative cancels.
    auto square_of_difference = [](const Variable& x) { return x * x - 2 * x + 1; };
    result = least_squares(square_of_difference, zeros({20}, dtype),
                           {.gradient_tolerance = 0, .value_tolerance = 0, .step_tolerance = 0,
                            .structure = {.rows = all, .columns = all}});
    close(result.x[0].to(float64), ones({20}, float64), dtype == float32 ? 1e-2 : 1e-6);
  }
}

// Where residuals or derivatives are small or large, but not their squares.
BOOST_AUTO_TEST_CASE(scales) {
  for (bool sparse : {false, true}) {
    Variable all = arange(2);
    LeastSquaresOptions options{.structure = sparse ? JacobianStructure{.rows = all, .columns = all}
                                                    : JacobianStructure{}};
    for (double scale : {1e-145, 1e-100, 1e100, 1e150}) {
      LeastSquaresResult result = least_squares([&](const Variable& x) { return scale * (x - 3); },
                                                zeros({2}, float64), options);
      BOOST_TEST(result.converged);
      close(result.x[0], full({2}, 3, float64), 1e-6);
    }
    for (double slope : {1e-170, 1e170}) {
      LeastSquaresResult result = least_squares([&](const Variable& x) { return slope * x - 1; }, zeros({2}, float64),
                                                options);
      BOOST_TEST(result.converged);
      close(slope * result.x[0], ones({2}, float64), 1e-6);
    }
    auto says = [&](double scale, const char* message) {
      throws<ValueError>([&] {
        least_squares([&](const Variable& x) { return scale * (x - 3); }, zeros({2}, float64), options);
      }, {"least_squares: the squares of the residuals ", message, "scale the residuals"});
    };
    says(1e-170, "underflow at the start, up to 3e-170");
    says(1e160, "overflow at the start, up to 3e+160");
  }
}

// Fewer residuals than unknowns: any solution will do.
BOOST_AUTO_TEST_CASE(fewer_residuals_than_unknowns) {
  auto f = [](const Variable& x, const Variable& y) { return stack({sum(square(x)) - 4, dot(x, y) - 1}); };
  for (bool sparse : {false, true}) {
    Variable all = arange(12);
    JacobianStructure full{.rows = floor_divide(all, 6), .columns = remainder(all, 6)};
    LeastSquaresResult result = least_squares(f, {ones({3}, float64), Variable({1, -1, 0.5}, float64)},
                                              {.structure = sparse ? full : JacobianStructure{}});
    BOOST_TEST(result.converged);
    BOOST_TEST(result.value < 1e-12);
  }
}

// Columns that are 0, or the same: the damping chooses among the solutions, even where it has become tiny.
BOOST_AUTO_TEST_CASE(columns_may_depend_on_each_other) {
  auto f = [](const Variable& x, const Variable&) {
    return concatenate({square(x[0] + x[1] - 3) * x, stack({x[0] - x[1]})});
  };
  LeastSquaresResult result = least_squares(f, {Variable({9, 4}, float64), ones({3}, float64)},
                                            {.gradient_tolerance = 0, .value_tolerance = 0, .step_tolerance = 0,
                                             .max_iterations = 200});
  BOOST_TEST(result.value < 1e-20);
  same(result.x[1], ones({3}, float64));
}

BOOST_AUTO_TEST_CASE(fits_a_curve_in_any_dtype) {
  Variable t = linspace(0, 2, 40, float64), a = full({}, 3, float64), b = full({}, 1.5, float64);
  for (DType dtype : {float64, float32}) {
    Variable times = t.to(dtype), y = (a * exp(-b * t)).to(dtype), unused = Variable{1, 2}.to(int64);
    auto f = [&](const Variable& a, const Variable& b, const Variable&) {
      return (a * exp(-b * times) - y).reshape({8, 5});
    };
    LeastSquaresResult result = least_squares(f, {ones({}, dtype), ones({}, dtype), unused});
    BOOST_TEST(result.converged, result.message);
    close(result.x[0], full({}, 3, dtype), dtype == float64 ? 1e-8 : 1e-5);
    close(result.x[1], full({}, 1.5, dtype), dtype == float64 ? 1e-8 : 1e-5);
    same(result.x[2], unused);
    BOOST_TEST((result.residuals.shape() == Shape{8, 5}));
    BOOST_TEST(result.residuals.dtype() == dtype);
  }
}

BOOST_AUTO_TEST_CASE(says_why_it_stopped) {
  auto run = [](const LeastSquaresOptions& options) {
    return least_squares(smooth_problem("Bard").residuals, smooth_problem("Bard").start, options);
  };
  LeastSquaresResult result = run({.gradient_tolerance = 1e-3, .value_tolerance = 0, .step_tolerance = 0});
  BOOST_TEST((result.reason == Stop::gradient_tolerance && result.converged));
  result = run({.gradient_tolerance = 0, .value_tolerance = 1e-2, .step_tolerance = 0});
  BOOST_TEST((result.reason == Stop::value_tolerance && result.converged));
  result = run({.gradient_tolerance = 0, .value_tolerance = 0, .step_tolerance = 1e-2});
  BOOST_TEST((result.reason == Stop::step_tolerance && result.converged));
  BOOST_TEST(result.message == "A step was no longer than step_tolerance.");
  result = run({.gradient_tolerance = 0, .value_tolerance = 0, .step_tolerance = 0});
  BOOST_TEST((result.reason == Stop::no_descent && !result.converged));
  result = run({.max_iterations = 2});
  BOOST_TEST((result.reason == Stop::max_iterations && !result.converged && result.iterations == 2));
  result = run({.max_evaluations = 2});
  BOOST_TEST((result.reason == Stop::max_evaluations && !result.converged && result.evaluations == 2));
  // More in either direction, which the derivative denies.
  auto wrong = [](const Variable& x) { return 1 + 2 * abs(x).detach() - x; };
  result = least_squares(wrong, zeros({1}, float64), {.value_tolerance = 0, .step_tolerance = 0});
  BOOST_TEST((result.reason == Stop::no_descent && !result.converged && result.x[0].item() == 0));
  result = least_squares(rosenbrock, ones({2}, float64));
  BOOST_TEST((result.converged && result.iterations == 0 && result.value == 0));
}

// Outside, there are no residuals, or no derivatives.
BOOST_AUTO_TEST_CASE(stays_where_residuals_are_finite) {
  auto logarithms = [](const Variable& x) { return log(x) - Variable({-3, 2}, float64); };
  LeastSquaresResult result = least_squares(logarithms, Variable({1, 1e-3}, float64));
  close(result.x[0], exp(Variable({-3, 2}, float64)), 1e-8);
  // At 0 the root is finite, its derivative is not.
  auto root = [](const Variable& x) { return stack({sqrt(relu(x)) - 0.1, 0.01 * x}); };
  result = least_squares(root, full({}, 4, float64));
  BOOST_TEST(std::isfinite(result.value));
  BOOST_TEST(std::abs(result.x[0].item() - 0.01) < 1e-3);
}

BOOST_AUTO_TEST_CASE(leaves_the_caller_alone) {
  Variable x0 = parameter(rosenbrock_start.copy()), scale = parameter(Variable(2.0).to(float64).copy());
  auto f = [&](const Variable& x) { return scale * rosenbrock(x); };
  LeastSquaresResult result = least_squares(f, x0);
  BOOST_TEST(grad_enabled());
  BOOST_TEST((!result.x[0].requires_grad() && !result.residuals.requires_grad()));
  BOOST_TEST((!x0.grad().defined() && !scale.grad().defined()));
  same(x0, rosenbrock_start);
  NoGrad guard;
  same(least_squares(f, x0).x, result.x);
  BOOST_TEST(!grad_enabled());
  Variable counts({1, 2}, int64);
  auto counting = [&](const Variable& x, const Variable& counts) {
    Variable n = counts;
    n += 1;
    return x - n.to(float64);
  };
  result = least_squares(counting, {zeros({2}, float64), counts});
  close(result.x[0], Variable({2, 3}, float64), 1e-6);
  same(result.x[1], counts);
  same(counts, Variable({1, 2}, int64));
  int left = 4;
  auto failing = [&](const Variable& x) {
    if (--left == 0) throw std::runtime_error("the function fails");
    return rosenbrock(x);
  };
  BOOST_CHECK_THROW(least_squares(failing, x0), std::runtime_error);
  same(x0, rosenbrock_start);
}

BOOST_AUTO_TEST_CASE(misuse) {
  auto refuses = [&](const LeastSquaresOptions& options, const char* message) {
    throws<ValueError>([&] { least_squares(rosenbrock, rosenbrock_start, options); }, {"least_squares: ", message});
  };
  refuses({.gradient_tolerance = NAN}, "gradient_tolerance is nan, needs 0 or more");
  refuses({.value_tolerance = -1}, "value_tolerance is -1, needs 0 or more");
  refuses({.step_tolerance = NAN}, "step_tolerance is nan");
  refuses({.max_iterations = 0}, "max_iterations is 0, needs 1 or more");
  refuses({.max_evaluations = 0}, "max_evaluations is 0, needs 1 or more");
  refuses({.damping = 0}, "damping is 0, needs more than 0");
  Variable none, zero = zeros({1}, int64);
  refuses({.structure = {.rows = zero}}, "structure: needs both rows and columns");
  refuses({.structure = {.rows = Variable{2}.to(int64), .columns = zero}}, "structure: rows have 2, needs 0 to 1");
  refuses({.structure = {.rows = zero, .columns = zero}}, "structure: lacks an element of row");
  throws<DTypeError>([&] {
    least_squares(rosenbrock, rosenbrock_start, {.structure = {.rows = ones({1}), .columns = zero}});
  }, {"least_squares: structure: rows are float32(1,), needs int64"});
  throws<ShapeError>([&] {
    least_squares(rosenbrock, rosenbrock_start, {.structure = {.rows = zeros({1, 1}, int64), .columns = zero}});
  }, {"least_squares: structure: rows have shape (1, 1), needs one axis"});
  throws<ShapeError>([&] {
    least_squares(rosenbrock, rosenbrock_start, {.structure = {.rows = zeros({2}, int64), .columns = zero}});
  }, {"least_squares: structure: 2 rows for 1 columns"});
  Variable x = ones({2}, float64);
  throws<ValueError>([&] { least_squares(rosenbrock, none); }, {"least_squares: input 0 is undefined"});
  throws<ValueError>([&] { least_squares([](const Variable& x) { return log(-x); }, x); },
                     {"least_squares: the residuals are not finite at the start"});
  throws<ValueError>([&] { least_squares([](const Variable& x) { return sqrt(x); }, 0 * x); },
                     {"least_squares: the derivatives are not finite at the start"});
  throws<ValueError>([&] { least_squares([](const Variable&) { return zeros({0}); }, x); },
                     {"least_squares: the function returned no residuals"});
  throws<ValueError>([&] { least_squares([](const Variable&) { return Variable(); }, x); },
                     {"least_squares: the function returned an undefined Variable"});
  throws<DTypeError>([&] { least_squares([](const Variable&) { return zeros({2}, int64); }, x); },
                     {"least_squares: the function's value is int64(2,)"});
  int calls = 0;
  auto changing = [&](const Variable& x) { return ++calls < 3 ? x : concatenate({x, x}); };
  throws<ShapeError>([&] { least_squares(changing, x); },
                     {"least_squares: the function's value has shape (4,), and had (2,)"});
}

BOOST_AUTO_TEST_SUITE_END()
