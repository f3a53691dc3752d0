// Elementwise functions where formulas lose digits, against values from elsewhere, in both precisions.
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

#include "edge_values.hpp"

using namespace xtape;
using testing::EdgeValue;
using testing::edge_values;

namespace {

using Function = Variable (*)(const Variable&);

Function function(const std::string& name) {
  static const std::map<std::string, Function> all{
      {"sinc", sinc}, {"spherical_bessel_j0", spherical_bessel_j0}, {"log_ndtr", log_ndtr}, {"erfcx", erfcx},
      {"erfc", erfc}, {"ndtr", ndtr}, {"logsigmoid", logsigmoid},
      {"softplus", [](const Variable& x) { return softplus(x); }}, {"silu", silu}, {"gelu", gelu}, {"mish", mish},
      {"logit", logit}, {"i0", i0}, {"i1", i1}, {"i0e", i0e}, {"i1e", i1e}, {"modified_bessel_k0", modified_bessel_k0},
      {"modified_bessel_k1", modified_bessel_k1}, {"scaled_modified_bessel_k0", scaled_modified_bessel_k0},
      {"scaled_modified_bessel_k1", scaled_modified_bessel_k1}, {"bessel_j0", bessel_j0}, {"bessel_j1", bessel_j1},
      {"bessel_y0", bessel_y0}, {"bessel_y1", bessel_y1}, {"asinh", asinh}, {"acosh", acosh}, {"atanh", atanh},
      {"asin", asin}, {"acos", acos}, {"exp", exp}, {"exp2", exp2}, {"expm1", expm1}, {"sinh", sinh}, {"cosh", cosh},
      {"log", log}, {"log2", log2}, {"log10", log10}, {"log1p", log1p}, {"gelu_tanh", gelu_tanh},
      {"tanhshrink", tanhshrink}, {"ndtri", ndtri},
      {"hypot_with_1", [](const Variable& x) { return hypot(x, 1.0); }},
      {"logaddexp_with_0", [](const Variable& x) { return logaddexp(x, 0.0); }},
      {"logaddexp2_with_0", [](const Variable& x) { return logaddexp2(x, 0.0); }},
      {"gammainc_of_2", [](const Variable& x) { return gammainc(2.0, x); }},
      {"gammaincc_of_2", [](const Variable& x) { return gammaincc(2.0, x); }}};
  return all.at(name);
}

// Whether `found` is `expected` as a T, within a relative tolerance or a few of the smallest numbers.
template <class T>
bool near(double found, double expected, double tolerance) {
  double least = std::numeric_limits<T>::denorm_min();
  T rounded = static_cast<T>(expected);
  if (std::isinf(rounded)) return found == rounded;
  return std::abs(found - expected) <= tolerance * std::abs(expected) + 2 * least;
}

template <class T>
void check(const EdgeValue& e, double tolerance) {
  if (static_cast<T>(e.x) != e.x) return;
  Function f = function(e.function);
  Variable x = Variable({e.x}, float64).to(dtype_of<T>()).requires_grad_(), y = f(x);
  Variable first = grad(sum(y), x, {.create_graph = true}), alone = grad(sum(f(x)), x);
  Variable second = first.requires_grad() ? grad(sum(first), x) : zeros({1});
  BOOST_TEST_CONTEXT(e.function << "(" << e.x << ") in " << to_string(dtype_of<T>())) {
    BOOST_TEST(near<T>(y.item(), e.value, tolerance), y.item() << " is not " << e.value);
    BOOST_TEST(near<T>(first.item(), e.first, 4 * tolerance), "first derivative: " << first.item() << " is not " << e.first);
    BOOST_TEST(near<T>(alone.item(), e.first, 4 * tolerance), "not recorded: " << alone.item() << " is not " << e.first);
    BOOST_TEST(near<T>(second.item(), e.second, 8 * tolerance),
               "second derivative: " << second.item() << " is not " << e.second);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(edges)

BOOST_AUTO_TEST_CASE(values_and_derivatives_in_float64) {
  for (const EdgeValue& e : edge_values) check<double>(e, 2e-14);
}

BOOST_AUTO_TEST_CASE(values_and_derivatives_in_float32) {
  for (const EdgeValue& e : edge_values) check<float>(e, 4e-6);
}

// One convention, see ops/activations.hpp.
BOOST_AUTO_TEST_CASE(activations_at_nan) {
  const std::map<std::string, std::pair<Function, double>> slopes{
      {"relu", {relu, 1}}, {"relu6", {relu6, 1}}, {"hardtanh", {[](const Variable& x) { return hardtanh(x); }, 1}},
      {"elu", {[](const Variable& x) { return elu(x); }, 1}}, {"selu", {selu, 1.0507009873554805}},
      {"celu", {[](const Variable& x) { return celu(x); }, 1}}, {"hardswish", {hardswish, 1}},
      {"hardsigmoid", {hardsigmoid, 1.0 / 6}}, {"hardshrink", {[](const Variable& x) { return hardshrink(x); }, 1}},
      {"softshrink", {[](const Variable& x) { return softshrink(x); }, 1}},
      {"leaky_relu", {[](const Variable& x) { return leaky_relu(x, 0.25); }, 0.25}},
      {"threshold", {[](const Variable& x) { return threshold(x, 0, 0); }, 1}}};
  for (const auto& [name, pair] : slopes)
    for (std::size_t n : {1, 40}) {
      Variable x = full({n}, NAN, float64).requires_grad_(), y = pair.first(x);
      Variable first = grad(sum(y), x, {.create_graph = true}), alone = grad(sum(pair.first(x)), x);
      BOOST_TEST(std::isnan(y[0].item()), name);
      BOOST_TEST(first[0].item() == pair.second, name);
      BOOST_TEST(alone[0].item() == pair.second, name);
      if (first.requires_grad()) BOOST_TEST(grad(sum(first), x, {.allow_unused = true})[0].item() == 0, name);
    }
}

// What the second order says agrees with the first, and with the same not recorded.
BOOST_AUTO_TEST_CASE(activations_at_infinity) {
  const double infinity = std::numeric_limits<double>::infinity();
  Variable x = Variable({infinity, -infinity}, float64).requires_grad_(), g = ones({2}, float64).requires_grad_();
  Variable first = grad(sum(hardswish(x) * g), x, {.create_graph = true});
  BOOST_TEST((first[0].item() == 1 && first[1].item() == 0));
  Variable by_g = grad(sum(first), g);
  BOOST_TEST((by_g[0].item() == 1 && by_g[1].item() == 0));
  for (Function f : {relu, relu6, hardsigmoid, hardswish, softsign, selu, sigmoid}) {
    Variable y = f(x), recorded = grad(sum(y * g), x, {.create_graph = true}), alone = grad(sum(f(x) * g), x);
    Variable again = recorded.requires_grad() ? grad(sum(recorded), g, {.allow_unused = true}) : Variable();
    for (std::size_t i : {0, 1}) {
      auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
      BOOST_TEST(same(recorded[i].item(), alone[i].item()));
      if (again.defined()) BOOST_TEST(same(again[i].item(), alone[i].item()), again << " and " << alone << " of " << y);
    }
  }
}

BOOST_AUTO_TEST_CASE(logarithms_of_sums_of_nothing) {
  const double none = -std::numeric_limits<double>::infinity();
  auto gradient = [](Variable x, const std::function<Variable(const Variable&)>& f) {
    x.requires_grad_();
    return grad(sum(f(x)), x);
  };
  auto equal = [](const Variable& found, std::vector<double> expected) {
    for (std::size_t i = 0; i < expected.size(); ++i) BOOST_TEST(found[i].item() == expected[i]);
  };
  Variable x({none, none, 0.0}, float64);
  equal(gradient(x.copy(), [](auto& x) { return logcumsumexp(x, 0); }), {0, 0, 1});
  equal(gradient(x.copy(), [](auto& x) { return logcumsumexp(x, 0)[-1]; }), {0, 0, 1});
  equal(gradient(x.copy(), [](auto& x) { return logsumexp(x); }), {0, 0, 1});
  equal(gradient(full({3}, none, float64), [](auto& x) { return logsumexp(x); }), {0, 0, 0});
  equal(gradient(full({3}, none, float64), [](auto& x) { return logcumsumexp(x, 0); }), {0, 0, 0});
  equal(gradient(x.copy(), [](auto& x) { return log_softmax(x)[2]; }), {0, 0, 0});
  equal(gradient(x.copy(), [](auto& x) { return logaddexp(x, 0.0); }), {0, 0, 0.5});
  BOOST_TEST(logsumexp(full({2}, none)).item() == none);
}

// Against the definition, on rows of several blocks and columns: terms that grow, vanish, and are far from 0.
BOOST_AUTO_TEST_CASE(logarithms_of_running_sums) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (DType dtype : {float32, float64}) {
    const double unit = dtype == float32 ? 1.2e-7 : 2.3e-16;
    Generator generator(2);
    Variable x = concatenate({randn({3, 300}, dtype, generator) * 20, randn({3, 300}, dtype, generator) - 900,
                              linspace(-1200.0, 1100.0, 400, dtype) + zeros({3, 1}, dtype)}, 1);
    x[{1, range(0, 290)}] = -infinity;
    x[{2, 0}] = 0;        // an infinite element goes on from where the shift is the same
    x[{2, 700}] = infinity;
    for (bool columns : {false, true}) {
      Variable y = columns ? transpose(logcumsumexp(transpose(x), 0)) : logcumsumexp(x, 1);
      for (std::size_t row : {0, 1, 2}) {
        double greatest = -infinity, sum = 0;
        for (std::size_t i = 0; i < x.shape(1); ++i) {
          const double term = x[{row, i}].item(), found = y[{row, i}].item();
          if (term > greatest) sum = sum * std::exp(greatest - term), greatest = term;
          if (std::isfinite(greatest)) sum += std::exp(term - greatest);
          const double expected = std::isfinite(greatest) ? greatest + std::log(sum) : greatest;
          const bool right = found == expected || std::abs(found - expected) <= 4 * unit * (std::abs(greatest) + 10);
          if (!right) BOOST_TEST(found == expected, "element " << i << " of row " << row << ", " << to_string(dtype));
        }
      }
      BOOST_TEST(y[0][0].item() == x[0][0].item());
      BOOST_TEST(y[1][289].item() == -infinity);
      BOOST_TEST(y[2][700].item() == infinity);
    }
    Variable broken = logcumsumexp(Variable({-infinity, 1.0, double(NAN), 2.0, infinity}, dtype), 0);
    BOOST_TEST(broken[1].item() == 1);
    for (std::size_t i : {2, 3, 4}) BOOST_TEST(std::isnan(broken[i].item()));
  }
}

// Against the definition, on rows of several blocks and columns, of few different numbers and of many, with NaN.
BOOST_AUTO_TEST_CASE(the_first_of_the_best) {
  auto check = [](const Variable& rows) {
    Variable columns = transpose(rows), least = argmin(rows, 1), greatest = argmax(rows, 1);
    BOOST_TEST(all(equal(argmin(columns, 0), least)).item() == 1);
    BOOST_TEST(all(equal(argmax(columns, 0), greatest)).item() == 1);
    for (std::size_t row = 0; row < rows.shape(0); ++row) {
      std::size_t first_least = 0, first_greatest = 0;
      std::vector<double> numbers;
      for (std::size_t i = 0; i < rows.shape(1); ++i) {
        numbers.push_back(rows[{row, i}].item());
        if (std::isnan(numbers[i]) && !std::isnan(numbers[first_least])) first_least = first_greatest = i;
        if (numbers[i] < numbers[first_least]) first_least = i;
        if (numbers[i] > numbers[first_greatest]) first_greatest = i;
      }
      BOOST_TEST(least[row].item() == static_cast<double>(first_least));
      BOOST_TEST(greatest[row].item() == static_cast<double>(first_greatest));
    }
  };
  Generator generator(4);
  for (std::size_t n : {1, 2, 17, 511, 512, 513, 1500}) {
    for (DType dtype : {float32, float64, int64, boolean}) check(randint(-3, 4, {3, n}, int64, generator).to(dtype));
    for (DType dtype : {float32, float64}) {
      Variable x = randn({3, n}, dtype, generator);
      check(x);
      x[{1, static_cast<std::ptrdiff_t>(n / 2)}] = NAN;
      x[{1, -1}] = NAN;
      x[{2, range()}] = -std::numeric_limits<double>::infinity();
      check(x);
    }
  }
  check(randn({700, 3}, float32, generator));
}

// A single infinite operand is the result in the limit, with the derivative 1; two have none.
BOOST_AUTO_TEST_CASE(probabilities_of_everything_and_of_nothing) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (DType dtype : {float32, float64}) {
    Variable ends = Variable({-infinity, infinity, NAN}, dtype), p = ndtr(ends), log_p = log_ndtr(ends);
    BOOST_TEST(p[0].item() == 0);
    BOOST_TEST(p[1].item() == 1);
    BOOST_TEST(std::isnan(p[2].item()));
    BOOST_TEST(log_p[0].item() == -infinity);
    BOOST_TEST(log_p[1].item() == 0);
    BOOST_TEST(std::isnan(log_p[2].item()));
  }
}

BOOST_AUTO_TEST_CASE(infinite_operands) {
  const double infinity = std::numeric_limits<double>::infinity();
  using Reduction = std::function<Variable(const Variable&)>;
  const std::map<std::string, Reduction> all{
      {"logsumexp", [](auto& x) { return logsumexp(x, -1); }},
      {"logcumsumexp", [](auto& x) { return logcumsumexp(x, -1)[{range(), -1}]; }},
      {"logaddexp", [](auto& x) { return logaddexp(x[{range(), 0}], x[{range(), 1}]); }},
      {"logaddexp2", [](auto& x) { return logaddexp2(x[{range(), 0}], x[{range(), 1}]); }},
      {"hypot", [](auto& x) { return hypot(x[{range(), 0}], x[{range(), 1}]); }},
      {"norm", [](auto& x) { return norm(x, 2, -1); }},
      {"norm of order 3", [](auto& x) { return norm(x, 3, -1); }}};
  for (const auto& [name, f] : all)
    for (DType dtype : {float32, float64}) {
      Variable x = Variable({{infinity, 2.0}, {-3.0, infinity}, {infinity, infinity}, {1.0, 1.0}}, dtype).requires_grad_();
      Variable y = f(x), g = grad(sum(y), x, {.create_graph = true}), second = grad(sum(g[range(0, 2)]), x);
      BOOST_TEST_CONTEXT(name << ": " << y << ", " << g) {
        for (std::size_t i : {0, 1, 2}) BOOST_TEST(y[i].item() == infinity);
        BOOST_TEST((g[0][0].item() == 1 && g[0][1].item() == 0));
        BOOST_TEST((g[1][0].item() == 0 && g[1][1].item() == 1));
        BOOST_TEST((std::isnan(g[2][0].item()) && std::isnan(g[2][1].item())));
        BOOST_TEST((std::isfinite(y[3].item()) && g[3][0].item() == g[3][1].item() && g[3][0].item() > 0));
        for (std::size_t i : {0, 1}) BOOST_TEST((second[i][0].item() == 0 && second[i][1].item() == 0));
      }
    }
  Variable x = Variable({-infinity, 2.0}, float64).requires_grad_(), g = grad(norm(x), x);
  BOOST_TEST((g[0].item() == -1 && g[1].item() == 0));
}

// LAPACK makes numbers of NaN, or ends the program.
BOOST_AUTO_TEST_CASE(decompositions_refuse_nan) {
  const std::map<std::string, std::function<void(const Variable&)>> all{
      {"eigh", [](auto& a) { eigh(a); }}, {"eigvalsh", [](auto& a) { eigvalsh(a); }}, {"svd", [](auto& a) { svd(a); }},
      {"qr", [](auto& a) { qr(a); }}, {"inverse", [](auto& a) { inverse(a); }}, {"det", [](auto& a) { det(a); }},
      {"cholesky", [](auto& a) { cholesky(a); }}, {"pinv", [](auto& a) { pinv(a); }},
      {"solve", [](auto& a) { solve(a, ones({2}, float64)); }}, {"lstsq", [](auto& a) { lstsq(a, ones({2}, float64)); }}};
  for (const auto& [name, f] : all)
    for (double bad : {double(NAN), std::numeric_limits<double>::infinity()})
      BOOST_CHECK_EXCEPTION(f(Variable({{bad, 1.0}, {1.0, 2.0}}, float64)), ValueError, [&](const ValueError& e) {
        std::string text = e.what();
        BOOST_TEST_MESSAGE(text);
        return text.find("NaN") != std::string::npos && text.find(":") != std::string::npos;
      });
}

BOOST_AUTO_TEST_CASE(products_over_empty_axes) {
  auto shape = [](const Variable& y) { return y.shape(); };
  BOOST_TEST((shape(matmul(zeros({5, 5, 0}), zeros({0, 5}))) == Shape{5, 5, 5}));
  BOOST_TEST(sum(abs(matmul(zeros({5, 5, 0}), zeros({0, 5})))).item() == 0);
  BOOST_TEST((shape(matmul(zeros({0, 3, 4}), zeros({4, 5}))) == Shape{0, 3, 5}));
  BOOST_TEST((shape(matmul(zeros({2, 0, 4}), zeros({4, 0}))) == Shape{2, 0, 0}));
  BOOST_TEST((shape(matmul(zeros({5, 2, 0}), zeros({5, 0, 3}))) == Shape{5, 2, 3}));
  BOOST_TEST((shape(matmul(zeros({5, 2, 0}), zeros({0}))) == Shape{5, 2}));
  BOOST_TEST((shape(matmul(zeros({0}), zeros({5, 0, 3}))) == Shape{5, 3}));
  BOOST_TEST((shape(bmm(zeros({0, 2, 3}), zeros({0, 3, 4}))) == Shape{0, 2, 4}));
  BOOST_TEST((shape(tensordot(zeros({5, 0}), zeros({0, 3}), Axes(1), Axes(0))) == Shape{5, 3}));
  BOOST_TEST((shape(einsum("bij,jk->bik", {zeros({5, 5, 0}), zeros({0, 3})})) == Shape{5, 5, 3}));
  BOOST_TEST((shape(inner(zeros({2, 0}), zeros({3, 0}))) == Shape{2, 3}));
  BOOST_TEST((shape(linear(zeros({5, 4, 0}), zeros({3, 0}))) == Shape{5, 4, 3}));
  Variable a = zeros({5, 5, 0}).requires_grad_(), b = zeros({0, 5}).requires_grad_();
  sum(matmul(a, b)).backward();
  BOOST_TEST((a.grad().shape() == a.shape() && b.grad().shape() == b.shape()));
}

BOOST_AUTO_TEST_SUITE_END()
