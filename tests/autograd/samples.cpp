#include "sample_families.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>

#include <autograd/autograd.hpp>

namespace samples {

using namespace xtape;

std::ostream& operator<<(std::ostream& out, const Operation& operation) { return out << operation.name; }

Variable numbers(const Shape& shape, double low, double high, double gap) {
  // A permutation of evenly spaced numbers: distinct, so that max and sort have no ties.
  std::size_t n = element_count(shape);
  Generator generator(n + 17);
  Array order = generator.permutation(n), jitter = generator.uniform({n}, 0.2, 0.8, float64), result(shape, float64);
  for (std::size_t i = 0; i < n; ++i) {
    double x = low + (high - low) * (order.at(i) + jitter.at(i)) / static_cast<double>(n);
    result.mutable_data<double>()[i] = std::abs(x) < gap ? x + (low + gap < 0 && x < 0 ? -gap : gap) : x;
  }
  return Variable(result);
}

namespace {

using Unary = Variable (*)(const Variable&);
using Binary = Variable (*)(const Variable&, const Variable&);

// Every kind of shape: none, one, and more elements than a vector register holds, with a rest. A function, as the list is
// asked for before the variables of this file are initialized.
std::vector<Shape> shapes() { return {{}, {1}, {0}, {5}, {2, 0, 3}, {3, 1, 2}, {1, 37}}; }

Operation unary(const char* name, Unary f, double low = -2, double high = 2) {
  Operation result{name, true, {}};
  for (const Shape& shape : shapes())
    result.samples.push_back({"shape " + to_string(shape), {numbers(shape, low, high)}, [f](auto& x) { return f(x[0]); }});
  result.samples.push_back({"of a transposed part", {numbers({4, 3, 2}, low, high)},
                            [f](auto& x) { return f(transpose(x[0][range(none, none, -2)], {2, 0, 1})); }});
  auto call = [f](auto& x) { return f(x[0]); };
  if (low < 0 && high > 0) result.samples.push_back({"small magnitudes", {numbers({6}, low * 1e-3, high * 1e-3, 0)}, call});
  // Where the results stay so small that differences of them say something about derivatives.
  Variable large = numbers({7}, -40, 40);
  if (low <= -2 && high >= 2 && all(abs(f(large)) < 1000).item() != 0)
    result.samples.push_back({"large magnitudes", {large}, call});
  return result;
}

std::vector<std::pair<Shape, Shape>> shape_pairs() {
  return {
    {{}, {}},        {{5}, {}},        {{}, {2, 3}},       {{3}, {3}},          {{2, 3}, {3}},    {{3}, {2, 3}},
    {{2, 1}, {1, 3}}, {{4, 1, 3}, {2, 1}}, {{1}, {0}},     {{2, 0}, {2, 1}},    {{19}, {2, 19}},  {{2, 19}, {2, 1}},
    {{1, 1}, {3}}};
}

Operation binary(const char* name, Binary f, double low_a = -2, double high_a = 2, double low_b = -2,
                 double high_b = 2) {
  Operation result{name, true, {}};
  for (auto& [a, b] : shape_pairs())
    result.samples.push_back({to_string(a) + " and " + to_string(b),
                              {numbers(a, low_a, high_a), numbers(b, low_b, high_b)},
                              [f](auto& x) { return f(x[0], x[1]); }});
  result.samples.push_back({"a scalar on the left", {numbers({5}, low_b, high_b)},
                            [f, s = high_a - 0.01](auto& x) { return f(s, x[0]); }});
  result.samples.push_back({"a scalar on the right", {numbers({5}, low_a, high_a)},
                            [f, s = high_b - 0.01](auto& x) { return f(x[0], s); }});
  result.samples.push_back({"of transposed operands", {numbers({2, 3}, low_a, high_a), numbers({2, 3}, low_b, high_b)},
                            [f](auto& x) { return f(transpose(x[0]), transpose(x[1])); }});
  result.samples.push_back({"of one operand twice", {numbers({4}, std::max(low_a, low_b), std::min(high_a, high_b))},
                            [f](auto& x) { return f(x[0], x[0] * 1.25); }});
  return result;
}

template <class F>
Operation reduction(const char* name, F f, double low = -2, double high = 2, bool of_nothing = true) {
  Operation result{name, true, {}};
  auto add = [&](const Shape& shape, const Axes& axes, bool keepdims) {
    std::string text = to_string(shape) + " over";
    for (auto axis : axes) text += " " + std::to_string(axis);
    result.samples.push_back({text + (keepdims ? " keepdims" : ""), {numbers(shape, low, high)},
                              [f, axes, keepdims](auto& x) { return f(x[0], axes, keepdims); }});
  };
  for (bool keepdims : {false, true}) {
    add({}, {}, keepdims);
    add({}, -1, keepdims);
    add({1}, {}, keepdims);
    add({5}, 0, keepdims);
    add({2, 3, 4}, {}, keepdims);
    add({2, 3, 4}, 1, keepdims);
    add({2, 3, 4}, {0, -1}, keepdims);
    add({2, 3, 4}, {-1, -2}, keepdims);
    add({2, 1, 4}, 1, keepdims);
    add({2, 70}, -1, keepdims);
    add({3, 0, 2}, 0, keepdims);
    if (of_nothing) add({3, 0, 2}, 1, keepdims);
  }
  result.samples.push_back({"of a transposed array", {numbers({3, 4}, low, high)},
                            [f](auto& x) { return f(transpose(x[0]), Axes(-1), false); }});
  return result;
}

// The operation with further samples.
Operation with(Operation operation, const std::vector<Sample>& samples) {
  operation.samples.insert(operation.samples.end(), samples.begin(), samples.end());
  return operation;
}

Operation comparison(const char* name, Binary f) {
  Operation result{name, false, {}};
  for (auto& [a, b] : shape_pairs())
    result.samples.push_back(
        {to_string(a) + " and " + to_string(b), {numbers(a), numbers(b)}, [f](auto& x) { return f(x[0], x[1]); }});
  return result;
}

Variable wide(const Shape& shape) { return numbers(shape, -60, 60); }

// Operands of a matrix product, also transposed: the flags of BLAS take part in the derivatives.
std::vector<Sample> products() {
  std::vector<Sample> result;
  const std::vector<std::pair<Shape, Shape>> pairs{
      {{3}, {3}},          {{3}, {3, 2}},          {{2, 3}, {3}},        {{2, 3}, {3, 4}},     {{1, 1}, {1, 1}},
      {{2, 0}, {0, 3}},    {{0, 2}, {2, 3}},       {{5, 2, 3}, {3, 4}},  {{2, 3}, {5, 3, 2}},  {{5, 2, 3}, {5, 3, 2}},
      {{2, 1, 2, 3}, {4, 3, 1}}, {{3}, {2, 3, 2}}, {{2, 2, 3}, {3}},     {{1, 2, 3}, {4, 3, 2}}, {{0, 2, 3}, {3, 2}}};
  for (auto& [a, b] : pairs)
    result.push_back({to_string(a) + " x " + to_string(b), {numbers(a), numbers(b)},
                      [](auto& x) { return matmul(x[0], x[1]); }});
  result.push_back({"transposed operands", {numbers({3, 2}), numbers({4, 3})},
                    [](auto& x) { return matmul(transpose(x[0]), transpose(x[1])); }});
  result.push_back({"by itself", {numbers({3, 3})}, [](auto& x) { return matmul(x[0], x[0]); }});
  return result;
}

template <class... Is>
Sample sliced(const char* text, const Shape& shape, Is... indices) {
  return {text, {numbers(shape)}, [=](auto& x) { return x[0][{indices...}]; }};
}

std::vector<Operation> elementwise_operations() {
  return {
      binary("add", add),
      binary("sub", sub),
      binary("mul", mul),
      with(binary("div", div, -2, 2, 0.4, 3),
           {{"rounded towards 0", {numbers({2, 3}, -4.95, -3.05), numbers({3}, 1.1, 1.4)},
             [](auto& x) { return div(x[0], x[1], "trunc"); }},
            {"rounded down", {numbers({2, 3}, -4.95, -3.05), numbers({3}, 1.1, 1.4)},
             [](auto& x) { return div(x[0], x[1], "floor"); }},
            {"the operator", {numbers({2, 3}), numbers({3}, 0.4, 3)}, [](auto& x) { return x[0] / x[1]; }}}),
      unary("neg", neg),
      binary("pow", pow, 0.3, 2.5, -2, 2.5),
      unary("square", square),
      unary("sqrt", sqrt, 0.2, 4),
      unary("abs", abs),
      unary("sign", sign),
      unary("exp", exp),
      unary("expm1", expm1),
      unary("log", log, 0.2, 5),
      unary("log1p", log1p, -0.6, 4),
      unary("sin", sin, -8, 8),
      unary("cos", cos, -8, 8),
      unary("tanh", tanh),
      binary("maximum", maximum, -2, 2, -1.9, 2.1),
      binary("minimum", minimum, -2, 2, -1.9, 2.1),
      general("where",
              {{"one shape", {numbers({2, 3}), numbers({2, 3})}, [](auto& x) { return where(mask({2, 3}), x[0], x[1]); }},
               {"broadcast", {numbers({3}), numbers({2, 1})}, [](auto& x) { return where(mask({4, 1, 1}), x[0], x[1]); }},
               {"0-d", {numbers({}), numbers({})}, [](auto& x) { return where(Variable(mask({})), x[0], x[1]); }},
               {"empty", {numbers({0}), numbers({1})}, [](auto& x) { return where(mask({0}), x[0], x[1]); }},
               {"a scalar", {numbers({3})}, [](auto& x) { return where(x[0] > 0, x[0], 0.5) * x[0]; }}}),
      general("clip",
              {{"scalars", {numbers({7})}, [](auto& x) { return clip(x[0], -0.7, 0.8); }},
               {"variables", {numbers({3, 5}), numbers({5}, -1.1, -0.2), numbers({3, 1}, 0.3, 0.9)},
                [](auto& x) { return clip(x[0], x[1], x[2]); }},
               {"0-d", {numbers({})}, [](auto& x) { return clip(x[0], -5, 5) * x[0]; }},
               {"one bound", {numbers({4})}, [](auto& x) { return square(clip(x[0], {}, 0.8) - clip(x[0], 0.3, {})); }},
               {"bounds that cross", {numbers({6}), numbers({}, 1, 1.1), numbers({}, 0.5, 0.6)},
                [](auto& x) { return clip(x[0], x[1], x[2]); }},
               {"empty", {numbers({0, 2})}, [](auto& x) { return clip(x[0], -0.7, 0.8); }}}),
      with(comparison("equal", equal),
           {{"the operator", {numbers({3}), numbers({3})}, [](auto& x) { return x[0] == x[1]; }}}),
      with(comparison("not_equal", not_equal),
           {{"the operator", {numbers({3}), numbers({3})}, [](auto& x) { return x[0] != x[1]; }}}),
      comparison("less", less),
      with(comparison("less_equal", less_equal),
           {{"the operator", {numbers({3}), numbers({3})}, [](auto& x) { return x[0] <= x[1]; }}}),
      comparison("greater", greater),
      with(comparison("greater_equal", greater_equal),
           {{"the operator", {numbers({3}), numbers({3})}, [](auto& x) { return x[0] >= x[1]; }}}),
      constants("logical_not", {{"values", {}, [](auto&) { return logical_not(mask({3})); }},
                                {"the operator", {}, [](auto&) { return !mask({3}); }}}),
      constants("logical_and", {{"values", {}, [](auto&) { return logical_and(mask({3}), mask({2, 1})); }},
                                {"the operator", {}, [](auto&) { return mask({3}) && mask({2, 1}); }}}),
      constants("logical_or", {{"values", {}, [](auto&) { return logical_or(mask({3}), mask({2, 1})); }},
                               {"the operator", {}, [](auto&) { return mask({3}) || mask({2, 1}); }}}),
      constant("isnan", {numbers({3})}, [](auto& x) { return isnan(x[0]); }),
      constant("isinf", {numbers({3})}, [](auto& x) { return isinf(x[0]); }),
      constant("isfinite", {numbers({3})}, [](auto& x) { return isfinite(x[0]); }),
      unary("reciprocal", reciprocal, 0.3, 3),
      unary("rsqrt", rsqrt, 0.3, 3),
      binary("hypot", hypot),
      binary("fmod", fmod, 3.05, 4.95, 1.1, 1.4),
      binary("remainder", remainder, -4.95, -3.05, 1.1, 1.4),
      general("lerp",
              {{"one shape", {numbers({5}), numbers({5}), numbers({5})}, [](auto& x) { return lerp(x[0], x[1], x[2]); }},
               {"broadcast", {numbers({3}), numbers({2, 1}), numbers({})}, [](auto& x) { return lerp(x[0], x[1], x[2]); }},
               {"either end nearer", {numbers({5}), numbers({5}), numbers({5}, 0, 1)},
                [](auto& x) { return lerp(x[0], x[1], x[2]); }},
               {"a scalar weight", {numbers({0, 2}), numbers({2})}, [](auto& x) { return lerp(x[0], x[1], 0.3); }}}),
      binary("copysign", copysign),
      unary("floor", floor),
      unary("ceil", ceil),
      with(unary("round", round),
           {{"decimals", {numbers({5})}, [](auto& x) { return round(x[0], 1); }},
            {"tens", {numbers({5}, -40, 40)}, [](auto& x) { return round(x[0], -1); }}}),
      unary("trunc", trunc),
      unary("frac", frac, 1.05, 1.95),
      unary("exp2", exp2),
      unary("log2", log2, 0.2, 5),
      unary("log10", log10, 0.2, 5),
      binary("logaddexp", logaddexp, -3, 3, -3, 3),
      binary("xlogy", xlogy, -2, 2, 0.3, 3),
      unary("tan", tan, -1.3, 1.3),
      unary("asin", asin, -0.9, 0.9),
      unary("acos", acos, -0.9, 0.9),
      unary("atan", atan, -4, 4),
      binary("atan2", atan2),
      unary("sinh", sinh),
      unary("cosh", cosh),
      unary("asinh", asinh, -4, 4),
      unary("acosh", acosh, 1.2, 4),
      unary("atanh", atanh, -0.9, 0.9),
      unary("erf", erf),
      unary("erfc", erfc),
      unary("erfinv", erfinv, -0.9, 0.9),
      unary("lgamma", lgamma, 0.4, 5),
      unary("digamma", digamma, 0.4, 5),
      unary("polygamma", [](const Variable& x) { return polygamma(2, x); }, 0.6, 5),
      with(unary("logit", logit, 0.1, 0.9),
           {{"limited", {numbers({7}, -0.2, 1.2)}, [](auto& x) { return logit(x[0], 0.15); }}}),
      unary("mvlgamma", [](const Variable& x) { return mvlgamma(x, 3); }, 1.3, 5),
      unary("gammainc", [](const Variable& x) { return gammainc(1.7, x); }, 0.2, 5),
      unary("gammaincc", [](const Variable& x) { return gammaincc(0.6, x); }, 0.2, 5),
      unary("erfcx", erfcx, -1, 2),
      unary("ndtr", ndtr),
      unary("log_ndtr", log_ndtr, -3, 2),
      unary("ndtri", ndtri, 0.1, 0.9),
      unary("entr", entr, 0.2, 3),
      unary("i0", i0),
      unary("i0e", i0e),
      unary("i1", i1),
      unary("i1e", i1e),
      unary("modified_bessel_k0", modified_bessel_k0, 0.5, 4),
      unary("modified_bessel_k1", modified_bessel_k1, 0.5, 4),
      unary("scaled_modified_bessel_k0", scaled_modified_bessel_k0, 0.5, 4),
      unary("scaled_modified_bessel_k1", scaled_modified_bessel_k1, 0.5, 4),
      unary("spherical_bessel_j0", spherical_bessel_j0, -4, 4),
      unary("bessel_j0", bessel_j0, -4, 4),
      unary("bessel_j1", bessel_j1, -4, 4),
      unary("bessel_y0", bessel_y0, 0.5, 4),
      unary("bessel_y1", bessel_y1, 0.5, 4),
      unary("sinc", sinc),
      binary("logaddexp2", logaddexp2, -3, 3, -3, 3),
      binary("ldexp", ldexp),
      binary("xlog1py", xlog1py, -2, 2, -0.6, 3),
      binary("floor_divide", floor_divide, 3.05, 4.95, 1.1, 1.4),
      binary("heaviside", heaviside),
      binary("nextafter", nextafter),
      unary("deg2rad", deg2rad),
      unary("rad2deg", rad2deg, -0.1, 0.1),
      unary("sgn", sgn),
      unary("positive", [](const Variable& x) { return square(positive(x)); }),
      unary("nan_to_num", [](const Variable& x) { return nan_to_num(x); }),
      binary("clamp_min", clamp_min, -2, 2, -1.9, 2.1),
      binary("clamp_max", clamp_max, -2, 2, -1.9, 2.1),
      constant("signbit", {numbers({3})}, [](auto& x) { return signbit(x[0]); }),
      constant("logical_xor", {}, [](auto&) { return logical_xor(mask({3}), mask({2, 1})); }),
      binary("fmax", fmax, -2, 2, -1.9, 2.1),
      binary("fmin", fmin, -2, 2, -1.9, 2.1),
      general("clamp", {{"scalars", {numbers({7})}, [](auto& x) { return clamp(x[0], -0.7, 0.8); }}}),
  };
}

std::vector<Operation> activations() {
  return {
      unary("sigmoid", sigmoid, -6, 6),
      unary("logsigmoid", logsigmoid, -6, 6),
      unary("relu", relu),
      unary("relu6", relu6, -3, 9),
      general("leaky_relu",
              {{"default", {numbers({7})}, [](auto& x) { return leaky_relu(x[0]); }},
               {"a slope for each channel", {numbers({2, 3}), numbers({3})}, [](auto& x) { return leaky_relu(x[0], x[1]); }},
               {"0-d", {numbers({})}, [](auto& x) { return leaky_relu(x[0], 0.3); }},
               {"empty", {numbers({0})}, [](auto& x) { return leaky_relu(x[0], 0.3); }}}),
      general("elu",
              {{"default", {numbers({7})}, [](auto& x) { return elu(x[0]); }},
               {"a variable alpha", {numbers({2, 3}), numbers({3}, 0.5, 2)}, [](auto& x) { return elu(x[0], x[1]); }},
               {"empty", {numbers({0})}, [](auto& x) { return elu(x[0]); }}}),
      unary("selu", selu),
      with(unary("celu", [](const Variable& x) { return celu(x, 1.5); }),
           {{"a variable alpha", {numbers({2, 3}), numbers({3}, 0.5, 2)}, [](auto& x) { return celu(x[0], x[1]); }},
            {"a negative alpha", {numbers({2, 3}), numbers({3}, -2, -0.5)}, [](auto& x) { return celu(x[0], x[1]); }}}),
      unary("gelu", gelu, -4, 4),
      unary("gelu_tanh", gelu_tanh, -4, 4),
      unary("silu", silu, -5, 5),
      unary("mish", mish, -5, 5),
      unary("softplus", [](const Variable& x) { return softplus(x, 2, 5); }, -2, 2),
      unary("softsign", softsign),
      unary("hardtanh", [](const Variable& x) { return hardtanh(x, -0.52, 1.03); }),
      unary("hardsigmoid", hardsigmoid, -2.9, 2.9),
      unary("hardswish", hardswish, -2.9, 2.9),
      unary("softshrink", [](const Variable& x) { return softshrink(x, 0.51); }),
      unary("hardshrink", [](const Variable& x) { return hardshrink(x, 0.51); }),
      unary("tanhshrink", tanhshrink),
      unary("threshold", [](const Variable& x) { return threshold(x, 0.51, -2); }),
      general("glu",
              {{"last axis", {numbers({3, 4})}, [](auto& x) { return glu(x[0]); }},
               {"first axis", {numbers({4, 3})}, [](auto& x) { return glu(x[0], 0); }},
               {"empty", {numbers({0, 4})}, [](auto& x) { return glu(x[0]); }}}),
  };
}

Operation scanned(const char* name, Variable (*f)(const Variable&, std::ptrdiff_t)) {
  Operation result{name, true, {}};
  for (auto& [shape, axis] : std::vector<std::pair<Shape, int>>{{{5}, 0}, {{}, -1}, {{1}, -1}, {{0}, 0}, {{2, 7}, 1}, {{4, 3}, 0},
                                                                {{2, 3, 2}, -2}, {{2, 0, 3}, 1}, {{1, 8}, 1}})
    result.samples.push_back({to_string(shape) + " along " + std::to_string(axis), {numbers(shape)},
                              [f, axis = axis](auto& x) { return f(x[0], axis); }});
  return result;
}

Operation norms() {
  Operation result{"norm", true, {}};
  for (double p : {2.0, 1.0, 3.0, 0.5, -1.5, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    std::string order = "p = " + std::to_string(p);
    result.samples.push_back({order, {numbers({2, 3})}, [p](auto& x) { return norm(x[0], p); }});
    result.samples.push_back({order + ", an axis", {numbers({2, 3})}, [p](auto& x) { return norm(x[0], p, -1, true); }});
    result.samples.push_back({order + ", 0-d", {numbers({})}, [p](auto& x) { return norm(x[0], p); }});
  }
  return result;
}

std::vector<Operation> reductions() {
  return {
      reduction("sum", [](const auto& x, const auto& axes, bool keep) { return sum(x, axes, keep); }),
      reduction("mean", [](const auto& x, const auto& axes, bool keep) { return mean(x, axes, keep); }, -2, 2, false),
      reduction("prod", [](const auto& x, const auto& axes, bool keep) { return prod(x, axes, keep); }, 0.6, 1.5),
      reduction("max", [](const auto& x, const auto& axes, bool keep) { return max(x, axes, keep); }, -2, 2, false),
      reduction("min", [](const auto& x, const auto& axes, bool keep) { return min(x, axes, keep); }, -2, 2, false),
      reduction("var", [](const auto& x, const auto& axes, bool keep) { return var(x, axes, keep); }, -2, 2, false),
      reduction("logsumexp", [](const auto& x, const auto& axes, bool keep) { return logsumexp(x, axes, keep); }, -2, 2, false),
      constants("argmax", {{"an axis", {numbers({2, 3, 4})}, [](auto& x) { return argmax(x[0], -2); }},
                           {"all", {numbers({2, 3})}, [](auto& x) { return argmax(x[0]); }}}),
      constants("argmin", {{"an axis", {numbers({2, 3, 4})}, [](auto& x) { return argmin(x[0], 1, true); }},
                           {"all", {numbers({2, 3})}, [](auto& x) { return argmin(x[0]); }}}),
      general("sum_to",
              {{"leading and inner axes", {numbers({4, 2, 3})}, [](auto& x) { return sum_to(x[0], {2, 1}); }},
               {"to a scalar", {numbers({2, 3})}, [](auto& x) { return sum_to(x[0], Shape{}); }},
               {"to itself", {numbers({2, 3})}, [](auto& x) { return sum_to(x[0], {2, 3}); }},
               {"empty", {numbers({0, 3})}, [](auto& x) { return sum_to(x[0], {3}); }}}),
      reduction("stddev", [](const auto& x, const auto& axes, bool keep) { return stddev(x, axes, keep); }, -2, 2, false),
      reduction("amax", [](const auto& x, const auto& axes, bool keep) { return amax(x, axes, keep); }, -2, 2, false),
      reduction("amin", [](const auto& x, const auto& axes, bool keep) { return amin(x, axes, keep); }, -2, 2, false),
      general("median",
              {{"of all, an odd number", {numbers({3, 5})}, [](auto& x) { return median(x[0]); }},
               {"of all, an even number", {numbers({2, 5})}, [](auto& x) { return square(median(x[0])); }},
               {"an axis", {numbers({4, 3})}, [](auto& x) { return median(x[0], 0); }},
               {"keepdims", {numbers({2, 3, 2})}, [](auto& x) { return median(x[0], -2, true); }},
               {"0-d", {numbers({})}, [](auto& x) { return median(x[0]) * median(x[0], 0); }}}),
      norms(),
      scanned("cumsum", cumsum),
      scanned("cumprod", cumprod),
      scanned("logcumsumexp", logcumsumexp),
      general("max_with_indices",
              {{"last axis", {numbers({3, 4})}, [](auto& x) { return max_with_indices(x[0], -1).values; }},
               {"keepdims", {numbers({3, 4})}, [](auto& x) { return square(max_with_indices(x[0], 0, true).values); }},
               {"0-d", {numbers({})}, [](auto& x) { return square(max_with_indices(x[0], -1).values); }}}),
      general("min_with_indices",
              {{"last axis", {numbers({3, 4})}, [](auto& x) { return min_with_indices(x[0], -1).values; }},
               {"keepdims", {numbers({3, 4})}, [](auto& x) { return square(min_with_indices(x[0], 0, true).values); }}}),
      constant("any", {numbers({2, 3})}, [](auto& x) { return any(x[0], 1); }),
      constant("all", {numbers({2, 3})}, [](auto& x) { return all(x[0], 1); }),
      constant("count_nonzero", {numbers({2, 3})}, [](auto& x) { return count_nonzero(x[0], 1); }),
      general("softmax",
              {{"last axis", {numbers({3, 5})}, [](auto& x) { return softmax(x[0]); }},
               {"first axis", {numbers({3, 5})}, [](auto& x) { return softmax(x[0], 0); }},
               {"middle axis", {numbers({2, 3, 2})}, [](auto& x) { return softmax(x[0], -2); }},
               {"far apart", {wide({2, 4})}, [](auto& x) { return softmax(x[0]); }},
               {"one class", {numbers({3, 1})}, [](auto& x) { return softmax(x[0]); }},
               {"0-d", {numbers({})}, [](auto& x) { return softmax(x[0]) * x[0]; }},
               {"empty", {numbers({0, 3})}, [](auto& x) { return softmax(x[0]); }}}),
      general("softmin", {{"first axis", {numbers({3, 5})}, [](auto& x) { return softmin(x[0], 0); }}}),
      general("log_softmax",
              {{"last axis", {numbers({3, 5})}, [](auto& x) { return log_softmax(x[0]); }},
               {"first axis", {numbers({3, 5})}, [](auto& x) { return log_softmax(x[0], 0); }},
               {"middle axis", {numbers({2, 3, 2})}, [](auto& x) { return log_softmax(x[0], -2); }},
               {"far apart", {wide({2, 4})}, [](auto& x) { return log_softmax(x[0]); }},
               {"one class", {numbers({3, 1})}, [](auto& x) { return log_softmax(x[0]); }},
               {"0-d", {numbers({})}, [](auto& x) { return log_softmax(x[0], 0) + x[0]; }},
               {"empty", {numbers({0, 3})}, [](auto& x) { return log_softmax(x[0]); }}}),

  };
}

Sample summed(const char* subscripts, std::vector<Shape> shapes) {
  Variables xs;
  for (const Shape& shape : shapes) xs.push_back(numbers(shape));
  return {subscripts, xs, [subscripts](auto& x) { return einsum(subscripts, x); }};
}

std::vector<Operation> linear_algebra() {
  return {
      general("matmul", products()),
      general("dot", {{"vectors", {numbers({3}), numbers({3})}, [](auto& x) { return dot(x[0], x[1]); }},
                      {"empty", {numbers({0}), numbers({0})}, [](auto& x) { return dot(x[0], x[1]); }}}),
      general("inner", {{"vectors", {numbers({3}), numbers({3})}, [](auto& x) { return inner(x[0], x[1]); }},
                        {"a scalar", {numbers({}), numbers({3})}, [](auto& x) { return inner(x[0], x[1]); }},
                        {"many axes", {numbers({2, 1, 3}), numbers({4, 3})}, [](auto& x) { return inner(x[0], x[1]); }}}),
      general("outer", {{"vectors", {numbers({3}), numbers({2})}, [](auto& x) { return outer(x[0], x[1]); }},
                        {"empty", {numbers({0}), numbers({2})}, [](auto& x) { return outer(x[0], x[1]); }}}),
      general("mv", {{"wide", {numbers({2, 3}), numbers({3})}, [](auto& x) { return mv(x[0], x[1]); }}}),
      general("bmm", {{"batch", {numbers({2, 3, 1}), numbers({2, 1, 4})}, [](auto& x) { return bmm(x[0], x[1]); }}}),
      general("addmm",
              {{"a row", {numbers({3}), numbers({2, 2}), numbers({2, 3})}, [](auto& x) { return addmm(x[0], x[1], x[2]); }},
               {"weighted", {numbers({2, 1}), numbers({2, 2}), numbers({2, 3})},
                [](auto& x) { return addmm(x[0], x[1], x[2], 0.5, -2); }},
               {"without the input", {numbers({2, 2}), numbers({2, 3})},
                [](auto& x) { return addmm(full({}, NAN, float64), x[0], x[1], 0); }}}),
      general("tensordot",
              {{"two axes", {numbers({2, 3, 4}), numbers({3, 4, 2})}, [](auto& x) { return tensordot(x[0], x[1]); }},
               {"no axis", {numbers({2}), numbers({3, 1})}, [](auto& x) { return tensordot(x[0], x[1], 0); }},
               {"named axes", {numbers({2, 3, 4}), numbers({4, 5, 2})},
                [](auto& x) { return tensordot(x[0], x[1], {-1, 0}, {0, 2}); }}}),
      general("kron",
              {{"matrices", {numbers({2, 3}), numbers({3, 1})}, [](auto& x) { return kron(x[0], x[1]); }},
               {"of other ranks", {numbers({2}), numbers({2, 2, 3})}, [](auto& x) { return kron(x[0], x[1]); }}}),
      general("einsum",
              {summed("ij,jk->ik", {{2, 3}, {3, 4}}), summed("bij,bjk->bik", {{2, 2, 3}, {2, 3, 2}}),
               summed("ij,kl,jk->il", {{2, 3}, {4, 2}, {3, 4}}), summed("ii->i", {{3, 3}}), summed("ii", {{3, 3}}),
               summed("iji->j", {{2, 3, 2}}), summed("ij->", {{2, 3}}), summed("ba", {{2, 3}}),
               summed("i,i,i->i", {{3}, {3}, {3}}), summed("i,j", {{2}, {3}}), summed("...ij,...j->...i", {{2, 2, 3}, {3}}),
               summed("a...,...->...a", {{2, 3}, {4, 1}}), summed("ij,ij->j", {{1, 3}, {2, 3}}),
               summed("bi,bi->b", {{2, 3}, {2, 3}}), summed("ij,j->i", {{2, 0}, {0}}), summed(",->", {{}, {}}),
               {"one operand twice", {numbers({2, 2})}, [](auto& x) { return einsum("ij,jk", {x[0], x[0]}); }}}),
  };
}

std::vector<Operation> arrangements() {
  return {
      general("reshape",
              {{"to a matrix", {numbers({2, 3, 2})}, [](auto& x) { return square(reshape(x[0], {4, 3})); }},
               {"with a rest", {numbers({2, 3, 2})}, [](auto& x) { return square(x[0].reshape({3, -1})); }},
               {"of a scalar", {numbers({})}, [](auto& x) { return square(reshape(x[0], {1, 1})); }},
               {"empty", {numbers({0, 3})}, [](auto& x) { return square(reshape(x[0], {3, 0, 2})); }}}),
      general("transpose",
              {{"reversed", {numbers({2, 3, 4})}, [](auto& x) { return square(transpose(x[0])); }},
               {"large", {numbers({33, 20})}, [](auto& x) { return square(transpose(x[0])); }},
               {"negative axes", {numbers({2, 3, 4})}, [](auto& x) { return square(transpose(x[0], {-1, 0, 1})); }},
               {"0-d", {numbers({})}, [](auto& x) { return square(transpose(x[0])); }},
               {"empty", {numbers({2, 0})}, [](auto& x) { return square(transpose(x[0])); }}}),
      general("permute", {{"cycle", {numbers({2, 3, 4})}, [](auto& x) { return square(permute(x[0], {2, 0, 1})); }}}),
      general("squeeze",
              {{"all", {numbers({1, 3, 1})}, [](auto& x) { return square(squeeze(x[0])); }},
               {"one", {numbers({1, 3, 1})}, [](auto& x) { return square(squeeze(x[0], -1)); }}}),
      general("expand_dims",
              {{"both ends", {numbers({2, 3})}, [](auto& x) { return square(expand_dims(x[0], {0, -1})); }},
               {"0-d", {numbers({})}, [](auto& x) { return square(expand_dims(x[0], 0)); }}}),
      general("broadcast_to",
              {{"two axes", {numbers({2, 1})}, [](auto& x) { return square(broadcast_to(x[0], {4, 2, 3})); }},
               {"0-d", {numbers({})}, [](auto& x) { return square(broadcast_to(x[0], {2, 2})); }},
               {"to nothing", {numbers({1, 2})}, [](auto& x) { return square(broadcast_to(x[0], {0, 2})); }}}),
      general("concatenate",
              {{"rows", {numbers({2, 3}), numbers({1, 3})}, [](auto& x) { return square(concatenate(x)); }},
               {"columns", {numbers({2, 3}), numbers({2, 1})}, [](auto& x) { return square(concatenate(x, -1)); }},
               {"empty parts", {numbers({2, 0}), numbers({2, 3})}, [](auto& x) { return square(concatenate(x, 1)); }},
               {"twice the same", {numbers({2})}, [](auto& x) { return square(concatenate({x[0], x[0]})); }}}),
      general("stack",
              {{"first axis", {numbers({2, 3}), numbers({2, 3})}, [](auto& x) { return square(stack(x)); }},
               {"last axis", {numbers({2}), numbers({2})}, [](auto& x) { return square(stack(x, -1)); }},
               {"0-d", {numbers({}), numbers({})}, [](auto& x) { return square(stack(x)); }}}),
      general("split",
              {{"equal", {numbers({4, 3})}, [](auto& x) { auto p = split(x[0], 2); return part(p, 0) * square(part(p, 1)); }},
               {"sizes", {numbers({2, 5})}, [](auto& x) { auto p = split(x[0], std::vector<std::size_t>{1, 4}, -1); return part(p, 0) * part(p, 1); }}}),
      general("slice",
              {sliced("a row", {3, 4}, 1), sliced("a negative position", {3, 4}, range(), -2),
               sliced("steps", {7, 5}, range(1, none, 2), range(none, none, -1)),
               sliced("backwards part", {7}, range(-2, 0, -3)), sliced("an element", {3, 4}, 2, 0),
               sliced("new axes and ellipsis", {2, 3, 4}, newaxis, ellipsis, newaxis, range(1, 3)),
               sliced("nothing", {3, 4}, range(2, 2)), sliced("beyond the end", {3}, range(-10, 10)),
               {"a mask", {numbers({3, 4})}, [](auto& x) { return square(x[0][mask({3, 4})]); }},
               {"a mask of one axis", {numbers({3, 4})}, [](auto& x) { return square(x[0][{range(0, 2), mask({4})}]); }},
               {"an array of positions", {numbers({3, 4})}, [](auto& x) { return square(x[0][{ellipsis, Variable({{1, -1}}, int64)}]); }},
               {"two arrays of positions", {numbers({3, 4, 2})},
                [](auto& x) { return square(x[0][{Variable({{0, 2}, {2, -1}}, int64), Variable({3, 3}, int64)}]); }},
               {"arrays apart", {numbers({3, 2, 4})},
                [](auto& x) { return square(x[0][{Variable({0, 2, 2}, int64), range(), Variable({3, 1, 1}, int64)}]); }},
               {"a mask and positions", {numbers({2, 3, 4})},
                [](auto& x) { return square(x[0][{Variable({1}, int64), Variable({1, 0, 1}, boolean), ellipsis}]); }},
               {"of an empty array", {numbers({0, 3})}, [](auto& x) { return x[0][range()]; }},
               {"by name", {numbers({4, 3})}, [](auto& x) { return square(slice(x[0], {1, newaxis})); }},
               {"squared", {numbers({4, 3})}, [](auto& x) { return square(x[0][{range(0, none, 3), 1}]); }}}),
      general("unslice",
              {{"rows", {numbers({2, 3})}, [](auto& x) { return square(unslice(x[0], {5, 3}, {range(0, 4, 2)})); }},
               {"0-d", {numbers({})}, [](auto& x) { return square(unslice(x[0], {3}, {1})); }}}),
      general("take",
              {{"rows, repeated", {numbers({4, 3})}, [](auto& x) { return square(take(x[0], Variable({2, 0, 2, -1}, int64))); }},
               {"a matrix of columns", {numbers({2, 4})}, [](auto& x) { return square(take(x[0], Variable({{3, 1}, {1, 0}}, int64), -1)); }},
               {"one", {numbers({3, 2})}, [](auto& x) { return square(take(x[0], Variable(1).to(int64), 0)); }},
               {"none", {numbers({3, 2})}, [](auto& x) { return square(take(x[0], zeros({0}, int64))); }}}),
      general("take_along_axis",
              {{"a column", {numbers({3, 4})}, [](auto& x) { return square(take_along_axis(x[0], Variable({{1}, {-1}, {0}}, int64), 1)); }},
               {"broadcast indices", {numbers({3, 4})}, [](auto& x) { return square(take_along_axis(x[0], Variable({{1, 0}}, int64), 1)); }},
               {"broadcast", {numbers({1, 4})}, [](auto& x) { return square(take_along_axis(x[0], Variable({{1}, {0}}, int64), 1)); }},
               {"flattened", {numbers({2, 3})}, [](auto& x) { return square(take_along_axis(x[0], Variable({{1, 5}, {0, 1}}, int64))); }},
               {"repeated rows", {numbers({2, 3})}, [](auto& x) { return square(take_along_axis(x[0], Variable({{0, 1, 1}, {0, 0, 1}, {1, 1, 1}}, int64), 0)); }}}),
      general("slice_assign",
              {{"a row", {numbers({3, 2}), numbers({2})}, [](auto& x) { return square(slice_assign(x[0], {1}, x[1])); }},
               {"steps, broadcast", {numbers({5, 3}), numbers({1, 3})},
                [](auto& x) { return square(slice_assign(x[0], {range(0, none, 2)}, x[1])); }},
               {"a scalar", {numbers({4})}, [](auto& x) { return square(slice_assign(x[0], {range(1, 3)}, 2)); }},
               {"a mask", {numbers({3, 4}), numbers({})}, [](auto& x) { return square(slice_assign(x[0], {mask({3, 4})}, x[1])); }},
               {"rows and a column", {numbers({3, 4}), numbers({2})},
                [](auto& x) { return square(slice_assign(x[0], {Variable({2, 0}, int64), 1}, x[1])); }},
               {"nothing", {numbers({4})}, [](auto& x) { return square(slice_assign(x[0], {range(1, 1)}, 2)); }}}),
      general("index_select", {{"0-d", {numbers({})}, [](auto& x) { return square(index_select(x[0], 0, Variable({0}, int64))); }},
                               {"columns", {numbers({2, 4})}, [](auto& x) { return square(index_select(x[0], 1, Variable({3, 0, 3}, int64))); }}}),
      general("gather",
              {{"none", {numbers({3})}, [](auto& x) { return square(gather(x[0], 0, zeros({0}, int64))); }},
               {"shorter indices", {numbers({3, 4})}, [](auto& x) { return square(gather(x[0], 1, Variable({{0, 0, 3}, {2, 1, 1}}, int64))); }},
               {"longer along the axis", {numbers({2, 2})}, [](auto& x) { return square(gather(x[0], 0, Variable({{0}, {1}, {1}}, int64))); }},
               {"0-d", {numbers({})}, [](auto& x) { return square(gather(x[0], 0, zeros({}, int64)) + gather(x[0], 0, zeros({1}, int64))); }}}),
      general("scatter",
              {{"rows", {numbers({3, 4}), numbers({2, 3})}, [](auto& x) { return square(scatter(x[0], 1, Variable({{0, 1, 3}, {2, 1, 0}}, int64), x[1])); }},
               {"0-d", {numbers({}), numbers({})}, [](auto& x) { return square(scatter(x[0], 0, zeros({}, int64), x[1]) + scatter(x[0], 0, zeros({}, int64), 2)); }},
               {"a longer source", {numbers({4}), numbers({5})}, [](auto& x) { return square(scatter(x[0], 0, Variable({3, 1}, int64), x[1])); }},
               {"a scalar", {numbers({2, 3})}, [](auto& x) { return square(scatter(x[0], 0, Variable({{1, 0, 1}}, int64), 3)); }}}),
      general("scatter_add",
              {{"repeated places", {numbers({3, 4}), numbers({2, 3})}, [](auto& x) { return square(scatter_add(x[0], 1, Variable({{0, 0, 3}, {2, 2, 2}}, int64), x[1])); }},
               {"0-d", {numbers({}), numbers({})}, [](auto& x) { return square(scatter_add(x[0], 0, zeros({}, int64), x[1])); }},
               {"first axis", {numbers({3, 2}), numbers({4, 2})}, [](auto& x) { return square(scatter_add(x[0], 0, Variable({{0, 1}, {0, 2}, {2, 2}, {0, 0}}, int64), x[1])); }}}),
      general("masked_select",
              {{"one shape", {numbers({3, 4})}, [](auto& x) { return square(masked_select(x[0], mask({3, 4}))); }},
               {"broadcast", {numbers({4})}, [](auto& x) { return square(masked_select(x[0], mask({3, 1}))); }}}),
      general("masked_scatter",
              {{"one shape", {numbers({3, 4}), numbers({13})}, [](auto& x) { return square(masked_scatter(x[0], mask({3, 4}), x[1])); }},
               {"broadcast", {numbers({3, 2}), numbers({2, 3})}, [](auto& x) { return square(masked_scatter(x[0], mask({3, 1}), x[1])); }},
               {"nothing", {numbers({3}), numbers({0})}, [](auto& x) { return square(masked_scatter(x[0], numbers({3}) > 9, x[1])); }}}),
      general("index_add",
              {{"rows, one twice", {numbers({3, 2}), numbers({4, 2})},
                [](auto& x) { return square(index_add(x[0], 0, Variable({2, 0, 2, 1}, int64), x[1])); }},
               {"columns, weighted", {numbers({2, 3}), numbers({2, 1})},
                [](auto& x) { return square(index_add(x[0], -1, Variable({1}, int64), x[1], -0.5)); }}}),
      general("index_copy", {{"columns", {numbers({2, 4}), numbers({2, 2})},
                              [](auto& x) { return square(index_copy(x[0], 1, Variable({3, 0}, int64), x[1])); }}}),
      general("index_fill", {{"rows", {numbers({3, 2})}, [](auto& x) { return square(index_fill(x[0], 0, Variable({2, 0, 2}, int64), 3)); }},
                             {"a variable", {numbers({2, 3}), numbers({})},
                              [](auto& x) { return square(index_fill(x[0], -1, Variable({1}, int64), x[1])); }}}),
      general("masked_fill", {{"a scalar", {numbers({3, 4})}, [](auto& x) { return square(masked_fill(x[0], mask({4}), 7)); }}}),
      constant("one_hot", {}, [](auto&) { return one_hot(Variable({2, 0}, int64), 3) - one_hot(Variable({2, 0}, int64)); }),
      general("sort",
              {{"first axis, descending", {numbers({4, 2})}, [](auto& x) { return square(sort(x[0], 0, true).values); }},
               {"last axis", {numbers({3, 5})}, [](auto& x) { return sort(x[0]).values * numbers({3, 5}).to(x[0].dtype()); }},
               {"0-d", {numbers({})}, [](auto& x) { return square(sort(x[0]).values); }}}),
      constant("argsort", {numbers({2, 3})}, [](auto& x) { return argsort(x[0]); }),
      general("topk",
              {{"greatest", {numbers({3, 5})}, [](auto& x) { return square(topk(x[0], 2).values); }},
               {"least, first axis", {numbers({4, 2})}, [](auto& x) { return square(topk(x[0], 3, 0, false).values); }},
               {"0-d", {numbers({})}, [](auto& x) { return square(topk(x[0], 1).values); }}}),
      general("unbind",
              {{"rows", {numbers({3, 2})}, [](auto& x) { auto p = unbind(x[0]); return part(p, 0) * square(part(p, 2)); }},
               {"columns", {numbers({2, 3, 2})}, [](auto& x) { auto p = unbind(x[0], -1); return part(p, 0) * part(p, 1); }}}),
      general("flatten",
              {{"all", {numbers({2, 3, 2})}, [](auto& x) { return square(flatten(x[0])); }},
               {"the last two", {numbers({2, 3, 2})}, [](auto& x) { return square(flatten(x[0], 1)); }},
               {"0-d", {numbers({})}, [](auto& x) { return square(flatten(x[0])); }}}),
      general("movedim",
              {{"one", {numbers({2, 3, 4})}, [](auto& x) { return square(movedim(x[0], 0, -1)); }},
               {"two", {numbers({2, 3, 4})}, [](auto& x) { return square(movedim(x[0], {2, 0}, {0, 1})); }}}),
      general("swapaxes", {{"outer", {numbers({2, 3, 4})}, [](auto& x) { return square(swapaxes(x[0], 0, -1)); }}}),
      general("tile",
              {{"matrix", {numbers({2, 3})}, [](auto& x) { return square(tile(x[0], {2, 2})); }},
               {"new axes", {numbers({3})}, [](auto& x) { return square(tile(x[0], {2, 1, 2})); }},
               {"fewer numbers", {numbers({2, 3})}, [](auto& x) { return square(tile(x[0], {2})); }},
               {"none", {numbers({2, 3})}, [](auto& x) { return square(tile(x[0], {0, 1})); }}}),
      general("repeat", {{"matrix", {numbers({2, 3})}, [](auto& x) { return square(repeat(x[0], {2, 2})); }}}),
      general("repeat_interleave",
              {{"rows", {numbers({2, 3})}, [](auto& x) { return square(repeat_interleave(x[0], 2, 0)); }},
               {"all", {numbers({2, 3})}, [](auto& x) { return square(repeat_interleave(x[0], 2)); }},
               {"0-d", {numbers({})}, [](auto& x) { return square(repeat_interleave(x[0], 2)); }},
               {"all by one number", {numbers({2, 2})},
                [](auto& x) { return square(repeat_interleave(x[0], Variable({2}, int64))); }},
               {"columns", {numbers({2, 3})}, [](auto& x) { return square(repeat_interleave(x[0], 3, -1)); }},
               {"a number for each", {numbers({2, 3})},
                [](auto& x) { return square(repeat_interleave(x[0], Variable({2, 0, 1}, int64), 1)); }}}),
      general("flip",
              {{"all", {numbers({2, 3})}, [](auto& x) { return square(flip(x[0])); }},
               {"one", {numbers({2, 3})}, [](auto& x) { return square(flip(x[0], -1)); }},
               {"empty", {numbers({0, 3})}, [](auto& x) { return square(flip(x[0])); }}}),
      general("roll",
              {{"as if flattened", {numbers({2, 5})}, [](auto& x) { return square(roll(x[0], 2)); }},
               {"0-d", {numbers({})}, [](auto& x) { return square(roll(x[0], 2) + roll(x[0], 1, 0)); }},
               {"forward", {numbers({2, 5})}, [](auto& x) { return square(roll(x[0], 2, -1)); }},
               {"backward, far", {numbers({5, 2})}, [](auto& x) { return square(roll(x[0], -13, 0)); }},
               {"empty", {numbers({0})}, [](auto& x) { return square(roll(x[0], 1)); }},
               {"two axes", {numbers({3, 4})}, [](auto& x) { return square(roll(x[0], {1, -2}, {0, -1})); }}}),
      general("triu",
              {{"square", {numbers({3, 3})}, [](auto& x) { return square(triu(x[0])); }},
               {"batch, offset", {numbers({2, 3, 4})}, [](auto& x) { return square(triu(x[0], 1)); }}}),
      general("tril",
              {{"square", {numbers({3, 3})}, [](auto& x) { return square(tril(x[0])); }},
               {"batch, offset", {numbers({2, 4, 3})}, [](auto& x) { return square(tril(x[0], -1)); }}}),
      general("diagonal",
              {{"wide", {numbers({3, 5})}, [](auto& x) { return square(diagonal(x[0])); }},
               {"offsets", {numbers({4, 4})}, [](auto& x) { return square(diagonal(x[0], 1)) * square(diagonal(x[0], -1)); }},
               {"batch", {numbers({2, 3, 3})}, [](auto& x) { return square(diagonal(x[0], 0, -2, -1)); }},
               {"beyond", {numbers({2, 2})}, [](auto& x) { return square(diagonal(x[0], 5)); }}}),
      general("diag",
              {{"of a vector", {numbers({3})}, [](auto& x) { return square(diag(x[0], -1)); }},
               {"of a matrix", {numbers({3, 4})}, [](auto& x) { return square(diag(x[0], 1)); }}}),
      general("trace", {{"matrix", {numbers({3, 4})}, [](auto& x) { return square(trace(x[0])); }}}),
      general("pad",
              {{"zeros", {numbers({2, 3})}, [](auto& x) { return square(pad(x[0], {{1, 0}, {2, 1}})); }},
               {"less", {numbers({3, 4, 2})}, [](auto& x) { return square(pad(x[0], {{-1, 1}, {0, -2}, {-1, -1}})); }},
               {"less, mirrored", {numbers({5})}, [](auto& x) { return square(pad(x[0], {{-2, 2}}, PadMode::reflect)); }},
               {"a value", {numbers({2, 3})}, [](auto& x) { return square(pad(x[0], {{1, 1}}, PadMode::constant, 2)); }},
               {"mirrored", {numbers({2, 4})}, [](auto& x) { return square(pad(x[0], {{0, 0}, {3, 2}}, PadMode::reflect)); }},
               {"edges", {numbers({2, 3})}, [](auto& x) { return square(pad(x[0], {{2, 1}, {0, 3}}, PadMode::replicate)); }},
               {"circular", {numbers({2, 3})}, [](auto& x) { return square(pad(x[0], {{0, 0}, {2, 3}}, PadMode::circular)); }},
               {"empty", {numbers({0})}, [](auto& x) { return square(pad(x[0], {{1, 2}})); }}}),
      general("meshgrid", {{"one of them", {numbers({3}), numbers({2})}, [](auto& x) { return square(meshgrid(x)[0]); }},
                           {"two", {numbers({3}), numbers({2})}, [](auto& x) { auto g = meshgrid(x); return g[0] * square(g[1]); }},
                           {"xy", {numbers({3}), numbers({2}), numbers({})},
                            [](auto& x) { auto g = meshgrid(x, "xy"); return g[0] * square(g[1]) * g[2]; }}}),
      general("windows",
              {{"overlapping", {numbers({7})}, [](auto& x) { return square(windows(x[0], 0, 3, 2)); }},
               {"of an inner axis", {numbers({2, 5, 2})}, [](auto& x) { return square(windows(x[0], 1, 2)); }},
               {"of four axes", {numbers({1, 2, 1, 5})}, [](auto& x) { return square(windows(x[0], -1, 3)); }},
               {"0-d", {numbers({})}, [](auto& x) { return square(windows(x[0], 0, 1)); }}}),
  };
}

// x, a kernel and a bias, the inputs of a convolution.
template <class Options>
Sample convolved(const char* text,
                 Variable (*f)(const Variable&, const Variable&, const Variable&, const std::type_identity_t<Options>&),
                 const Shape& x, const Shape& kernel, const Shape& bias, const Options& options) {
  return {text, {numbers(x), numbers(kernel), numbers(bias)},
          [f, options](auto& x) { return f(x[0], x[1], x[2], options); }};
}

// Well away from singular, with distinct eigenvalues.
Variable regular(const Shape& shape) {
  std::size_t n = shape.back();
  return numbers(shape, -1, 1) + diag(3.0 * (1 + arange(n).to(float64)));
}

Variable positive_definite(const Variable& a) { return matmul(a, swapaxes(a, -1, -2)); }

// The sign of a vector is arbitrary.
Variable unsigned_vectors(const Eigen& e) { return expand_dims(e.values, -2) * square(e.vectors); }

std::vector<Operation> decompositions() {
  auto of_matrices = [](const char* name, auto f) {
    Operation result{name, true, {}};
    for (const Shape& shape : std::vector<Shape>{{3, 3}, {1, 1}, {2, 2, 2}, {0, 2, 2}})
      result.samples.push_back({to_string(shape), {regular(shape)}, [f](auto& x) { return f(x[0]); }});
    return result;
  };
  return {
      of_matrices("inverse", [](auto& a) { return inverse(a); }),
      [&] {
        Operation result = of_matrices("det", [](auto& a) { return det(a); });
        // Of rank n - 1 where the samples stand, and regular beside them.
        result.samples.push_back({"singular", {numbers({2, 3, 2}), numbers({2, 2, 3})},
                                  [](auto& x) { return det(matmul(x[0], x[1])); }});
        result.samples.push_back({"singular from all sides", {Variable({{1, 2, 3}, {2, 1, 0}, {3, 3, 3}}, float64)},
                                  [](auto& x) { return det(x[0]); }});
        return result;
      }(),
      of_matrices("slogdet", [](auto& a) { return slogdet(a).logabsdet; }),
      of_matrices("cholesky", [](auto& a) { return cholesky(positive_definite(a)) + cholesky(positive_definite(a), true); }),
      with(of_matrices("eigh", [](auto& a) { return unsigned_vectors(eigh(a)); }),
           {{"the lower triangle", {regular({2, 3, 3})},
             [](auto& x) { return unsigned_vectors(eigh(x[0] + swapaxes(x[0], -1, -2), "L")); }},
            {"the upper triangle", {regular({3, 3})},
             [](auto& x) { return unsigned_vectors(eigh(x[0] + transpose(x[0]), "U")); }}}),
      with(of_matrices("eigvalsh", [](auto& a) { return eigvalsh(a); }),
           {{"the lower triangle", {regular({2, 3, 3})},
             [](auto& x) { return eigvalsh(x[0] + swapaxes(x[0], -1, -2), "L"); }}}),
      general("svd", [&] {
        std::vector<Sample> list;
        // The sign of a pair of vectors is arbitrary.
        for (const Shape& shape : {Shape{3, 3}, Shape{4, 2}, Shape{2, 2, 3}, Shape{1, 1}, Shape{0, 2, 2}, Shape{3, 0}})
          list.push_back({to_string(shape), {numbers(shape)}, [](auto& x) {
                            auto [u, s, vh] = svd(x[0]);
                            return matmul(square(u) * expand_dims(s, -2), exp(square(vh)));
                          }});
        list.push_back({"full", {numbers({4, 2})}, [](auto& x) {
                          auto [u, s, vh] = svd(x[0], true);
                          return matmul(square(u[{ellipsis, range(0, 2)}]) * s, square(vh));
                        }});
        return list;
      }()),
      general("svdvals", {{"tall", {numbers({4, 2})}, [](auto& x) { return svdvals(x[0]); }},
                          {"a batch", {numbers({2, 2, 3})}, [](auto& x) { return svdvals(x[0]); }}}),
      general("matrix_norm", [&] {
        std::vector<Sample> list;
        for (double p : {1.0, -1.0, 2.0, -2.0, HUGE_VAL, -HUGE_VAL})
          list.push_back({std::to_string(p), {numbers({3, 2})}, [p](auto& x) { return matrix_norm(x[0], p); }});
        for (std::string kind : {"fro", "nuc"})
          for (bool keepdims : {false, true})
            list.push_back({kind, {numbers({3, 2, 4})},
                            [=](auto& x) { return matrix_norm(x[0], kind, {-1, 0}, keepdims); }});
        return list;
      }()),
      of_matrices("matrix_power", [](auto& a) { return matrix_power(a, 5) * 1e-3 + matrix_power(a, -2) + matrix_power(a, 0); }),
      general("qr", {{"square", {regular({3, 3})}, [](auto& x) { auto [q, r] = qr(x[0]); return matmul(square(q), square(r)); }},
                     {"wide", {numbers({2, 4})}, [](auto& x) { auto [q, r] = qr(x[0]); return matmul(square(q), square(r)); }},
                     {"tall", {numbers({2, 4, 2})}, [](auto& x) { auto [q, r] = qr(x[0]); return matmul(square(q), square(r)); }},
                     {"wide, complete", {numbers({2, 4})},
                      [](auto& x) { auto [q, r] = qr(x[0], "complete"); return matmul(square(q), square(r)); }}}),
      general("solve",
              {{"a vector", {regular({3, 3}), numbers({3})}, [](auto& x) { return solve(x[0], x[1]); }},
               {"a batch", {regular({2, 1, 2, 2}), numbers({3, 2, 4})}, [](auto& x) { return solve(x[0], x[1]); }},
               {"a batch of vectors", {regular({2, 3, 3}), numbers({2, 3})}, [](auto& x) { return solve(x[0], x[1]); }},
               {"from the right", {regular({2, 3, 3}), numbers({4, 3})}, [](auto& x) { return solve(x[0], x[1], false); }},
               {"no columns", {regular({2, 2}), numbers({2, 0})}, [](auto& x) { return solve(x[0], x[1]); }}}),
      general("solve_triangular",
              {{"lower", {regular({3, 3}), numbers({3, 2})}, [](auto& x) { return solve_triangular(x[0], x[1]); }},
               {"upper", {regular({3, 3}), numbers({3})}, [](auto& x) { return solve_triangular(x[0], x[1], true); }},
               {"from the right", {regular({3, 3}), numbers({2, 3})},
                [](auto& x) { return solve_triangular(x[0], x[1], true, false, false) + solve_triangular(x[0], x[1], false, true, false); }},
               {"unit diagonal", {regular({3, 3}), numbers({3, 2})},
                [](auto& x) { return solve_triangular(x[0], x[1], false, true) + solve_triangular(x[0], x[1], true, true); }}}),
      general("lstsq", {{"tall", {numbers({4, 2}), numbers({4})}, [](auto& x) { return lstsq(x[0], x[1]); }},
                        {"a batch of vectors", {numbers({2, 3, 2}), numbers({2, 3})}, [](auto& x) { return lstsq(x[0], x[1]); }},
                        {"wide", {numbers({2, 4}), numbers({2, 3})}, [](auto& x) { return lstsq(x[0], x[1]); }}}),
      general("pinv", {{"tall", {numbers({4, 2})}, [](auto& x) { return pinv(x[0]); }},
                       {"wide", {numbers({2, 3})}, [](auto& x) { return pinv(x[0]); }},
                       {"tolerances", {numbers({2, 3})},
                        [](auto& x) { return pinv(x[0], {.atol = 1e-3, .rtol = 1e-3}); }},
                       {"symmetric", {numbers({2, 3, 3})},
                        [](auto& x) { return pinv(x[0] + swapaxes(x[0], -1, -2), {.hermitian = true}); }}}),
  };
}

std::vector<Operation> convolutions() {
  using C = ConvOptions;
  using T = ConvTransposeOptions;
  auto pooled = []<class Options>(Variable (*f)(const Variable&, const PerAxis&, const Options&), const char* text,
                                  const Shape& shape, const PerAxis& window, const std::type_identity_t<Options>& options) {
    return Sample{text, {numbers(shape)}, [=](auto& x) { return square(f(x[0], window, options)); }};
  };
  auto adapted = [](auto f, const Shape& shape, const PerAxis& extents) {
    return Sample{to_string(shape), {numbers(shape)}, [=](auto& x) { return square(f(x[0], extents)); }};
  };
  return {
      general("conv1d",
              {convolved("plain", conv1d, {2, 2, 5}, {3, 2, 3}, {3}, C{}),
               convolved("all options", conv1d, {1, 4, 7}, {4, 2, 3}, {4},
                         C{.stride = 2, .padding = 2, .dilation = 2, .groups = 2}),
               convolved("no samples", conv1d, {0, 1, 3}, {1, 1, 2}, {1}, C{}),
               convolved("same padding", conv1d, {2, 4, 4}, {2, 2, 4}, {2},
                         C{.padding = "same", .dilation = 3, .groups = 2}),
               {"without a bias", {numbers({1, 1, 4}), numbers({1, 1, 1})}, [](auto& x) { return conv1d(x[0], x[1]); }}}),
      general("conv2d",
              {convolved("plain", conv2d, {2, 2, 4, 3}, {2, 2, 3, 2}, {2}, C{}),
               convolved("all options", conv2d, {1, 2, 5, 4}, {2, 1, 2, 3}, {2},
                         C{.stride = {1, 2}, .padding = {0, 1}, .dilation = {2, 1}, .groups = 2}),
               convolved("one image, windows that see only zeros", conv2d, {2, 3, 2}, {1, 2, 1, 2}, {1},
                         C{.stride = {2, 1}, .padding = {3, 2}}),
               convolved("same padding, uneven", conv2d, {2, 1, 3, 1}, {2, 1, 2, 2}, {2}, C{.padding = "same"}),
               convolved("one image, valid padding", conv2d, {1, 3, 3}, {2, 1, 2, 3}, {2}, C{.padding = "valid"}),
               convolved("many narrow lines", conv2d, {3, 1, 7, 9}, {2, 1, 3, 3}, {2}, C{.padding = 1})}),
      general("conv3d", {convolved("padded", conv3d, {1, 1, 2, 3, 2}, {2, 1, 2, 2, 1}, {2}, C{.padding = {1, 0, 0}}),
                         convolved("same padding", conv3d, {1, 1, 2, 1, 3}, {1, 1, 2, 3, 4}, {1}, C{.padding = "same"})}),
      general("conv_transpose1d",
              {convolved("plain", conv_transpose1d, {2, 2, 3}, {2, 3, 2}, {3}, T{}),
               convolved("all options", conv_transpose1d, {1, 4, 3}, {4, 1, 3}, {2},
                         T{.stride = 2, .padding = 1, .output_padding = 1, .dilation = 2, .groups = 2}),
               convolved("one image", conv_transpose1d, {2, 3}, {2, 1, 2}, {1}, T{})}),
      general("conv_transpose2d",
              {convolved("strided", conv_transpose2d, {1, 2, 2, 3}, {2, 1, 3, 2}, {1}, T{.stride = {2, 1}, .padding = {1, 0}})}),
      general("conv_transpose3d", {convolved("plain", conv_transpose3d, {1, 1, 2, 1, 2}, {1, 2, 2, 2, 1}, {2}, T{})}),
      general("unfold", {{"plain", {numbers({2, 2, 3, 4})}, [](auto& x) { return square(unfold(x[0], 2)); }},
                         {"all options", {numbers({1, 1, 5, 4})},
                          [](auto& x) {
                            return square(unfold(x[0], {2, 3}, {.stride = {2, 1}, .padding = {0, 2}, .dilation = {1, 2}}));
                          }}}),
      general("fold", {{"plain", {numbers({2, 8, 6})}, [](auto& x) { return square(fold(x[0], {3, 4}, 2)); }},
                       {"all options", {numbers({1, 6, 8})},
                        [](auto& x) {
                          return square(fold(x[0], {5, 4}, {2, 3},
                                             {.stride = {2, 1}, .padding = {0, 2}, .dilation = {1, 2}}));
                        }}}),
      general("max_pool1d", {pooled(max_pool1d, "overlapping", {2, 1, 6}, 3, {.stride = 2, .padding = 1}),
                             pooled(max_pool1d, "one image", {2, 7}, 2, {.dilation = 3, .ceil_mode = true})}),
      general("max_pool2d", {pooled(max_pool2d, "plain", {1, 2, 4, 5}, 2, {}),
                             pooled(max_pool2d, "of two extents", {1, 1, 4, 5}, {1, 3}, {.stride = 1}),
                             pooled(max_pool2d, "all options", {1, 2, 5, 7}, {2, 3},
                                    {.stride = {2, 3}, .padding = {1, 0}, .dilation = {2, 1}, .ceil_mode = true}),
                             pooled(max_pool2d, "beyond the end", {1, 1, 3, 2}, 3, {.stride = 2, .ceil_mode = true}),
                             pooled(max_pool2d, "no samples", {0, 2, 3, 3}, 2, {})}),
      general("max_pool3d", {pooled(max_pool3d, "all options", {1, 2, 3, 5, 4}, {2, 3, 2},
                                    {.stride = {1, 3, 2}, .padding = {1, 0, 1}, .dilation = {2, 1, 1}, .ceil_mode = true})}),
      general("max_pool1d_with_indices",
              {{"one image", {numbers({2, 7})}, [](auto& x) { return square(max_pool1d_with_indices(x[0], 3, {.padding = 1}).values); }}}),
      general("max_pool2d_with_indices",
              {{"plain", {numbers({1, 2, 4, 5})}, [](auto& x) { return square(max_pool2d_with_indices(x[0], 2).values); }}}),
      general("max_pool3d_with_indices",
              {{"plain", {numbers({1, 2, 4, 3, 2})}, [](auto& x) { return square(max_pool3d_with_indices(x[0], 2).values); }}}),
      general("avg_pool1d", {pooled(avg_pool1d, "overlapping", {2, 1, 6}, 3, {.stride = 2, .padding = 1}),
                             pooled(avg_pool1d, "one image", {2, 6}, 4, {.divisor_override = -3})}),
      general("avg_pool2d", {pooled(avg_pool2d, "plain", {1, 2, 4, 5}, 2, {}),
                             pooled(avg_pool2d, "all options", {1, 2, 5, 6}, {3, 2},
                                    {.stride = {3, 1}, .padding = {1, 0}, .ceil_mode = true, .count_include_pad = false}),
                             pooled(avg_pool2d, "beyond the end", {2, 1, 5, 6}, 3, {.stride = 2, .padding = 1, .ceil_mode = true}),
                             pooled(avg_pool2d, "no samples", {0, 2, 3, 3}, 2, {})}),
      general("avg_pool3d", {pooled(avg_pool3d, "all options", {1, 2, 3, 5, 4}, {2, 3, 2},
                                    {.stride = {1, 3, 2}, .padding = {1, 0, 1}, .ceil_mode = true, .count_include_pad = false})}),
      general("adaptive_max_pool1d", {adapted(adaptive_max_pool1d, {2, 1, 5}, 3)}),
      general("adaptive_max_pool2d", {adapted(adaptive_max_pool2d, {1, 2, 4, 5}, {3, 2}), adapted(adaptive_max_pool2d, {0, 2, 2, 2}, 3)}),
      general("adaptive_max_pool3d", {adapted(adaptive_max_pool3d, {2, 3, 4, 2}, {2, 3, 1})}),
      general("adaptive_max_pool1d_with_indices",
              {{"small", {numbers({2, 5})}, [](auto& x) { return square(adaptive_max_pool1d_with_indices(x[0], 3).values); }}}),
      general("adaptive_max_pool2d_with_indices",
              {{"small", {numbers({1, 2, 4, 5})}, [](auto& x) { return square(adaptive_max_pool2d_with_indices(x[0], 2).values); }}}),
      general("adaptive_max_pool3d_with_indices",
              {{"small", {numbers({2, 2, 3, 2})}, [](auto& x) { return square(adaptive_max_pool3d_with_indices(x[0], 2).values); }}}),
      general("adaptive_avg_pool1d", {adapted(adaptive_avg_pool1d, {2, 1, 5}, 3), adapted(adaptive_avg_pool1d, {1, 1, 2}, 4)}),
      general("adaptive_avg_pool2d", {adapted(adaptive_avg_pool2d, {1, 2, 4, 5}, {3, 1})}),
      general("adaptive_avg_pool3d", {adapted(adaptive_avg_pool3d, {1, 2, 3, 4, 2}, {2, 3, 1})}),
  };
}

std::vector<Operation> neural() {
  Variable rows = Variable{2, 0, 2}.to(int64);
  return {
      general("linear",
              {{"a bias", {numbers({2, 1, 3}), numbers({4, 3}), numbers({4})}, [](auto& x) { return linear(x[0], x[1], x[2]); }},
               {"a vector", {numbers({3}), numbers({2, 3})}, [](auto& x) { return linear(x[0], x[1]); }}}),
      general("local_response_norm",
              {{"odd", {numbers({2, 4, 2})}, [](auto& x) { return local_response_norm(x[0], 3, 0.5); }},
               {"even", {numbers({2, 5})}, [](auto& x) { return local_response_norm(x[0], 2, 0.3, 0.6, 2); }}}),
      general("layer_norm",
              {{"plain", {numbers({3, 5})}, [](auto& x) { return layer_norm(x[0]); }},
               {"over two axes", {numbers({2, 3, 2}), numbers({3, 2}), numbers({3, 2})},
                [](auto& x) { return layer_norm(x[0], 2, x[1], x[2]); }}}),
      general("group_norm", {{"two groups", {numbers({2, 4, 3}), numbers({4}), numbers({4})},
                              [](auto& x) { return group_norm(x[0], 2, x[1], x[2]); }},
                             {"no samples", {numbers({0, 4, 3})}, [](auto& x) { return group_norm(x[0], 2); }}}),
      general("instance_norm", {{"plain", {numbers({2, 2, 5})}, [](auto& x) { return instance_norm(x[0]); }}}),
      general("batch_norm",
              {{"rows", {numbers({4, 3}), numbers({3}), numbers({3})}, [](auto& x) { return batch_norm(x[0], x[1], x[2]); }},
               {"images", {numbers({2, 2, 2, 3})}, [](auto& x) { return batch_norm(x[0]); }},
               {"given statistics", {numbers({2, 3}), numbers({3}), numbers({3}, 0.5, 2), numbers({3})},
                [](auto& x) { return batch_norm(x[0], x[1], x[2], x[3], {}); }},
               {"many channels", {numbers({3, 37}), numbers({37}), numbers({37})},
                [](auto& x) { return batch_norm(x[0], x[1], x[2]); }},
               {"long channels", {numbers({2, 1, 37})}, [](auto& x) { return batch_norm(x[0]); }},
               {"no channels", {numbers({2, 0, 3})}, [](auto& x) { return batch_norm(x[0]); }}}),
      general("batch_norm_with_statistics",
              {{"images", {numbers({2, 2, 3}), numbers({2}), numbers({2})},
                [](auto& x) { return batch_norm_with_statistics(x[0], x[1], x[2]).result; }}}),
      general("rms_norm", {{"plain", {numbers({3, 5})}, [](auto& x) { return rms_norm(x[0]); }},
                           {"over two axes", {numbers({2, 3, 2}), numbers({3, 2})},
                            [](auto& x) { return rms_norm(x[0], 2, x[1]); }}}),
      general("dropout", {{"the same mask each time", {numbers({4, 5})}, [](auto& x) {
                             Generator generator(1);
                             return square(dropout(x[0], 0.4, generator));
                           }}}),
      general("embedding", {{"repeated rows", {numbers({3, 2})}, [rows](auto& x) { return square(embedding(x[0], rows)); }},
                            {"a padding that does not occur", {numbers({3, 2})},
                             [rows](auto& x) { return square(embedding(x[0], rows, -2)); }}}),
      general("cross_entropy_rows",
              {{"rows", {numbers({3, 4})},
                [](auto& x) {
                  DType dtype = x[0].defined() && is_floating(x[0].dtype()) ? x[0].dtype() : float64;
                  return cross_entropy_rows(x[0], Variable({3, 0, 3}, int64), Variable({0.5, 2, -1}, dtype));
                }},
               {"a row that does not count", {numbers({2, 2, 5})},
                [](auto& x) {
                  Variable labels({{-7, 0}, {4, 2}}, int64), weights({{0, 1}, {2, 1}}, x[0].dtype());
                  return square(cross_entropy_rows(x[0], labels, weights));
                }},
               {"one row", {wide({4})},
                [](auto& x) { return cross_entropy_rows(x[0], Variable(Array::scalar(2, int64)), ones({}, x[0].dtype())); }},
               {"empty", {numbers({0, 3})},
                [](auto& x) { return cross_entropy_rows(x[0], zeros({0}, int64), zeros({0}, x[0].dtype())); }}}),
      general("scaled_dot_product_attention",
              {{"plain", {numbers({2, 3, 2}), numbers({2, 4, 2}), numbers({2, 4, 3})},
                [](auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); }},
               {"causal", {numbers({3, 2}), numbers({3, 2}), numbers({3, 2})},
                [](auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {}, true); }},
               {"another scale", {numbers({3, 2}), numbers({3, 2}), numbers({3, 2})},
                [](auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {}, false, 0.3); }},
               {"masks", {numbers({2, 2}), numbers({3, 2}), numbers({3, 1}), numbers({2, 3})},
                [](auto& x) {
                  Variable first = arange(3) < 2;
                  return scaled_dot_product_attention(x[0], x[1], x[2], first) +
                         scaled_dot_product_attention(x[0], x[1], x[2], x[3]);
                }}}),
      general("pixel_shuffle", {{"by two", {numbers({1, 8, 2, 1})}, [](auto& x) { return square(pixel_shuffle(x[0], 2)); }},
                                {"without a batch", {numbers({9, 1, 2})}, [](auto& x) { return square(pixel_shuffle(x[0], 3)); }},
                                {"empty", {numbers({2, 0, 4, 3, 1})}, [](auto& x) { return square(pixel_shuffle(x[0], 2)); }}}),
      general("pixel_unshuffle",
              {{"by two", {numbers({2, 1, 2, 4})}, [](auto& x) { return square(pixel_unshuffle(x[0], 2)); }},
               {"without a batch", {numbers({2, 3, 3})}, [](auto& x) { return square(pixel_unshuffle(x[0], 3)); }}}),
      general("interpolate",
              {{"nearest", {numbers({1, 2, 3, 2})}, [](auto& x) { return square(interpolate(x[0], 5, 4)); }},
               {"bilinear", {numbers({1, 2, 3, 2})},
                [](auto& x) { return square(interpolate(x[0], 2, 5, Interpolation::bilinear)); }},
               {"aligned corners", {numbers({1, 1, 3, 2})},
                [](auto& x) { return square(interpolate(x[0], 5, 1, Interpolation::bilinear, true)); }},
               {"linear, by a factor", {numbers({2, 1, 4})},
                [](auto& x) { return square(interpolate(x[0], {.scale_factor = {1.7}, .mode = Interpolation::linear})); }},
               {"trilinear", {numbers({1, 1, 2, 3, 2})},
                [](auto& x) { return square(interpolate(x[0], {.size = {3, 1, 3}, .mode = Interpolation::trilinear})); }},
               {"bicubic", {numbers({1, 1, 2, 5})},
                [](auto& x) { return square(interpolate(x[0], {.scale_factor = {2, 0.7}, .mode = Interpolation::bicubic})); }},
               {"area", {numbers({1, 2, 5})}, [](auto& x) { return square(interpolate(x[0], {.size = 3, .mode = Interpolation::area})); }},
               {"no samples", {numbers({0, 2, 3})}, [](auto& x) { return interpolate(x[0], {.size = 5}); }}}),
  };
}

