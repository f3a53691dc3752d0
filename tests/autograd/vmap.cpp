// What vmap does beside the operations: axes, functions that have to be called for each sample, what is captured, other
// transforms, and errors.
#include <thread>

#include <autograd/autograd.hpp>
#include <autograd/function.hpp>
#include <autograd/fuse.hpp>
#include <tests/autograd/batches.hpp>
#include <tests/autograd/cube.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::Cube;
using xtape::testing::loop;
using xtape::testing::normals;

namespace {

using Variables = std::vector<Variable>;

// A function that counts its calls.
template <class F>
auto counted(int& calls, F f) {
  return [&calls, f](const Variable& x) {
    ++calls;
    return f(x);
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(vmap_function)

BOOST_AUTO_TEST_CASE(samples_lie_along_any_axis) {
  Variable x = normals({4, 3, 5}), w = normals({5});
  auto f = [](const Variable& a, const Variable& b) { return a * sum(b); };
  Variable y = vmap(f, {x, w}, {.in_axes = {1, none}, .out_axes = {-1}});
  BOOST_TEST((y.shape() == Shape{4, 5, 3}));
  close(y, transpose(x * sum(w), {0, 2, 1}), 1e-15);
  close(vmap(f, {x, w}, {.in_axes = {-1, 0}}), transpose(x * w, {2, 0, 1}), 1e-15);
}

BOOST_AUTO_TEST_CASE(several_results) {
  Variable x = normals({4, 3});
  auto f = [](const Variable& v) { return Variables{sum(v), v * v, ones({2})}; };
  Variables ys = vmap(f, {x}, {.out_axes = {0, 1, 0}});
  BOOST_REQUIRE(ys.size() == 3);
  close(ys[0], sum(x, 1), 1e-15);
  close(ys[1], transpose(x * x), 1e-15);
  BOOST_TEST((ys[2].shape() == Shape{4, 2}));
  auto of_tree = [](const std::pair<Variable, Variable>& v) { return std::make_tuple(v.first, v.second * 2); };
  auto [first, second] = vmap(of_tree, std::make_pair(x, ones({3}, float64)), {.in_axes = {0, none}, .out_axes = {1, 0}});
  close(first, transpose(x), 0);
  close(second, 2 * ones({4, 3}, float64), 0);
  auto [values, slopes] = vmap([](auto& v) { return value_and_grad([](auto& u) { return sum(u * u); }, v); }, x);
  close(values, sum(x * x, 1), 1e-14);
  close(slopes, 2 * x, 1e-14);
  auto of_list = [](const Variables& v) { return Variables{v[0] + v[1]}; };
  close(vmap(of_list, {x, x})[0], 2 * x, 1e-15);
}

BOOST_AUTO_TEST_CASE(no_samples) {
  int calls = 0;
  Variable y = vmap(counted(calls, [](const Variable& v) { return v * 2; }), {zeros({0, 3})});
  BOOST_TEST((y.shape() == Shape{0, 3}));
  BOOST_TEST(calls == 1);
  BOOST_TEST((vmap([](const Variable& v) { return v * v.item(); }, {zeros({0})}).shape() == Shape{0}));
  BOOST_TEST((vmap([](const Variable& v) { return conv1d(v, ones({2, 3, 2})); }, {zeros({0, 4, 3, 5})}).shape() ==
              Shape{0, 4, 2, 4}));
}

// What follows needs a call for each sample, and is what these calls compute.

BOOST_AUTO_TEST_CASE(branches_on_values) {
  Variable x = normals({6}), p = parameter(x);
  int calls = 0;
  auto f = [](const Variable& v) { return v.item() > 0 ? v * v : -3 * v; };
  Variable y = vmap(counted(calls, f), {p});
  BOOST_TEST(calls == 7);
  close(y, where(x > 0, x * x, -3 * x), 1e-15);
  sum(y).backward();
  close(p.grad(), where(x > 0, 2 * x, -3), 1e-15);
}

BOOST_AUTO_TEST_CASE(random_numbers_differ_from_sample_to_sample) {
  auto f = [](const Variable& v) { return v + Variable(default_generator().uniform({}, 0, 1, float64)); };
  seed(7);
  Variable y = vmap(f, {zeros({5}, float64)});
  seed(7);
  close(y, loop(f, zeros({5}, float64)), 0);
  BOOST_TEST(max(y).item() > min(y).item());
  std::shared_ptr<Generator> generator;  // made within, but it outlives the call
  Variable z = vmap([&](const Variable&) {
    if (!generator) generator = std::make_shared<Generator>(3);
    return Variable(generator->uniform({}, 0, 1, float64));
  }, zeros({5}, float64));
  BOOST_TEST(max(z).item() > min(z).item());
}

BOOST_AUTO_TEST_CASE(writes_to_what_is_captured) {
  Variable x = normals({4, 3}), total = zeros({3}, float64), count = zeros({}, float64);
  vmap([&](const Variable& v) {
    total += v;
    return v;
  }, {x});
  close(total, sum(x, 0), 1e-15);
  Variable last = zeros({4}, float64);
  vmap([&](const Variable& v) {
    last[range(1, none)] = v;
    return v * v.detach();
  }, {x});
  close(last, concatenate({zeros({1}, float64), x[3]}), 0);
}

BOOST_AUTO_TEST_CASE(writes_within_are_done_at_once) {
  Variable x = normals({4, 3});
  int calls = 0;
  Variable y = vmap(counted(calls, [](const Variable& v) {
    Variable power = ones({3}, float64), total = zeros({3}, float64);
    for (int i = 0; i < 3; ++i) {
      power *= v;
      total += power;
    }
    total[0] = v[2];
    return total;
  }), {x});
  BOOST_TEST(calls == 1);
  Variable expected = x + x * x + x * x * x;
  expected[{range(), 0}] = x[{range(), 2}];
  close(y, expected, 1e-14);
}

BOOST_AUTO_TEST_CASE(backward_within) {
  Variable x = normals({4, 3}), w = parameter(normals({3}, 2));
  auto f = [&](const Variable& v) {
    sum(v * v * w).backward();
    return v;
  };
  vmap(f, {x});
  close(w.grad(), sum(x * x, 0), 1e-14);
  Variable g = vmap([](const Variable& v) {
    Variable own = v.detach().requires_grad_();
    sum(own * own * own).backward();
    return own.grad();
  }, {x});
  close(g, 3 * x * x, 1e-14);
}

BOOST_AUTO_TEST_CASE(hooks_and_functions_of_ones_own) {
  Variable x = normals({4, 3}), p = parameter(x);
  Variable y = vmap([](const Variable& v) { return Cube::apply({v}); }, {p});
  sum(y).backward();
  close(p.grad(), 3 * x * x, 1e-14);
  p.zero_grad();
  int hooks = 0;
  Variable z = vmap([&](const Variable& v) {
    Variable t = v * v;
    t.register_hook([&](const Variable& g) {
      ++hooks;
      return 10 * g;
    });
    return t;
  }, {p});
  sum(z).backward();
  BOOST_TEST(hooks == 4);
  close(p.grad(), 20 * x, 1e-14);
}

BOOST_AUTO_TEST_CASE(checkpoint_scan_and_fuse) {
  Variable x = normals({4, 3});
  auto step = [](const Variable& v) { return sin(v) * v; };
  auto once_more = [&](const Variable& v) { return checkpoint(step, {v}); };
  auto steps = [&](const Variable& v) { return scan([v](auto& h, auto&) { return sin(h) * v; }, v, 3); };
  auto fused = [](const Variable& v) {
    return fuse([](auto a, auto b) { return a * sin(b) + b; }, v, sum(v));
  };
  auto gradient = [](auto f) { return [f](const Variable& v) { return grad([&](auto& u) { return sum(f(u)); }, {v})[0]; }; };
  close(vmap(once_more, {x}), loop(once_more, x), 1e-14);
  close(vmap(gradient(once_more), {x}), loop(gradient(once_more), x), 1e-14);
  close(vmap(gradient(steps), {x}), loop(gradient(steps), x), 1e-14);
  int calls = 0;
  close(vmap(counted(calls, gradient(fused)), {x}), loop(gradient(fused), x), 1e-14);
  BOOST_TEST(calls == 1);
}

// With other transforms

BOOST_AUTO_TEST_CASE(captured_parameters_get_their_gradients) {
  Variable x = normals({4, 3}), w = parameter(normals({3}, 2));
  Variable y = vmap([&](const Variable& v) { return sum(sin(v * w)); }, {x});
  sum(y * y).backward();
  Variable q = w.detach(), s = sum(sin(x * q), 1, true);
  close(w.grad(), sum(2 * s * cos(x * q) * x, 0), 1e-13);
}

BOOST_AUTO_TEST_CASE(a_detached_value_is_a_constant_to_all) {
  Variable x = normals({4, 3}), p = parameter(x);
  Variable y = vmap([](const Variable& v) { return v * v.detach(); }, {p});
  sum(y).backward();
  close(p.grad(), x, 0);
  BOOST_TEST(!vmap([](const Variable& v) { return v.detach() * 2; }, {p}).requires_grad());
  NoGrad none_recorded;
  BOOST_TEST(!vmap([](const Variable& v) { return v * 2; }, {p}).requires_grad());
}

BOOST_AUTO_TEST_CASE(what_needs_no_gradient_outside_is_not_recorded) {
  Variable x = normals({4, 3}), w = normals({3}, 2);
  Variable g = vmap([&](const Variable& v) { return grad([&](auto& p) { return sum(sin(v * p)); }, {w})[0]; }, {x});
  BOOST_TEST(!g.requires_grad());
  close(g, cos(x * w) * x, 1e-14);
}

// d/dx of x d/dy (x y^2) at y = x, which is 2 x^2, in each sample, and of the sum outside.
BOOST_AUTO_TEST_CASE(nested_derivatives_that_capture) {
  Variable x = normals({5}), p = parameter(x);
  auto inner = [](const Variable& v) { return v * grad([&](auto& y) { return v * y * y; }, {v})[0]; };
  close(vmap(inner, {x}), 2 * x * x * x, 1e-14);
  close(vmap([&](const Variable& v) { return grad(inner, {v})[0]; }, {x}), 6 * x * x, 1e-13);
  sum(vmap(inner, {p})).backward();
  close(p.grad(), 6 * x * x, 1e-13);
  auto total = [&](const Variable& v) { return sum(vmap(inner, {v})); };
  close(hvp(total, {x}, {x}).grads[0], 12 * x * x, 1e-13);
}

BOOST_AUTO_TEST_CASE(jacobians_and_hessians_of_samples) {
  Variable x = normals({4, 3}), a = normals({3, 3}, 2);
  auto f = [&](const Variable& v) { return matmul(a, v * v); };
  close(vmap([&](const Variable& v) { return jacobian(f, {v})[0]; }, {x}), expand_dims(a, 0) * 2 * expand_dims(x, 1),
        1e-14);
  auto cubes = [](const Variable& v) { return sum(v * v * v); };
  close(vmap([&](const Variable& v) { return hessian(cubes, {v})[0][0]; }, {x}), 6 * expand_dims(x, -1) * eye(3, 3, float64),
        1e-14);
}

// A Jacobian, its rows all at once.
BOOST_AUTO_TEST_CASE(a_jacobian_by_vmap) {
  Variable x = normals({3}), a = normals({4, 3}, 2);
  auto f = [&](const Variable& v) { return sin(matmul(a, v)); };
  int calls = 0;
  auto row = [&](const Variable& u) {
    ++calls;
    return vjp(f, {x}, u).grads[0];
  };
  close(vmap(row, {eye(4, 4, float64)}), jacobian(f, {x})[0], 1e-14);
  close(vmap([&](const Variable& t) { return jvp(f, {x}, {t}).tangent; }, {eye(3, 3, float64)}, {.out_axes = {1}}),
        jacobian(f, {x})[0], 1e-14);
  BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(vmap_within_vmap) {
  Variable x = normals({4, 3}), y = normals({5, 3}, 2);
  auto distance = [](const Variable& a, const Variable& b) { return norm(a - b); };
  int calls = 0;
  Variable d = vmap([&](const Variable& a) {
    return vmap([&](const Variable& b) {
      ++calls;
      return distance(a, b);
    }, {y});
  }, {x});
  BOOST_TEST(calls == 1);
  close(d, norm(expand_dims(x, 1) - expand_dims(y, 0), 2, -1), 1e-14);
  // The outer one alone has to call for each sample.
  calls = 0;
  Variable z = vmap([&](const Variable& a) {
    const bool flip = a[0].item() > 0;
    return vmap([&](const Variable& b) {
      ++calls;
      return flip ? sum(a * b) : -sum(a * b);
    }, {y});
  }, {x});
  BOOST_TEST(calls == 4);
  close(z, where(x[{range(), range(0, 1)}] > 0, 1, -1) * matmul(x, transpose(y)), 1e-14);
}

BOOST_AUTO_TEST_CASE(threads) {
  Variable x = normals({8, 3}), w = parameter(normals({3}, 2));
  Variable expected = vmap([&](const Variable& v) { return grad([&](auto& u) { return sum(sin(u * w)); }, {v})[0]; }, {x});
  std::vector<std::thread> threads;
  std::vector<Variable> found(4);
  for (Variable& y : found)
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i)
        y = vmap([&](const Variable& v) { return grad([&](auto& u) { return sum(sin(u * w)); }, {v})[0]; }, {x});
    });
  for (std::thread& thread : threads) thread.join();
  for (const Variable& y : found) close(y.detach(), expected.detach(), 0);
}

// Errors

BOOST_AUTO_TEST_CASE(misuse) {
  using xtape::testing::message;
  Variable x = normals({4, 3}), y = normals({5, 3});
  auto f = [](const Variable& a, const Variable& b) { return a * b; };
  BOOST_TEST(message([&] { vmap(f, {x, y}); }) ==
             "vmap: 4 samples in input 0, 5 in input 1 of (5, 3)");
  BOOST_TEST(message([&] { vmap(f, {x, x}, {.in_axes = {0, 0, 0}}); }) == "vmap: in_axes are 3 for 2 inputs");
  BOOST_TEST(message([&] { vmap(f, {x, x}, {.in_axes = {none, none}}); }) ==
             "vmap: no input has samples, needs an axis in in_axes for one or more");
  BOOST_CHECK_THROW(vmap(f, {x, Variable(2.0)}), ShapeError);
  BOOST_CHECK_THROW(vmap(f, {x, x}, {.in_axes = {2, 0}}), ShapeError);
  BOOST_CHECK_THROW(vmap(f, {x, x}, {.out_axes = {0, 1}}), ValueError);
  xtape::testing::throws<ShapeError>([&] { vmap(f, {x, x}, {.out_axes = {7}}); },
                                     {"vmap", "axis 7 in out_axes for a result of "});
  BOOST_CHECK_THROW(vmap(f, {x}), ValueError);
  BOOST_CHECK_THROW(vmap(f, {x, Variable()}), Error);
  BOOST_CHECK_THROW(vmap([](const Variable& v) { return v.item() > 0 ? ones({2}) : ones({3}); }, {normals({6})}), ShapeError);
  BOOST_TEST(message([&] { vmap([&](const Variable& v) { return matmul(v, x); }, {x}); }) ==
             "matmul: (3,) x (4, 3): inner dimensions 3 and 4 differ");
}

// Each against the loop, which the function is told to be called in by an element that it asks for.
BOOST_AUTO_TEST_CASE(side_effects_are_those_of_the_loop) {
  struct Case {
    const char* what;
    std::function<Variable(Variable& c, const Variable& v)> f;
  };
  const Variable fixed = normals({3}, 5);
  const std::vector<Case> cases = {
      {"a counter", [](auto& c, auto& v) { Variable y = v * 10 + c; c += 1; return y; }},
      {"an accumulator that is returned", [](auto& c, auto& v) { c += v; return c; }},
      {"the last one", [](auto& c, auto& v) { c.assign(v); return v; }},
      {"reset at the end", [](auto& c, auto& v) { Variable d = v - c; c.assign(v); Variable y = d * c; c.assign(ones({3}, float64)); return y; }},
      {"a part", [](auto& c, auto& v) { c[1] = v[0]; return v * c; }},
      {"an error that is caught", [](auto&, auto& v) {
         try {
           return cholesky(reshape(v[range(0, 1)], {1, 1}));
         } catch (const Error&) {
           return v[range(0, 1)] * ones({1, 1}, float64);
         }
       }},
      {"elements behind a catch", [](auto&, auto& v) {
         try {
           return v * v[0].item();
         } catch (const std::exception&) {
           return v * 100;
         }
       }},
      {"a value as an array", [](auto&, auto& v) { return v * Variable(v.value()); }},
  };
  for (const Case& each : cases)
    BOOST_TEST_CONTEXT(each.what) {
      Variable x = normals({4, 3}), p = parameter(x), q = parameter(x);
      Variable c = zeros({3}, float64), d = zeros({3}, float64);
      auto f = each.f, g = each.f;
      Variable y = vmap([&](const Variable& v) { return f(c, v); }, p), z = loop([&](const Variable& v) { return g(d, v); }, q);
      close(y.detach(), z.detach(), 1e-14);
      close(c.detach(), d.detach(), 1e-14);
      sum(y * y).backward();
      sum(z * z).backward();
      close(p.grad(), q.grad(), 1e-13);
    }
}

BOOST_AUTO_TEST_CASE(gradients_of_captured_leaves) {
  Variable x = normals({4, 3}), w = parameter(ones({3}, float64)), v = parameter(ones({3}, float64));
  vmap([&](const Variable& s) {
    sum(w * w).backward();
    return s;
  }, x);
  close(w.grad(), 8 * ones({3}, float64), 1e-14);
  vmap([&](const Variable& s) {
    v.zero_grad();
    sum(v * v * s).backward();
    return s * s[0].item();
  }, x);
  close(v.grad(), 2 * x[3], 1e-14);
}

BOOST_AUTO_TEST_CASE(derivatives_within_by_what_the_batch_was_computed_of) {
  Variable x = normals({4, 3}), a = parameter(normals({3}, 2)), p = a * x;
  auto f = [&](const Variable& v) { return xtape::grad({sum(v * v * a)}, {a}, {.retain_graph = true})[0]; };
  close(vmap(f, p), loop(f, p), 1e-13);
  Variable q = parameter(x);
  vmap([](const Variable& v) {
    sum(v * v).backward({.retain_graph = true});
    return v;
  }, q);
  close(q.grad(), 2 * x, 1e-14);
}

BOOST_AUTO_TEST_CASE(numbers_of_cpp_as_inputs) {
  Variable y = vmap([](const Variable& v, const Variable& s) { return v * s; }, {normals({4, 3}), Variable(2.5)},
                    {.in_axes = {0, none}});
  close(y, 2.5 * normals({4, 3}), 1e-15);
}

BOOST_AUTO_TEST_CASE(what_throws_changes_nothing) {
  Variable x = normals({4, 3}), total = zeros({3}, float64);
  BOOST_CHECK_THROW(vmap([&](const Variable& v) -> Variable {
    total += v;
    throw ValueError("enough");
  }, x), ValueError);
  close(total, x[0]);  // as the loop has it
}

BOOST_AUTO_TEST_CASE(parameters_made_within) {
  Variable x = normals({4, 3}), made;
  Variable y = vmap([&](const Variable& v) {
    if (!made.defined()) made = parameter(ones({3}, float64));
    return sum(v * made);
  }, x);
  sum(y).backward();
  close(made.grad(), sum(x, 0), 1e-14);
}

BOOST_AUTO_TEST_CASE(gradients_that_are_set_within) {
  Variable x = normals({4, 3}), w = parameter(zeros({3}, float64));
  vmap([&](const Variable& v) {
    w.set_grad(v * 2);
    return v;
  }, x);
  close(w.grad(), 2 * x[3], 0);
}

BOOST_AUTO_TEST_CASE(values_that_escape) {
  Variable escaped, x = normals({4, 3});
  vmap([&](const Variable& v) {
    escaped = v * 2;
    return v;
  }, {x});
  BOOST_CHECK_THROW(escaped.data<double>(), Error);
  BOOST_CHECK_THROW(escaped.copy().item(), Error);
}

BOOST_AUTO_TEST_SUITE_END()
