// Operations against libtorch's, in float64: results, gradients, and gradients of gradients. Optional, like libtorch.
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

#include <tests/torch_orders.hpp>

#include "random_graphs.hpp"
#include "samples.hpp"

namespace xtape {
static Variable row_sums(const Variable& x) { return sum(x, 1, true); }
static Variable column_means(const Variable& x) { return mean(x, 0, true); }
static Variable turned(const Variable& x) { return transpose(x); }
static Variable scaled_sum(const Variable& x) { return sum(x) * 0.1; }
}  // namespace xtape
namespace at {
static Tensor row_sums(const Tensor& x) { return x.sum(1, true); }
static Tensor column_means(const Tensor& x) { return x.mean(0, true); }
static Tensor turned(const Tensor& x) { return x.t(); }
static Tensor scaled_sum(const Tensor& x) { return x.sum() * 0.1; }
}  // namespace at

namespace {

using xtape::Variable;
using xtape::range;
using torch::Tensor;
using Variables = std::vector<Variable>;
using Tensors = std::vector<Tensor>;
using samples::numbers;
namespace F = torch::nn::functional;
using torch::indexing::Slice;

using xtape::testing::agree_in_all_orders;
using xtape::testing::difference;
using xtape::testing::to_torch;
using Case = xtape::testing::PeerCase;

// Numbers of every magnitude and sign, and the points where functions have their kinks.
Variable special() {
  return Variable({-300.0, -20.5, -6.0, -3.0, -1.5, -1.0, -0.5, -1e-9, 0.0, 1e-9, 0.5, 1.0, 1.5, 3.0, 6.0, 20.5, 300.0},
                  xtape::float64);
}
// Four of each, as libtorch computes single ones another way, and not always the same.
Variable not_finite() {
  return Variable({NAN, NAN, NAN, NAN, INFINITY, INFINITY, INFINITY, INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY},
                  xtape::float64);
}
Variable infinite() {
  return Variable({INFINITY, INFINITY, INFINITY, INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY}, xtape::float64);
}
Variable pole_free() { return numbers({3, 5}, 0.1, 4); }

using Own1 = Variable (*)(const Variable&);

template <class G>
void add(std::vector<Case>& list, const std::string& name, Own1 own, G other, bool everywhere, double low = -2,
         double high = 2) {
  auto call = [own](const Variables& x) { return own(x[0]); };
  auto peer = [other](const Tensors& x) { return other(x[0]); };
  list.push_back({name, {numbers({3, 7}, low, high)}, call, peer});
  if (!everywhere) return;
  list.push_back({name + ", special points", {special()}, call, peer});
  list.push_back({name + ", NaN and infinity", {not_finite()}, call, peer, 1});
}

std::vector<Case> elementwise() {
  std::vector<Case> l;
#define UNARY(name, ...) add(l, #name, [](const Variable& x) { return xtape::name(x); }, \
                             [](const Tensor& x) { return torch::name(x); }, __VA_ARGS__)
  UNARY(exp, false); UNARY(expm1, false); UNARY(exp2, false);
  UNARY(log, false, 0.01, 9); UNARY(log1p, false, -0.9, 9); UNARY(log2, false, 0.01, 9); UNARY(log10, false, 0.01, 9);
  UNARY(sqrt, false, 0.01, 9); UNARY(rsqrt, false, 0.01, 9); UNARY(reciprocal, false); UNARY(square, true);
  UNARY(abs, true); UNARY(sign, true); UNARY(floor, true); UNARY(ceil, true); UNARY(round, true); UNARY(trunc, true);
  UNARY(frac, true); UNARY(sin, true); UNARY(cos, true); UNARY(tan, false, -1.5, 1.5); UNARY(asin, false, -0.99, 0.99);
  UNARY(acos, false, -0.99, 0.99); UNARY(atan, true); UNARY(sinh, false); UNARY(cosh, false); UNARY(tanh, true);
  UNARY(asinh, true); UNARY(acosh, false, 1.01, 9); UNARY(atanh, false, -0.99, 0.99); UNARY(erf, true);
  UNARY(erfc, true); UNARY(erfinv, false, -0.99, 0.99); UNARY(lgamma, false, 0.05, 9);
  UNARY(digamma, false, 6, 9);  // below, libtorch's derivative is off by up to 5e-10 (by mpmath)
  Variable ends_of_gamma({NAN, INFINITY, 0.0, 1e30}, xtape::float64);
  l.push_back({"lgamma, ends", {ends_of_gamma}, [](auto& x) { return xtape::lgamma(x[0]); },
               [](auto& x) { return torch::lgamma(x[0]); }});
  l.push_back({"lgamma, far below", {Variable({-1e30}, xtape::float64)}, [](auto& x) { return xtape::lgamma(x[0]); },
               [](auto& x) { return torch::lgamma(x[0]); }, 1});
  l.push_back({"digamma, ends", {ends_of_gamma}, [](auto& x) { return xtape::digamma(x[0]); },
               [](auto& x) { return torch::digamma(x[0]); }, 1});  // libtorch's second is NaN at infinity
  UNARY(sigmoid, true); UNARY(relu, true);
  // At NaN, libtorch passes the gradient of single numbers, as we do, but not of those in vectors.
  auto without_nan = [&] { l.back().inputs = {infinite()}; };
  UNARY(selu, true); without_nan();
#undef UNARY
#define ACTIVATION(name, torch_name) add(l, #name, [](const Variable& x) { return xtape::name(x); }, \
                                         [](const Tensor& x) { return F::torch_name(x); }, true)
  ACTIVATION(logsigmoid, logsigmoid); ACTIVATION(gelu, gelu); ACTIVATION(silu, silu); ACTIVATION(mish, mish);
  // At infinity, the derivative's limit is 0; libtorch has NaN.
  ACTIVATION(softsign, softsign); l.pop_back();
  ACTIVATION(leaky_relu, leaky_relu); ACTIVATION(tanhshrink, tanhshrink);
  ACTIVATION(relu6, relu6); without_nan();
  ACTIVATION(elu, elu); without_nan();
  ACTIVATION(celu, celu); without_nan();
  ACTIVATION(hardtanh, hardtanh); without_nan();
  ACTIVATION(softshrink, softshrink); without_nan();
  ACTIVATION(hardshrink, hardshrink); without_nan();
  add(l, "softplus", [](const Variable& x) { return xtape::softplus(x, 1, 20); },
      [](const Tensor& x) { return F::softplus(x); }, true);
#undef ACTIVATION
  add(l, "gelu_tanh", xtape::gelu_tanh,
      [](const Tensor& x) { return F::gelu(x, F::GELUFuncOptions().approximate("tanh")); }, true);
  add(l, "hardsigmoid", xtape::hardsigmoid, [](const Tensor& x) { return torch::hardsigmoid(x); }, false, -5, 5);
  l.back().orders = 0;  // libtorch 1.13 multiplies by a sixth of float32 in the first, and has no second
  add(l, "hardswish", xtape::hardswish, [](const Tensor& x) { return torch::hardswish(x); }, true, -5, 5);
  without_nan();
  for (double alpha : {-2.0, -1.0, 0.5})
    l.push_back({"celu " + std::to_string(alpha), {special()}, [=](auto& x) { return xtape::celu(x[0], alpha); },
                 [=](auto& x) { return torch::celu(x[0], alpha); }});
  add(l, "logit", xtape::logit, [](const Tensor& x) { return torch::logit(x); }, false, 0.06, 0.95);
  add(l, "logit eps", [](const Variable& x) { return xtape::logit(x, 0.2); }, [](const Tensor& x) { return torch::logit(x, 0.2); },
      true);
  l[l.size() - 2].orders = 1;  // libtorch divides by 0 in the second, where the first is 0
  namespace S = torch::special;
