// Bessel functions, by the C and C++ libraries.
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include <autograd/fused/special.hpp>

namespace xtape::fused {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// The sum over j of (n over j) factor^j f(j).
template <class F>
double binomial_sum(int n, double factor, const F& f) {
  double sum = 0, coefficient = 1;
  for (int j = 0; j <= n; ++j) {
    sum += coefficient * f(j);
    coefficient *= factor * (n - j) / (j + 1);
  }
  return sum;
}

// The n-th derivative of J and Y (by the sign -1), of I, or of (-1)^n K (by the sign 1) of order k, from the orders
// around it, which may be negative (Abramowitz and Stegun 9.1.31 and 9.6.29).
template <class F>
double from_orders(int n, int k, double sign, const F& f) {
  return std::ldexp(binomial_sum(n, sign, [&](int j) { return f(k - n + 2 * j); }), -n);
}

// The n-th derivative of the sum over j of a_j x^(-1/2 - j), down to its least term: the asymptotic expansions of I (by
// the factor -8) and K (by 8) of order k (Abramowitz and Stegun 9.7.1 and 9.7.2).
double expansion(int n, int k, double factor, double x) {
  double term = std::pow(x, -0.5 - n), sum = 0;
  for (int j = 0; j < n; ++j) term *= -0.5 - j;
  for (int j = 0; j < 60; ++j) {
    sum += term;
    double next = term * (4 * k * k - (2 * j + 1) * (2 * j + 1)) / (factor * x * (j + 1)) * (j + 0.5 + n) / (j + 0.5);
    if (next == 0 || std::abs(next) >= std::abs(term)) break;
    term = next;
  }
  return sum;
}

double bessel_i(int k, double x) {
  if (std::abs(x) < 1e-8) return std::pow(std::abs(x) / 2, std::abs(k)) / std::tgamma(std::abs(k) + 1);
  // The library throws an exception of its own for infinity.
  return std::abs(x) > 720 ? infinity : std::cyl_bessel_i(std::abs(k), std::abs(x));
}

// exp(x) K_k(x) from those of orders 0 and 1. For the smallest numbers the library throws an exception of its own:
// there they are -log(x / 2) - Euler's constant, and 1 / x.
double scaled_k(int k, double x) {
  bool small = x < 1e-300;
  double before = small ? -std::log(x / 2) - std::numbers::egamma : std::exp(x) * std::cyl_bessel_k(0, x);
  if (k == 0) return before;
  double result = small ? 1 / x : std::exp(x) * std::cyl_bessel_k(1, x);
  for (int j = 1; j < std::abs(k); ++j) before = std::exchange(result, before + 2 * j / x * result);
  return result;
}

// What is even or odd in x, from its value at |x|; at 0 the mean of both sides.
double with_parity(int order, double of_size, double x) {
  if (order % 2 == 0) return of_size;
  return x == 0 ? x : std::copysign(1.0, x) * of_size;
}

// exp(x) times the n-th derivative of K of order k
double times_exp(int n, int k, double x) {
  double sum = from_orders(n, k, 1, [x](int order) { return scaled_k(order, x); });
  return n % 2 ? -sum : sum;
}

constexpr double large = 18;  // from where on the expansions are exact

// Before that, where the sums cancel, by integrals (Abramowitz and Stegun 9.6.19 and 9.6.24). The trapezoidal rule is
// exact for these functions of t: all derivatives vanish at the ends.

// exp(-x) I_k(x) is 1 / pi times the integral of cos(k t) exp(-x s) over t from 0 to pi, with s = 1 - cos(t).
double scaled_i_by_integral(int n, int k, double x) {
  constexpr int steps = 36;
  static const std::array<double, steps + 1> sizes = [] {
    std::array<double, steps + 1> result{};
    for (int j = 0; j <= steps; ++j) result[j] = 2 * std::pow(std::sin(std::numbers::pi * j / (2 * steps)), 2);
    return result;
  }();
  double sum = 0;
  for (int j = 0; j <= steps; ++j) {
    double s = sizes[j], term = std::pow(-s, n) * std::exp(-x * s) * (k == 0 ? 1 : 1 - s);
    sum += j == 0 || j == steps ? term / 2 : term;
  }
  return sum / steps;
}

// exp(x) K_k(x) is the integral of cosh(k t) exp(-x s) over all t > 0, with s = cosh(t) - 1.
double scaled_k_by_integral(int n, int k, double x) {
  constexpr double step = 0.125;
  double sum = n == 0 ? 0.5 : 0;
  for (int j = 1;; ++j) {
    double s = 2 * std::pow(std::sinh(step * j / 2), 2), term = std::pow(-s, n) * std::exp(-x * s) * (k == 0 ? 1 : 1 + s);
    sum += term;
    if (x * s > 50 + 4 * n) return sum * step;
  }
}

}  // namespace

template <int k>
double BesselJ<k>::derivative(int n, double x) {
  return from_orders(n, k, -1, [x](int order) { return ::jn(order, x); });
}
template <int k>
double BesselY<k>::derivative(int n, double x) {
  return from_orders(n, k, -1, [x](int order) { return ::yn(order, x); });
}

template <int k>
double BesselI<k>::derivative(int n, double x) {
  if (std::isnan(x)) return x;
  return with_parity(k + n, from_orders(n, k, 1, [x](int order) { return bessel_i(order, x); }), x);
}
// The derivatives at 0 are the means of those on the two sides.
template <int k>
double ScaledBesselI<k>::derivative(int n, double x) {
  if (std::isnan(x)) return x;
  double size = std::abs(x);
  auto of_size = [n, size] {
    if (size > large) return expansion(n, k, -8, size) / std::sqrt(2 * std::numbers::pi);
    if (n > 0 && size > 1) return scaled_i_by_integral(n, k, size);
    return std::exp(-size) * binomial_sum(n, -1, [n, size](int j) { return BesselI<k>::derivative(n - j, size); });
  };
  return with_parity(k + n, of_size(), x);
}

template <int k>
double ScaledBesselK<k>::derivative(int n, double x) {
  if (!(x > 0)) return x == 0 ? (n % 2 ? -infinity : infinity) : std::numeric_limits<double>::quiet_NaN();
  if (x > large) return expansion(n, k, 8, x) * std::sqrt(std::numbers::pi / 2);
  if (n > 0 && x > 1) return scaled_k_by_integral(n, k, x);
  double greatest = times_exp(n, k, x);  // near 0, where infinite ones would have no difference
  if (std::isinf(greatest)) return greatest;
  return binomial_sum(n, 1, [n, x](int j) { return times_exp(n - j, k, x); });
}
template <int k>
double BesselK<k>::derivative(int n, double x) {
  if (!(x > 0)) return ScaledBesselK<k>::derivative(n, x);
  if (x <= large) return std::exp(-x) * times_exp(n, k, x);
  return std::exp(-x) * binomial_sum(n, -1, [n, x](int j) { return ScaledBesselK<k>::derivative(n - j, x); });
}

template struct BesselI<0>;
template struct BesselI<1>;
template struct ScaledBesselI<0>;
template struct ScaledBesselI<1>;
template struct BesselK<0>;
template struct BesselK<1>;
template struct ScaledBesselK<0>;
template struct ScaledBesselK<1>;
template struct BesselJ<0>;
template struct BesselJ<1>;
template struct BesselY<0>;
template struct BesselY<1>;

}  // namespace xtape::fused