std::vector<Operation> creation() {
  return {
      constant("zeros", {}, [](auto&) { return zeros({2, 3}, float64); }),
      constant("ones", {}, [](auto&) { return ones({2, 3}, float64); }),
      constant("full", {}, [](auto&) { return full({2}, 3, float64); }),
      constant("zeros_like", {numbers({2})}, [](auto& x) { return zeros_like(x[0]); }),
      constant("ones_like", {numbers({2})}, [](auto& x) { return ones_like(x[0]); }),
      constants("eye", {{"wide", {}, [](auto&) { return eye(3, 2, float64); }},
                        {"square", {}, [](auto&) { return eye(2, float64); }}}),
      constant("arange", {}, [](auto&) { return arange(0, 3, 0.5); }),
      constant("full_like", {numbers({2})}, [](auto& x) { return full_like(x[0], 2.5); }),
      constant("linspace", {}, [](auto&) { return linspace(-1, 2, 4, float64); }),
      constant("logspace", {}, [](auto&) { return logspace(0, 2, 3, 2, float64); }),
      constant("rand", {}, [](auto&) { return rand({3}, float64); }),
      constant("randn", {}, [](auto&) { return randn({3}, float64); }),
  };
}

std::vector<Operation> statistics() {
  auto holes = [](const Variable& x) { return where(mask(x.shape()), x, NAN); };
  auto running = [](const char* name, WithIndices (*f)(const Variable&, std::ptrdiff_t)) {
    return general(name, {{"last axis", {numbers({3, 7})}, [f](auto& x) { return square(f(x[0], -1).values); }},
                          {"first axis", {numbers({4, 2, 2})}, [f](auto& x) { return square(f(x[0], 0).values); }},
                          {"0-d", {numbers({})}, [f](auto& x) { return square(f(x[0], 0).values); }},
                          {"empty", {numbers({2, 0})}, [f](auto& x) { return f(x[0], 1).values; }}});
  };
  auto integral = [](const char* name, auto f, auto g) {
    return general(name, {{"even", {numbers({3, 5})}, [f](auto& x) { return square(f(x[0], 0.5, -1)); }},
                          {"first axis", {numbers({4, 2})}, [f](auto& x) { return square(f(x[0], 1, 0)); }},
                          {"points of one axis", {numbers({4, 2}), numbers({4})}, [g](auto& x) { return g(x[0], x[1], 0); }},
                          {"all points", {numbers({2, 4}), numbers({2, 4})}, [g](auto& x) { return g(x[0], x[1], -1); }},
                          {"one point", {numbers({2, 1})}, [f](auto& x) { return f(x[0], 1, -1); }},
                          {"none", {numbers({2, 0})}, [f](auto& x) { return f(x[0], 1, -1); }}});
  };
  return {
      with(reduction("nansum", [](const auto& x, const auto& axes, bool keep) { return nansum(x, axes, keep); }),
           reduction("", [=](const auto& x, const auto& axes, bool keep) { return nansum(holes(x), axes, keep); }).samples),
      reduction("nanmean", [](const auto& x, const auto& axes, bool keep) { return nanmean(x, axes, keep); }, -2, 2, false),
      general("quantile", [] {
        std::vector<Sample> list;
        for (std::string kind : {"linear", "lower", "higher", "midpoint", "nearest"}) {
          list.push_back({kind, {numbers({3, 4})}, [kind](auto& x) { return square(quantile(x[0], 0.4, -1, false, kind)); }});
          list.push_back({kind + ", several, of all", {numbers({3, 2})},
                          [kind](auto& x) { return quantile(x[0], Variable({0, 0.75, 1}, x[0].dtype()), {}, true, kind); }});
        }
        list.push_back({"first axis, several", {numbers({3, 1, 2})},
                        [](auto& x) { return square(quantile(x[0], Variable({0.1, 0.9}, float64), 0, true)); }});
        list.push_back({"0-d", {numbers({})}, [](auto& x) { return square(quantile(x[0], 0.5) + quantile(x[0], 0.2, 0, true)); }});
        return list;
      }()),
      general("kthvalue", {{"last axis", {numbers({3, 5})}, [](auto& x) { return square(kthvalue(x[0], 2).values); }},
                           {"first axis", {numbers({4, 2})}, [](auto& x) { return square(kthvalue(x[0], 4, 0, true).values); }},
                           {"0-d", {numbers({})}, [](auto& x) { return square(kthvalue(x[0], 1).values); }}}),
      running("cummax", cummax),
      running("cummin", cummin),
      general("diff", {{"last axis", {numbers({3, 5})}, [](auto& x) { return square(diff(x[0])); }},
                       {"twice", {numbers({4, 2})}, [](auto& x) { return square(diff(x[0], 2, 0)); }},
                       {"to nothing", {numbers({2, 3})}, [](auto& x) { return diff(x[0], 5); }}}),
      integral("trapezoid", [](auto& y, double dx, int axis) { return trapezoid(y, dx, axis); },
               [](auto& y, auto& x, int axis) { return trapezoid(y, x, axis); }),
      integral("cumulative_trapezoid", [](auto& y, double dx, int axis) { return cumulative_trapezoid(y, dx, axis); },
               [](auto& y, auto& x, int axis) { return cumulative_trapezoid(y, x, axis); }),
      general("cov", {{"rows", {numbers({3, 5})}, [](auto& x) { return cov(x[0]); }},
                      {"biased", {numbers({2, 4})}, [](auto& x) { return cov(x[0], 0); }},
                      {"one variable", {numbers({6})}, [](auto& x) { return cov(x[0]); }}}),
      general("corrcoef", {{"one variable", {numbers({6})}, [](auto& x) { return corrcoef(x[0]); }},
                           {"rows", {numbers({3, 5})}, [](auto& x) { return triu(corrcoef(x[0]), 1); }}}),
  };
}

