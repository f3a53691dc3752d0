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
  // A permutation of evenly spaced numbers: distinct, so that max and sort have no ties. Those of other bounds are in
  // another order, so that operands do not follow each other.
  std::size_t n = element_count(shape);
  Generator generator(n + static_cast<std::uint64_t>(std::llround(1000 * (high - 2 * low))) * 1000);
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

Operation comparison(const char* name, Binary f) {
  Operation result{name, false, {}};
  for (auto& [a, b] : shape_pairs())
    result.samples.push_back(
        {to_string(a) + " and " + to_string(b), {numbers(a), numbers(b)}, [f](auto& x) { return f(x[0], x[1]); }});
  return result;
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
