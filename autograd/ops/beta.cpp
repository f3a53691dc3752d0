// The beta function, and the differences of polygamma functions that are its derivatives.
#include <cmath>
#include <limits>

#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/polygamma.hpp>

#include <autograd/fused/beta.hpp>
#include <autograd/ops/define_elementwise.hpp>

namespace xtape {
namespace fused {
namespace {

// Infinity and NaN instead of exceptions.
namespace policies = boost::math::policies;
using Quiet = policies::policy<policies::domain_error<policies::ignore_error>, policies::pole_error<policies::ignore_error>,
                               policies::overflow_error<policies::ignore_error>,
                               policies::evaluation_error<policies::ignore_error>>;

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

bool is_pole(double x) { return x <= 0 && x == std::floor(x); }

double beta_of(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return nan;
  if (a > b) return beta_of(b, a);
  if (a > 0) return std::isinf(b) ? 0 : boost::math::beta(a, b, Quiet());
  if (std::isinf(a) || std::isinf(b)) return nan;
  if (is_pole(a)) {
    // Finite where gamma(a + b) has a pole as well: gamma(a) / gamma(a + b) = (-1)^b gamma(1 - a - b) / gamma(1 - a).
    if (b != std::floor(b) || a + b > 0 || b <= 0) return infinity;
    return (std::fmod(b, 2) == 0 ? 1 : -1) * beta_of(1 - a - b, b);
  }
  if (is_pole(b)) return infinity;
  if (is_pole(a + b)) return 0;
  int sign_a, sign_b, sign_ab;
  double logarithm = ::lgamma_r(a, &sign_a) + ::lgamma_r(b, &sign_b) - ::lgamma_r(a + b, &sign_ab);
  return sign_a * sign_b * sign_ab * std::exp(logarithm);
}

// digamma(a + b) - digamma(a) for positive numbers, with no cancellation: by the recurrence up to where the asymptotic
// series is exact, and of that the differences term by term.
double digamma_difference(double a, double b) {
  double sum = 0, s = a + b;
  for (; a < 40; ++a, ++s) sum += b / a / s;
  double first = b / a / s, p = 1 / (a * a), q = 1 / (s * s), second = first * (1 / a + 1 / s);
  double series = first / 2 + second * (1. / 12 - (p + q) / 120 + (p * p + p * q + q * q) / 252 -
                                        (p + q) * (p * p + q * q) / 240);
  return sum + std::log1p(b / a) + series;
}

double polygamma_of(int n, double x) {
  if (std::isnan(x) || is_pole(x)) return nan;
  if (std::isinf(x)) return n > 0 ? 0 : x;
  return n > 0 ? boost::math::polygamma(n, x, Quiet()) : boost::math::digamma(x, Quiet());
}

}  // namespace

double Beta::value(double a, double b) { return beta_of(a, b); }

double Beta::polygamma_difference(double n, double a, double b) {
  int order = static_cast<int>(n);
  if (order == 0 && a > 0 && b > 0 && std::isfinite(a) && std::isfinite(b)) return digamma_difference(a, b);
  return polygamma_of(order, a + b) - polygamma_of(order, a);
}

}  // namespace fused

Variable beta(const Variable& a, const Variable& b) { return fused::beta_rule(a, b); }

}  // namespace xtape

namespace xtape::fused {

Number beta(const Number& a, const Number& b) { return beta_rule(a, b); }

}  // namespace xtape::fused
