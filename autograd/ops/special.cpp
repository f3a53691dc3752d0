// Special functions, by Boost.Math where C++ has none.
#include <numbers>

#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/polygamma.hpp>

#include <autograd/fused/transcendental.hpp>
#include <autograd/ops/define_elementwise.hpp>

namespace xtape {

using namespace detail;
using fused::A, fused::B, fused::Y, fused::constant, fused::elementwise, fused::with;

namespace {

// Infinity and NaN instead of exceptions.
namespace policies = boost::math::policies;
using Quiet = policies::policy<policies::domain_error<policies::ignore_error>, policies::pole_error<policies::ignore_error>,
                               policies::overflow_error<policies::ignore_error>,
                               policies::evaluation_error<policies::ignore_error>>;

template <class T>
T digamma_of(T x) {
  if (x == 0) return std::copysign(std::numeric_limits<T>::infinity(), -x);
  if (std::isinf(x)) return x > 0 ? x : std::numeric_limits<T>::quiet_NaN();
  if (x < 0 && x == std::floor(x)) return std::numeric_limits<T>::quiet_NaN();
  return static_cast<T>(boost::math::digamma(static_cast<double>(x), Quiet()));
}

// The functions that a derivative names, for vector registers and for Variables.
template <class T>
kernels::Batch<T> digamma_at(const kernels::Batch<T>& x) {
  return kernels::lanewise([](T v) { return digamma_of(v); }, x);
}
Variable digamma_at(const Variable& x) { return digamma(x); }

template <class T>
kernels::Batch<T> polygamma_at(const kernels::Batch<T>& n, const kernels::Batch<T>& x) {
  return kernels::lanewise(
      [](T n, T v) {
        if (n == 0) return digamma_of(v);
        return static_cast<T>(boost::math::polygamma(static_cast<int>(n), static_cast<double>(v), Quiet()));
      },
      n, x);
}
Variable polygamma_at(const Variable& n, const Variable& x) {
  static constexpr auto op =
      elementwise("polygamma", [](auto n, auto x) { return polygamma_at(n, x); }, constant,
                  with<A, B>([](auto n, auto x, auto g) { return g * polygamma_at(n + 1, x); }));
  return op(n, x);
}

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
  // lgamma_r, because lgamma writes a global variable.
  static constexpr auto op = elementwise("lgamma",
                                     [](auto x) {
                                       return kernels::lanewise(
                                           [](double v) {
                                             int sign;
                                             return ::lgamma_r(v, &sign);
                                           },
                                           x);
                                     },
                                     with<A>([](auto x, auto g) { return g * digamma_at(x); }));
  return op(x);
}

Variable digamma(const Variable& x) {
  static constexpr auto op =
      elementwise("digamma", [](auto x) { return digamma_at(x); },
                  with<A>([](auto x, auto g) { return g * polygamma_at(0 * x + 1, x); }));
  return op(x);
}

Variable polygamma(int n, const Variable& x) {
  if (n < 0) throw ValueError("polygamma: n is " + std::to_string(n) + ", needs 0 or more");
  return polygamma_at(Variable(n), x);
}

Variable logit(const Variable& x) { return fused::logit_rule(x); }

}  // namespace xtape