#define SPECIAL(name, ...) add(l, #name, [](const Variable& x) { return xtape::name(x); }, \
                               [](const Tensor& x) { return S::name(x); }, __VA_ARGS__)
  // The second derivative of i0e is 3/2 on both sides of its kink at 0; libtorch has 1/2 there.
  SPECIAL(erfcx, false, -3, 30); SPECIAL(ndtr, true); SPECIAL(log_ndtr, false, -30, 5); SPECIAL(ndtri, false, 0.001, 0.999);
  SPECIAL(entr, false, 0.01, 3); SPECIAL(i0, false, -9, 9); SPECIAL(i0e, false, -9, 9); SPECIAL(i1, false, -9, 9);
  SPECIAL(i1e, false, -9, 9);
#undef SPECIAL
// What libtorch has no derivatives of.
#define SPECIAL(name, ...) add(l, #name, [](const Variable& x) { return xtape::name(x); }, \
                               [](const Tensor& x) { return torch::special_##name(x.detach()); }, false, __VA_ARGS__); \
                               l.back().orders = 0
  SPECIAL(modified_bessel_k0, 0.01, 30); SPECIAL(modified_bessel_k1, 0.01, 30);
  SPECIAL(scaled_modified_bessel_k0, 0.01, 30); SPECIAL(scaled_modified_bessel_k1, 0.01, 30);
  SPECIAL(spherical_bessel_j0, -9, 9);
#undef SPECIAL
  add(l, "sinc", xtape::sinc, [](const Tensor& x) { return torch::sinc(x); }, false);
  add(l, "deg2rad", xtape::deg2rad, [](const Tensor& x) { return torch::deg2rad(x); }, true);
  add(l, "rad2deg", xtape::rad2deg, [](const Tensor& x) { return torch::rad2deg(x); }, true);
  add(l, "sgn", [](const Variable& x) { return xtape::sgn(x); }, [](const Tensor& x) { return torch::sgn(x); }, true);
  add(l, "threshold", [](const Variable& x) { return threshold(x, -0.5, 3); }, [](const Tensor& x) { return torch::threshold(x, -0.5, 3); }, true);
  add(l, "clamp below", [](const Variable& x) { return xtape::clamp(x, -1, {}); }, [](const Tensor& x) { return torch::clamp_min(x, -1); }, true);
  add(l, "clamp above", [](const Variable& x) { return xtape::clamp(x, {}, 1.5); }, [](const Tensor& x) { return torch::clamp_max(x, 1.5); }, true);
  add(l, "nan_to_num", [](const Variable& x) { return xtape::nan_to_num(xtape::log(x), 2, {}, -3); },
      [](const Tensor& x) { return torch::nan_to_num(torch::log(x), 2, {}, -3); }, false, 0.1, 3);
  l.push_back({"nan_to_num, what is not finite", {Variable({NAN, INFINITY, -INFINITY, 0.5}, xtape::float64)},
               [](auto& x) { return xtape::nan_to_num(x[0]); }, [](auto& x) { return torch::nan_to_num(x[0]); }});
  for (int decimals : {1, -1})
    add(l, "round to decimals", decimals > 0 ? Own1([](const Variable& x) { return xtape::round(x, 1); }) : Own1([](const Variable& x) { return xtape::round(x, -1); }),
        [=](const Tensor& x) { return torch::round(x, decimals); }, true);
  add(l, "mvlgamma", [](const Variable& x) { return xtape::mvlgamma(x, 3); }, [](const Tensor& x) { return torch::mvlgamma(x, 3); },
      false, 1.2, 9);
  add(l, "gammainc", [](const Variable& x) { return xtape::gammainc(2.5, x); },
      [](const Tensor& x) { return S::gammainc(torch::full({}, 2.5, torch::kFloat64), x); }, false, 0.1, 9);
  add(l, "gammaincc", [](const Variable& x) { return xtape::gammaincc(0.5, x); },
      [](const Tensor& x) { return S::gammaincc(torch::full({}, 0.5, torch::kFloat64), x); }, false, 0.1, 9);
  add(l, "polygamma", [](const Variable& x) { return xtape::polygamma(2, x); },
      [](const Tensor& x) { return torch::polygamma(2, x); }, false, 0.2, 5);
  add(l, "pow 3", [](const Variable& x) { return xtape::pow(x, 3); }, [](const Tensor& x) { return torch::pow(x, 3); }, true);
  add(l, "pow 2", [](const Variable& x) { return xtape::pow(x, 2); }, [](const Tensor& x) { return torch::pow(x, 2); }, true);
  add(l, "pow -1.5", [](const Variable& x) { return xtape::pow(x, -1.5); },
      [](const Tensor& x) { return torch::pow(x, -1.5); }, false, 0.1, 3);
  add(l, "scalar pow", [](const Variable& x) { return xtape::pow(2.5, x); },
      [](const Tensor& x) { return torch::pow(2.5, x); }, false);
  add(l, "clamp", [](const Variable& x) { return xtape::clamp(x, -1, 1.5); },
      [](const Tensor& x) { return torch::clamp(x, -1, 1.5); }, true);
  auto binary = [&](const std::string& name, auto own, auto other, const Variable& a, const Variable& b) {
    l.push_back({name, {a, b}, [own](const Variables& x) { return own(x[0], x[1]); },
                 [other](const Tensors& x) { return other(x[0], x[1]); }});
  };
#define BINARY(name, a, b) binary(#name, [](const Variable& x, const Variable& y) { return xtape::name(x, y); }, \
                                  [](const Tensor& x, const Tensor& y) { return torch::name(x, y); }, a, b)
