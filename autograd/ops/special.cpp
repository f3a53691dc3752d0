// Special functions, by Boost.Math where C++ has none.
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/special_functions/polygamma.hpp>

#include <autograd/fused/special.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/ops/define_elementwise.hpp>

namespace xtape {
namespace fused {
namespace {

// Infinity and NaN instead of exceptions.
namespace policies = boost::math::policies;
using Quiet = policies::policy<policies::domain_error<policies::ignore_error>, policies::pole_error<policies::ignore_error>,
                               policies::overflow_error<policies::ignore_error>,
                               policies::evaluation_error<policies::ignore_error>,
                               policies::rounding_error<policies::ignore_error>>;

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
constexpr double root_half = std::numbers::sqrt2 / 2;

}  // namespace

double Lgamma::derivative(int n, double x) {
  if (n > 0) return Digamma::derivative(n - 1, x);
  int sign;
  return ::lgamma_r(x, &sign);  // because lgamma writes a global variable
}

double Digamma::derivative(int n, double x) {
  if (n == 0) {
    if (x == 0) return std::copysign(infinity, -x);
    if (std::isinf(x)) return x > 0 ? x : nan;
    if (x < 0 && x == std::floor(x)) return nan;
    return boost::math::digamma(x, Quiet());
  }
  if (std::isnan(x) || x == -infinity) return nan;
  if (x == infinity) return 0;
  // At the poles, where the limits from the two sides may differ, PyTorch's.
  if (x <= 0 && x == std::floor(x)) return n % 2 ? infinity : -infinity;
  return boost::math::polygamma(n, x, Quiet());
}

double Special::ndtr(double x) {
  double t = -x * root_half;
  // The rounding of t, the product's and that of the root, of which erfc would make t^2 times as much.
  constexpr double rest_of_root = -4.8336466567264565e-17;
  if (!(t > 0 && t < 40)) return 0.5 * std::erfc(t);
  double lost = std::fma(-x, root_half, -t) - x * rest_of_root;
  return 0.5 * std::erfc(t) * (1 - 2 * t * lost);
}

double Special::erfinv(double x) {
  if (std::abs(x) == 1) return x / 0.0;
  return std::abs(x) < 1 ? boost::math::erf_inv(x, Quiet()) : nan;
}

double Special::ndtri(double p) {
  if (p == 0 || p == 1) return p == 0 ? -infinity : infinity;
  return p > 0 && p < 1 ? -std::numbers::sqrt2 * boost::math::erfc_inv(2 * p, Quiet()) : nan;
}

double Special::gammainc(double a, double x) {
  if (!(a >= 0 && x >= 0) || (a == 0 && x == 0)) return nan;
  if (a == 0 || std::isinf(x)) return std::isinf(a) ? nan : 1;
  return std::isinf(a) ? 0 : boost::math::gamma_p(a, x, Quiet());
}
double Special::gammaincc(double a, double x) {
  if (!(a >= 0 && x >= 0) || (a == 0 && x == 0)) return nan;
  if (a == 0 || std::isinf(x)) return std::isinf(a) ? nan : 0;
  return std::isinf(a) ? 1 : boost::math::gamma_q(a, x, Quiet());
}

double Special::gamma_density(double a, double x) {
  if (!(a > 0 && x > 0) || std::isinf(a) || std::isinf(x)) {
    if (!(a >= 0 && x >= 0)) return nan;
    return x != 0 || a == 0 || a > 1 ? 0 : a == 1 ? 1 : infinity;
  }
  return boost::math::gamma_p_derivative(a, x, Quiet());
}

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

// The repeated integrals of erfc, times exp(x^2), are E_k with 2k E_k = E_{k-2} - 2x E_{k-1} and E_0 = erfcx (Abramowitz
// and Stegun 7.2). This is E_n / E_{n-1} by the continued fraction that follows: for large x, the sums lose digits.
double ratio_of_integrals(int n, double x) {
  double ratio = 0;
  for (int k = n + 30 + static_cast<int>(250 / (x * x)); k > n; --k) ratio = 1 / (2 * x + 2 * k * ratio);
  return ratio;
}

}  // namespace

// (-2)^n n! E_n (Abramowitz and Stegun 7.2.9)
double Erfcx::derivative(int n, double x) {
  double before = 2 * std::numbers::inv_sqrtpi, result = erfcx_of(x);
  for (int k = 1; k <= n; ++k) {
    double next = x >= 1 ? result * ratio_of_integrals(k, x) : (before - 2 * x * result) / (2 * k);
    before = std::exchange(result, next);
  }
  for (int k = 1; k <= n; ++k) result *= -2 * k;
  return result;
}

namespace {

// Of the expansion h = t + 1 / t - 2 / t^3 + 10 / t^5 - 74 / t^7 + 706 / t^9 for x = -t.
double third_far_left(double t) {
  double s = 1 / (t * t);
  return (2 + s * (-24 + s * (300 + s * (-4144 + s * 63540)))) / t * s;
}

// The sum of terms[i][j] h^i d^j, of which each derivative makes the next.
double polynomial(int n, double h, double d) {
  std::size_t size = static_cast<std::size_t>(n) + 1;
  using Terms = std::vector<std::vector<double>>;
  Terms terms(size, std::vector<double>(size));
  terms[1][0] = 1;
  for (int order = 1; order < n; ++order) {
    Terms next(size, std::vector<double>(size));
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j) {
        double c = terms[i][j];
        if (c == 0) continue;
        if (i > 0) next[i][j + 1] -= c * static_cast<double>(i);
        if (j == 0) continue;
        next[i][j - 1] += c * static_cast<double>(j);
        next[i + 1][j] -= c * static_cast<double>(j);
      }
    terms = std::move(next);
  }
  double result = 0;
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t j = 0; j < size; ++j)
      if (terms[i][j] != 0) result += terms[i][j] * std::pow(h, i) * std::pow(d, j);
  return result;
}

}  // namespace

