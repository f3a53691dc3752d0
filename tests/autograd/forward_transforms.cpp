// What is made of tangents: jacobian by columns, hessian, hvp, linearize; and what takes part in them.
#include <cmath>
#include <string>

#include <autograd/autograd.hpp>
#include <autograd/function.hpp>
#include <autograd/fuse.hpp>
#include <autograd/ops/recurrence.hpp>
#include <nn/nn.hpp>
#include <tests/autograd/cube.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::Cube;

namespace {

using Variables = std::vector<Variable>;

Variable numbers(std::initializer_list<Nested> values) { return Variable(values, float64); }

auto says(const std::string& part) {
  return [part](const Error& error) { return std::string(error.what()).find(part) != std::string::npos; };
}

// (x0 x1, sin x0, x1^2)
Variable curve(const Variable& x) { return stack({x[0] * x[1], sin(x[0]), square(x[1])}); }

const Variable X = numbers({0.5, 2}), T = numbers({2, 3});
Variable slope_of_curve() { return numbers({2 * 2 + 3 * 0.5, 2 * std::cos(0.5), 2 * 2 * 3}); }

// Its backward computes on arrays: what it does is not recorded.
struct OnArrays : Function<OnArrays> {
  static Variable forward(FunctionContext&, const Variables& inputs) { return inputs[0] * 2; }
  static Variables backward(FunctionContext&, const Variable& gradient) { return {gradient.detach() * 2}; }
};

// The same, though what it saved is recorded.
struct PartlyOnArrays : Function<PartlyOnArrays> {
  static Variable forward(FunctionContext& context, const Variables& inputs) {
    context.save(inputs);
    return square(inputs[0]);
  }
  static Variables backward(FunctionContext& context, const Variable& gradient) {
    return {gradient.detach() * 2 * context.saved()[0]};
  }
};

struct SumAndProduct : Function<SumAndProduct> {
  static Variables forward(FunctionContext& context, const Variables& inputs) {
    context.save(inputs);
    return {inputs[0] + inputs[1], inputs[0] * inputs[1]};
  }
  static Variables backward(FunctionContext& context, const Variables& g) {
    Variables xs = context.saved();
    return {g[0] + g[1] * xs[1], g[0] + g[1] * xs[0]};
  }
};

void agree(const Callable& f, const Variables& xs) {
  Variables columns = jacobian(f, xs, {.mode = JacobianMode::forward});
  Variables rows = jacobian(f, xs, {.mode = JacobianMode::reverse}), either = jacobian(f, xs);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    BOOST_TEST(columns[i].defined() == rows[i].defined());
    if (!rows[i].defined()) continue;
    BOOST_TEST((columns[i].dtype() == rows[i].dtype()));
    close(columns[i], rows[i], rows[i].dtype() == float64 ? 1e-12 : 1e-5);
    close(either[i], rows[i], rows[i].dtype() == float64 ? 1e-12 : 1e-5);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(forward_transforms)

BOOST_AUTO_TEST_CASE(modes_of_the_jacobian_agree) {
  agree(curve, {X});
  agree([](auto& x, auto& y) { return expand_dims(x, 1) * y; }, {X, numbers({{1, 2, 3}})});
  agree([](auto& x, auto& i) { return take(square(x), i); }, {X, arange(2)});  // integers beside
  agree([](auto& x, auto& y) { return x * exp(y).to(float64); }, {X, Variable({1, 2}, float32)});
  agree([](auto& x, auto&) { return x * x; }, {X, T});  // one that plays no part
  agree([](const Variable& x) { return floor(x); }, {X});
  agree([](const Variable& x) { return x; }, {X});
  agree([](const Variable&) { return numbers({1, 2}); }, {X});
  agree([](const Variable& x) { return x[range(0, 0)]; }, {X});
  agree([](const Variable& x) { return sum(x); }, {zeros({0, 2}, float64)});
  BOOST_TEST((jacobian([](const Variable& x) { return x[range(0, 0)]; }, {X}, {.mode = JacobianMode::forward})[0].shape() ==
              Shape{0, 2}));
}

BOOST_AUTO_TEST_CASE(few_inputs_have_few_columns) {
  Variable grid = arange(5000).to(float64) / 5000;
  int pushes = 0;
  auto f = [&](const Variable& p) {
    Variable y = p[0] * exp(p[1] * grid) + p[2];
    y.register_hook([&](const Variable&) { ++pushes; return Variable(); });
    return y;
  };
  Variable J = jacobian(f, {numbers({1, 2, 3})})[0];
  BOOST_TEST(pushes == 1);  // for all columns at once
  close(J[{ellipsis, 1}], grid * exp(2 * grid));
  close(J[{ellipsis, 2}], ones({5000}, float64));
}

BOOST_AUTO_TEST_CASE(linearized) {
  int calls = 0;
  auto f = [&](const Variable& x) { ++calls; return curve(x); };
  Linearized line = linearize(f, {X});
  close(line.value, curve(X));
  close(line({T}), slope_of_curve());
  close(line({2 * T}), 2 * slope_of_curve());
  close(line.transpose(numbers({1, 0, 0}))[0], numbers({2, 0.5}));
  close(line.transpose(numbers({0, 0, 1}))[0], numbers({0, 4}));
  close(line({T}), slope_of_curve());
  BOOST_TEST(calls == 1);
  BOOST_TEST(!line({T}).requires_grad());
  BOOST_CHECK_EXCEPTION(line({}), ShapeError, says("linearize: 0 vectors for 1 inputs"));
  BOOST_CHECK_EXCEPTION(line({ones({2})}), DTypeError, says("linearize: vector 0 is float32(2,)"));
  BOOST_CHECK_EXCEPTION(line.transpose(X), ShapeError, says("linearize: vector 0 is float64(2,), its value"));
  BOOST_CHECK_EXCEPTION(linearize([](const Variable&) { return Variable(); }, {X}), Error, says("linearize: "));
  // It is what was evaluated, whatever is written to the inputs or the value later.
  Variable x = X.copy();
  Linearized kept = linearize(curve, {x});
  x.mutable_data<double>()[0] = 9;
  kept.value.mutable_data<double>()[0] = 9;
  close(kept({T}), slope_of_curve());
}

BOOST_AUTO_TEST_CASE(a_linearization_is_differentiable_by_what_it_was_made_of) {
  Variable x = parameter(X), w = parameter(numbers({3}));
  Linearized line = linearize([&](const Variable& x) { return w * square(x); }, {x});
  for (int i = 1; i < 3; ++i) {  // a walk back leaves it as it was
    sum(line({T})).backward({.retain_graph = true});
    close(x.grad(), i * 2 * 3 * T);
    close(w.grad(), i * numbers({2 * (0.5 * 2 + 2 * 3)}));
  }
  Variable t = parameter(T);
  sum(line({t})).backward({.retain_graph = true});
  close(t.grad(), 6 * X);
}

// The tangents that are given are nobody's to change.
BOOST_AUTO_TEST_CASE(given_tangents_stay) {
  Variable t = T.copy();
  Linearized line = linearize([](const Variable& x) { return exp(x) * 2 + x; }, {X});
  Variable first = line({t}), same = line({t});
  close(t, T, 0);
  close(first, same, 0);
  Variable passed = linearize([](const Variable& x) { return x; }, {X})({t});
  BOOST_TEST((passed.impl() != t.impl()));
}

BOOST_AUTO_TEST_CASE(zero_tangents) {
  Variable zero = zeros({2}, float64);
  close(jvp(curve, {X}, {zero}).tangent, zeros({3}, float64), 0);
  close(jvp([](auto& x, auto& y) { return x * y; }, {X, X}, {zero, T}).tangent, X * T);
  close(jvp([](const Variable&) { return numbers({1}); }, {X}, {T}).tangent, zeros({1}, float64), 0);
  close(jvp([](const Variable& x) { return floor(x); }, {X}, {T}).tangent, zero, 0);
}

// Of operands that broadcast, and tangents that do.
BOOST_AUTO_TEST_CASE(many_elements) {
  seed(1);
  Variable a = rand({80, 1}, float64) + 0.5, b = rand({1, 70}, float64) + 0.5, c = rand({80, 70}, float64) + 0.5;
  const std::vector<std::pair<const char*, Callable>> functions = {
      {"mul", [](auto& a, auto& b, auto&) { return a * b; }},
      {"div", [](auto& a, auto& b, auto&) { return a / b; }},
      {"pow", [](auto& a, auto& b, auto&) { return pow(a, b); }},
      {"lerp", [](auto& a, auto& b, auto& c) { return lerp(a, b, c); }},
      {"hypot", [](auto& a, auto&, auto& c) { return hypot(a, c); }},
      {"maximum", [](auto& a, auto& b, auto&) { return maximum(a, b); }},
      {"where", [](auto& a, auto& b, auto& c) { return where(c > 1, a, b); }},
      {"clip", [](auto& a, auto& b, auto& c) { return clip(c, a, b + 1); }},
      {"mul, of one", [](auto& a, auto&, auto& c) { return c.detach() * a + c * c; }}};
  for (const auto& [name, f] : functions)
    BOOST_TEST_CONTEXT(name) {
      Variables xs{a, b, c}, ts;
      for (const Variable& x : xs) ts.push_back(randn(x.shape(), float64));
      auto [value, tangent] = jvp(f, xs, ts);
      Variable u = randn(value.shape(), float64), expected = Variable(Array::scalar(0, float64));
      Variables gradients = vjp(f, xs, u).grads;
      for (std::size_t i = 0; i < xs.size(); ++i) expected = expected + sum(gradients[i] * ts[i]);
      close(sum(u * tangent), expected, 1e-9);
    }
}

BOOST_AUTO_TEST_CASE(captured_variables) {
  Variable w = parameter(numbers({3, 4}));
  auto f = [&](const Variable& x) { return w * square(x); };
  Variable tangent = jvp(f, {X}, {T}).tangent;
  close(tangent.detach(), 2 * w.detach() * X * T);
  sum(tangent).backward();
  close(w.grad(), 2 * X * T);
  BOOST_TEST(!jvp([](const Variable& x) { return square(x); }, {X}, {T}).tangent.requires_grad());
  NoGrad guard;
  BOOST_TEST(!jvp(f, {X}, {T}).tangent.requires_grad());
  BOOST_TEST(!hvp([&](const Variable& x) { return sum(f(x)); }, {X}, {T}).grads[0].requires_grad());
}

BOOST_AUTO_TEST_CASE(mixed_inputs) {
  Variable i = arange(2), mask = i > 0;
  auto f = [](auto& x, auto& i, auto& mask) { return where(mask, square(take(x, i)), x); };
  close(jvp(f, {X, i, mask}, {T, Variable(), Variable()}).tangent, numbers({2, 12}));
  auto H = hessian([&](auto& x, auto& i, auto& mask) { return sum(f(x, i, mask)); }, {X, i, mask});
  close(H[0][0], numbers({{0, 0}, {0, 2}}));
  BOOST_TEST(!H[0][1].defined());
  BOOST_TEST(!H[2][2].defined());
}

BOOST_AUTO_TEST_CASE(writes_in_place) {
  auto f = [](const Variable& x) {
    Variable y = x * 1;
    y[0] = y[1] * y[1];
    y *= 3;
    y[1] += x[0];
    return y;
  };
  close(jvp(f, {X}, {T}).tangent, numbers({3 * 2 * 2 * 3, 3 * 3 + 2}));
  agree(f, {X});
}

BOOST_AUTO_TEST_CASE(functions_of_ones_own) {
  close(jvp([](const Variable& x) { return square(Cube::apply({x})); }, {X}, {T}).tangent, 6 * pow(X, 5) * T);
  auto two = [](auto& x, auto& y) {
    Variables both = SumAndProduct::apply({x, y});
    return both[1] * x;
  };
  close(jvp(two, {X, T}, {T, X}).tangent, 2 * X * T * T + X * X * X);
  close(hvp([](const Variable& x) { return sum(Cube::apply({x})); }, {X}, {T}).grads[0], 6 * X * T);
  agree([&](auto& x, auto& y) { return two(x, y); }, {X, T});
  auto on_arrays = [](const Variable& x) { return OnArrays::apply({x}); };
  BOOST_CHECK_EXCEPTION(jvp(on_arrays, {X}, {T}), GraphError, says("needs a backward of differentiable operations"));
  BOOST_CHECK_EXCEPTION(jvp(on_arrays, {X}, {T}), GraphError, says("jvp: the tangent of "));
  close(jacobian(on_arrays, {X}, {.mode = JacobianMode::reverse})[0], 2 * eye(2, float64));
  auto partly = [](const Variable& x) { return PartlyOnArrays::apply({x}); };
  BOOST_CHECK_EXCEPTION(jvp(partly, {X}, {T}), GraphError, says("needs a backward of differentiable operations"));
}

BOOST_AUTO_TEST_CASE(checkpoints_and_fused_functions) {
  Variable w = parameter(numbers({3, 4}));
  auto f = [&](const Variable& x) { return checkpoint([&](const Variable& x) { return sin(x) * w; }, x); };
  auto [value, tangent] = jvp(f, {X}, {T});
  close(tangent.detach(), cos(X) * w.detach() * T);
  sum(tangent).backward();
  close(w.grad(), cos(X) * T);
  auto g = [](auto& x, auto& y) { return fuse([](auto x, auto y) { return tanh(x * y) + x; }, x, y); };
  auto plain = [](auto& x, auto& y) { return tanh(x * y) + x; };
  close(jvp(g, {X, T}, {T, X}).tangent, jvp(plain, {X, T}, {T, X}).tangent);
  agree(g, {X, T});
  auto parts = [](const Variable& x) {
    auto [a, b] = fuse([](auto a, auto b) { return std::tuple(a * b, exp(a)); }, blocks<2>(x));
    return a + 2 * b;
  };
  close(jvp(parts, {X}, {T}).tangent, numbers({2 * 2 + 3 * 0.5 + 2 * std::exp(0.5) * 2}));
  close(hessian([&](const Variable& x) { return sum(parts(x)); }, {X})[0][0],
        numbers({{2 * std::exp(0.5), 1}, {1, 0}}));
}

BOOST_AUTO_TEST_CASE(hooks_take_part) {
  auto f = [](const Variable& x) {
    Variable y = square(x);
    y.register_hook([](const Variable& g) { return g * 3; });
    y.register_hook([](const Variable& g) {
      Variable written = g;
      written *= 2;
      return Variable();
    });
    return y + x;
  };
  close(jvp(f, {X}, {T}).tangent, 6 * 2 * X * T + T);
  agree(f, {X});
}

// The steps of a recurrence share a weight and a bias.
BOOST_AUTO_TEST_CASE(recurrences) {
  seed(1);
  Variable x = randn({5, 2, 4}, float64), weight = randn({4, 4}, float64), bias = randn({4}, float64);
  Variable start = randn({2, 4}, float64);
  for (bool reverse : {false, true}) {
    auto f = [&](auto& x, auto& weight, auto& bias, auto& h) {
      Recurrence recurrence(x, weight, bias, reverse);
      Variable state = h;
      for (std::size_t t = 0; t < x.shape(0); ++t) state = tanh(recurrence.step(state));
      return state;
    };
    agree(f, {x, weight, bias, start});
    agree([&](auto& weight) { return f(x, weight, bias, start); }, {weight});
    agree([&](auto& bias) { return f(x, weight, bias, start); }, {bias});
    agree([&](auto& h) { return f(x, weight, bias, h); }, {start});
    BOOST_TEST(gradcheck([&](auto& x, auto& weight, auto& t) { return jvp(f, {x, weight, bias, start}, {x, t, bias, start}).tangent; },
                         {x, weight, randn({4, 4}, float64)}).ok);
  }
}

BOOST_AUTO_TEST_CASE(recurrent_layers) {
  seed(1);
  nn::LSTM lstm(3, 4, {.dtype = float64});
  agree([&](const Variable& x) { return lstm(x); }, {randn({3, 2, 3}, float64)});
}

BOOST_AUTO_TEST_CASE(long_chains_are_pushed_through) {
  constexpr int length = 2'000'000;
  auto chain = [](const Variable& x) {
    Variable y = x, factor({1 + 1e-7}, float64), nothing({0.0}, float64);
    for (int i = 0; i < length / 2; ++i) {
      y = y * factor;
      y = y + nothing;
    }
    return y;
  };
  Variable tangent = jvp(chain, {numbers({1})}, {numbers({2})}).tangent;
  BOOST_TEST(std::abs(tangent.item() / (2 * std::pow(1 + 1e-7, length / 2)) - 1) < 1e-9);
}

BOOST_AUTO_TEST_CASE(a_released_record_says_so) {
  Linearized line = linearize(curve, {parameter(X)});
  sum(line.value).backward();
  BOOST_CHECK_EXCEPTION(line({T}), GraphError, says("linearize: the graph was walked before and released"));
}

BOOST_AUTO_TEST_CASE(captured_instead_of_used) {
  nn::Dense net(2, 1, {.dtype = float64});
  Variable x = numbers({{1, 2}}), y = numbers({{3}});
  auto loss = [&](const Variables&) { return mean(square(net(x) - y)); };
  Variables parameters = net.parameters();
  auto fails = [&](const char* name, auto call) {
    BOOST_CHECK_EXCEPTION(call(), GraphError, says(std::string(name) + ": the function does not use its argument 0, but "
                                                                       "captures the same Variable"));
  };
  fails("hvp", [&] { hvp(loss, parameters, parameters); });
  fails("hessian", [&] { hessian(loss, parameters); });
  fails("grad", [&] { grad(loss, parameters); });
  fails("value_and_grad", [&] { value_and_grad(loss, parameters); });
  fails("vjp", [&] { vjp(loss, parameters, 1); });
  fails("jvp", [&] { jvp(loss, parameters, parameters); });
  fails("jacobian", [&] { jacobian(loss, parameters); });
  fails("jacobian", [&] { jacobian(loss, parameters, {.mode = JacobianMode::forward}); });
  fails("linearize", [&] { linearize(loss, parameters); });
  NoGrad guard;
  fails("hvp", [&] { hvp(loss, parameters, parameters); });
}

BOOST_AUTO_TEST_CASE(captured_beside_what_is_used) {
  Variable w = parameter(X), b = parameter(T);
  // The argument counts, the captured one is a constant to the derivative; and constants give zeros.
  close(grad([&](const Variable& v) { return sum(v * w); }, {w})[0].detach(), X);
  close(grad([&](const Variable&) { return sum(w * w); }, {b})[0].detach(), zeros({2}, float64));
  close(hvp([](const Variable&) { return numbers({1}); }, {w}, {w}).grads[0].detach(), zeros({2}, float64));
  BOOST_CHECK_EXCEPTION(grad([&](auto& v, auto&) { return sum(v * b); }, {w, b}), GraphError, says("its argument 1,"));
  close(hessian([&](const Variable& v) { return sum(v); }, {w})[0][0].detach(), zeros({2, 2}, float64));
}

BOOST_AUTO_TEST_SUITE_END()