// What libtorch has no derivatives of.
#define WITHOUT_DERIVATIVES(name, a, b) binary(#name, [](const Variable& x, const Variable& y) { return xtape::name(x, y); }, \
    [](const Tensor& x, const Tensor& y) { return torch::name(x.detach(), y.detach()); }, a, b); l.back().orders = 0
  for (auto& [a, b] : std::vector<std::pair<Variable, Variable>>{{numbers({3, 5}), numbers({5}, -1.9, 2.1)},
                                                                 {numbers({2, 1}), numbers({1, 4}, -1.7, 2.1)},
                                                                 {numbers({4}), numbers({}, 0.3, 2.1)}}) {
    BINARY(add, a, b); BINARY(sub, a, b); BINARY(mul, a, b); BINARY(div, a, b); BINARY(atan2, a, b); BINARY(hypot, a, b);
    BINARY(maximum, a, b); BINARY(minimum, a, b); BINARY(fmax, a, b); BINARY(fmin, a, b); BINARY(logaddexp, a, b);
    BINARY(fmod, a, b); BINARY(remainder, a, b); BINARY(copysign, a, b);
    BINARY(logaddexp2, a, b); BINARY(ldexp, a, b); WITHOUT_DERIVATIVES(floor_divide, a, b);
    WITHOUT_DERIVATIVES(nextafter, a, b);
    for (const char* mode : {"trunc", "floor"})
      binary(std::string("div, ") + mode, [mode](auto& x, auto& y) { return xtape::div(x, y, mode); },
             [mode](auto& x, auto& y) { return torch::div(x, y, mode); }, a, b);
  }
  Variable ties({0.0, 1.0, -1.0, 2.0}, xtape::float64), others({0.0, 1.0, 1.0, -3.0}, xtape::float64);
  Variable holes({NAN, 1.0, NAN, 2.0}, xtape::float64), gaps({1.0, NAN, NAN, 3.0}, xtape::float64);
  BINARY(maximum, holes, gaps); BINARY(minimum, holes, gaps); BINARY(fmax, holes, gaps); BINARY(fmin, holes, gaps);
  BINARY(maximum, ties, others); BINARY(minimum, ties, others); BINARY(fmax, ties, others); BINARY(fmin, ties, others);
  BINARY(logaddexp, ties, others); BINARY(logaddexp2, ties, others);
  Variable ends({INFINITY, -INFINITY, INFINITY, -INFINITY, 1.0}, xtape::float64), other_ends({INFINITY, -INFINITY, -INFINITY, 2.0, INFINITY}, xtape::float64);
  BINARY(logaddexp, ends, other_ends); l.back().orders = 1;  // our second derivatives stay finite
  BINARY(hypot, ties, others);
  WITHOUT_DERIVATIVES(heaviside, ties, others);
  BINARY(clamp_min, ties, others); BINARY(clamp_max, ties, others);
  BINARY(copysign, ties, others);
  l.back().orders = 1;  // libtorch divides 0 by 0 in the second
  BINARY(pow, pole_free(), numbers({5})); BINARY(xlogy, numbers({3, 5}), pole_free());
  Variable zeros_first({0.0, 0.0, 0.0, 2.0}, xtape::float64), powers({0.0, 1.0, 2.0, 0.0}, xtape::float64);
  BINARY(pow, zeros_first, powers);
  l.back().orders = 1;  // libtorch multiplies 0 by infinity in the second
  Variable bases({0.0, -0.0, 0.0, -0.0, 0.0, 0.0, 0.0, NAN, NAN, 1.0, INFINITY, INFINITY, -INFINITY, -2.0}, xtape::float64);
  Variable exponents({-1.0, -1.0, -2.5, -2.5, NAN, INFINITY, -INFINITY, 0.0, 2.0, NAN, 0.0, -1.0, 2.0, 0.5}, xtape::float64);
  BINARY(pow, bases, exponents);
  l.back().orders = 1;  // the second are NaN in other places
  BINARY(xlogy, zeros_first, (powers + 1.0).copy());
  binary("xlog1py", [](auto& a, auto& b) { return xtape::xlog1py(a, b); }, [](auto& a, auto& b) { return S::xlog1py(a, b); },
         numbers({3, 5}), numbers({5}, -0.9, 4));
  binary("xlog1py", [](auto& a, auto& b) { return xtape::xlog1py(a, b); }, [](auto& a, auto& b) { return S::xlog1py(a, b); },
         zeros_first, powers);
#undef WITHOUT_DERIVATIVES
#undef BINARY
  l.push_back({"lerp", {numbers({3, 5}), numbers({5}), numbers({3, 1})},
               [](auto& x) { return xtape::lerp(x[0], x[1], x[2]); },
               [](auto& x) { return torch::lerp(x[0], x[1], x[2]); }});
  l.push_back({"lerp, ends and infinity",
               {Variable({1e16, INFINITY, 0.0, INFINITY, 1.0, 1.0, NAN, 1.0, 3.0}, xtape::float64),
                Variable({1.0, 1.0, INFINITY, INFINITY, INFINITY, 2.0, 1.0, 2.0, 5.0}, xtape::float64),
                Variable({1.0, 0.5, 0.5, 0.3, 0.0, 0.5, 0.0, 0.49, INFINITY}, xtape::float64)},
               [](auto& x) { return xtape::lerp(x[0], x[1], x[2]); },
               [](auto& x) { return torch::lerp(x[0], x[1], x[2]); }});
  l.push_back({"clamp with bounds", {special(), numbers({17}, -3, 0), numbers({17}, 0.5, 3)},
               [](auto& x) { return xtape::clamp(x[0], x[1], x[2]); },
               [](auto& x) { return torch::clamp(x[0], x[1], x[2]); }});
  l.push_back({"where", {numbers({3, 5}), numbers({5})},
               [](auto& x) { return xtape::where(x[0] > 0.3, x[0] * x[1], x[1]); },
               [](auto& x) { return torch::where(x[0] > 0.3, x[0] * x[1], x[1]); }});
  return l;
}

std::vector<Case> reductions() {
  std::vector<Case> l;
  Variable x = numbers({2, 3, 4}), flat = Variable({{1, 3, 3, 2}, {0, 0, -1, 0}}, xtape::float64);
  auto one = [&](const std::string& name, auto own, auto other) {
    l.push_back({name, {x}, [own](auto& v) { return own(v[0]); }, [other](auto& v) { return other(v[0]); }});
    l.push_back({name + ", ties", {flat}, [own](auto& v) { return own(v[0]); }, [other](auto& v) { return other(v[0]); }});
  };
  one("sum", [](auto& v) { return sum(v, {0, -1}); }, [](auto& v) { return v.sum(torch::IntArrayRef({0, -1})); });
  one("mean", [](auto& v) { return mean(v, -1, true); }, [](auto& v) { return v.mean(-1, true); });
  one("prod", [](auto& v) { return prod(v, 1); }, [](auto& v) { return v.prod(1); });
  one("var", [](auto& v) { return var(v, -1); }, [](auto& v) { return v.var(-1, false); });
  one("amax", [](auto& v) { return max(v, 1); }, [](auto& v) { return v.amax(1); });
  one("amin", [](auto& v) { return min(v, {0, 1}); }, [](auto& v) { return v.amin({0, 1}); });
  one("max with indices", [](auto& v) { return xtape::max_with_indices(v, -1).values; },
      [](auto& v) { return std::get<0>(v.max(-1)); });
  one("logsumexp", [](auto& v) { return logsumexp(v, -1); }, [](auto& v) { return v.logsumexp(-1); });
  one("cumsum", [](auto& v) { return cumsum(v, 1); }, [](auto& v) { return v.cumsum(1); });
  one("cumprod", [](auto& v) { return cumprod(v, -1); }, [](auto& v) { return v.cumprod(-1); });
  one("logcumsumexp", [](auto& v) { return logcumsumexp(v, 1); }, [](auto& v) { return v.logcumsumexp(1); });
  one("softmax", [](auto& v) { return softmax(v, 0); }, [](auto& v) { return v.softmax(0); });
  one("log_softmax", [](auto& v) { return log_softmax(v, -1); }, [](auto& v) { return v.log_softmax(-1); });
  for (double p : {1.0, 2.0, 3.0, 0.5, HUGE_VAL, -HUGE_VAL, 0.0})
    l.push_back({"norm " + std::to_string(p), {x}, [p](auto& v) { return norm(v[0], p, -1); },
                 [p](auto& v) { return v[0].norm(p, -1); }});
  for (double p : {-0.5, -1.0, -2.0})
    for (const Variable& v : {Variable({1e100, -1e100}, xtape::float64), Variable({INFINITY, INFINITY}, xtape::float64),
                              Variable({INFINITY, -INFINITY, 1.0}, xtape::float64), Variable({0.0, 1.0}, xtape::float64),
                              Variable({NAN, 1.0}, xtape::float64), Variable({1.0, 2.0}, xtape::float64)})
      l.push_back({"norm " + std::to_string(p), {v}, [p](auto& v) { return norm(v[0], p); },
                   [p](auto& v) { return v[0].norm(p); }, 1});
  Variable holes({1.0, NAN, 3.0, NAN, 2.0}, xtape::float64);
  l.push_back({"norm 1, NaN", {holes}, [](auto& v) { return norm(v[0], 1); }, [](auto& v) { return v[0].norm(1); }});
  l.push_back({"max, NaN", {holes}, [](auto& v) { return max(v[0]); }, [](auto& v) { return v[0].max(); }});
  l.push_back({"min, NaN", {holes}, [](auto& v) { return min(v[0]); }, [](auto& v) { return v[0].min(); }});
  l.push_back({"median, NaN", {holes}, [](auto& v) { return median(v[0], 0); },
               [](auto& v) { return std::get<0>(v[0].median(0)); }});
  l.push_back({"stddev", {x}, [](auto& v) { return stddev(v[0], -1); }, [](auto& v) { return v[0].std(-1, false); }});
  l.push_back({"median of all, ties", {Variable({1.0, 3.0, 2.0, 2.0, 0.0, 2.0, 3.0}, xtape::float64)},
               [](auto& v) { return median(v[0]); }, [](auto& v) { return v[0].median(); }});
  l.push_back({"var, a broken correction", {x}, [](auto& v) { return var(v[0], {0, -1}, true, 1.5); },
               [](auto& v) { return v[0].var(torch::IntArrayRef({0, -1}), false, true) * (8 / 6.5); }});
  Variable odd = numbers({3, 5});
  l.push_back({"median", {odd}, [](auto& v) { return median(v[0], -1); },
               [](auto& v) { return std::get<0>(v[0].median(-1)); }});
  return l;
}

