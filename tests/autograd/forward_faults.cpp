// What a function may do that forward mode has to bear: writes, hooks, threads, exceptions, backwards of all kinds.
#include <cmath>
#include <functional>
#include <future>
#include <stdexcept>
#include <thread>

#include <autograd/autograd.hpp>
#include <autograd/function.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::throws;

namespace {

using Variables = std::vector<Variable>;

void close(const Variable& found, const Variable& expected, double tolerance = 1e-12) {
  xtape::testing::close(found, expected, tolerance);
}

Variable numbers(std::initializer_list<Nested> values) { return Variable(values, float64); }

const Variable X = numbers({0.5, 2}), T = numbers({2, 3});

// x y, where one of the gradients is not recorded.
struct PartlyOnArrays : Function<PartlyOnArrays> {
  static Variable forward(FunctionContext& context, const Variables& xs) {
    context.save(xs);
    return xs[0] * xs[1];
  }
  static Variables backward(FunctionContext& context, const Variable& g) {
    Variables xs = context.saved();
    return {g.detach() * xs[1], g * xs[0]};
  }
};

struct SavesResult : Function<SavesResult> {
  static Variable forward(FunctionContext& context, const Variables& xs) {
    Variable y = exp(xs[0]);
    context.save({y});
    return y;
  }
  static Variables backward(FunctionContext& context, const Variable& g) { return {g * context.saved()[0]}; }
};

// x^2
struct WritesGradient : Function<WritesGradient> {
  static Variable forward(FunctionContext& context, const Variables& xs) {
    context.save(xs);
    return xs[0] * xs[0];
  }
  static Variables backward(FunctionContext& context, const Variable& g) {
    Variable written = g;
    written *= 2;
    written *= context.saved()[0];
    return {written};
  }
};

// x^3, by a transform.
struct UsesTransform : Function<UsesTransform> {
  static Variable forward(FunctionContext& context, const Variables& xs) {
    context.save(xs);
    return xs[0] * xs[0] * xs[0];
  }
  static Variables backward(FunctionContext& context, const Variable& g) {
    return {vjp([](auto& x) { return x * x * x; }, {context.saved()[0]}, g).grads[0]};
  }
};

auto hooked(std::function<Variable(const Variable&)> hook) {
  return [hook](const Variable& x) {
    Variable y = x * x;
    y.register_hook(hook);
    return y;
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(forward_faults)

// A function's arguments are its own, as those of a nested function are, whether or not the caller's are recorded.
BOOST_AUTO_TEST_CASE(writes_to_arguments) {
  auto tripled = [](const Variable& x) {
    Variable same = x;
    same *= 3;
    return x * same;
  };
  const Variable recorded = parameter(X);
  for (bool recording : {true, false})
    for (const Variable& x : {X, recorded}) {
      GradMode mode(recording);
      close(jvp(tripled, x, T).tangent.detach(), 18 * X * T);
      close(vjp(tripled, x, T).grads.detach(), 18 * X * T);
      close(hessian([&](auto& x) { return sum(tripled(x)); }, x).detach(), diag(full({2}, 18, float64)));
      close(x.detach(), numbers({0.5, 2}), 0);
    }
  auto part = [](const Variable& x) {
    Variable same = x;
    same[0] = same[1] * same[1];
    return same;
  };
  close(jacobian(part, X, {.mode = JacobianMode::forward}), numbers({{0, 4}, {0, 1}}));
  close(jacobian(part, X, {.mode = JacobianMode::reverse}), numbers({{0, 4}, {0, 1}}));
  // An argument cannot be taken out of the derivative.
  auto constant = [](const Variable& x) {
    Variable same = x;
    same.requires_grad_(false);
    return same;
  };
  throws<GraphError>([&] { jvp(constant, X, T); }, {"requires_grad_: "});
}

BOOST_AUTO_TEST_CASE(writes_to_what_is_captured) {
  Variable sum_of_calls = numbers({1, 1});
  auto f = [&](const Variable& x) {
    sum_of_calls += x;
    return square(sum_of_calls);
  };
  close(jvp(f, X, T).tangent, 2 * (1 + X) * T);
  close(sum_of_calls.detach(), 1 + X);
  auto outer = [](const Variable& x) {
    Variable all = zeros({2}, float64);
    Variable g = grad([&](auto& y) {
      all += x * y;
      return sum(all * y);
    }, x);
    return g + all;  // 2 x^2 + x^2
  };
  close(jacobian(outer, X, {.mode = JacobianMode::forward}), diag(6 * X));
  close(jacobian(outer, X, {.mode = JacobianMode::reverse}), diag(6 * X));
}

BOOST_AUTO_TEST_CASE(hooks_that_do_not_fit) {
  throws<ShapeError>([] { jvp(hooked([](auto&) { return ones({3}, float64); }), X, T); },
                     {"jvp: a hook on the result of mul got float64(2,) and returned float64(3,)"});
  throws<ShapeError>([] { jvp(hooked([](auto& g) { return g.to(float32); }), X, T); }, {"jvp: a hook", "float32(2,)"});
  throws<GraphError>([] { linearize(hooked([](auto& g) { return g.detach() * 3; }), X)(T); },
                     {"linearize: a hook on the result of mul needs to compute with differentiable operations"});
  close(jvp(hooked([](auto& g) { return zeros_like(g); }), X, T).tangent, zeros({2}, float64));
  close(jvp(hooked([](auto& g) { return 3 * g; }), X, T).tangent, 6 * X * T);
  throws<ValueError>([] { jvp(hooked([](auto&) -> Variable { throw ValueError("by a hook"); }), X, T); }, {"by a hook"});
}

BOOST_AUTO_TEST_CASE(hooks_on_arguments) {
  auto f = [](const Variable& x) {
    Variable same = x;
    same.register_hook([](const Variable& g) { return g * 2; });
    return x * x;
  };
  for (const Variable& x : {X, parameter(X)}) {
    close(jvp(f, x, T).tangent.detach(), 4 * X * T);
    close(vjp(f, x, T).grads.detach(), 4 * X * T);
    auto line = linearize(f, x);
    for (int i = 0; i < 2; ++i) close(line(T).detach(), 4 * X * T);
  }
}

BOOST_AUTO_TEST_CASE(backwards_of_ones_own) {
  auto twice = [](auto f) {
    return jvp([&](auto& x) { return jvp(f, x, T).tangent; }, X, T).tangent;
  };
  auto saves = [](const Variable& x) { return SavesResult::apply({x}); };
  close(jvp(saves, X, T).tangent, exp(X) * T);
  close(twice(saves), exp(X) * T * T);
  auto writes = [](const Variable& x) { return WritesGradient::apply({x}); };
  close(jvp(writes, X, T).tangent, 2 * X * T);
  close(twice(writes), 2 * T * T);
  auto transforms = [](const Variable& x) { return UsesTransform::apply({x}); };
  close(jvp(transforms, X, T).tangent, 3 * X * X * T);
  close(twice(transforms), 6 * X * T * T);
  close(hessian([&](auto& x) { return sum(transforms(x)); }, X), diag(6 * X));
  // Of two gradients that were made by one backward, each is looked at.
  auto partly = [](auto& x, auto& y) { return PartlyOnArrays::apply({x, y}); };
  throws<GraphError>([&] { jvp(partly, {X, T}, {T, X}); },
                     {"jvp: the tangent of ", "needs a backward of differentiable operations"});
  close(jvp([&](auto& y) { return partly(X, y); }, T, X).tangent, X * X);
}

BOOST_AUTO_TEST_CASE(exceptions_leave_the_mode_as_it_was) {
  auto fails = [](const Variable&) -> Variable { throw std::runtime_error("its own"); };
  for (bool recording : {true, false}) {
    GradMode mode(recording);
    BOOST_CHECK_THROW(jvp(fails, X, T), std::runtime_error);
    BOOST_CHECK_THROW(grad(fails, X), std::runtime_error);
    BOOST_TEST(grad_enabled() == recording);
  }
  throws<ShapeError>([] { jvp([](auto& x) { return matmul(x, ones({3, 3}, float64)); }, X, T); }, {"matmul: "});
}

// A thread that has worked for long, and one that has not.
BOOST_AUTO_TEST_CASE(computed_by_another_thread) {
  for (int age : {0, 20000}) {
    std::promise<Variable> argument, result;
    std::thread worker([&] {
      Variable x = parameter(X);
      for (int i = 0; i < age; ++i) x * 1;
      Variable given = argument.get_future().get();
      result.set_value(given * given);
    });
    auto f = [&](const Variable& x) {
      argument.set_value(x);
      return result.get_future().get() * x;
    };
    close(jvp(f, X, T).tangent, 3 * X * X * T);
    worker.join();
  }
}

BOOST_AUTO_TEST_CASE(a_linearization_serves_several_threads) {
  auto line = linearize([](auto& x) { return exp(x) * x; }, X);
  const Variable expected = (exp(X) * X + exp(X)) * T;
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int& mine : wrong)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i)
        for (const Variable& found : {line(T), line.transpose(T)})
          mine += std::abs(found.value().at(1) - expected.value().at(1)) > 1e-12;
    });
  for (std::thread& thread : threads) thread.join();
  for (int mine : wrong) BOOST_TEST(mine == 0);
}

