// Derivatives of functions that capture what other derivatives are taken by, against closed forms.
#include <functional>
#include <map>
#include <string>
#include <thread>

#include <autograd/autograd.hpp>
#include <autograd/function.hpp>
#include <nn/linear.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::close;

namespace {

using Elementwise = std::function<Variable(const Variable&)>;

Variable numbers(std::initializer_list<Nested> values) { return Variable(values, float64); }

// Each transform as an operator: the derivative, of its order, of a function that works element by element.
struct Operator {
  const char* name;
  int order;
  std::function<Variable(const Elementwise& f, const Variable& x)> derivative;
};

Callable sum_of(const Elementwise& f) {
  return [&f](const Variable& x) { return sum(f(x)); };
}

const std::vector<Operator> operators = {
    {"grad", 1, [](auto& f, auto& x) { return grad(sum_of(f), {x})[0]; }},
    {"value_and_grad", 1, [](auto& f, auto& x) { return value_and_grad(sum_of(f), {x}).grads[0]; }},
    {"vjp", 1, [](auto& f, auto& x) { return vjp(f, {x}, ones_like(x)).grads[0]; }},
    {"jvp", 1, [](auto& f, auto& x) { return jvp(f, {x}, {ones_like(x)}).tangent; }},
    {"jacobian", 1, [](auto& f, auto& x) { return sum(jacobian(f, {x})[0], 1); }},
    {"hessian", 2, [](auto& f, auto& x) { return sum(hessian(sum_of(f), {x})[0][0], 1); }},
    {"hvp", 2, [](auto& f, auto& x) { return hvp(sum_of(f), {x}, {ones_like(x)}).grads[0]; }},
};

// The derivative of x^n, of an order up to n.
Variable power(const Variable& x, int n, int order = 0) {
  double factor = 1;
  for (int k = 0; k < order; ++k) factor *= n - k;
  return factor * pow(x, n - order);
}

// Of those with a direction, the derivative in it.
struct Directional {
  const char* name;
  int order;
  std::function<Variable(const Elementwise& f, const Variable& x, const Variable& v)> derivative;
};

const std::vector<Directional> directionals = {
    {"vjp", 1, [](auto& f, auto& x, auto& v) { return vjp(f, {x}, v).grads[0]; }},
    {"jvp", 1, [](auto& f, auto& x, auto& v) { return jvp(f, {x}, {v}).tangent; }},
    {"hvp", 2, [](auto& f, auto& x, auto& v) { return hvp(sum_of(f), {x}, {v}).grads[0]; }},
};

const Variable X = numbers({0.5, -2}), Y = numbers({1.5, 0.75}), Z = numbers({-1, 1.25});

// Notes whether the walk back is recorded.
struct Spy : Function<Spy> {
  static inline int recorded = 0;
  static Variable forward(FunctionContext&, const std::vector<Variable>& inputs) { return inputs[0] * 2; }
  static std::vector<Variable> backward(FunctionContext&, const Variable& gradient) {
    recorded += grad_enabled();
    return {gradient * 2};
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(nested_transforms)

BOOST_AUTO_TEST_CASE(the_smallest_case) {
  auto outer = [](const Variable& x) {
    return x * grad([&](const Variable& y) { return x * y; }, {full({1}, 2, float64)})[0];
  };
  close(grad(outer, {numbers({3})})[0], numbers({6}));
}

BOOST_AUTO_TEST_CASE(pairs) {
  for (const Operator& outer : operators)
    for (const Operator& inner : operators)
      BOOST_TEST_CONTEXT(outer.name << " of " << inner.name) {
        auto f = [&](const Variable& x) {
          return inner.derivative([&](const Variable& y) { return power(x, 5) * power(y, 5); }, Y);
        };
        Variable found = outer.derivative(f, X);
        close(found, power(X, 5, outer.order) * power(Y, 5, inner.order), 1e-10);
        BOOST_TEST(!found.requires_grad());
        // x is both captured and what the inner derivative is taken at.
        auto at = [&](const Variable& x) {
          return inner.derivative([&](const Variable& y) { return power(x, 5) * power(y, 5); }, square(x));
        };
        int n = 5 + 2 * (5 - inner.order);
        double factor = inner.order == 1 ? 5 : 20;
        close(outer.derivative(at, X), factor * power(X, n, outer.order), 1e-8);
      }
}

BOOST_AUTO_TEST_CASE(pairs_through_checkpoints) {
  for (const Operator& outer : operators)
    for (const Operator& inner : operators)
      BOOST_TEST_CONTEXT(outer.name << " of " << inner.name) {
        auto f = [&](const Variable& x) {
          auto g = [&](const Variable& y) {
            return checkpoint([&](const Variable& y) { return power(x, 5) * power(y, 5); }, y);
          };
          return inner.derivative(g, Y);
        };
        Variable expected = power(X, 5, outer.order) * power(Y, 5, inner.order);
        close(outer.derivative(f, X), expected, 1e-10);
        close(outer.derivative([&](const Variable& x) { return checkpoint(f, x); }, X), expected, 1e-10);
      }
}

BOOST_AUTO_TEST_CASE(triples) {
  for (const Operator& first : operators)
    for (const Operator& second : operators)
      for (const Operator& third : operators)
        BOOST_TEST_CONTEXT(first.name << " of " << second.name << " of " << third.name) {
          auto f = [&](const Variable& x) {
            auto g = [&](const Variable& y) {
              return third.derivative([&](const Variable& z) { return power(x, 5) * power(y, 5) * power(z, 5); }, Z);
            };
            return second.derivative(g, Y);
          };
          close(first.derivative(f, X),
                power(X, 5, first.order) * power(Y, 5, second.order) * power(Z, 5, third.order), 1e-9);
        }
}

BOOST_AUTO_TEST_CASE(directions) {
  for (const Operator& outer : operators)
    for (const Directional& inner : directionals)
      BOOST_TEST_CONTEXT(outer.name << " of " << inner.name) {
        auto f = [&](const Variable& x) {
          return inner.derivative([](const Variable& y) { return power(y, 5); }, Y, power(x, 3));
        };
        close(outer.derivative(f, X), power(X, 3, outer.order) * power(Y, 5, inner.order), 1e-10);
        auto given = [&](const Variable& x) {
          return inner.derivative([](const Variable& y) { return power(y, 5); }, Y, x);
        };
        close(outer.derivative(given, X), power(X, 1, outer.order) * power(Y, 5, inner.order), 1e-10);
      }
}

// The values that go with derivatives.
BOOST_AUTO_TEST_CASE(values) {
  using Value = std::function<Variable(const Elementwise&, const Variable&)>;
  const std::vector<std::pair<const char*, Value>> values = {
      {"value_and_grad", [](auto& f, auto& y) { return value_and_grad(sum_of(f), {y}).value; }},
      {"vjp", [](auto& f, auto& y) { return vjp(f, {y}, ones_like(y)).value; }},
      {"jvp", [](auto& f, auto& y) { return jvp(f, {y}, {ones_like(y)}).value; }},
      {"hvp", [](auto& f, auto& y) { return hvp(sum_of(f), {y}, {ones_like(y)}).value; }}};
  for (const auto& [name, value] : values)
    BOOST_TEST_CONTEXT(name) {
      Variable x = parameter(X);
      Variable y = value([&](const Variable& y) { return x * x * y; }, Y);
      sum(y).backward();
      close(x.grad(), 2 * X * Y);
      // What f returns as it is: what it captured, and its input.
      x.zero_grad();
      y = value([&](const Variable&) { return x; }, Y);
      sum(y).backward();
      close(x.grad(), ones({2}, float64));
      BOOST_TEST(!value([](const Variable& y) { return y; }, Y).requires_grad());
      x.zero_grad();
      sum(value([](const Variable& y) { return y; }, x) * 3).backward();
      close(x.grad(), full({2}, 3, float64));
    }
}

BOOST_AUTO_TEST_CASE(functions_that_do_not_depend_on_their_input) {
  Variable x = parameter(X);
  for (const Operator& inner : operators)
    BOOST_TEST_CONTEXT(inner.name) {
      close(inner.derivative([&](const Variable&) { return x; }, Y), zeros({2}, float64));
      close(inner.derivative([&](const Variable&) { return exp(x); }, Y), zeros({2}, float64));
      for (const Operator& outer : operators) {
        auto f = [&](const Variable& x) { return inner.derivative([&](const Variable&) { return x * x; }, Y); };
        close(outer.derivative(f, X), zeros({2}, float64));
      }
    }
}

BOOST_AUTO_TEST_CASE(parameters_of_a_module) {
  seed(1);
  nn::Dense dense(3, 1, {.dtype = float64});
  Variable x = randn({4, 3}, float64);
  // As a gradient penalty is written: the derivative by the input is the weight, whatever the input.
  Variable g = grad([&](const Variable& x) { return sum(dense(x)); }, {x})[0];
  sum(square(g)).backward();
  close(dense.weight.grad(), 2 * 4 * dense.weight.detach(), 1e-12);
  BOOST_TEST(!dense.bias.grad().defined());
}

BOOST_AUTO_TEST_CASE(hooks_capture_as_well) {
  auto f = [](const Variable& x) {
    return grad([&](const Variable& y) {
      Variable z = y * 2;
      z.register_hook([&](const Variable& g) { return g * x; });
      return z;
    }, {numbers({1})})[0];
  };
  close(grad(f, {numbers({3})})[0], numbers({2}));
}

// What a thread captures of another one, whose clock is behind or ahead.
BOOST_AUTO_TEST_CASE(captured_by_another_thread) {
  Variable x = parameter(X);
  Variable ahead = x;
  for (int i = 0; i < 5000; ++i) ahead = ahead * 1;
  std::thread([&] {
    Variable made_there = ahead * parameter(Y);
    for (const Variable& captured : {x, ahead, made_there}) {
      Variable g = grad([&](const Variable& y) { return sum(captured * square(y)); }, {Y})[0];
      close(grad(sum(g), captured, {.retain_graph = true}), 2 * Y);
    }
  }).join();
}

BOOST_AUTO_TEST_CASE(what_does_not_depend_on_what_was_captured_needs_no_gradient) {
  Variable x = parameter(X);
  auto [value, grads] = value_and_grad([&](const Variable& y) { return sum(x + square(y)); }, {Y});
  BOOST_TEST(value.requires_grad());
  BOOST_TEST(!grads[0].requires_grad());
  BOOST_TEST(!grad([](const Variable& y) { return sum(exp(y)); }, {Y})[0].requires_grad());
  NoGrad guard;
  BOOST_TEST(!grad([&](const Variable& y) { return sum(x * square(y)); }, {Y})[0].requires_grad());
}

BOOST_AUTO_TEST_CASE(walks_are_recorded_where_that_is_of_use_only) {
  Variable w = parameter(X);
  auto recorded = [](const Elementwise& f, const Operator& op) {
    Spy::recorded = 0;
    op.derivative(f, Y);
    return Spy::recorded;
  };
  for (const Operator& op : operators)
    BOOST_TEST_CONTEXT(op.name) {
      int alone = recorded([](const Variable& y) { return square(Spy::apply({y})); }, op);
      int captures = recorded([&](const Variable& y) { return square(Spy::apply({y})) * w; }, op);
      // The first of two walks is always recorded, and so is the backward that each tangent is made of.
      const std::map<std::string, int> tangents = {{"jvp", 1}, {"hessian", 1}};
      int made = tangents.contains(op.name) ? tangents.at(op.name) : 0;
      BOOST_TEST(alone == made + (op.order == 2 ? 1 : 0));
      BOOST_TEST((captures > alone || made > 0));
      // Results of what other transforms captured lead no further than to those transforms' inputs.
      auto inner = [](const Variable& y) {
        return grad([&](const Variable& z) { return sum(Spy::apply({y * z})); }, {Y})[0];
      };
      BOOST_TEST(!op.derivative(inner, Y).requires_grad());
      NoGrad guard;
      BOOST_TEST(recorded([&](const Variable& y) { return square(Spy::apply({y})) * w; }, op) == alone);
    }
}

// Results are the caller's own: nothing that was given changes with them.
BOOST_AUTO_TEST_CASE(results_are_handles_of_their_own) {
  Variable v = numbers({1, 2});
  auto identity = [](const Variable& y) { return y; };
  for (bool recorded : {false, true}) {
    Variable x = recorded ? parameter(X) : X.copy(), seed = recorded ? parameter(v) : v;
    auto [value, grads] = vjp(identity, {x}, seed);
    BOOST_TEST((value.impl() != x.impl()));
    BOOST_TEST((grads[0].impl() != seed.impl()));
    auto both = grad([](auto& a, auto& b) { return sum(a + b); }, {x, seed});
    BOOST_TEST((both[0].impl() != both[1].impl()));
  }
}

BOOST_AUTO_TEST_CASE(dtypes_side_by_side) {
  Variable x = numbers({0.5, 2}), w = Variable({1.0, -1.0}, float32);
  auto f = [](auto& x, auto& w) { return sum(square(x) * square(w).to(float64)); };
  auto products = hvp(f, {x, w}, {ones_like(x), ones_like(w)}).grads;
  close(products[0], numbers({2 + 4 * 0.5, 2 - 4 * 2}));
  close(products[1], Variable({4 * 0.5 + 2 * 0.25, -4 * 2 + 2 * 4.0}, float32), 1e-6);
  auto g = [](auto& x, auto& w) { return x * w.to(float64); };
  close(jvp(g, {x, w}, {ones_like(x), ones_like(w)}).tangent, numbers({1.5, 1}));
  close(vjp([](const Variable& x) { return sum(x); }, {x}, 2).grads[0], numbers({2, 2}));
}

BOOST_AUTO_TEST_SUITE_END()