std::vector<Case> shapes() {
  std::vector<Case> l;
  Variable x = numbers({2, 3, 4});
  auto one = [&](const std::string& name, auto own, auto other) {
    l.push_back({name, {x}, [own](auto& v) { return own(v[0]); }, [other](auto& v) { return other(v[0]); }});
  };
  one("transpose", [](auto& v) { return transpose(v, {2, 0, 1}); }, [](auto& v) { return v.permute({2, 0, 1}); });
  one("reshape", [](auto& v) { return reshape(v, {4, -1}); }, [](auto& v) { return v.reshape({4, -1}); });
  one("movedim", [](auto& v) { return movedim(v, 0, -1); }, [](auto& v) { return v.movedim(0, -1); });
  one("tile", [](auto& v) { return tile(v, {2, 1, 3}); }, [](auto& v) { return v.tile({2, 1, 3}); });
  one("repeat_interleave", [](auto& v) { return repeat_interleave(v, 2, 1); },
      [](auto& v) { return v.repeat_interleave(2, 1); });
  one("flip", [](auto& v) { return flip(v, {0, -1}); }, [](auto& v) { return v.flip({0, -1}); });
  one("roll", [](auto& v) { return roll(v, 2, -1); }, [](auto& v) { return v.roll(2, -1); });
  one("tril", [](auto& v) { return tril(v, 1); }, [](auto& v) { return v.tril(1); });
  one("triu", [](auto& v) { return triu(v, -1); }, [](auto& v) { return v.triu(-1); });
  one("diagonal", [](auto& v) { return diagonal(v, 1, -2, -1); }, [](auto& v) { return v.diagonal(1, -2, -1); });
  one("slice", [](auto& v) { return v[{range(), range(2, xtape::none, -1), range(1, 3)}] * 2; },
      [](auto& v) { return v.flip({1}).slice(2, 1, 3) * 2; });
  one("sort", [](auto& v) { return xtape::sort(v, -1, true).values; }, [](auto& v) { return std::get<0>(v.sort(-1, true)); });
  one("topk", [](auto& v) { return xtape::topk(v, 2, 1).values; }, [](auto& v) { return std::get<0>(v.topk(2, 1)); });
  Variable indices = Variable{2, 0, 0, 1}.to(xtape::int64);
  one("take", [=](auto& v) { return take(v, indices, 1); }, [=](auto& v) { return v.index_select(1, to_torch(indices)); });
  Variable along = Variable{{{0, 2, 0, 1}, {1, 1, 2, 0}}, {{2, 2, 2, 2}, {0, 1, 0, 1}}}.to(xtape::int64);
  one("gather", [=](auto& v) { return gather(v, 1, along); }, [=](auto& v) { return v.gather(1, to_torch(along)); });
  one("unfold", [](auto& v) { return unfold(expand_dims(v, 0), 2, {.stride = {1, 2}, .padding = 1}); },
      [](auto& v) { return F::unfold(v.unsqueeze(0), F::UnfoldFuncOptions({2, 2}).stride({1, 2}).padding(1)); });
  l.push_back({"fold", {numbers({1, 8, 6})}, [](auto& v) { return xtape::fold(v[0], {3, 4}, 2); },
               [](auto& v) { return F::fold(v[0], F::FoldFuncOptions({3, 4}, {2, 2})); }});
  l.push_back({"concatenate", {numbers({2, 3}), numbers({2, 1})}, [](auto& v) { return xtape::concatenate({v[0], v[1]}, 1); },
               [](auto& v) { return torch::cat({v[0], v[1]}, 1); }});
  one("roll as if flattened", [](auto& v) { return roll(v, -5); }, [](auto& v) { return v.roll(-5); });
  one("repeat_interleave as if flattened", [](auto& v) { return repeat_interleave(v, 2); }, [](auto& v) { return v.repeat_interleave(2); });
  one("pad with less", [](auto& v) { return pad(v, {{0, 1}, {-1, 2}, {-2, -1}}, xtape::PadMode::constant, 3); },
      [](auto& v) { return torch::constant_pad_nd(v, {-2, -1, -1, 2, 0, 1}, 3); });
  Variable broadcast = Variable{{{0, 2, 0, 1}}}.to(xtape::int64);
  one("take_along_axis, broadcast", [=](auto& v) { return take_along_axis(v, broadcast, 2); },
      [=](auto& v) { return torch::take_along_dim(v, to_torch(broadcast), 2); });
  one("take_along_axis, flattened", [=](auto& v) { return take_along_axis(v, along); },
      [=](auto& v) { return torch::take_along_dim(v, to_torch(along)); });
  Variable point = numbers({}), first = xtape::zeros({1}, xtape::int64), zero = xtape::zeros({}, xtape::int64);
  auto scalar = [&](const std::string& name, auto own, auto other) {
    l.push_back({name + ", 0-d", {point}, [own](auto& v) { return own(v[0]); }, [other](auto& v) { return other(v[0]); }});
  };
  scalar("index_select", [=](auto& v) { return index_select(v, 0, first); }, [=](auto& v) { return v.index_select(0, to_torch(first)); });
  for (const Variable& places : {first, zero}) {
    scalar("gather", [=](auto& v) { return gather(v, 0, places); }, [=](auto& v) { return v.gather(0, to_torch(places)); });
    scalar("scatter", [=](auto& v) { return scatter(v, 0, places, 2.5); }, [=](auto& v) { return v.scatter(0, to_torch(places), 2.5); });
  }
  scalar("windows", [](auto& v) { return windows(v, 0, 1); }, [](auto& v) { return v.unfold(0, 1, 1); });
  scalar("repeat_interleave", [](auto& v) { return repeat_interleave(v, 2); }, [](auto& v) { return v.repeat_interleave(2); });
  for (int which : {0, 1})
    l.push_back({"meshgrid xy", {numbers({3}), numbers({2}), point}, [=](auto& v) { return meshgrid(v, "xy")[which]; },
                 [=](auto& v) { return torch::meshgrid(v, "xy")[which]; }});
  return l;
}