// With h = phi / Phi, the density over the probability, and d = x + h: h' = -h d and d' = 1 + h'.
double LogNdtr::derivative(int n, double x) {
  if (std::isnan(x)) return x;
  double far = -x * root_half;
  if (n == 0) return x < -1 ? std::log(0.5 * erfcx_of(far)) - far * far : std::log1p(-Special::ndtr(-x));
  if (x == -infinity) return n == 1 ? infinity : n == 2 ? -1 : 0;
  double density = detail::normal_density_at_0;
  double h = x < -1 ? 2 * density / erfcx_of(far) : density * std::exp(-0.5 * x * x) / (0.5 * std::erfc(far));
  if (n == 1) return h;
  if (h == 0) return 0;
  // -x and h are nearly the same far to the left.
  double d = x < -1 ? std::numbers::sqrt2 * ratio_of_integrals(1, far) : x + h;
  if (n == 2) return -h * d;
  if (n == 3 && x < -60) return third_far_left(-x);
  return polynomial(n, h, d);
}

// For small p as 1 / (p h) with the derivative h = phi / Phi of log_ndtr: exp(y^2 / 2) would multiply the rounding of y
// by y^2.
double Special::ndtri_slope(double p, double y) {
  if (p > 0 && p < 0.1) return 1 / (p * LogNdtr::derivative(1, y));
  return std::exp(0.5 * y * y) / detail::normal_density_at_0;
}

}  // namespace fused

using fused::WithDerivatives;

Variable erf(const Variable& x) { return fused::erf_rule(x); }
Variable erfc(const Variable& x) { return fused::erfc_rule(x); }
Variable erfinv(const Variable& x) { return fused::erfinv_rule(x); }
Variable erfcx(const Variable& x) { return WithDerivatives<fused::Erfcx>()(0, x); }
Variable ndtr(const Variable& x) { return fused::ndtr_rule(x); }
Variable log_ndtr(const Variable& x) { return WithDerivatives<fused::LogNdtr>()(0, x); }
Variable ndtri(const Variable& p) { return fused::ndtri_rule(p); }
Variable entr(const Variable& x) { return fused::entr_rule(x); }
Variable logit(const Variable& x) { return fused::logit_rule(x); }
Variable logit(const Variable& x, double eps) { return logit(clip(x, eps, 1 - eps)); }

Variable lgamma(const Variable& x) { return WithDerivatives<fused::Lgamma>()(0, x); }
Variable digamma(const Variable& x) { return WithDerivatives<fused::Digamma>()(0, x); }
Variable polygamma(int n, const Variable& x) {
  if (n < 0) throw ValueError("polygamma: n is " + std::to_string(n) + ", needs 0 or more");
  return WithDerivatives<fused::Polygamma>()(n, x);
}
Variable mvlgamma(const Variable& x, int p) {
  detail::Calling calling("mvlgamma");
  if (p < 1) throw ValueError("mvlgamma: p is " + std::to_string(p) + ", needs 1 or more");
  return fused::mvlgamma_of(x, p);
}

namespace {

void require_constant_shape(const char* operation, const Variable& a) {
  if (a.defined() && a.requires_grad() && grad_enabled())
    throw GraphError(std::string(operation) + ": has no derivative with respect to its first operand; detach that");
}

}  // namespace

