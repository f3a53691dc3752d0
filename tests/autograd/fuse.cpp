// Fused functions: against the same functions composed of operations, and against numerical derivatives.
#include <fstream>
#include <regex>
#include <set>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <autograd/fuse.hpp>
#include <autograd/tape.hpp>

#include "samples.hpp"

using namespace xtape;
using samples::numbers;
using Variables = std::vector<Variable>;

namespace {

double distance(const Variable& a, const Variable& b) {
  BOOST_REQUIRE(a.shape() == b.shape());
  return a.size() == 0 ? 0 : max(abs(a - b)).item();
}

// One function of the header, fused and composed, on one to three operands.
struct Case {
  std::string name;
  std::function<Variable(const Variables&)> fused, composed;
  Variables inputs;
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

template <class F>
Case unary(const std::string& name, F f, double low = -2, double high = 2) {
  return {name, [f](const Variables& x) { return fuse(f, x[0]); }, [f](const Variables& x) { return f(x[0]); },
          {numbers({3, 7}, low, high)}};
}
template <class F>
Case binary(const std::string& name, F f, double low = -2, double high = 2) {
  return {name, [f](const Variables& x) { return fuse(f, x[0], x[1]); },
          [f](const Variables& x) { return f(x[0], x[1]); },
          {numbers({3, 7}, low, high), numbers({7}, low + 0.013, high)}};
}
template <class F>
Case ternary(const std::string& name, F f) {
  return {name, [f](const Variables& x) { return fuse(f, x[0], x[1], x[2]); },
          [f](const Variables& x) { return f(x[0], x[1], x[2]); },
          {numbers({3, 7}), numbers({3, 1}, -1.517, -0.2), numbers({}, 0.5, 1.7)}};
}

const std::vector<Case>& cases() {
  static const std::vector<Case> list{
      binary("add", [](auto a, auto b) { return add(a, b); }),
      binary("sub", [](auto a, auto b) { return sub(a, b); }),
      binary("mul", [](auto a, auto b) { return mul(a, b); }),
      binary("div", [](auto a, auto b) { return div(a, b); }),
      unary("neg", [](auto x) { return neg(x); }),
      unary("square", [](auto x) { return square(x); }),
      unary("sqrt", [](auto x) { return sqrt(x); }, 0.1, 3),
      unary("reciprocal", [](auto x) { return reciprocal(x); }),
      unary("rsqrt", [](auto x) { return rsqrt(x); }, 0.1, 3),
      binary("hypot", [](auto a, auto b) { return hypot(a, b); }),
      binary("fmod", [](auto a, auto b) { return fmod(a, b); }),
      binary("remainder", [](auto a, auto b) { return remainder(a, b); }),
      ternary("lerp", [](auto a, auto b, auto w) { return lerp(a, b, w); }),
      unary("abs", [](auto x) { return abs(x); }),
      unary("sign", [](auto x) { return x * sign(x); }),
      binary("copysign", [](auto a, auto b) { return copysign(a, b); }),
      unary("floor", [](auto x) { return x * floor(x); }),
      unary("ceil", [](auto x) { return x * ceil(x); }),
      unary("round", [](auto x) { return x * round(x); }),
      unary("trunc", [](auto x) { return x * trunc(x); }),
      unary("frac", [](auto x) { return x * frac(x); }),
      binary("maximum", [](auto a, auto b) { return maximum(a, b); }),
      binary("minimum", [](auto a, auto b) { return minimum(a, b); }),
      binary("fmax", [](auto a, auto b) { return fmax(a, b); }),
      binary("fmin", [](auto a, auto b) { return fmin(a, b); }),
      ternary("clip", [](auto x, auto low, auto high) { return clip(x, low, high); }),
      ternary("clamp", [](auto x, auto low, auto high) { return clamp(x, low, high); }),
      unary("where", [](auto x) { return where((x > 0.3) || !(x >= -1), x * x, where(x == 0, 1, -x)); }),
      unary("is_nan", [](auto x) { return where((x != x) && (x < 0) && (x <= 0), 0, x); }),
      binary("pow", [](auto a, auto b) { return pow(a, b); }, 0.1, 3),
      unary("power", [](auto x) { return pow(x, 2) + pow(x, 3) + pow(x, -1) + pow(1.7, x); }),
      unary("exp", [](auto x) { return exp(x); }),
      unary("expm1", [](auto x) { return expm1(x); }),
      unary("exp2", [](auto x) { return exp2(x); }),
      unary("log", [](auto x) { return log(x); }, 0.1, 3),
      unary("log1p", [](auto x) { return log1p(x); }, -0.9, 3),
      unary("log2", [](auto x) { return log2(x); }, 0.1, 3),
      unary("log10", [](auto x) { return log10(x); }, 0.1, 3),
      binary("logaddexp", [](auto a, auto b) { return logaddexp(a, b); }),
      binary("xlogy", [](auto a, auto b) { return xlogy(a, b); }, 0.1, 3),
      unary("sin", [](auto x) { return sin(x); }),
      unary("cos", [](auto x) { return cos(x); }),
      unary("tan", [](auto x) { return tan(x); }, -1.4, 1.4),
      unary("asin", [](auto x) { return asin(x); }, -0.9, 0.9),
      unary("acos", [](auto x) { return acos(x); }, -0.9, 0.9),
      unary("atan", [](auto x) { return atan(x); }),
      binary("atan2", [](auto y, auto x) { return atan2(y, x); }),
      unary("sinh", [](auto x) { return sinh(x); }),
      unary("cosh", [](auto x) { return cosh(x); }),
      unary("tanh", [](auto x) { return tanh(x); }),
      unary("asinh", [](auto x) { return asinh(x); }),
      unary("acosh", [](auto x) { return acosh(x); }, 1.2, 4),
      unary("atanh", [](auto x) { return atanh(x); }, -0.9, 0.9),
      unary("erf", [](auto x) { return erf(x); }),
      unary("erfc", [](auto x) { return erfc(x); }),
      unary("logit", [](auto x) { return logit(x); }, 0.06, 0.9),
      unary("sigmoid", [](auto x) { return sigmoid(x); }),
      unary("logsigmoid", [](auto x) { return logsigmoid(x); }),
      unary("relu", [](auto x) { return relu(x); }),
      unary("relu6", [](auto x) { return relu6(x * 5); }),
      binary("leaky_relu", [](auto x, auto slope) { return leaky_relu(x, slope) + leaky_relu(x); }),
      binary("elu", [](auto x, auto alpha) { return elu(x, alpha) + elu(x); }),
      unary("selu", [](auto x) { return selu(x); }),
      binary("celu", [](auto x, auto alpha) { return celu(x, alpha) + celu(x); }),
      unary("gelu", [](auto x) { return gelu(x); }),
      unary("error_function", [](auto x) { return 1 - erf(x); }),
      unary("gelu_tanh", [](auto x) { return gelu_tanh(x); }),
      unary("silu", [](auto x) { return silu(x); }),
      unary("softplus", [](auto x) { return softplus(x) + softplus(x, 3, 2); }),
      unary("mish", [](auto x) { return mish(x); }),
      unary("softsign", [](auto x) { return softsign(x); }),
      unary("hardtanh", [](auto x) { return hardtanh(x) + hardtanh(x, -0.3, 0.7); }),
      unary("hardsigmoid", [](auto x) { return hardsigmoid(x * 2); }),
      unary("hardswish", [](auto x) { return hardswish(x * 2); }),
      unary("softshrink", [](auto x) { return softshrink(x); }),
      unary("hardshrink", [](auto x) { return hardshrink(x); }),
      unary("tanhshrink", [](auto x) { return tanhshrink(x); }),
  };
  return list;
}

// f, the gradients of a weighted sum of it, and those of a weighted sum of those: the first and the second order.
Variables both_orders(const std::function<Variable(const Variables&)>& f, const Variables& inputs) {
  Variables xs;
  for (const Variable& x : inputs) xs.push_back(x.copy().requires_grad_());
  Variable y = f(xs), weights = numbers(y.shape());
  Variables first = grad({y}, xs, {.create_graph = true, .allow_unused = true, .grad_outputs = {weights}}), all = first;
  all.push_back(y);
  Variable total = Variable(Array::scalar(0, float64));
  for (const Variable& g : first)
    if (g.defined()) total = total + sum(g * numbers(g.shape()));
  Variables second(xs.size());
  if (total.requires_grad()) second = grad({total}, xs, {.allow_unused = true});
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fused)

BOOST_DATA_TEST_CASE(agrees_with_the_composed_form, cases(), c) {
  Variables fused = both_orders(c.fused, c.inputs), composed = both_orders(c.composed, c.inputs);
  for (std::size_t i = 0; i < fused.size(); ++i) {
    // What plays no part has no gradient in one form, and one of zeros in the other.
    if (!composed[i].defined() && !fused[i].defined()) continue;
    Variable zero = zeros(fused[i].defined() ? fused[i].shape() : composed[i].shape(), float64);
    BOOST_TEST(distance(fused[i].defined() ? fused[i] : zero, composed[i].defined() ? composed[i] : zero) <= 1e-12);
  }
}

// Every function of Numbers that the headers define has its case.
BOOST_AUTO_TEST_CASE(every_function_has_a_case) {
  std::set<std::string> tried, defined;
  for (const Case& c : cases()) BOOST_TEST(tried.insert(c.name).second);
  for (const char* header : {"number", "arithmetic", "transcendental", "activations"}) {
    std::ifstream file(std::string(XTAPE_SOURCE_DIR "/autograd/fused/") + header + ".hpp");
    bool internal = false;
    const std::regex function(R"(^auto (\w+)\()");
    for (std::string line; std::getline(file, line);) {
      if (line == "namespace detail {") internal = true;
      if (line == "}  // namespace detail") internal = false;
      std::smatch match;
      if (!internal && std::regex_search(line, match, function)) defined.insert(match[1]);
    }
  }
  defined.erase("chain");
  BOOST_TEST(defined.size() > 60);
  BOOST_TEST(tried == defined, boost::test_tools::per_element());
}

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

template <unsigned compiled>
void third_order() {
  Variable x = Variable{0.3, -1.2, 2.0}.to(float64).requires_grad_(), y = fuse<compiled>([](auto x) { return sin(x); }, x);
  for (int order = 1; order <= 4; ++order) {
    y = grad(sum(y), x, {.create_graph = true});
    Variable exact = order == 1 ? cos(x) : order == 2 ? -sin(x) : order == 3 ? -cos(x) : sin(x);
    BOOST_TEST(distance(y, exact) <= 1e-15);
  }
}

BOOST_AUTO_TEST_CASE(any_order) {
  third_order<0>();
  third_order<1>();
  third_order<2>();
  third_order<3>();
}

BOOST_AUTO_TEST_CASE(one_operand_twice_and_one_that_depends_on_another) {
  for (bool twice : {true, false}) {
    auto f = [twice](const Variables& x) {
      Variable b = twice ? x[0] : exp(x[0] * 0.5);
      return fuse<1>([](auto a, auto b) { return a * a * b; }, x[0], b);
    };
    auto result = gradcheck(f, {numbers({5})}, {.order = 3});
    BOOST_TEST(result.ok, result.message);
  }
}

BOOST_AUTO_TEST_CASE(is_one_node_in_every_compiled_order) {
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
        auto [h, c] = fuse<1>(lstm, blocks<4>(x[0]), x[1]);
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
    auto [sum, product] = fuse<2>([](auto a, auto b, auto c) { return std::tuple(a + sin(b), a * b * c); },
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

std::string message(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

BOOST_AUTO_TEST_CASE(misuse) {
  auto f = [](auto a, auto b) { return a + b; };
  BOOST_TEST(message([&] { fuse(f, ones({2, 3}), ones({2})); }).find("fuse: shapes (2, 3) and (2,)") == 0);
  BOOST_TEST(message([&] { fuse(f, ones({2}), ones({2}, float64)); }).find("fuse: float32(2,) with float64(2,)") == 0);
  BOOST_TEST(message([&] { fuse(f, Variable(), ones({2})); }).find("fuse: ") == 0);
  BOOST_TEST(message([&] { fuse(f, ones({2}, int64), 1); }).find("fuse: ") == 0);
  BOOST_TEST(message([&] { fuse(f, blocks<2>(ones({2, 3}))); }).find("fuse: the last axis of (2, 3)") == 0);
  BOOST_TEST(message([&] { fuse(f, blocks<2>(ones({}))); }).find("fuse: the last axis of ()") == 0);
  Variable x = parameter(ones({2}));
  Variable y = fuse([](auto x) { return x * x; }, x);
  {
    NoGrad guard;
    x.assign(zeros({2}));
  }
  BOOST_TEST(message([&] { sum(y).backward(); }).find("fuse: ") < 20);
}

BOOST_AUTO_TEST_SUITE_END()
