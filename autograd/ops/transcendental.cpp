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

Variable tanh(const Variable& x) {
  static const auto op =
      elementwise("tanh", [](auto x) { return tanh(x); }, with<Y>([](auto y, auto g) { return g * (1 - y * y); }));
  return op(x);
}

Variable sigmoid(const Variable& x) {
  static const auto op = elementwise("sigmoid", [](auto x) { return sigmoid(x); },
                                     with<Y>([](auto y, auto g) { return g * y * (1 - y); }));
  return op(x);
}

Variable relu(const Variable& x) {
  static const auto op = elementwise("relu", [](auto x) { return maximum(x, 0); },
                                     with<Y>([](auto y, auto g) { return where(y > 0, g, 0); }));
  return op(x);
}

}  // namespace xtape
