// Fused functions: their operands, results and orders, against composed forms and numerical derivatives.
#include <autograd/fuse.hpp>
#include <autograd/tape.hpp>
#include <tests/support.hpp>

#include "both_orders.hpp"

using namespace xtape;
using samples::numbers;
using testing::both_orders;
using testing::distance;
using testing::message;
using Variables = std::vector<Variable>;

BOOST_AUTO_TEST_SUITE(fusing)

Variable three(const Variable& a, const Variable& b, const Variable& c) {
  return fuse([](auto a, auto b, auto c) { return tanh(a * b + c) * sigmoid(a) / (1 + c * c); }, a, b, c);
}

BOOST_AUTO_TEST_CASE(numerical_derivatives_over_broadcasts) {
  const std::vector<std::vector<Shape>> shapes{
      {{}, {}, {}},          {{1}, {1}, {1}},       {{37}, {37}, {37}},    {{5, 19}, {19}, {5, 1}},
      {{2, 3, 17}, {3, 1}, {}}, {{1, 4}, {3, 1}, {1}}, {{2, 0}, {2, 1}, {}}, {{16, 1}, {1, 2}, {16, 2}}};
  for (const auto& s : shapes) {
    auto result = gradcheck([](const Variables& x) { return three(x[0], x[1], x[2]); },
                            {numbers(s[0]), numbers(s[1], -1, 1), numbers(s[2], 0.2, 1)}, {.order = 2});
    BOOST_TEST(result.ok, result.message);
  }
}

BOOST_AUTO_TEST_CASE(any_order) {
  Variable x = Variable{0.3, -1.2, 2.0}.to(float64).requires_grad_(), y = fuse([](auto x) { return sin(x); }, x);
  for (int order = 1; order <= 4; ++order) {
    y = grad(sum(y), x, {.create_graph = true});
    Variable exact = order == 1 ? cos(x) : order == 2 ? -sin(x) : order == 3 ? -cos(x) : sin(x);
    BOOST_TEST(distance(y, exact) <= 1e-15);
  }
}

BOOST_AUTO_TEST_CASE(one_operand_twice_and_one_that_depends_on_another) {
  for (bool twice : {true, false}) {
    auto f = [twice](const Variables& x) {
      Variable b = twice ? x[0] : exp(x[0] * 0.5);
      return fuse([](auto a, auto b) { return a * a * b; }, x[0], b);
    };
    auto result = gradcheck(f, {numbers({5})}, {.order = 3});
    BOOST_TEST(result.ok, result.message);
  }
}

