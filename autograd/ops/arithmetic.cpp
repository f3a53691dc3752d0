#include <autograd/ops/define_elementwise.hpp>

namespace xtape {

using namespace detail;

Variable add(const Variable& a, const Variable& b) {
  static const auto op = elementwise_any("add", [](auto a, auto b) { return a + b; }, pass, pass);
  return op(a, b);
}

Variable sub(const Variable& a, const Variable& b) {
  static const auto op =
      elementwise_any("sub", [](auto a, auto b) { return a - b; }, pass, with<>([](auto g) { return -g; }));
  return op(a, b);
}

Variable mul(const Variable& a, const Variable& b) {
  static const auto op = elementwise_any("mul", [](auto a, auto b) { return a * b; },
                                         with<B>([](auto b, auto g) { return g * b; }),
                                         with<A>([](auto a, auto g) { return g * a; }));
  return op(a, b);
}

Variable div(const Variable& a, const Variable& b) {
  static const auto op = elementwise("div", [](auto a, auto b) { return a / b; },
                                     with<B>([](auto b, auto g) { return g / b; }),
                                     with<B, Y>([](auto b, auto y, auto g) { return -g * y / b; }));
  return op(a, b);
}

Variable neg(const Variable& x) {
  static const auto op = elementwise_any("neg", [](auto x) { return -x; }, with<>([](auto g) { return -g; }));
  return op(x);
}

Variable square(const Variable& x) {
  static const auto op =
      elementwise_any("square", [](auto x) { return x * x; }, with<A>([](auto x, auto g) { return g * 2 * x; }));
  return op(x);
}

Variable sqrt(const Variable& x) {
  static const auto op =
      elementwise("sqrt", [](auto x) { return sqrt(x); }, with<Y>([](auto y, auto g) { return g / (2 * y); }));
  return op(x);
}

Variable reciprocal(const Variable& x) {
  static const auto op =
      elementwise("reciprocal", [](auto x) { return 1 / x; }, with<Y>([](auto y, auto g) { return -g * y * y; }));
  return op(x);
}

Variable rsqrt(const Variable& x) {
  static const auto op = elementwise("rsqrt", [](auto x) { return 1 / sqrt(x); },
                                     with<Y>([](auto y, auto g) { return -0.5 * g * y * y * y; }));
  return op(x);
}

Variable hypot(const Variable& a, const Variable& b) {
  static const auto op = elementwise(
      "hypot", [](auto a, auto b) { return kernels::lanewise([](auto x, auto y) { return std::hypot(x, y); }, a, b); },
      with<A, Y>([](auto a, auto y, auto g) { return where(y == 0, 0, g * a / where(y == 0, 1, y)); }),
      with<B, Y>([](auto b, auto y, auto g) { return where(y == 0, 0, g * b / where(y == 0, 1, y)); }));
  return op(a, b);
}

Variable fmod(const Variable& a, const Variable& b) {
  static const auto op = elementwise(
      "fmod", [](auto a, auto b) { return kernels::lanewise([](auto x, auto y) { return std::fmod(x, y); }, a, b); },
      pass, with<A, B>([](auto a, auto b, auto g) { return -g * trunc(a / b); }));
  return op(a, b);
}

Variable remainder(const Variable& a, const Variable& b) {
  static const auto op = elementwise(
      "remainder",
      [](auto a, auto b) {
        return kernels::lanewise(
            [](auto x, auto y) {
              auto r = std::fmod(x, y);
              return r != 0 && (r < 0) != (y < 0) ? r + y : r;
            },
            a, b);
      },
      pass, with<A, B>([](auto a, auto b, auto g) { return -g * floor(a / b); }));
  return op(a, b);
}

Variable lerp(const Variable& a, const Variable& b, const Variable& weight) {
  static const auto op = elementwise("lerp", [](auto a, auto b, auto w) { return a + w * (b - a); },
                                     with<C>([](auto w, auto g) { return g * (1 - w); }),
                                     with<C>([](auto w, auto g) { return g * w; }),
                                     with<A, B>([](auto a, auto b, auto g) { return g * (b - a); }));
  return op(a, b, weight);
}

Variable abs(const Variable& x) {
  static const auto op = elementwise_any("abs", [](auto x) { return abs(x); },
                                         with<A>([](auto x, auto g) { return g * sign(x); }));
  return op(x);
}

Variable sign(const Variable& x) {
  static const auto op = elementwise("sign", [](auto x) { return sign(x); }, constant);
  return op(x);
}

Variable copysign(const Variable& a, const Variable& b) {
  static const auto op = elementwise("copysign", [](auto a, auto b) { return copysign(a, b); },
                                     with<A, Y>([](auto a, auto y, auto g) { return g * sign(a) * sign(y); }), constant);
  return op(a, b);
}

Variable floor(const Variable& x) {
  static const auto op = elementwise("floor", [](auto x) { return floor(x); }, constant);
  return op(x);
}

Variable ceil(const Variable& x) {
  static const auto op = elementwise("ceil", [](auto x) { return ceil(x); }, constant);
  return op(x);
}

Variable round(const Variable& x) {
  static const auto op = elementwise("round", [](auto x) { return nearbyint(x); }, constant);
  return op(x);
}

Variable trunc(const Variable& x) {
  static const auto op = elementwise("trunc", [](auto x) { return trunc(x); }, constant);
  return op(x);
}

Variable frac(const Variable& x) {
  static const auto op = elementwise("frac", [](auto x) { return x - trunc(x); }, pass);
  return op(x);
}

Variable maximum(const Variable& a, const Variable& b) {
  static const auto op = elementwise_any(
      "maximum", [](auto a, auto b) { return maximum(a, b); },
      with<A, B>([](auto a, auto b, auto g) { return where(a > b, g, where(a == b, g / 2, 0)); }),
      with<A, B>([](auto a, auto b, auto g) { return where(b > a, g, where(a == b, g / 2, 0)); }));
  return op(a, b);
}

Variable minimum(const Variable& a, const Variable& b) {
  static const auto op = elementwise_any(
      "minimum", [](auto a, auto b) { return minimum(a, b); },
      with<A, B>([](auto a, auto b, auto g) { return where(a < b, g, where(a == b, g / 2, 0)); }),
      with<A, B>([](auto a, auto b, auto g) { return where(b < a, g, where(a == b, g / 2, 0)); }));
  return op(a, b);
}

Variable fmax(const Variable& a, const Variable& b) {
  static const auto op = elementwise(
      "fmax", [](auto a, auto b) { return where(is_nan(b), a, where(a >= b, a, b)); },
      with<A, B>([](auto a, auto b, auto g) { return where(a == b, g / 2, where((a > b) || is_nan(b), g, 0)); }),
      with<A, B>([](auto a, auto b, auto g) { return where(a == b, g / 2, where((b > a) || is_nan(a), g, 0)); }));
  return op(a, b);
}

Variable fmin(const Variable& a, const Variable& b) {
  static const auto op = elementwise(
      "fmin", [](auto a, auto b) { return where(is_nan(b), a, where(a <= b, a, b)); },
      with<A, B>([](auto a, auto b, auto g) { return where(a == b, g / 2, where((a < b) || is_nan(b), g, 0)); }),
      with<A, B>([](auto a, auto b, auto g) { return where(a == b, g / 2, where((b < a) || is_nan(a), g, 0)); }));
  return op(a, b);
}

Variable where(const Variable& condition, const Variable& a, const Variable& b) {
  if (!condition.defined() || condition.dtype() != DType::boolean)
    throw DTypeError("where: the condition is " +
                     std::string(condition.defined() ? to_string(condition.dtype()) : "undefined") + ", needs bool");
  static const auto op = elementwise_any(
      "where", [](auto c, auto a, auto b) { return where(c != 0, a, b); }, constant,
      with<A>([](auto c, auto g) { return where(c != 0, g, 0); }),
      with<A>([](auto c, auto g) { return where(c != 0, 0, g); }));
  std::array branches{&a, &b};
  DType dtype = all_scalars(branches) ? DType::float32 : common_dtype("where", branches);
  return op(condition.to(dtype), a, b);
}

Variable clip(const Variable& x, const Variable& low, const Variable& high) {
  static const auto op = elementwise_any(
      "clip", [](auto x, auto low, auto high) { return minimum(maximum(x, low), high); },
      with<A, B, C>([](auto x, auto low, auto high, auto g) { return where(x >= low, where(x <= high, g, 0), 0); }),
      with<A, B, C>([](auto x, auto low, auto high, auto g) { return where(x < low, where(low < high, g, 0), 0); }),
      with<A, B, C>([](auto x, auto low, auto high, auto g) { return where(x > high, g, where(low >= high, g, 0)); }));
  return op(x, low, high);
}

}  // namespace xtape
