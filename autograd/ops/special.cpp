// Special functions, by Boost.Math where C++ has none.
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/special_functions/polygamma.hpp>

#include <autograd/fused/transcendental.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/ops/define_elementwise.hpp>
#include <autograd/ops/special_function.hpp>

namespace xtape {

using namespace detail;
using fused::A, fused::B, fused::Y, fused::constant, fused::elementwise, fused::with;

namespace {

// Infinity and NaN instead of exceptions.
namespace policies = boost::math::policies;
using Quiet = policies::policy<policies::domain_error<policies::ignore_error>, policies::pole_error<policies::ignore_error>,
                               policies::overflow_error<policies::ignore_error>,
                               policies::evaluation_error<policies::ignore_error>,
                               policies::rounding_error<policies::ignore_error>>;

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

// lgamma_r, because lgamma writes a global variable.
double lgamma_of(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}
double digamma_of(double x) {
  if (x == 0) return std::copysign(infinity, -x);
  if (std::isinf(x)) return x > 0 ? x : nan;
  if (x < 0 && x == std::floor(x)) return nan;
  return boost::math::digamma(x, Quiet());
}
constexpr SpecialFunction<lgamma_of, lgamma> lgamma_at;
constexpr SpecialFunction<digamma_of, digamma> digamma_at;

// At the poles, where the limits from the two sides may differ, PyTorch's.
double polygamma_of(int n, double x) {
  if (n == 0) return digamma_of(x);
  if (std::isnan(x) || x == -infinity) return nan;
  if (x == infinity) return 0;
  if (x <= 0 && x == std::floor(x)) return n % 2 ? infinity : -infinity;
  return boost::math::polygamma(n, x, Quiet());
}

template <class T>
kernels::Batch<T> polygamma_at(const kernels::Batch<T>& n, const kernels::Batch<T>& x) {
  return kernels::lanewise([](double n, double v) { return polygamma_of(static_cast<int>(n), v); }, n, x);
}
Variable polygamma_at(const Variable& n, const Variable& x) {
  static constexpr auto op =
      elementwise("polygamma", [](auto n, auto x) { return polygamma_at(n, x); }, constant,
                  with<A, B>([](auto n, auto x, auto g) { return g * polygamma_at(n + 1, x); }));
  return op(n, x);
}

template <class T>
kernels::Batch<T> trigamma_at(const kernels::Batch<T>& x) {
  return polygamma_at(kernels::Batch<T>(1), x);
}
Variable trigamma_at(const Variable& x) { return polygamma_at(Variable(1), x); }

}  // namespace

Variable erf(const Variable& x) { return fused::erf_rule(x); }
Variable erfc(const Variable& x) { return fused::erfc_rule(x); }

Variable erfinv(const Variable& x) {
  static constexpr auto op = elementwise(
      "erfinv",
      [](auto x) {
        return kernels::lanewise(
            [](auto v) {
              if (std::abs(v) == 1) return v / 0;
              return std::abs(v) < 1 ? boost::math::erf_inv(v, Quiet()) : std::numeric_limits<decltype(v)>::quiet_NaN();
            },
            x);
      },
      with<Y>([](auto y, auto g) { return g * exp(y * y) / (2 * std::numbers::inv_sqrtpi); }));
  return op(x);
}

Variable lgamma(const Variable& x) {
  static constexpr auto op = elementwise("lgamma", [](auto x) { return lgamma_at(x); },
                                         with<A>([](auto x, auto g) { return g * digamma_at(x); }));
  return op(x);
}

Variable digamma(const Variable& x) {
  static constexpr auto op =
      elementwise("digamma", [](auto x) { return digamma_at(x); },
                  with<A>([](auto x, auto g) { return g * trigamma_at(x); }));
  return op(x);
}

Variable polygamma(int n, const Variable& x) {
  if (n < 0) throw ValueError("polygamma: n is " + std::to_string(n) + ", needs 0 or more");
  return polygamma_at(Variable(n), x);
}

Variable mvlgamma(const Variable& x, int p) {
  detail::Calling calling("mvlgamma");
  if (p < 1) throw ValueError("mvlgamma: p is " + std::to_string(p) + ", needs 1 or more");
  Variable sum = lgamma(x);
  for (int k = 1; k < p; ++k) sum = sum + lgamma(x - 0.5 * k);
  return sum + 0.25 * p * (p - 1) * std::log(std::numbers::pi);
}

namespace {

// The density of x in the gamma distribution with shape a. That of shape 1 begins at 1: 0 log(0) counts 0.
constexpr auto gamma_density = [](auto a, auto x) {
  return exp((a - 1) * log(where((a == 1) && (x == 0), 1, x)) - x - lgamma_at(a));
};

void require_constant_shape(const char* operation, const Variable& a) {
  if (a.defined() && a.requires_grad() && grad_enabled())
    throw GraphError(std::string(operation) + ": has no derivative with respect to its first operand; detach that");
}

double gammainc_of(double a, double x) {
  if (!(a >= 0 && x >= 0) || (a == 0 && x == 0)) return nan;
  if (a == 0 || std::isinf(x)) return std::isinf(a) ? nan : 1;
  return std::isinf(a) ? 0 : boost::math::gamma_p(a, x, Quiet());
}
double gammaincc_of(double a, double x) {
  if (!(a >= 0 && x >= 0) || (a == 0 && x == 0)) return nan;
  if (a == 0 || std::isinf(x)) return std::isinf(a) ? nan : 0;
  return std::isinf(a) ? 1 : boost::math::gamma_q(a, x, Quiet());
}

}  // namespace

Variable gammainc(const Variable& a, const Variable& x) {
  static constexpr auto op = elementwise(
      "gammainc",
      [](auto a, auto x) { return kernels::lanewise([](double a, double x) { return gammainc_of(a, x); }, a, x); },
      constant, with<A, B>([](auto a, auto x, auto g) { return g * gamma_density(a, x); }));
  require_constant_shape("gammainc", a);
  return op(a, x);
}

Variable gammaincc(const Variable& a, const Variable& x) {
  static constexpr auto op = elementwise(
      "gammaincc",
      [](auto a, auto x) { return kernels::lanewise([](double a, double x) { return gammaincc_of(a, x); }, a, x); },
      constant, with<A, B>([](auto a, auto x, auto g) { return -g * gamma_density(a, x); }));
  require_constant_shape("gammaincc", a);
  return op(a, x);
}

Variable logit(const Variable& x) { return fused::logit_rule(x); }
Variable logit(const Variable& x, double eps) { return logit(clip(x, eps, 1 - eps)); }

namespace {

// Where erfc underflows, by its asymptotic expansion (Abramowitz and Stegun 7.1.23).
double erfcx_of(double x) {
  if (x < -27) return infinity;
  if (x < 25) {
    double square = x * x, lost = std::fma(x, x, -square);  // by rounding, of which exp would make hundreds of units
    return std::exp(square) * (1 + lost) * std::erfc(x);
  }
  double term = 1, sum = 1;
  for (int k = 1; k < 8; ++k) sum += term *= -(2 * k - 1) / (2 * x * x);
  return sum * std::numbers::inv_sqrtpi / x;
}
constexpr SpecialFunction<erfcx_of, erfcx> erfcx_at;

double ndtri_of(double p) {
  if (p == 0 || p == 1) return p == 0 ? -infinity : infinity;
  return p > 0 && p < 1 ? -std::numbers::sqrt2 * boost::math::erfc_inv(2 * p, Quiet()) : nan;
}

constexpr double root_half = std::numbers::sqrt2 / 2;
constexpr double normal = std::numbers::inv_sqrtpi * root_half;  // 1 / sqrt(2 pi)

double ndtr_of(double x) { return 0.5 * std::erfc(-x * root_half); }
constexpr SpecialFunction<ndtr_of, ndtr> ndtr_at;

}  // namespace

Variable erfcx(const Variable& x) {
  static constexpr auto op =
      elementwise("erfcx", [](auto x) { return erfcx_at(x); },
                  with<A, Y>([](auto x, auto y, auto g) { return g * 2 * (x * y - std::numbers::inv_sqrtpi); }));
  return op(x);
}

Variable ndtr(const Variable& x) {
  static constexpr auto op =
      elementwise("ndtr", [](auto x) { return ndtr_at(x); },
                  with<A>([](auto x, auto g) { return g * exp(-0.5 * x * x) * normal; }));
  return op(x);
}

Variable log_ndtr(const Variable& x) {
  static constexpr auto op = elementwise(
      "log_ndtr",
      [](auto x) {
        return kernels::lanewise(
            [](double v) {
              double far = -v * root_half;
              return v < -1 ? std::log(0.5 * erfcx_of(far)) - far * far : std::log1p(-0.5 * std::erfc(-far));
            },
            x);
      },
      // The density over the probability; each form where its numbers are finite, so that second derivatives are, too.
      with<A>([](auto x, auto g) {
        auto left = x < -1;
        auto below = where(left, x, -1), above = where(left, -1, x);
        return g * normal *
               where(left, 2 / erfcx_at(below * -root_half), exp(-0.5 * above * above) / ndtr_at(above));
      }));
  return op(x);
}

Variable ndtri(const Variable& p) {
  static constexpr auto op = elementwise(
      "ndtri", [](auto p) { return kernels::lanewise([](double v) { return ndtri_of(v); }, p); },
      with<Y>([](auto y, auto g) { return g * exp(0.5 * y * y) / normal; }));
  return op(p);
}

Variable entr(const Variable& x) {
  static constexpr auto op = elementwise(
      "entr", [](auto x) { return where(x == 0, 0, where(x < 0, -infinity, -x * log(x))); },
      with<A>([](auto x, auto g) { return -g * (log(x) + 1); }));
  return op(x);
}

}  // namespace xtape