std::vector<Operation> joined() {
  auto joins = [](const char* name, Variable (*f)(const std::vector<Variable>&)) {
    return general(name, {{"vectors", {numbers({3}), numbers({3})}, [f](auto& x) { return square(f(x)); }},
                          {"matrices", {numbers({2, 3}), numbers({2, 3})}, [f](auto& x) { return square(f(x)); }},
                          {"0-d", {numbers({}), numbers({})}, [f](auto& x) { return square(f(x)); }}});
  };
  auto parts = [](const char* name, std::vector<Variable> (*f)(const Variable&, std::size_t, std::ptrdiff_t)) {
    return general(name, {{"uneven", {numbers({5, 2})}, [f](auto& x) { auto p = f(x[0], 3, 0); return square(part(p, 0)) * part(p, 1); }},
                          {"even", {numbers({2, 4})}, [f](auto& x) { auto p = f(x[0], 2, -1); return square(part(p, 0)) * part(p, 1); }},
                          {"of nothing", {numbers({0, 2})}, [f](auto& x) { return part(f(x[0], 2, 0), 1); }}});
  };
  return {
      joins("hstack", hstack),
      joins("vstack", vstack),
      joins("dstack", dstack),
      with(joins("block_diag", block_diag),
           {{"of other shapes", {numbers({2, 3}), numbers({1}), numbers({0, 2})}, [](auto& x) { return square(block_diag(x)); }}}),
      parts("chunk", chunk),
      parts("array_split", array_split),
      general("unflatten", {{"inner axis", {numbers({2, 6, 2})}, [](auto& x) { return square(unflatten(x[0], 1, {2, -1})); }},
                            {"last axis", {numbers({4})}, [](auto& x) { return square(unflatten(x[0], -1, {2, 1, 2})); }}}),
      general("rot90", [] {
        std::vector<Sample> list;
        for (int k : {-1, 0, 1, 2, 7})
          list.push_back({std::to_string(k), {numbers({2, 3, 4})}, [k](auto& x) { return square(rot90(x[0], k, -1, 0)); }});
        return list;
      }()),
      general("diag_embed", {{"vectors", {numbers({2, 3})}, [](auto& x) { return square(diag_embed(x[0])); }},
                             {"offsets", {numbers({3})}, [](auto& x) { return diag_embed(x[0], 1) * diag_embed(x[0], 1) + diag_embed(square(x[0]), -1); }},
                             {"of four axes", {numbers({1, 2, 1, 3})}, [](auto& x) { return square(diag_embed(x[0], 1)); }},
                             {"empty", {numbers({2, 0})}, [](auto& x) { return diag_embed(x[0]); }}}),
  };
}