std::vector<Case> matrices() {
  std::vector<Case> l;
  Variable square = (numbers({2, 3, 3}) + 3 * xtape::eye(3, 3, xtape::float64)).copy(), tall = numbers({2, 4, 3}),
           wide = numbers({2, 3, 4});
  auto one = [&](const std::string& name, const Variable& a, auto own, auto other) {
    l.push_back({name, {a}, [own](auto& v) { return own(v[0]); }, [other](auto& v) { return other(v[0]); }});
  };
  namespace L = torch::linalg;
  one("inverse", square, [](auto& a) { return inverse(a); }, [](auto& a) { return L::inv(a); });
  one("det", square, [](auto& a) { return det(a); }, [](auto& a) { return L::det(a); });
  one("slogdet", square, [](auto& a) { return xtape::slogdet(a).logabsdet; }, [](auto& a) { return std::get<1>(L::slogdet(a)); });
  one("cholesky", square, [](auto& a) { return cholesky(matmul(a, swapaxes(a, -1, -2)) + xtape::eye(3, 3, xtape::float64)); },
      [](auto& a) { return L::cholesky(a.matmul(a.mT()) + torch::eye(3, torch::kFloat64)); });
  one("eigvalsh", square, [](auto& a) { return eigvalsh(a + swapaxes(a, -1, -2)); },
      [](auto& a) { return L::eigvalsh(a + a.mT(), "L"); });
  one("eigh", square, [](auto& a) { return xtape::square(xtape::eigh(a + swapaxes(a, -1, -2)).vectors); },
      [](auto& a) { return std::get<1>(L::eigh(a + a.mT(), "L")).square(); });
  one("svdvals", tall, [](auto& a) { return svdvals(a); }, [](auto& a) { return L::svdvals(a, c10::nullopt); });
  for (const Variable& a : {square, tall, wide}) {
    one("svd", a, [](auto& a) { auto [u, s, vh] = xtape::svd(a); return matmul(xtape::square(u), xtape::square(vh)); },
        [](auto& a) { auto [u, s, vh] = L::svd(a, false, c10::nullopt); return u.square().matmul(vh.square()); });
    one("pinv", a, [](auto& a) { return pinv(a); }, [](auto& a) { return torch::linalg_pinv(a); });
    for (auto [atol, rtol] : {std::pair(1.0, 0.0), std::pair(0.0, 0.4), std::pair(0.3, 0.4)})
      one("pinv with tolerances", a, [=](auto& a) { return pinv(a, {.atol = atol, .rtol = rtol}); },
          [=](auto& a) { return torch::linalg_pinv(a, c10::optional<double>(atol), c10::optional<double>(rtol)); });
    one("svd, full", a, [k = std::min(a.shape(-2), a.shape(-1))](auto& a) {
          auto [u, s, vh] = xtape::svd(a, true);
          auto first = xtape::range(0, static_cast<std::ptrdiff_t>(k));
          return matmul(xtape::square(u[{xtape::ellipsis, first}]),
                        xtape::square(vh[{xtape::ellipsis, first, xtape::range()}]));
        },
        [k = std::min(a.shape(-2), a.shape(-1))](auto& a) {
          auto [u, s, vh] = L::svd(a, true, c10::nullopt);
          auto count = static_cast<std::int64_t>(k);
          return u.narrow(-1, 0, count).square().matmul(vh.narrow(-2, 0, count).square());
        });
    if (a.shape(-2) <= a.shape(-1))
      one("qr, complete", a,
          [](auto& a) { auto [q, r] = xtape::qr(a, "complete"); return matmul(xtape::square(q), xtape::square(r)); },
          [](auto& a) { auto [q, r] = L::qr(a, "complete"); return q.square().matmul(r.square()); });
    one("qr", a, [](auto& a) { auto [q, r] = xtape::qr(a); return matmul(xtape::square(q), xtape::square(r)); },
        [](auto& a) { auto [q, r] = L::qr(a, "reduced"); return q.square().matmul(r.square()); });
    one("matrix_norm nuc", a, [](auto& a) { return matrix_norm(a, "nuc"); },
        [](auto& a) { return torch::linalg_matrix_norm(a, "nuc"); });
    for (double p : {1.0, 2.0, -2.0, HUGE_VAL})
      one("matrix_norm", a, [p](auto& a) { return matrix_norm(a, p); },
          [p](auto& a) { return torch::linalg_matrix_norm(a, p); });
  }
  one("pinv, symmetric", square, [](auto& a) { return pinv(a + swapaxes(a, -1, -2), {.hermitian = true}); },
      [](auto& a) { return torch::linalg_pinv(a + a.mT(), c10::optional<double>(), c10::optional<double>(), true); });
  one("matrix_power", square, [](auto& a) { return matrix_power(a, -3); }, [](auto& a) { return torch::linalg_matrix_power(a, -3); });
  auto two = [&](const std::string& name, const Variable& a, const Variable& b, auto own, auto other) {
    l.push_back({name, {a, b}, [own](auto& v) { return own(v[0], v[1]); }, [other](auto& v) { return other(v[0], v[1]); }});
  };
  two("matmul", tall, square, [](auto& a, auto& b) { return matmul(a, b); }, [](auto& a, auto& b) { return a.matmul(b); });
  two("solve", square, numbers({2, 3, 2}), [](auto& a, auto& b) { return solve(a, b); },
      [](auto& a, auto& b) { return L::solve(a, b, true); });
  two("solve_triangular", square, numbers({2, 3, 2}), [](auto& a, auto& b) { return solve_triangular(a, b); },
      [](auto& a, auto& b) { return torch::linalg_solve_triangular(a.tril(), b, false); });
  two("lstsq", tall, numbers({2, 4, 2}), [](auto& a, auto& b) { return lstsq(a, b); },
      [](auto& a, auto& b) { return torch::linalg_pinv(a).matmul(b); });
  for (const char* uplo : {"L", "U"}) {
    std::string name = std::string("eigh ") + uplo;
    one(name + ", values", square, [uplo](auto& a) { return xtape::eigh(a, uplo).values; },
        [uplo](auto& a) { return std::get<0>(L::eigh(a, uplo)); });
    one(name + ", vectors", square, [uplo](auto& a) { return abs(xtape::eigh(a, uplo).vectors); },
        [uplo](auto& a) { return std::get<1>(L::eigh(a, uplo)).abs(); });
    one(std::string("eigvalsh ") + uplo, square, [uplo](auto& a) { return xtape::eigvalsh(a, uplo); },
        [uplo](auto& a) { return L::eigvalsh(a, uplo); });
  }
  Variable definite = matmul(square, swapaxes(square, -1, -2)) + xtape::eye(3, 3, xtape::float64);
  for (bool upper : {false, true})
    one("cholesky of itself", definite, [upper](auto& a) { return cholesky(a, upper); },
        [upper](auto& a) { return torch::linalg_cholesky(a, upper); });
  two("solve vectors", square, numbers({2, 3}), [](auto& a, auto& b) { return solve(a, b); },
      [](auto& a, auto& b) { return L::solve(a, b, true); });
  two("solve from the right", square, numbers({2, 4, 3}), [](auto& a, auto& b) { return solve(a, b, false); },
      [](auto& a, auto& b) { return L::solve(a, b, false); });
  for (bool upper : {false, true})
    for (bool unit : {false, true})
      two("solve_triangular from the right", square, numbers({2, 4, 3}),
          [=](auto& a, auto& b) { return solve_triangular(a, b, upper, unit, false); },
          [=](auto& a, auto& b) { return torch::linalg_solve_triangular(upper ? a.triu(unit) : a.tril(-int(unit)), b, upper, false, unit); });
  two("kron", numbers({2, 3}), numbers({3, 2}), [](auto& a, auto& b) { return kron(a, b); },
      [](auto& a, auto& b) { return torch::kron(a, b); });
  two("outer", numbers({2}), numbers({3}), [](auto& a, auto& b) { return outer(a, b); },
      [](auto& a, auto& b) { return torch::outer(a, b); });
  for (const char* equation : {"bij,bjk->bik", "bij,bjk->ki", "bij,bjk->", "bij,bjk"})
    l.push_back({std::string("einsum ") + equation, {numbers({2, 3, 4}), numbers({2, 4, 2})},
                 [equation](auto& v) { return xtape::einsum(equation, {v[0], v[1]}); },
                 [equation](auto& v) { return torch::einsum(equation, {v[0], v[1]}); }});
  return l;
}

