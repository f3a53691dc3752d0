// Special functions, most of them number by number, by the C, C++ and Boost libraries.
#pragma once

#include <autograd/fused/registers.hpp>  // before the rules

#include <autograd/fused/transcendental.hpp>
#include <autograd/kernels/gammas.hpp>
#include <autograd/kernels/simd.hpp>
#include <cmath>
#include <numbers>

namespace xtape::fused {

template <class F>
struct NthDerivative {
  auto operator()(const auto& n, const auto& x) const {
    if constexpr (requires { F::value(x); })
      if (xsimd::all(n == 0)) return F::value(x);
    return kernels::lanewise([](double order, double v) { return F::derivative(static_cast<int>(order), v); }, n, x);
  }
};
template <class F>
struct NextDerivative {
  auto operator()(const auto& n, const auto& x, const auto& g) const;
};

/// A function and its derivatives: f(n, x) is the n-th, `F::derivative(n, x)`, each computed for itself, so that no
/// digits are lost by differences. `F::name` names the operation. The function itself may be one of registers,
/// `F::value(x)`.
template <class F>
struct WithDerivatives {
  static constexpr auto rule = elementwise(F::name, NthDerivative<F>(), constant, with<A, B>(NextDerivative<F>()));

  template <class T>
  kernels::Batch<T> operator()(const kernels::Batch<T>& n, const kernels::Batch<T>& x) const {
    return rule.forward(n, x);
  }
  template <class T>
  kernels::Batch<T> operator()(int n, const kernels::Batch<T>& x) const {
    return (*this)(kernels::Batch<T>(static_cast<T>(n)), x);
  }
  template <Recorded X>
  auto operator()(const auto& n, const X& x) const {
    return rule(X(n), x);
  }
};

template <class F>
auto NextDerivative<F>::operator()(const auto& n, const auto& x, const auto& g) const {
  return g * WithDerivatives<F>()(n + 1, x);
}

/// A rule as a function, which other rules may call.
template <const auto& rule>
struct RuleOf {
  template <class T, class... Rest>
  kernels::Batch<T> operator()(const kernels::Batch<T>& x, const Rest&... rest) const {
    return rule.forward(x, rest...);
  }
  auto operator()(const Recorded auto&... xs) const { return rule(xs...); }
};

// The functions are those of the operations of the same names, see ops/elementwise.hpp.

struct Lgamma {
  static constexpr auto name = "lgamma";
  static double derivative(int n, double x);
  template <class T>
  static kernels::Batch<T> value(const kernels::Batch<T>& x) {
    return log_gamma(x, [](double v) { return derivative(0, v); });
  }
};
struct Digamma {
  static constexpr auto name = "digamma";
  static double derivative(int n, double x);
};
struct Polygamma {
  static constexpr auto name = "polygamma";
  static double derivative(int n, double x) { return Digamma::derivative(n, x); }
};
struct Erfcx {
  static constexpr auto name = "erfcx";
  static double derivative(int n, double x);
};
struct LogNdtr {
  static constexpr auto name = "log_ndtr";
  static double derivative(int n, double x);
};
template <int order>
struct BesselI {
  static constexpr auto name = order == 0 ? "i0" : "i1";
  static double derivative(int n, double x);
};
/// exp(-|x|) times the same
template <int order>
struct ScaledBesselI {
  static constexpr auto name = order == 0 ? "i0e" : "i1e";
  static double derivative(int n, double x);
};
template <int order>
struct BesselK {
  static constexpr auto name = order == 0 ? "modified_bessel_k0" : "modified_bessel_k1";
  static double derivative(int n, double x);
};
/// exp(x) times the same
template <int order>
struct ScaledBesselK {
  static constexpr auto name = order == 0 ? "scaled_modified_bessel_k0" : "scaled_modified_bessel_k1";
  static double derivative(int n, double x);
};
template <int order>
struct BesselJ {
  static constexpr auto name = order == 0 ? "bessel_j0" : "bessel_j1";
  static double derivative(int n, double x);
};
template <int order>
struct BesselY {
  static constexpr auto name = order == 0 ? "bessel_y0" : "bessel_y1";
  static double derivative(int n, double x);
};

/// Inverses and incomplete functions of one number, or two.
struct Special {
  static double ndtr(double x);
  static double erfinv(double x);
  static double ndtri(double p);
  static double ndtri_slope(double p, double y);
  static double gammainc(double a, double x);
  static double gammaincc(double a, double x);
  static double gamma_density(double a, double x);
};

inline constexpr auto mvlgamma_of = [](const auto& x, int p) {
  auto sum = lgamma(x);
  for (int k = 1; k < p; ++k) sum = sum + lgamma(x - 0.5 * k);
  return sum + 0.25 * p * (p - 1) * std::log(std::numbers::pi);
};

inline constexpr auto spherical_bessel_j0_rule = elementwise(
    "spherical_bessel_j0",
    [](auto x) { return where(abs(x) == INFINITY, 0, where(x == 0, 1, sin(x) / x)); },
    with<A, Y>([](auto x, auto y, auto g) {
      auto far = abs(x) == INFINITY;
      auto t = where(far, 1, x);
      return where(far, 0, g * slope_of_sine_ratio(t, cos(t), y));
    }));

inline constexpr auto erfinv_rule = elementwise(
    "erfinv", [](auto x) { return kernels::lanewise(Special::erfinv, x); },
    with<Y>([](auto y, auto g) { return g * exp(y * y) / (2 * std::numbers::inv_sqrtpi); }));

namespace detail {
inline constexpr double normal_density_at_0 = std::numbers::inv_sqrtpi * std::numbers::sqrt2 / 2;
}  // namespace detail

inline constexpr auto ndtr_rule = elementwise(
    "ndtr", [](auto x) { return normal_probability(x); },
    with<A>([](auto x, auto g) { return g * exp(-0.5 * x * x) * detail::normal_density_at_0; }));

namespace detail {
/// 1 / phi(y) for the density phi of the normal distribution at y = ndtri(p); its derivative is y times as much.
inline constexpr auto ndtri_slope_rule = elementwise(
    "ndtri_slope", [](auto p, auto y) { return kernels::lanewise(Special::ndtri_slope, p, y); }, constant,
    with<B, Y>([](auto y, auto slope, auto g) { return g * slope * y; }));
inline constexpr RuleOf<ndtri_slope_rule> ndtri_slope;
}  // namespace detail

inline constexpr auto ndtri_rule = elementwise(
    "ndtri", [](auto p) { return kernels::lanewise(Special::ndtri, p); },
    with<A, Y>([](auto p, auto y, auto g) { return g * detail::ndtri_slope(p, y); }));

namespace detail {
/// The density of x in the gamma distribution with shape a, x^(a - 1) exp(-x) / gamma(a), whose derivative is
/// (a - 1 - x) / x times as much. That of shape 1 begins at 1.
inline constexpr auto gamma_density_rule = elementwise(
    "gamma_density", [](auto a, auto x) { return kernels::lanewise(Special::gamma_density, a, x); }, constant,
    with<A, B, Y>([](auto a, auto x, auto y, auto g) {
      auto exponential = a == 1;
      return g * y * where(exponential, -1, (a - 1 - x) / where(exponential, 1, x));
    }));
inline constexpr RuleOf<gamma_density_rule> gamma_density;
}  // namespace detail

inline constexpr auto gammainc_rule = elementwise(
    "gammainc", [](auto a, auto x) { return kernels::lanewise(Special::gammainc, a, x); }, constant,
    with<A, B>([](auto a, auto x, auto g) { return g * detail::gamma_density(a, x); }));

inline constexpr auto gammaincc_rule = elementwise(
    "gammaincc", [](auto a, auto x) { return kernels::lanewise(Special::gammaincc, a, x); }, constant,
    with<A, B>([](auto a, auto x, auto g) { return -g * detail::gamma_density(a, x); }));

}  // namespace xtape::fused