Variable gammainc(const Variable& a, const Variable& x) {
  require_constant_shape("gammainc", a);
  return fused::gammainc_rule(a, x);
}
Variable gammaincc(const Variable& a, const Variable& x) {
  require_constant_shape("gammaincc", a);
  return fused::gammaincc_rule(a, x);
}

Variable i0(const Variable& x) { return WithDerivatives<fused::BesselI<0>>()(0, x); }
Variable i1(const Variable& x) { return WithDerivatives<fused::BesselI<1>>()(0, x); }
Variable i0e(const Variable& x) { return WithDerivatives<fused::ScaledBesselI<0>>()(0, x); }
Variable i1e(const Variable& x) { return WithDerivatives<fused::ScaledBesselI<1>>()(0, x); }
Variable modified_bessel_k0(const Variable& x) { return WithDerivatives<fused::BesselK<0>>()(0, x); }
Variable modified_bessel_k1(const Variable& x) { return WithDerivatives<fused::BesselK<1>>()(0, x); }
Variable scaled_modified_bessel_k0(const Variable& x) { return WithDerivatives<fused::ScaledBesselK<0>>()(0, x); }
Variable scaled_modified_bessel_k1(const Variable& x) { return WithDerivatives<fused::ScaledBesselK<1>>()(0, x); }
Variable bessel_j0(const Variable& x) { return WithDerivatives<fused::BesselJ<0>>()(0, x); }
Variable bessel_j1(const Variable& x) { return WithDerivatives<fused::BesselJ<1>>()(0, x); }
Variable bessel_y0(const Variable& x) { return WithDerivatives<fused::BesselY<0>>()(0, x); }
Variable bessel_y1(const Variable& x) { return WithDerivatives<fused::BesselY<1>>()(0, x); }
Variable spherical_bessel_j0(const Variable& x) { return fused::spherical_bessel_j0_rule(x); }

}  // namespace xtape

namespace xtape::fused {

Number entr(const Number& x) { return entr_rule(x); }
Number erf(const Number& x) { return erf_rule(x); }
Number erfc(const Number& x) { return erfc_rule(x); }
Number logit(const Number& x) { return logit_rule(x); }
Number logit(const Number& x, double eps) { return logit(clip(x, eps, 1 - eps)); }
Number lgamma(const Number& x) { return WithDerivatives<Lgamma>()(0, x); }
Number digamma(const Number& x) { return WithDerivatives<Digamma>()(0, x); }
Number polygamma(int n, const Number& x) { return WithDerivatives<Polygamma>()(n, x); }
Number erfcx(const Number& x) { return WithDerivatives<Erfcx>()(0, x); }
Number log_ndtr(const Number& x) { return WithDerivatives<LogNdtr>()(0, x); }
Number i0(const Number& x) { return WithDerivatives<BesselI<0>>()(0, x); }
Number i1(const Number& x) { return WithDerivatives<BesselI<1>>()(0, x); }
Number i0e(const Number& x) { return WithDerivatives<ScaledBesselI<0>>()(0, x); }
Number i1e(const Number& x) { return WithDerivatives<ScaledBesselI<1>>()(0, x); }
Number modified_bessel_k0(const Number& x) { return WithDerivatives<BesselK<0>>()(0, x); }
Number modified_bessel_k1(const Number& x) { return WithDerivatives<BesselK<1>>()(0, x); }
Number scaled_modified_bessel_k0(const Number& x) { return WithDerivatives<ScaledBesselK<0>>()(0, x); }
Number scaled_modified_bessel_k1(const Number& x) { return WithDerivatives<ScaledBesselK<1>>()(0, x); }
Number bessel_j0(const Number& x) { return WithDerivatives<BesselJ<0>>()(0, x); }
Number bessel_j1(const Number& x) { return WithDerivatives<BesselJ<1>>()(0, x); }
Number bessel_y0(const Number& x) { return WithDerivatives<BesselY<0>>()(0, x); }
Number bessel_y1(const Number& x) { return WithDerivatives<BesselY<1>>()(0, x); }
Number mvlgamma(const Number& x, int p) { return mvlgamma_of(x, p); }
Number spherical_bessel_j0(const Number& x) { return spherical_bessel_j0_rule(x); }
Number erfinv(const Number& x) { return erfinv_rule(x); }
Number ndtr(const Number& x) { return ndtr_rule(x); }
Number ndtri(const Number& p) { return ndtri_rule(p); }
Number gammainc(double a, const Number& x) { return gammainc_rule(a, x); }
Number gammaincc(double a, const Number& x) { return gammaincc_rule(a, x); }

}  // namespace xtape::fused