// In each mode that the number of axes has, larger and smaller, by sizes and by factors. Not by factors that change no
// extent: then libtorch's gradient of nearest is not that of its result.
std::vector<Case> interpolations() {
  using M = xtape::Interpolation;
  using Modes = std::vector<std::pair<M, F::InterpolateFuncOptions::mode_t>>;
  const Modes any{{M::nearest, torch::kNearest}, {M::nearest_exact, torch::kNearestExact}, {M::area, torch::kArea}};
  const std::vector<Modes> own{{{M::linear, torch::kLinear}}, {{M::bilinear, torch::kBilinear}, {M::bicubic, torch::kBicubic}},
                               {{M::trilinear, torch::kTrilinear}}};
  std::vector<Case> l;
  auto one = [&](std::size_t axes, const xtape::InterpolateOptions& options, F::InterpolateFuncOptions other) {
    xtape::Shape shape(2 + axes, 4);
    shape[0] = 2;
    std::string name = "interpolate mode " + std::to_string(static_cast<int>(options.mode)) + ", axes " + std::to_string(axes);
    l.push_back({name, {numbers(shape)}, [=](auto& v) { return xtape::interpolate(v[0], options); },
                 [=](auto& v) { return F::interpolate(v[0], other); }});
  };
  for (std::size_t axes : {1, 2, 3})
    for (bool cornered : {false, true})
      for (auto& [mode, other] : cornered ? own[axes - 1] : any)
        for (bool align : {false, true}) {
          if (align && !cornered) continue;
          auto options = F::InterpolateFuncOptions().mode(other);
          if (cornered) options.align_corners(align);
          for (int n : {1, 3, 5, 8})
            one(axes, {.size = n, .mode = mode, .align_corners = align}, F::InterpolateFuncOptions(options).size(std::vector<std::int64_t>(axes, n)));
          for (double scale : {1.7, 0.6, 2.0})
            for (bool again : {false, true}) {
              auto scaled = F::InterpolateFuncOptions(options).scale_factor(std::vector<double>(axes, scale));
              one(axes, {.scale_factor = {scale}, .mode = mode, .align_corners = align, .recompute_scale_factor = again},
                  scaled.recompute_scale_factor(again));
            }
        }
  return l;
}

