#include <numbers>

#include <autograd/ops/define_elementwise.hpp>

namespace xtape {

using namespace detail;

namespace {

// xsimd's own is off by more than a unit in the last place, and by everything at 0 to the power 0.
template <class T>
kernels::Batch<T> power(const kernels::Batch<T>& a, const kernels::Batch<T>& b) {
  return kernels::lanewise([](T x, T y) { return std::pow(x, y); }, a, b);
}
Variable power(const Variable& a, const Variable& b) { return pow(a, b); }

}  // namespace

Variable pow(const Variable& a, const Variable& b) {
  // Where a is 0, log(a) is -inf, and 0 * -inf is NaN: such elements count 0.
  static const auto op = elementwise(
      "pow", [](auto a, auto b) { return power(a, b); },
      with<A, B>([](auto a, auto b, auto g) { return where(b == 0, 0, g * b * power(a, b - 1)); }),
      with<A, Y>([](auto a, auto y, auto g) { return where(a == 0, 0, g * y * log(where(a == 0, 1, a))); }));
  if (b.defined() && b.impl()->weak) {
    if (b.impl()->scalar == 2) return square(a);
    if (b.impl()->scalar == 0.5) return sqrt(a);
  }
  return op(a, b);
}

Variable exp(const Variable& x) {
  static const auto op =
      elementwise("exp", [](auto x) { return exp(x); }, with<Y>([](auto y, auto g) { return g * y; }));
  return op(x);
}

Variable expm1(const Variable& x) {
  static const auto op =
      elementwise("expm1", [](auto x) { return expm1(x); }, with<Y>([](auto y, auto g) { return g * (y + 1); }));
  return op(x);
}

Variable log(const Variable& x) {
  static const auto op =
      elementwise("log", [](auto x) { return log(x); }, with<A>([](auto x, auto g) { return g / x; }));
  return op(x);
}

Variable log1p(const Variable& x) {
  static const auto op =
      elementwise("log1p", [](auto x) { return log1p(x); }, with<A>([](auto x, auto g) { return g / (1 + x); }));
  return op(x);
}

Variable exp2(const Variable& x) {
  static const auto op =
      elementwise("exp2", [](auto x) { return exp2(x); }, with<Y>([](auto y, auto g) { return g * y * std::numbers::ln2; }));
  return op(x);
}

Variable log2(const Variable& x) {
  static const auto op = elementwise("log2", [](auto x) { return log2(x); },
                                     with<A>([](auto x, auto g) { return g / (x * std::numbers::ln2); }));
  return op(x);
}

Variable log10(const Variable& x) {
  static const auto op = elementwise("log10", [](auto x) { return log10(x); },
                                     with<A>([](auto x, auto g) { return g / (x * std::numbers::ln10); }));
  return op(x);
}

Variable logaddexp(const Variable& a, const Variable& b) {
  // Equal infinities have no difference: they are their own result.
  static const auto op = elementwise(
      "logaddexp",
      [](auto a, auto b) { return where(a == b, a + std::numbers::ln2, maximum(a, b) + log1p(exp(-abs(a - b)))); },
      with<A, Y>([](auto a, auto y, auto g) { return g * where(a == y, 1, exp(a - y)); }),
      with<B, Y>([](auto b, auto y, auto g) { return g * where(b == y, 1, exp(b - y)); }));
  return op(a, b);
}

Variable xlogy(const Variable& a, const Variable& b) {
  static const auto op = elementwise(
      "xlogy", [](auto a, auto b) { return where(a == 0, where(is_nan(b), b, 0), a * log(b)); },
      with<A, B>([](auto a, auto b, auto g) { return where((a == 0) && (b <= 0), 0, g * log(b)); }),
      with<A, B>([](auto a, auto b, auto g) { return g * a / b; }));
  return op(a, b);
}

Variable sin(const Variable& x) {
  static const auto op =
      elementwise("sin", [](auto x) { return sin(x); }, with<A>([](auto x, auto g) { return g * cos(x); }));
  return op(x);
}

Variable cos(const Variable& x) {
  static const auto op =
      elementwise("cos", [](auto x) { return cos(x); }, with<A>([](auto x, auto g) { return -g * sin(x); }));
  return op(x);
}

Variable tan(const Variable& x) {
  static const auto op =
      elementwise("tan", [](auto x) { return tan(x); }, with<Y>([](auto y, auto g) { return g * (1 + y * y); }));
  return op(x);
}

Variable asin(const Variable& x) {
  static const auto op =
      elementwise("asin", [](auto x) { return asin(x); }, with<A>([](auto x, auto g) { return g / sqrt(1 - x * x); }));
  return op(x);
}

Variable acos(const Variable& x) {
  static const auto op =
      elementwise("acos", [](auto x) { return acos(x); }, with<A>([](auto x, auto g) { return -g / sqrt(1 - x * x); }));
  return op(x);
}

Variable atan(const Variable& x) {
  static const auto op =
      elementwise("atan", [](auto x) { return atan(x); }, with<A>([](auto x, auto g) { return g / (1 + x * x); }));
  return op(x);
}

Variable atan2(const Variable& y, const Variable& x) {
  // xsimd's is NaN at the origin and at infinity.
  static const auto op = elementwise("atan2",
                                     [](auto y, auto x) {
                                       return kernels::lanewise([](auto y, auto x) { return std::atan2(y, x); }, y, x);
                                     },
                                     with<A, B>([](auto y, auto x, auto g) { return g * x / (x * x + y * y); }),
                                     with<A, B>([](auto y, auto x, auto g) { return -g * y / (x * x + y * y); }));
  return op(y, x);
}

Variable sinh(const Variable& x) {
  static const auto op =
      elementwise("sinh", [](auto x) { return sinh(x); }, with<A>([](auto x, auto g) { return g * cosh(x); }));
  return op(x);
}

Variable cosh(const Variable& x) {
  static const auto op =
      elementwise("cosh", [](auto x) { return cosh(x); }, with<A>([](auto x, auto g) { return g * sinh(x); }));
  return op(x);
}

Variable tanh(const Variable& x) {
  static const auto op =
      elementwise("tanh", [](auto x) { return tanh(x); }, with<Y>([](auto y, auto g) { return g * (1 - y * y); }));
  return op(x);
}

Variable asinh(const Variable& x) {
  static const auto op =
      elementwise("asinh", [](auto x) { return asinh(x); }, with<A>([](auto x, auto g) { return g / sqrt(x * x + 1); }));
  return op(x);
}

Variable acosh(const Variable& x) {
  // xsimd's has values below 1, too.
  static const auto op = elementwise("acosh", [](auto x) { return where(x < 1, sqrt(x - 1), acosh(x)); },
                                     with<A>([](auto x, auto g) { return g / sqrt(x * x - 1); }));
  return op(x);
}

Variable atanh(const Variable& x) {
  static const auto op =
      elementwise("atanh", [](auto x) { return atanh(x); }, with<A>([](auto x, auto g) { return g / (1 - x * x); }));
  return op(x);
}

}  // namespace xtape
