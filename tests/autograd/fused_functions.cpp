// Every function that fused functions may call: fused against composed of operations.
#include <fstream>
#include <regex>
#include <set>

#include <boost/test/data/test_case.hpp>

#include <autograd/fuse.hpp>
#include <tests/source_folder.hpp>

#include "both_orders.hpp"

using namespace xtape;
using samples::numbers;
using testing::both_orders;
using testing::distance;
using Variables = std::vector<Variable>;

namespace {

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
      unary("isnan", [](auto x) { return where((x != x) && (x < 0) && (x <= 0) && isnan(x), 0, x); }),
      binary("pow", [](auto a, auto b) { return pow(a, b); }, 0.1, 3),
      unary("pow of numbers", [](auto x) { return pow(x, 2) + pow(x, 3) + pow(x, -1) + pow(1.7, x); }),
      unary("exp", [](auto x) { return exp(x); }),
      unary("expm1", [](auto x) { return expm1(x); }),
      unary("exp2", [](auto x) { return exp2(x); }),
      unary("log", [](auto x) { return log(x); }, 0.1, 3),
      unary("log1p", [](auto x) { return log1p(x); }, -0.9, 3),
      unary("log2", [](auto x) { return log2(x); }, 0.1, 3),
      unary("log10", [](auto x) { return log10(x); }, 0.1, 3),
      binary("beta", [](auto a, auto b) { return beta(a, b); }, 0.5, 3),
      unary("beta with a number", [](auto x) { return beta(x, 2.0); }, 0.5, 3),
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
      unary("threshold", [](auto x) { return threshold(x, 0.3, -1.5); }),
      binary("div by mode", [](auto a, auto b) { return a * div(a, b, "floor") + b * div(a, b, "trunc"); }),
      binary("floor_divide", [](auto a, auto b) { return a * floor_divide(a, b); }),
      unary("sgn", [](auto x) { return x * sgn(x); }),
      unary("positive", [](auto x) { return x * positive(x); }),
      binary("heaviside", [](auto a, auto b) { return heaviside(where(a < 0, 0, a), b); }),
      binary("nextafter", [](auto a, auto b) { return nextafter(a, b); }),
      unary("deg2rad", [](auto x) { return deg2rad(x); }),
      unary("rad2deg", [](auto x) { return rad2deg(x); }),
      unary("round to places", [](auto x) { return x * round(x, 1) + x * round(30 * x, -1); }),
      binary("logaddexp2", [](auto a, auto b) { return logaddexp2(a, b); }),
      binary("ldexp", [](auto a, auto b) { return ldexp(a, b) + ldexp(a, 2); }),
      binary("xlog1py", [](auto a, auto b) { return xlog1py(a, b); }, 0.1, 3),
      unary("entr", [](auto x) { return entr(x); }, 0.1, 3),
      unary("sinc", [](auto x) { return sinc(x); }),
      unary("erfinv", [](auto x) { return erfinv(x); }, -0.9, 0.9),
      unary("erfcx", [](auto x) { return erfcx(x); }),
      unary("ndtr", [](auto x) { return ndtr(x); }),
      unary("log_ndtr", [](auto x) { return log_ndtr(x); }, -4, 2),
      unary("ndtri", [](auto x) { return ndtri(x); }, 0.1, 0.9),
      unary("lgamma", [](auto x) { return lgamma(x); }, 0.1, 4),
      unary("digamma", [](auto x) { return digamma(x); }, 0.5, 4),
      unary("polygamma", [](auto x) { return polygamma(2, x); }, 0.9, 4),
      unary("mvlgamma", [](auto x) { return mvlgamma(x, 3); }, 2, 5),
      unary("gammainc", [](auto x) { return gammainc(1.5, x); }, 0.1, 4),
      unary("gammaincc", [](auto x) { return gammaincc(1.5, x); }, 0.1, 4),
      unary("logit with eps", [](auto x) { return logit(x, 0.2); }, 0.06, 0.9),
      unary("i0", [](auto x) { return i0(x); }),
      unary("i0e", [](auto x) { return i0e(x); }),
      unary("i1", [](auto x) { return i1(x); }),
      unary("i1e", [](auto x) { return i1e(x); }),
      unary("modified_bessel_k0", [](auto x) { return modified_bessel_k0(x); }, 0.5, 4),
      unary("modified_bessel_k1", [](auto x) { return modified_bessel_k1(x); }, 0.5, 4),
      unary("scaled_modified_bessel_k0", [](auto x) { return scaled_modified_bessel_k0(x); }, 0.5, 4),
      unary("scaled_modified_bessel_k1", [](auto x) { return scaled_modified_bessel_k1(x); }, 0.5, 4),
      unary("spherical_bessel_j0", [](auto x) { return spherical_bessel_j0(x); }),
      unary("bessel_j0", [](auto x) { return bessel_j0(x); }),
      unary("bessel_j1", [](auto x) { return bessel_j1(x); }),
      unary("bessel_y0", [](auto x) { return bessel_y0(x); }, 0.5, 4),
      unary("bessel_y1", [](auto x) { return bessel_y1(x); }, 0.5, 4),
      binary("clamp_min", [](auto x, auto low) { return clamp_min(x, low); }),
      binary("clamp_max", [](auto x, auto high) { return clamp_max(x, high); }),
      unary("nan_to_num", [](auto x) { return nan_to_num(x) + nan_to_num(x, 1, 2, 3); }),
      binary("equal", [](auto a, auto b) { return where(equal(a, b), a, b); }),
      binary("not_equal", [](auto a, auto b) { return where(not_equal(a, b), a, b); }),
      binary("less", [](auto a, auto b) { return where(less(a, b), a, b); }),
      binary("less_equal", [](auto a, auto b) { return where(less_equal(a, b), a, b); }),
      binary("greater", [](auto a, auto b) { return where(greater(a, b), a, b); }),
      binary("greater_equal", [](auto a, auto b) { return where(greater_equal(a, b), a, b); }),
      binary("logical_not", [](auto a, auto b) { return where(logical_not(a < b), a, b); }),
      binary("logical_and", [](auto a, auto b) { return where(logical_and(a < 0, b < 0), a, b); }),
      binary("logical_or", [](auto a, auto b) { return where(logical_or(a < 0, b < 0), a, b); }),
      binary("logical_xor", [](auto a, auto b) { return where(logical_xor(a < 0, b < 0), a, b); }),
      binary("isclose", [](auto a, auto b) { return where(isclose(a, b, 0.5, 0.1), a, b); }),
      unary("signbit", [](auto x) { return where(signbit(x), x, x * x); }),
      unary("isinf", [](auto x) { return where(isinf(1 / (x - x)), x * x, x); }),
      unary("isfinite", [](auto x) { return where(isfinite(x), x * x, x); }),
  };
  return list;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fused_functions)