std::vector<Operation> distances() {
  auto along = [](const char* name, auto f) {
    return general(name, {{"vectors", {numbers({3}), numbers({3}, 0.3, 2)}, [f](auto& x) { return f(x[0], x[1], -1); }},
                          {"broadcast", {numbers({2, 3}), numbers({4, 1, 3})}, [f](auto& x) { return square(f(x[0], x[1], -1)); }},
                          {"first axis", {numbers({3, 2}), numbers({3, 1})}, [f](auto& x) { return square(f(x[0], x[1], 0)); }},
                          {"none", {numbers({0, 3}), numbers({3})}, [f](auto& x) { return f(x[0], x[1], -1); }}});
  };
  std::vector<Sample> pairwise, tables, pairs;
  for (double p : {1.0, 2.0, 3.0, HUGE_VAL}) {
    std::string text = "p = " + std::to_string(p);
    pairwise.push_back({text, {numbers({4, 3}), numbers({3})}, [p](auto& x) { return pairwise_distance(x[0], x[1], p); }});
    tables.push_back({text, {numbers({2, 3, 2}), numbers({4, 2}, -2.5, 2.5)}, [p](auto& x) { return square(cdist(x[0], x[1], p)); }});
    pairs.push_back({text, {numbers({4, 3})}, [p](auto& x) { return square(pdist(x[0], p)); }});
  }
  pairwise.push_back({"keepdims", {numbers({2, 3}), numbers({2, 3})}, [](auto& x) { return pairwise_distance(x[0], x[1], 2, 0.1, true); }});
  tables.push_back({"no rows", {numbers({0, 2}), numbers({3, 2})}, [](auto& x) { return cdist(x[0], x[1]); }});
  return {
      along("vecdot", [](auto& a, auto& b, int axis) { return vecdot(a, b, axis); }),
      along("cross", [](auto& a, auto& b, int axis) { return cross(a, b, axis); }),
      along("cosine_similarity", [](auto& a, auto& b, int axis) { return cosine_similarity(a, b, axis); }),
      general("normalize", {{"second axis", {numbers({2, 3})}, [](auto& x) { return square(normalize(x[0])); }},
                            {"first axis, p = 3", {numbers({4, 2})}, [](auto& x) { return square(normalize(x[0], 3, 0)); }},
                            {"short ones", {numbers({2, 3})}, [](auto& x) { return square(normalize(x[0], 2, 1, 100)); }}}),
      general("pairwise_distance", pairwise),
      general("cdist", tables),
      general("pdist", pairs),
  };
}

