// L-BFGS and its line search.
#include <cmath>

#include <optim/line_search.hpp>

#include "support.hpp"

using namespace xtape;
using namespace xtape::testing;
using namespace xtape::optim;

namespace {

// Rosenbrock's function of two parameters, whose minimum lies at (1, 1).
struct Rosenbrock {
  Variable x, y;
  int calls = 0;

  explicit Rosenbrock(DType dtype = float64)
      : x(parameter(Variable({-1.2}, dtype))), y(parameter(Variable(1.0).to(dtype).copy())) {}
  std::vector<Variable> parameters() const { return {x, y}; }
  Variable operator()() {
    ++calls;
    for (const Variable& p : {x, y}) p.zero_grad();
    Variable loss = sum(100 * square(y - square(x)) + square(1 - x));
    loss.backward();
    return loss;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(lbfgs)

BOOST_AUTO_TEST_CASE(finds_the_minimum) {
  for (DType dtype : {float64, float32}) {
    Rosenbrock f(dtype);
    LBFGS lbfgs(f.parameters(), {.max_iter = 100, .tolerance_change = 0, .strong_wolfe = true});
    Variable first = lbfgs.step(std::ref(f));
    BOOST_TEST(std::abs(first.item() - 24.2) < 1e-4);
    BOOST_TEST(f.calls == lbfgs.evaluations());
    close(f.x, ones({1}, dtype), dtype == float64 ? 1e-6 : 1e-3);
    close(f.y, ones({}, dtype), dtype == float64 ? 1e-6 : 2e-3);
  }
}

// With exact lines, it needs no more steps than there are dimensions, as conjugate gradients do; lines are not exact.
BOOST_AUTO_TEST_CASE(minimizes_a_quadratic_form_in_a_few_steps) {
  seed(3);
  Variable root = randn({6, 6}, float64), b = randn({6}, float64);
  Variable a = matmul(root, transpose(root)) + eye(6, 6, float64);
  Variable x = parameter(zeros({6}, float64));
  LBFGS lbfgs({x}, {.max_iter = 40, .tolerance_grad = 1e-9, .tolerance_change = 0, .strong_wolfe = true});
  lbfgs.step([&] {
    lbfgs.zero_grad();
    Variable loss = 0.5 * dot(x, matmul(a, x)) - dot(b, x);
    loss.backward();
    return loss;
  });
  close(matmul(a, x.detach()), b, 1e-8);
}

BOOST_AUTO_TEST_CASE(keeps_to_its_limits) {
  Rosenbrock f;
  LBFGS lbfgs(f.parameters(), {.lr = 1e-3, .max_iter = 4});
  lbfgs.step(std::ref(f));
  BOOST_TEST(f.calls == 4);  // after the last iteration, nothing is evaluated
  LBFGS few(f.parameters(), {.lr = 1e-3, .max_iter = 50, .max_eval = 7});
  f.calls = 0;
  few.step(std::ref(f));
  BOOST_TEST(f.calls == 7);
}

BOOST_AUTO_TEST_CASE(parameters_without_a_gradient_stay) {
  Variable x = parameter(ones({2}, float64)), y = parameter(ones({3}, float64));
  LBFGS lbfgs({x, y});
  lbfgs.step([&] {
    lbfgs.zero_grad();
    Variable loss = sum(square(x));
    loss.backward();
    return loss;
  });
  close(y, ones({3}, float64));
  close(x, zeros({2}, float64), 1e-6);
}

BOOST_AUTO_TEST_CASE(a_minimum_is_left_alone) {
  Variable x = parameter(zeros({2}));
  LBFGS lbfgs({x});
  int calls = 0;
  lbfgs.step([&] {
    ++calls;
    lbfgs.zero_grad();
    Variable loss = sum(square(x));
    loss.backward();
    return loss;
  });
  BOOST_TEST(calls == 1);
  close(x, zeros({2}));
}

BOOST_AUTO_TEST_CASE(states_go_on_to_the_same_bits) {
  for (DType dtype : {float64, float32}) {
    auto run = [&](bool interrupted) {
      Rosenbrock f(dtype);
      auto lbfgs = std::make_unique<LBFGS>(
          f.parameters(), LBFGSOptions{.lr = 0.5, .max_iter = 3, .history_size = 4, .strong_wolfe = true});
      if (interrupted) {
        StateDict fresh = lbfgs->state_dict();
        lbfgs->load_state_dict(fresh);
        same(lbfgs->state_dict(), fresh);
      }
      for (int t = 0; t < 6; ++t) {
        if (interrupted) {
          StateDict state = lbfgs->state_dict();
          lbfgs = std::make_unique<LBFGS>(f.parameters());
          lbfgs->load_state_dict(state);
          same(lbfgs->state_dict(), state);
        }
        lbfgs->step(std::ref(f));
      }
      return f.parameters();
    };
    same(run(false), run(true));
  }
}

BOOST_AUTO_TEST_CASE(states_that_do_not_fit_change_nothing) {
  Rosenbrock f;
  LBFGS lbfgs(f.parameters(), {.lr = 1e-3, .max_iter = 3});
  lbfgs.step(std::ref(f));
  StateDict before = lbfgs.state_dict(), state = before;
  state.erase("direction");
  state["history_steps"] = zeros({5, 2}, float64);
  throws<ValueError>([&] { lbfgs.load_state_dict(state); },
                     {"LBFGS: load_state_dict", "missing: direction, float64(2,)", "history_steps: got float64(5, 2)"});
  state = before;
  state["history_size"] = zeros({1}, float64);
  state["iterations"] = Variable{-1}.to(int64);
  state["scale"] = Variable({NAN}, float64);
  throws<ValueError>([&] { lbfgs.load_state_dict(state); }, {"history_size is 0", "iterations is -1", "scale is nan"});
  same(lbfgs.state_dict(), before);
}

BOOST_AUTO_TEST_CASE(an_exception_from_the_closure_changes_nothing) {
  for (bool strong_wolfe : {false, true}) {
    Rosenbrock f;
    LBFGS lbfgs(f.parameters(), {.lr = 1e-3, .max_iter = 5, .strong_wolfe = strong_wolfe});
    lbfgs.step(std::ref(f));
    StateDict before = lbfgs.state_dict();
    auto values = copies(f.parameters());
    int left = 3;
    auto failing = [&] {
      if (--left == 0) throw std::runtime_error("the closure fails");
      return f();
    };
    BOOST_CHECK_THROW(lbfgs.step(failing), std::runtime_error);
    BOOST_TEST(left == 0);
    same(copies(f.parameters()), values);
    same(lbfgs.state_dict(), before);
  }
}

BOOST_AUTO_TEST_CASE(misuse) {
  Rosenbrock f;
  LBFGS lbfgs(f.parameters());
  Optimizer& base = lbfgs;
  throws<ValueError>([&] { base.step(); }, {"LBFGS: step: needs a closure"});
  throws<ValueError>([&] { base.step([] { return Variable(); }); }, {"LBFGS: step: the closure returned an undefined"});
  throws<DTypeError>([&] { LBFGS({f.x, parameter(ones({2}))}); }, {"LBFGS: parameters of float64 and float32"});
}

// Wolfe's conditions hold at what the search finds, wherever it begins.
BOOST_AUTO_TEST_CASE(the_line_search_satisfies_its_conditions) {
  auto f = [](double t) { return std::pow(t - 2, 4) - 3 * t + std::sin(3 * t); };
  auto slope = [](double t) { return 4 * std::pow(t - 2, 3) - 3 + 3 * std::cos(3 * t); };
  auto at = [&](double t) { return LinePoint{.t = t, .loss = f(t), .gradient = {}, .slope = slope(t)}; };
  for (double first : {1e-3, 0.1, 1.0, 3.0, 10.0, 1000.0}) {
    LinePoint found = strong_wolfe(at, at(0), first, 1);
    BOOST_TEST(found.loss == f(found.t));
    BOOST_TEST(found.loss <= f(0) + 1e-4 * found.t * slope(0));
    BOOST_TEST(std::abs(found.slope) <= 0.9 * std::abs(slope(0)));
  }
}

// Beyond a barrier there is no loss, or an infinite one: the search comes back from there.
BOOST_AUTO_TEST_CASE(the_line_search_stays_where_the_loss_is_finite) {
  for (double beyond : std::vector<double>{NAN, INFINITY, -INFINITY}) {
    Variable x = parameter(Variable({0.5}, float64));
    LBFGS lbfgs({x}, {.strong_wolfe = true});
    auto barrier = [&] {
      lbfgs.zero_grad();
      Variable loss = sum(-100 * x - 0.001 * log(1 - x));
      loss.backward();
      return x.item() < 1 ? loss : Variable(full({}, beyond, float64));
    };
    for (int t = 0; t < 3; ++t) lbfgs.step(barrier);
    BOOST_TEST(x.item() < 1);
    BOOST_TEST(x.item() > 0.9999);
  }
}

BOOST_AUTO_TEST_CASE(the_line_search_gives_up_on_an_endless_descent) {
  int calls = 0;
  auto line = [&](double t) {
    ++calls;
    return LinePoint{.t = t, .loss = -t, .gradient = {}, .slope = -1};
  };
  LinePoint found = strong_wolfe(line, {.t = 0, .loss = 0, .gradient = {}, .slope = -1}, 1, 1, {.max_steps = 6});
  BOOST_TEST(calls == 7);
  BOOST_TEST(found.loss < 0);
}

BOOST_AUTO_TEST_SUITE_END()