BOOST_AUTO_TEST_CASE(is_one_node_in_every_order) {
  Variable x = numbers({4}).requires_grad_(), s = numbers({}).requires_grad_();
  Variable y = fuse([](auto x, auto s) { return exp(x * s); }, x, s);
  BOOST_TEST(std::string(y.impl()->node->name()) == "fuse");
  Variable g = grad(sum(y), x, {.create_graph = true});
  BOOST_TEST(std::string(g.impl()->node->name()) == "fuse");
  Variable h = grad(sum(g), s, {.create_graph = true});
  BOOST_TEST(std::string(h.impl()->node->name()) == "fuse");
  BOOST_TEST(h.item() == sum((1 + x * s) * exp(x * s)).item(), boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(no_part_means_no_gradient_even_at_infinity) {
  Variable x = Variable({1.0, INFINITY}, float64).requires_grad_(), y = Variable({2.0, 3.0}, float64).requires_grad_();
  Variables g = grad({sum(fuse([](auto a, auto b) { return a * b; }, x, y))}, {x, y});
  BOOST_TEST(g[0].data<double>()[1] == 3);
  BOOST_TEST(g[1].data<double>()[1] == INFINITY);
  Variable z = fuse([](auto a, auto b) { return where(a > 0, a, b); }, x, y);
  BOOST_TEST(grad(sum(z), y).data<double>()[0] == 0);
}

BOOST_AUTO_TEST_CASE(assignment_within_the_function) {
  auto polynomial = [](auto x) {
    auto y = x * 0 + 2;
    for (int i = 0; i < 3; ++i) y = y * x - i;
    y += 1.5;
    y *= x;
    y -= x / 2;
    y /= 3;
    return -(+y);
  };
  auto result = gradcheck([&](const Variables& x) { return fuse(polynomial, x[0]); }, {numbers({9})}, {.order = 2});
  BOOST_TEST(result.ok, result.message);
}

BOOST_AUTO_TEST_CASE(float32_and_scalars) {
  Variable x = numbers({33}).to(float32).requires_grad_();
  Variable y = fuse([](auto x, auto s) { return x * s; }, x, 2.5);
  BOOST_TEST((y.dtype() == float32));
  BOOST_TEST(distance(y, x * 2.5) == 0);
  y.backward(ones_like(y));
  BOOST_TEST(distance(x.grad(), full({33}, 2.5)) == 0);
  BOOST_TEST(fuse([](auto a, auto b) { return a * b; }, 2, 0.1).item() == 0.2);
  BOOST_TEST(!fuse([](auto a) { return a + a; }, x.detach()).requires_grad());
  // What does not depend on its operand is a constant of its shape.
  Variable seven = fuse([](auto) { return 7; }, x);
  BOOST_TEST(distance(seven, full({33}, 7)) == 0);
  seven.backward(ones_like(seven));
  BOOST_TEST(distance(x.grad(), full({33}, 2.5)) == 0);
}

BOOST_AUTO_TEST_CASE(long_sums_stay_exact) {
  Variable x = ones({3000001}), s = parameter(Variable(1.0f).to(float32));
  sum(fuse([](auto x, auto s) { return x * s * 0.1; }, x, s)).backward();
  BOOST_TEST(s.grad().item() == 300000.1, boost::test_tools::tolerance(1e-6));
}

// Numbers are of one type, whatever they come from: helpers need no more than that.
template <class T>
T larger_by_half(T a, T b) {
  if (std::is_same_v<T, double>) return a;
  return where(a > b, a, b) + 0.5 * a;
}
fused::Number norm(const std::vector<fused::Number>& xs) {
  fused::Number sum = 0;
  for (const fused::Number& x : xs) sum += x * x;
  return sqrt(sum);
}

BOOST_AUTO_TEST_CASE(helpers_of_one_type) {
  auto f = [](const Variables& x) {
    return fuse([](auto a, auto b, fused::Number c) {
      auto s = larger_by_half(a, b);
      for (auto x : {a, b, c}) s = s * 0.5 + x;  // depends on more and more operands
      return s / norm({a, b * c, 1});
    }, x[0], x[1], x[2]);
  };
  auto result = gradcheck(f, {numbers({3, 5}), numbers({5}, -1, 1), numbers({3, 1}, 0.2, 1)}, {.order = 2});
  BOOST_TEST(result.ok, result.message);
}

BOOST_AUTO_TEST_CASE(numbers_of_another_call) {
  Variable x = ones({2});
  std::optional<fused::Number> kept;
  std::string said;
  fuse([&](auto a) {
    kept = a;
    said = message([&] { fuse([&](auto b) { return *kept * b; }, x); });
    return a;
  }, x);
  BOOST_TEST(said == "fuse: a number of another call");
  BOOST_TEST(message([&] { fuse([&](auto a) { return *kept + a; }, x); }) == "fuse: a number of another call, which has ended");
  BOOST_TEST(message([&] { fuse([&](auto a) { return std::tuple(a, *kept); }, x); }).find("fuse: a number") == 0);
}

BOOST_AUTO_TEST_CASE(a_function_that_throws_leaves_nothing_open) {
  Variable x = ones({2});
  BOOST_CHECK_THROW(fuse([](auto a) { return a * (throw std::runtime_error("no"), 1); }, x), std::runtime_error);
  BOOST_TEST(distance(fuse([&](auto a) { return a + fuse([](auto b) { return b * 2; }, ones({})).item(); }, x), x * 3) == 0);
}

BOOST_AUTO_TEST_CASE(results_without_a_gradient_play_no_part) {
  Variable x = Variable({0.0, 4.0}, float64).requires_grad_();
  auto [twice, root] = fuse([](auto x) { return std::tuple(x * 2, sqrt(x)); }, x);
  BOOST_TEST(distance(grad(sum(twice), x, {.retain_graph = true}), full({2}, 2, float64)) == 0);
  BOOST_TEST(grad(sum(root), x).data<double>()[1] == 0.25);
  Variable y = Variable({0.0, 4.0}, float64).requires_grad_();
  Variable of_x = grad(sum(fuse([](auto x, auto y) { return x * sqrt(y); }, x, y)), x, {.create_graph = true});
  BOOST_TEST(grad(sum(of_x), y, {.retain_graph = true}).data<double>()[1] == 0.25);
  BOOST_TEST(grad(sum(of_x), y).data<double>()[0] == INFINITY);
}

BOOST_AUTO_TEST_CASE(numbers_of_constants) {
  Variable x = ones({3});
  BOOST_TEST(fuse([](auto x) { return nan_to_num(fused::Number(INFINITY)) + 0 * x; }, x).data<float>()[0] ==
             std::numeric_limits<float>::max());
  BOOST_TEST(fuse([](auto x) { return exp(fused::Number(1)) * x; }, x).data<float>()[0] == std::exp(1.0f));
  BOOST_TEST(message([&] { fuse([](auto x) { return where(isclose(x, 1, -1.0), x, 0); }, x); }).find("isclose") == 0);
}

// A step of an LSTM: two results of five numbers, four of which are blocks of one operand.
constexpr auto lstm = [](auto i, auto f, auto g, auto o, auto c) {
  auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
  return std::tuple(sigmoid(o) * tanh(next), next);
};

BOOST_AUTO_TEST_CASE(several_results_of_blocks) {
  const std::vector<std::pair<Shape, Shape>> shapes{{{3, 20}, {3, 5}}, {{3, 20}, {3, 1}}, {{3, 20}, {5}}, {{3, 20}, {}},
                                                    {{19, 4}, {19, 1}}, {{1, 4}, {1, 1}}, {{2, 3, 4}, {1}}};
  for (const auto& [gates, cell] : shapes) {
    Variables inputs{numbers(gates), numbers(cell, -1, 1)};
    for (int used : {0, 1, 2}) {  // of the results: the first, the second, both
      auto combine = [used](const Variable& h, const Variable& c) { return used == 0 ? h : used == 1 ? c : h * c + h; };
      auto fused = [&](const Variables& x) {
        auto [h, c] = fuse(lstm, blocks<4>(x[0]), x[1]);
        return combine(h, c);
      };
      auto composed = [&](const Variables& x) {
        Variables gates = split(x[0], 4, -1);
        auto [h, c] = lstm(gates[0], gates[1], gates[2], gates[3], x[1]);
        return combine(h, broadcast_to(c, h.shape()));
      };
      Variables own = both_orders(fused, inputs), other = both_orders(composed, inputs);
      for (std::size_t i = 0; i < own.size(); ++i) BOOST_TEST(distance(own[i], other[i]) <= 1e-13);
    }
  }
}

BOOST_AUTO_TEST_CASE(profile_counts_all_results) {
  Profile profile;
  fuse([](auto a) { return std::tuple(a + 1, a * 2, 3); }, ones({10, 5}));
  profile.stop();
  BOOST_TEST(profile.rows()[0].forward.bytes == 3u * 10 * 5 * 4);
}

BOOST_AUTO_TEST_CASE(several_results_of_blocks_to_the_third_order) {
  auto f = [](const Variables& x) {
    auto [sum, product] = fuse([](auto a, auto b, auto c) { return std::tuple(a + sin(b), a * b * c); },
                                  blocks<2>(x[0]), x[1]);
    return sum * product;
  };
  auto result = gradcheck(f, {numbers({2, 3, 8}), numbers({3, 1}, -1, 1)}, {.order = 3});
  BOOST_TEST(result.ok, result.message);
  Variable x = numbers({2, 8}).requires_grad_();
  auto [sum, product] = fuse([](auto a, auto b) { return std::tuple(a + b, a * b); }, blocks<2>(x));
  BOOST_TEST(sum.impl()->node == product.impl()->node);
  auto [three, four] = fuse([](auto a) { return std::tuple(a + 1, 4); }, 2);
  BOOST_TEST(three.item() == 3);
  BOOST_TEST(four.item() == 4);
}

// Blocks of one column are copied to where their numbers stand together, a piece of a row at a time.
BOOST_AUTO_TEST_CASE(narrow_blocks) {
  auto f = [](auto a, auto b, auto c, auto s, auto r) { return std::tuple(a * b + tanh(c) * s, (a - c) * r); };
  for (std::size_t rows : {1, 127, 128, 300}) {
    for (DType dtype : {float32, float64}) {
      Variable x = randn({rows, 3}, dtype).requires_grad_(), s = randn({1, 1}, dtype).requires_grad_();
      Variable r = randn({rows, 1}, dtype).requires_grad_();
      auto column = [&](const Variable& x, std::ptrdiff_t i) { return x[{range(), range(i, i + 1)}]; };
      auto [y, z] = fuse(f, blocks<3>(x), s, r);
      auto [expected_y, expected_z] = f(column(x, 0), column(x, 1), column(x, 2), s, r);
      const double tolerance = dtype == float32 ? 2e-4 : 1e-12;
      BOOST_TEST(distance(y, expected_y) <= tolerance);
      BOOST_TEST(distance(z, expected_z) <= tolerance);
      Variables inputs{x, s, r};
      Variables own = grad({sum(y * z)}, inputs, {.create_graph = true});
      Variables other = grad({sum(expected_y * expected_z)}, inputs, {.create_graph = true});
      for (std::size_t i = 0; i < inputs.size(); ++i) BOOST_TEST(distance(own[i], other[i]) <= tolerance);
      own = grad({sum(own[0] * own[0])}, inputs), other = grad({sum(other[0] * other[0])}, inputs);
      for (std::size_t i = 0; i < inputs.size(); ++i) BOOST_TEST(distance(own[i], other[i]) <= 10 * tolerance);
    }
  }
}

// Large results keep values of functions for the way back, small ones do not, nor does a way back that is recorded: all
// compute the same, of results that are such values themselves, and of those that are sums in a derivative.
BOOST_AUTO_TEST_CASE(kept_values) {
  auto f = [](auto x, auto y) {
    auto a = tanh(x * y), b = exp(-x * x);
    return std::tuple(a, a * b + sigmoid(y), erf(b));
  };
  for (std::size_t size : {7, 1023, 1024, 40000, 400000}) {
    for (const Shape& shape : {Shape{size}, Shape{size, 1}}) {
      Variable x = numbers(shape).requires_grad_(), y = numbers(Shape(shape.size(), 1), 0.5, 1).requires_grad_();
      Variable weights = numbers(shape, -1, 1);
      auto [a, b, c] = fuse(f, x, y);
      auto [other_a, other_b, other_c] = f(x, y);
      const Variables results{a, b, c}, others{other_a, other_b, other_c};
      for (const std::vector<int>& chosen : {std::vector{0}, {1}, {0, 2}, {0, 1, 2}}) {
        Variables fused, composed;
        for (int i : chosen) fused.push_back(results[i]), composed.push_back(others[i]);
        for (bool recorded : {false, true}) {
          const GradOptions options{.retain_graph = true, .create_graph = recorded,
                                    .grad_outputs = Variables(fused.size(), weights)};
          Variables own = grad(fused, {x, y}, options), other = grad(composed, {x, y}, options);
          BOOST_TEST(distance(own[0], other[0]) <= 1e-14);
          BOOST_TEST(distance(own[1], other[1]) <= 1e-14 * static_cast<double>(size));
          if (!recorded) continue;
          own = grad({sum(own[0] * weights)}, {x, y}, {.retain_graph = true});
          other = grad({sum(other[0] * weights)}, {x, y}, {.retain_graph = true});
          BOOST_TEST(distance(own[0], other[0]) <= 1e-13);
          BOOST_TEST(distance(own[1], other[1]) <= 1e-13 * static_cast<double>(size));
        }
      }
    }
  }
}

// Programs are known by what they compute: a call that computes something else does not get the one before.
BOOST_AUTO_TEST_CASE(functions_that_change) {
  Variable x = numbers({2000}).requires_grad_();
  auto power = [](const Variable& x, int exponent, double factor) {
    return fuse([&](auto x) {
      auto y = tanh(x) * factor;
      for (int i = 1; i < exponent; ++i) y = y * x;
      return y;
    }, x);
  };
  for (int round = 0; round < 2; ++round)
    for (int exponent : {1, 2, 3})
      for (double factor : {0.0, -0.0, 2.0, static_cast<double>(NAN)}) {
        Variable y = power(x, exponent, factor), expected = tanh(x) * factor;
        for (int i = 1; i < exponent; ++i) expected = expected * x;
        BOOST_TEST((std::isnan(factor) ? all(isnan(y)).item<bool>() : distance(y, expected) == 0));
        if (std::isnan(factor)) continue;
        BOOST_TEST(distance(grad({y}, {x}, {.grad_outputs = {x}})[0], grad({expected}, {x}, {.grad_outputs = {x}})[0]) <= 1e-14);
      }
}

// Gradients of operands that short rows repeat, by each of which another is summed: over columns, over rows, and over
// either in blocks.
BOOST_AUTO_TEST_CASE(sums_over_short_rows) {
  auto f = [](auto x, auto row, auto column, auto a, auto b, auto c, auto d) {
    return std::tuple(tanh(x * column + row) * a - b, c * x + d * column);
  };
  for (std::size_t width : {1, 2, 5, 16, 65, 100}) {
    for (std::size_t rows : {1, 3, 150}) {
      const std::size_t two = 2 * width;
      Variables x{numbers({rows, width}), numbers({width}), numbers({rows, 1}), numbers({two}, -1, 1), numbers({rows, 2}, 0, 1)};
      auto fused = [&](const Variables& x) {
        auto [y, z] = fuse(f, x[0], x[1], x[2], blocks<2>(x[3]), blocks<2>(x[4]));
        return y * z + z;
      };
      auto composed = [&](const Variables& x) {
        Variables ab = split(x[3], 2, -1), cd = split(x[4], 2, -1);
        auto [y, z] = f(x[0], x[1], x[2], ab[0], ab[1], cd[0], cd[1]);
        return y * z + z;
      };
      Variables own = both_orders(fused, x), other = both_orders(composed, x);
      for (std::size_t i = 0; i < own.size(); ++i)
        BOOST_TEST(distance(own[i], other[i]) <= 1e-13 * static_cast<double>(width * rows));
    }
  }
}

BOOST_AUTO_TEST_CASE(misuse) {
  auto f = [](auto a, auto b) { return a + b; };
  BOOST_TEST(message([&] { fuse(f, ones({2, 3}), ones({2})); }).find("fuse: shapes (2, 3) and (2,)") == 0);
  BOOST_TEST(message([&] { fuse(f, ones({2}), ones({2}, float64)); }).find("fuse: float32(2,) with float64(2,)") == 0);
  BOOST_TEST(message([&] { fuse(f, Variable(), ones({2})); }).find("fuse: ") == 0);
  BOOST_TEST(message([&] { fuse(f, ones({2}, int64), 1); }).find("fuse: ") == 0);
  BOOST_TEST(message([&] { fuse(f, blocks<2>(ones({2, 3}))); }).find("fuse: the last axis of (2, 3)") == 0);
  BOOST_TEST(message([&] { fuse(f, blocks<2>(ones({}))); }).find("fuse: the last axis of ()") == 0);
}

BOOST_AUTO_TEST_CASE(later_changes_do_not_reach_the_gradient) {
  Variable x = parameter(ones({2}));
  Variable y = fuse([](auto x) { return x * x; }, x);
  {
    NoGrad guard;
    x.assign(zeros({2}));
  }
  sum(y).backward();
  BOOST_TEST(x.grad().value().at(0) == 2);
}

BOOST_AUTO_TEST_SUITE_END()
