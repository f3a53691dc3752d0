// Bessel functions, by the C and C++ libraries.
#include <cmath>
#include <limits>
#include <numbers>

#include <autograd/fused/transcendental.hpp>
#include <autograd/ops/define_elementwise.hpp>
#include <autograd/ops/special_function.hpp>

namespace xtape {

using namespace detail;
using fused::A, fused::Y, fused::elementwise, fused::with;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// The sum in Hankel's expansions (Abramowitz and Stegun 9.7.1, and for -x 9.7.2).
double hankel(int n, double x) {
  double term = 1, sum = 1;
  for (int k = 1; k < 6; ++k) sum += term *= ((2 * k - 1) * (2 * k - 1) - 4 * n * n) / (8 * x * k);
  return sum;
}

// exp(-|x|) I_n(x), by the expansion where I_n overflows.
double scaled_i(int n, double x) {
  double size = std::abs(x);
  if (size <= 700) return std::exp(-size) * std::cyl_bessel_i(n, size);
  return hankel(n, size) / std::sqrt(2 * std::numbers::pi * size);
}

// exp(x) K_n(x), by the expansion where K_n underflows.
double scaled_k(int n, double x) {
  if (!(x > 0)) return x == 0 ? infinity : std::numeric_limits<double>::quiet_NaN();
  // For the smallest numbers the library throws an exception of its own: there -log(x / 2) - Euler's constant, or 1 / x.
  if (x < 1e-300) return n == 0 ? -std::log(x / 2) - std::numbers::egamma : 1 / x;
  if (x <= 700) return std::exp(x) * std::cyl_bessel_k(n, x);
  return hankel(n, -x) / std::sqrt(2 / std::numbers::pi * x);
}
double unscaled_k(int n, double x) { return std::exp(-x) * scaled_k(n, x); }

// I_n(x), which overflows beyond 720. The library throws an exception of its own for infinity.
double unscaled_i(int n, double x) {
  return std::abs(x) > 720 ? infinity : std::cyl_bessel_i(n, std::abs(x));
}

double i0_of(double x) { return std::isnan(x) ? x : unscaled_i(0, x); }
double i1_of(double x) { return std::isnan(x) ? x : std::copysign(unscaled_i(1, x), x); }
double i0e_of(double x) { return std::isnan(x) ? x : scaled_i(0, x); }
double i1e_of(double x) { return std::isnan(x) ? x : std::copysign(scaled_i(1, x), x); }

double k0_of(double x) { return unscaled_k(0, x); }
double k1_of(double x) { return unscaled_k(1, x); }
double scaled_k0_of(double x) { return scaled_k(0, x); }
double scaled_k1_of(double x) { return scaled_k(1, x); }

constexpr SpecialFunction<i0_of, i0> i0_at;
constexpr SpecialFunction<i1_of, i1> i1_at;
constexpr SpecialFunction<i0e_of, i0e> i0e_at;
constexpr SpecialFunction<i1e_of, i1e> i1e_at;
constexpr SpecialFunction<k0_of, modified_bessel_k0> k0_at;
constexpr SpecialFunction<k1_of, modified_bessel_k1> k1_at;
constexpr SpecialFunction<scaled_k0_of, scaled_modified_bessel_k0> scaled_k0_at;
constexpr SpecialFunction<scaled_k1_of, scaled_modified_bessel_k1> scaled_k1_at;
constexpr SpecialFunction<::j0, bessel_j0> j0_at;
constexpr SpecialFunction<::j1, bessel_j1> j1_at;
constexpr SpecialFunction<::y0, bessel_y0> y0_at;
constexpr SpecialFunction<::y1, bessel_y1> y1_at;

}  // namespace

// I_1 / x and J_1 / x are a half at 0.
Variable i0(const Variable& x) {
  static constexpr auto op = elementwise("i0", [](auto x) { return i0_at(x); },
                                         with<A>([](auto x, auto g) { return g * i1_at(x); }));
  return op(x);
}
Variable i1(const Variable& x) {
  static constexpr auto op =
      elementwise("i1", [](auto x) { return i1_at(x); }, with<A, Y>([](auto x, auto y, auto g) {
                    return g * (i0_at(x) - where(x == 0, 0.5, y / where(x == 0, 1, x)));
                  }));
  return op(x);
}
Variable i0e(const Variable& x) {
  static constexpr auto op =
      elementwise("i0e", [](auto x) { return i0e_at(x); },
                  with<A, Y>([](auto x, auto y, auto g) { return g * (i1e_at(x) - sign(x) * y); }));
  return op(x);
}
Variable i1e(const Variable& x) {
  static constexpr auto op =
      elementwise("i1e", [](auto x) { return i1e_at(x); }, with<A, Y>([](auto x, auto y, auto g) {
                    return g * (i0e_at(x) - sign(x) * y - where(x == 0, 0.5, y / where(x == 0, 1, x)));
                  }));
  return op(x);
}

Variable modified_bessel_k0(const Variable& x) {
  static constexpr auto op = elementwise("modified_bessel_k0", [](auto x) { return k0_at(x); },
                                         with<A>([](auto x, auto g) { return -g * k1_at(x); }));
  return op(x);
}
Variable modified_bessel_k1(const Variable& x) {
  static constexpr auto op =
      elementwise("modified_bessel_k1", [](auto x) { return k1_at(x); },
                  with<A, Y>([](auto x, auto y, auto g) { return -g * (k0_at(x) + y / x); }));
  return op(x);
}
Variable scaled_modified_bessel_k0(const Variable& x) {
  static constexpr auto op =
      elementwise("scaled_modified_bessel_k0", [](auto x) { return scaled_k0_at(x); },
                  with<A, Y>([](auto x, auto y, auto g) { return g * (y - scaled_k1_at(x)); }));
  return op(x);
}
Variable scaled_modified_bessel_k1(const Variable& x) {
  static constexpr auto op =
      elementwise("scaled_modified_bessel_k1", [](auto x) { return scaled_k1_at(x); },
                  with<A, Y>([](auto x, auto y, auto g) { return g * (y - scaled_k0_at(x) - y / x); }));
  return op(x);
}

Variable bessel_j0(const Variable& x) {
  static constexpr auto op = elementwise("bessel_j0", [](auto x) { return j0_at(x); },
                                         with<A>([](auto x, auto g) { return -g * j1_at(x); }));
  return op(x);
}
Variable bessel_j1(const Variable& x) {
  static constexpr auto op =
      elementwise("bessel_j1", [](auto x) { return j1_at(x); }, with<A, Y>([](auto x, auto y, auto g) {
                    return g * (j0_at(x) - where(x == 0, 0.5, y / where(x == 0, 1, x)));
                  }));
  return op(x);
}
Variable bessel_y0(const Variable& x) {
  static constexpr auto op = elementwise("bessel_y0", [](auto x) { return y0_at(x); },
                                         with<A>([](auto x, auto g) { return -g * y1_at(x); }));
  return op(x);
}
Variable bessel_y1(const Variable& x) {
  static constexpr auto op = elementwise("bessel_y1", [](auto x) { return y1_at(x); },
                                         with<A, Y>([](auto x, auto y, auto g) { return g * (y0_at(x) - y / x); }));
  return op(x);
}

Variable spherical_bessel_j0(const Variable& x) {
  detail::Calling calling("spherical_bessel_j0");
  return where(isinf(x), 0, sinc(x / std::numbers::pi));
}

}  // namespace xtape