BOOST_DATA_TEST_CASE(agrees_with_the_composed_form, cases(), c) {
  Variables fused = both_orders(c.fused, c.inputs), composed = both_orders(c.composed, c.inputs);
  for (std::size_t i = 0; i < fused.size(); ++i) {
    // What plays no part has no gradient in one form, and one of zeros in the other.
    if (!composed[i].defined() && !fused[i].defined()) continue;
    Variable zero = zeros(fused[i].defined() ? fused[i].shape() : composed[i].shape(), float64);
    BOOST_TEST(distance(fused[i].defined() ? fused[i] : zero, composed[i].defined() ? composed[i] : zero) <= 1e-12);
  }
}

// Every function that the headers declare, of Variables, has its case.
BOOST_AUTO_TEST_CASE(every_function_has_a_case) {
  std::set<std::string> tried, declared;
  for (const Case& c : cases()) BOOST_TEST(tried.insert(c.name).second);
  for (const char* header : {"elementwise", "activations"}) {
    std::ifstream file(xtape::testing::source_folder() + "/autograd/ops/" + header + ".hpp");
    const std::regex function(R"(^(?:inline )?Variable (\w+)\()");
    for (std::string line; std::getline(file, line);)
      if (std::smatch match; std::regex_search(line, match, function) && match[1] != "operator") declared.insert(match[1]);
  }
  declared.erase("glu");
  BOOST_TEST(declared.size() > 120);
  for (const std::string& name : declared) BOOST_TEST(tried.contains(name), name << " lacks a case");
}

BOOST_AUTO_TEST_SUITE_END()