std::vector<Case> neural() {
  std::vector<Case> l;
  using xtape::ConvOptions;
  using xtape::ConvTransposeOptions;
  l.push_back({"conv1d", {numbers({2, 4, 9}), numbers({6, 2, 3}), numbers({6})},
               [](auto& v) { return xtape::conv1d(v[0], v[1], v[2], {.stride = 2, .padding = 1, .dilation = 2, .groups = 2}); },
               [](auto& v) { return torch::conv1d(v[0], v[1], v[2], 2, 1, 2, 2); }});
  l.push_back({"conv2d", {numbers({2, 4, 6, 7}), numbers({6, 2, 3, 2}), numbers({6})},
               [](auto& v) { return xtape::conv2d(v[0], v[1], v[2], {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2}); },
               [](auto& v) { return torch::conv2d(v[0], v[1], v[2], {2, 1}, torch::IntArrayRef({1, 2}), {1, 2}, 2); }});
  l.push_back({"conv2d of many channels", {numbers({2, 130, 15, 28}), numbers({6, 65, 3, 2}), numbers({6})},
               [](auto& v) { return xtape::conv2d(v[0], v[1], v[2], {.stride = {1, 2}, .padding = {2, 1}, .groups = 2}); },
               [](auto& v) { return torch::conv2d(v[0], v[1], v[2], {1, 2}, torch::IntArrayRef({2, 1}), 1, 2); }});
  l.push_back({"conv2d of many channels, padding same", {numbers({2, 66, 15, 16}), numbers({4, 66, 4, 2}), numbers({4})},
               [](auto& v) { return xtape::conv2d(v[0], v[1], v[2], {.padding = "same"}); },
               [](auto& v) { return torch::conv2d(v[0], v[1], v[2], 1, "same"); }});
  l.push_back({"conv_transpose2d of many channels", {numbers({3, 6, 15, 14}), numbers({6, 33, 4, 4}), numbers({66})},
               [](auto& v) { return xtape::conv_transpose2d(v[0], v[1], v[2], {.stride = {1, 2}, .padding = 1, .groups = 2}); },
               [](auto& v) { return torch::conv_transpose2d(v[0], v[1], v[2], {1, 2}, torch::IntArrayRef({1, 1}), 0, 2); }});
  l.push_back({"conv3d", {numbers({1, 2, 4, 3, 5}), numbers({3, 2, 2, 3, 2}), numbers({3})},
               [](auto& v) { return xtape::conv3d(v[0], v[1], v[2], {.padding = 1}); },
               [](auto& v) { return torch::conv3d(v[0], v[1], v[2], 1, 1); }});
  for (const char* padding : {"same", "valid"}) {
    ConvOptions options{.padding = padding, .dilation = 2, .groups = 2};
    std::string name = std::string(", padding ") + padding;
    l.push_back({"conv1d" + name, {numbers({2, 4, 9}), numbers({6, 2, 4}), numbers({6})},
                 [=](auto& v) { return xtape::conv1d(v[0], v[1], v[2], options); },
                 [=](auto& v) { return torch::conv1d(v[0], v[1], v[2], 1, padding, 2, 2); }});
    l.push_back({"conv2d" + name, {numbers({2, 4, 6, 7}), numbers({6, 2, 3, 2}), numbers({6})},
                 [=](auto& v) { return xtape::conv2d(v[0], v[1], v[2], options); },
                 [=](auto& v) { return torch::conv2d(v[0], v[1], v[2], 1, padding, 2, 2); }});
    l.push_back({"conv3d" + name, {numbers({2, 3, 4, 5}), numbers({2, 1, 2, 2, 3}), numbers({2})},
                 [=](auto& v) { return xtape::conv3d(v[0], v[1], v[2], options); },
                 [=](auto& v) { return torch::conv3d(v[0], v[1], v[2], 1, padding, 2, 2); }});
  }
  l.push_back({"conv_transpose1d", {numbers({2, 4, 5}), numbers({4, 3, 3}), numbers({6})},
               [](auto& v) { return xtape::conv_transpose1d(v[0], v[1], v[2], {.stride = 2, .padding = 1, .output_padding = 1, .groups = 2}); },
               [](auto& v) { return torch::conv_transpose1d(v[0], v[1], v[2], 2, 1, 1, 2); }});
  l.push_back({"conv_transpose2d", {numbers({2, 4, 3, 2}), numbers({4, 3, 3, 2}), numbers({3})},
               [](auto& v) { return xtape::conv_transpose2d(v[0], v[1], v[2], {.stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}}); },
               [](auto& v) { return torch::conv_transpose2d(v[0], v[1], v[2], {2, 3}, {1, 0}, {1, 2}); }});
  l.push_back({"conv_transpose3d", {numbers({1, 2, 2, 3, 2}), numbers({2, 3, 2, 2, 2}), numbers({3})},
               [](auto& v) { return xtape::conv_transpose3d(v[0], v[1], v[2], {.stride = 2, .dilation = 2}); },
               [](auto& v) { return torch::conv_transpose3d(v[0], v[1], v[2], 2, 0, 0, 1, 2); }});
  Variable image = numbers({2, 3, 6, 7});
  auto one = [&](const std::string& name, auto own, auto other) {
    l.push_back({name, {image}, [own](auto& v) { return own(v[0]); }, [other](auto& v) { return other(v[0]); }});
  };
  one("max_pool2d", [](auto& v) { return max_pool2d(v, {3, 2}, {.stride = 2, .padding = 1}); },
      [](auto& v) { return torch::max_pool2d(v, {3, 2}, 2, 1); });
  Variable even = floor(image * 2);  // with ties
  l.push_back({"max_pool1d_with_indices", {numbers({3, 5, 8})},
               [](auto& v) { return xtape::max_pool1d_with_indices(v[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true}).values; },
               [](auto& v) { return std::get<0>(torch::max_pool1d_with_indices(v[0], 3, 2, 1, 1, true)); }});
  for (auto [name, x] : {std::pair("", image), std::pair(", ties", even)}) {
    l.push_back({std::string("max_pool2d_with_indices, values") + name, {x},
                 [](auto& v) { return xtape::max_pool2d_with_indices(v[0], 3, {.padding = 1, .dilation = {1, 2}}).values; },
                 [](auto& v) { return std::get<0>(torch::max_pool2d_with_indices(v[0], 3, 3, 1, {1, 2})); }});
    l.push_back({std::string("max_pool2d_with_indices, indices") + name, {x},
                 [](auto& v) { return xtape::max_pool2d_with_indices(v[0], 3, {.padding = 1, .dilation = {1, 2}}).indices; },
                 [](auto& v) { return std::get<1>(torch::max_pool2d_with_indices(v[0], 3, 3, 1, {1, 2})); }});
    l.push_back({std::string("adaptive_max_pool2d") + name, {x}, [](auto& v) { return adaptive_max_pool2d(v[0], {4, 3}); },
                 [](auto& v) { return std::get<0>(torch::adaptive_max_pool2d(v[0], {4, 3})); }});
    l.push_back({std::string("adaptive_max_pool2d_with_indices") + name, {x},
                 [](auto& v) { return xtape::adaptive_max_pool2d_with_indices(v[0], {4, 3}).indices; },
                 [](auto& v) { return std::get<1>(torch::adaptive_max_pool2d(v[0], {4, 3})); }});
  }
  one("adaptive_max_pool3d_with_indices", [](auto& v) { return xtape::adaptive_max_pool3d_with_indices(v, {2, 4, 3}).indices; },
      [](auto& v) { return std::get<1>(torch::adaptive_max_pool3d(v, {2, 4, 3})); });
  one("adaptive_max_pool3d", [](auto& v) { return adaptive_max_pool3d(v, {2, 4, 3}); },
      [](auto& v) { return std::get<0>(torch::adaptive_max_pool3d(v, {2, 4, 3})); });
  one("adaptive_avg_pool3d", [](auto& v) { return adaptive_avg_pool3d(v, {2, 4, 3}); },
      [](auto& v) { return torch::adaptive_avg_pool3d(v, {2, 4, 3}); });
  one("max_pool3d", [](auto& v) { return max_pool3d(v, {3, 2, 4}, {.stride = {1, 2, 3}, .padding = 1, .ceil_mode = true}); },
      [](auto& v) { return torch::max_pool3d(v, {3, 2, 4}, {1, 2, 3}, 1, 1, true); });
  one("avg_pool3d", [](auto& v) { return avg_pool3d(v, {3, 2, 4}, {.stride = {1, 2, 3}, .padding = 1, .ceil_mode = true, .count_include_pad = false}); },
      [](auto& v) { return torch::avg_pool3d(v, {3, 2, 4}, {1, 2, 3}, 1, true, false); });
  one("max_pool2d beyond the end", [](auto& v) { return max_pool2d(v, {7, 9}, {.stride = 3, .ceil_mode = true}); },
      [](auto& v) { return torch::max_pool2d(v, {7, 9}, 3, 0, 1, true); });
  one("avg_pool2d beyond the end", [](auto& v) { return avg_pool2d(v, {7, 9}, {.stride = 3, .ceil_mode = true}); },
      [](auto& v) { return torch::avg_pool2d(v, {7, 9}, 3, 0, true); });
  one("avg_pool2d", [](auto& v) { return avg_pool2d(v, 3, {.stride = {2, 1}, .padding = 1}); },
      [](auto& v) { return torch::avg_pool2d(v, 3, {2, 1}, 1); });
  one("adaptive_avg_pool2d", [](auto& v) { return adaptive_avg_pool2d(v, {4, 3}); },
      [](auto& v) { return torch::adaptive_avg_pool2d(v, {4, 3}); });
  one("adaptive_max_pool2d", [](auto& v) { return adaptive_max_pool2d(v, {4, 3}); },
      [](auto& v) { return std::get<0>(torch::adaptive_max_pool2d(v, {4, 3})); });
  one("interpolate nearest", [](auto& v) { return xtape::interpolate(v, 9, 5, xtape::Interpolation::nearest); },
      [](auto& v) { return torch::upsample_nearest2d(v, {9, 5}); });
  one("interpolate bilinear", [](auto& v) { return xtape::interpolate(v, 9, 5, xtape::Interpolation::bilinear); },
      [](auto& v) { return torch::upsample_bilinear2d(v, {9, 5}, false); });
  l.push_back({"pixel_unshuffle", {numbers({2, 4, 6})}, [](auto& v) { return xtape::pixel_unshuffle(v[0], 2); },
               [](auto& v) { return torch::pixel_unshuffle(v[0], 2); }});
  for (Case& c : interpolations()) l.push_back(c);
  for (auto [mode, name] : {std::pair(xtape::PadMode::reflect, "reflect"), std::pair(xtape::PadMode::replicate, "replicate"),
                            std::pair(xtape::PadMode::circular, "circular"), std::pair(xtape::PadMode::constant, "constant")})
    one(std::string("pad ") + name, [mode](auto& v) { return pad(v, {{0, 0}, {0, 0}, {1, 2}, {3, 0}}, mode); },
        [name = std::string(name)](auto& v) { return torch::_pad_enum(v, {3, 0, 1, 2}, name == "reflect" ? 0 : name == "replicate" ? 1 : name == "circular" ? 2 : 3); });
  l.push_back({"pixel_shuffle", {numbers({1, 8, 2, 3})}, [](auto& v) { return xtape::pixel_shuffle(v[0], 2); },
               [](auto& v) { return torch::pixel_shuffle(v[0], 2); }});
  l.push_back({"layer_norm", {numbers({3, 5}), numbers({5}), numbers({5})},
               [](auto& v) { return xtape::layer_norm(v[0], 1, v[1], v[2]); },
               [](auto& v) { return torch::layer_norm(v[0], {5}, v[1], v[2]); }});
  l.push_back({"group_norm", {numbers({2, 4, 3}), numbers({4}), numbers({4})},
               [](auto& v) { return xtape::group_norm(v[0], 2, v[1], v[2]); },
               [](auto& v) { return torch::group_norm(v[0], 2, v[1], v[2]); }});
  l.push_back({"attention", {numbers({2, 3, 4}), numbers({2, 5, 4}), numbers({2, 5, 3})},
               [](auto& v) { return xtape::scaled_dot_product_attention(v[0], v[1], v[2]); },
               [](auto& v) { return (v[0].matmul(v[1].mT()) / 2.0).softmax(-1).matmul(v[2]); }});
  Variable rows = Variable{2, 0, 2}.to(xtape::int64);
  l.push_back({"embedding", {numbers({4, 3})}, [rows](auto& v) { return xtape::embedding(v[0], rows); },
               [rows](auto& v) { return torch::embedding(v[0], to_torch(rows)); }});
  l.push_back({"embedding with padding", {numbers({4, 3})}, [rows](auto& v) { return xtape::embedding(v[0], rows, 2); },
               [rows](auto& v) { return torch::embedding(v[0], to_torch(rows), 2); }});
  return l;
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (auto part : {elementwise, reductions, shapes, matrices, neural})
    for (Case& c : part()) all.push_back(std::move(c));
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(peers)