std::vector<Operation> matrix_functions() {
  return {
      general("matrix_exp", {{"small", {numbers({2, 3, 3})}, [](auto& x) { return matrix_exp(x[0]); }},
                             {"large", {numbers({2, 2}, -9, 9)}, [](auto& x) { return matrix_exp(x[0]) * 1e-4; }},
                             {"none", {numbers({0, 2, 2})}, [](auto& x) { return matrix_exp(x[0]); }}}),
      general("logdet", {{"batch", {regular({2, 3, 3})}, [](auto& x) { return logdet(x[0]); }}}),
      general("cholesky_solve",
              {{"lower", {regular({2, 3, 3}), numbers({3, 2})}, [](auto& x) { return cholesky_solve(x[1], x[0]); }},
               {"upper", {regular({3, 3}), numbers({3, 1})}, [](auto& x) { return cholesky_solve(x[1], x[0], true); }}}),
      general("multi_dot",
              {{"matrices", {numbers({2, 5}), numbers({5, 1}), numbers({1, 3})}, [](auto& x) { return multi_dot(x); }},
               {"a row and a column", {numbers({2}), numbers({2, 3}), numbers({3})}, [](auto& x) { return multi_dot(x); }},
               {"one", {numbers({2, 3})}, [](auto& x) { return square(multi_dot(x)); }}}),
      general("vander", {{"square", {numbers({2, 3})}, [](auto& x) { return vander(x[0]); }},
                         {"more powers", {numbers({2})}, [](auto& x) { return vander(x[0], 4, true); }}}),
  };
}