BOOST_AUTO_TEST_CASE(no_elements_and_no_inputs) {
  const Variable empty = zeros({0, 3}, float64);
  auto columns = [](const Variable& x) { return sum(x * x, 0); };
  close(jvp(columns, empty, empty).tangent, zeros({3}, float64));
  for (JacobianMode mode : {JacobianMode::forward, JacobianMode::reverse})
    BOOST_TEST((jacobian(columns, empty, {.mode = mode}).shape() == Shape{3, 0, 3}));
  BOOST_TEST((hessian([](auto& x) { return sum(x); }, empty).shape() == Shape{0, 3, 0, 3}));
  auto constant = [](const Variables&) { return sum(X); };
  BOOST_TEST(grad(constant, Variables{}).empty());
  close(jvp(constant, Variables{}, {}).tangent, zeros_like(sum(X)));
  BOOST_TEST(hessian(constant, Variables{}).empty());
}

BOOST_AUTO_TEST_CASE(nested_deeply) {
  std::function<Variable(const Variable&, int)> forward = [&](const Variable& x, int order) {
    if (order == 0) return exp(2 * x);
    return jvp([&](auto& y) { return forward(y, order - 1); }, x, ones_like(x)).tangent;
  };
  close(forward(X, 7), 128 * exp(2 * X), 1e-9);
}

BOOST_AUTO_TEST_CASE(long_chains) {
  constexpr int length = 200'000;
  auto chain = [](const Variable& x) {
    Variable y = x * x, one({1.0}, float64);
    for (int i = 0; i < length; ++i) y = y * one;
    return sum(y);
  };
  close(hvp(chain, X, T).grads, 2 * T);
  auto line = linearize(chain, X);
  close(line(T), sum(2 * X * T));
  close(line.transpose(1), 2 * X);
}

BOOST_AUTO_TEST_SUITE_END()