constexpr std::array<double, 3> tolerances{1e-10, 1e-10, 1e-8};

BOOST_DATA_TEST_CASE(operations_agree_with_libtorch, all_cases(), c) { agree_in_all_orders(c, tolerances, 1); }

BOOST_DATA_TEST_CASE(random_graphs_agree_with_libtorch, random_graphs::seeds(150), seed) {
  random_graphs::Program program(seed);
  Variables inputs;
  for (std::size_t i = 0; i < random_graphs::inputs; ++i) inputs.push_back(numbers({3, 3}, -1.5 + 0.1 * double(i), 1.5));
  Case c{"graph, XTAPE_GRAPH_SEED=" + std::to_string(seed) + " replays", inputs,
         [&](const Variables& x) { return random_graphs::run(program, x); },
         [&](const Tensors& x) { return random_graphs::run(program, x); }};
  agree_in_all_orders(c, tolerances, 1);
}

// The Hessian of 100 inputs of a function that couples them all.
BOOST_AUTO_TEST_CASE(hessian_of_a_hundred_inputs) {
  Variable x = numbers({100}), w = numbers({100, 100}, -0.2, 0.2, 0);
  Variable own = xtape::hessian([&](const Variable& v) { return sum(log1p(exp(matmul(w, v)))) + sum(sin(v) * v); }, {x})[0][0];
  Tensor t = to_torch(x).requires_grad_(), tw = to_torch(w);
  Tensor g = torch::autograd::grad({torch::log1p(torch::exp(tw.matmul(t))).sum() + (torch::sin(t) * t).sum()}, {t}, {}, true, true)[0];
  Tensors rows;
  for (int i = 0; i < 100; ++i) rows.push_back(torch::autograd::grad({g[i]}, {t}, {}, true)[0]);
  BOOST_TEST(difference(own, torch::stack(rows)) <= 1e-10);
}

// A WGAN-GP critic's step (Gulrajani et al. 2017): the gradient of a gradient through conv2d, batch norm and dense.
BOOST_AUTO_TEST_CASE(gradient_penalty_step) {
  Variables parameters{numbers({4, 2, 3, 3}, -0.5, 0.5, 0), numbers({4}), numbers({4}, 0.5, 1.5), numbers({4}),
                       numbers({4 * 4 * 4, 5}, -0.3, 0.3, 0), numbers({5}), numbers({5, 1})};
  Variable x = numbers({3, 2, 6, 6});

  Variables own;
  for (const Variable& p : parameters) own.push_back(p.copy().requires_grad_());
  {
    Variable v = x.copy().requires_grad_();
    Variable h = conv2d(v, own[0], own[1]);
    Variable m = mean(h, {0, 2, 3}, true), s = var(h, {0, 2, 3}, true);
    h = (h - m) / sqrt(s + 1e-5) * reshape(own[2], {4, 1, 1}) + reshape(own[3], {4, 1, 1});
    h = leaky_relu(h, 0.2);
    Variable score = matmul(tanh(matmul(reshape(h, {3, -1}), own[4]) + own[5]), own[6]);
    Variable g = grad(sum(score), v, {.create_graph = true});
    Variable penalty = mean(square(norm(reshape(g, {3, -1}), 2, 1) - 1));
    (mean(score) + 10 * penalty).backward();
  }
  Tensors other;
  for (const Variable& p : parameters) other.push_back(to_torch(p).requires_grad_());
  {
    Tensor v = to_torch(x).requires_grad_();
    Tensor h = torch::conv2d(v, other[0], other[1]);
    h = torch::batch_norm(h, other[2], other[3], {}, {}, true, 0.1, 1e-5, false);
    h = torch::leaky_relu(h, 0.2);
    Tensor score = torch::tanh(h.reshape({3, -1}).matmul(other[4]) + other[5]).matmul(other[6]);
    Tensor g = torch::autograd::grad({score.sum()}, {v}, {}, true, true)[0];
    Tensor penalty = (g.reshape({3, -1}).norm(2, 1) - 1).square().mean();
    (score.mean() + 10 * penalty).backward();
  }
  for (std::size_t i = 0; i < own.size(); ++i)
    BOOST_TEST(difference(own[i].grad(), other[i].grad()) <= 1e-9, "parameter " << i << ": " << difference(own[i].grad(), other[i].grad()));
}

BOOST_AUTO_TEST_SUITE_END()