std::vector<Operation> sampled_images() {
  std::vector<Sample> list;
  for (GridPadding padding : {GridPadding::zeros, GridPadding::border, GridPadding::reflection})
    for (bool align : {false, true}) {
      std::string text = "padding " + std::to_string(static_cast<int>(padding)) + (align ? ", corners" : "");
      GridSampleOptions options{.padding = padding, .align_corners = align};
      list.push_back({text, {numbers({2, 2, 3, 4}), numbers({2, 3, 2, 2}, -1.5, 1.5)},
                      [=](auto& x) { return square(grid_sample(x[0], x[1], options)); }});
      list.push_back({text + ", three axes", {numbers({1, 2, 3, 2, 3}), numbers({1, 2, 1, 2, 3}, -1.3, 1.3)},
                      [=](auto& x) { return grid_sample(x[0], x[1], options); }});
      options.nearest = true;
      list.push_back({text + ", nearest", {numbers({1, 2, 3, 4})},
                      [=](auto& x) { return square(grid_sample(x[0], numbers({1, 3, 2, 2}, -1.5, 1.5).to(x[0].dtype()), options)); }});
    }
  return {
      general("grid_sample", list),
      general("affine_grid", {{"images", {numbers({2, 2, 3})}, [](auto& x) { return square(affine_grid(x[0], {2, 1, 3, 4})); }},
                              {"corners, one row", {numbers({1, 2, 3})}, [](auto& x) { return affine_grid(x[0], {1, 1, 1, 4}, true); }},
                              {"three axes", {numbers({2, 3, 4})}, [](auto& x) { return affine_grid(x[0], {2, 3, 2, 3, 2}); }}}),
  };
}

}  // namespace

const std::vector<Operation>& operations() {
  static const std::vector<Operation> list = [] {
    std::vector<Operation> all;
    for (auto family : {elementwise_operations, activations, reductions, linear_algebra, decompositions, arrangements,
                        convolutions, neural, creation, statistics, joined, distances,
                        matrix_functions, sampled_images, arrays, searches, segments, signals, factors, distributions})
      for (Operation& operation : family()) all.push_back(std::move(operation));
    return all;
  }();
  return list;
}

}  // namespace samples
