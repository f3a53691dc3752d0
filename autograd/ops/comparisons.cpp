#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include <autograd/batch.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/kernels/loops.hpp>
#include <autograd/kernels/targets/compare.hpp>
#include <autograd/ops/define_elementwise.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>

namespace xtape {

using namespace detail;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// row(x, step, y, step, n, out) for all rows of a and b.
template <class A, class B, class Row>
Variable map_to_bool(const char* operation, const Array& a, const Array& b, Row row) {
  Array result(broadcast_shapes(operation, a.shape(), b.shape()), DType::boolean);
  bool* out = result.mutable_data<bool>();
  kernels::for_each_row(std::array{static_cast<const Array*>(&result), &a, &b},
                        [&](const std::ptrdiff_t* offset, const std::ptrdiff_t* step, std::size_t n) {
    row(a.data<A>() + offset[1], step[1], b.data<B>() + offset[2], step[2], n, out + offset[0]);
  });
  return Variable(std::move(result));
}

// The sign of a - b, where neither may be converted to the type of the other; NaN for NaN.
double order(std::int64_t a, double b) {
  if (std::isnan(b)) return b;
  if (b >= 0x1p63) return -1;
  if (b < -0x1p63) return 1;
  auto whole = static_cast<std::int64_t>(b);
  if (a != whole) return a < whole ? -1 : 1;
  return std::trunc(b) - b;
}
double order(double a, std::int64_t b) { return -order(b, a); }

bool is_integer(const Variable& x) {
  return kind_of(x) == DType::int64 && (!x.impl()->weak || x.impl()->scalar.exact<std::int64_t>());
}

template <class F>
Variable compare(const char* operation, const Variable& a, const Variable& b, F f);

// The same in each sample of a batch.
template <class F>
Variable compare_in_each(const char* operation, const Variable& a, const Variable& b, F f) {
  auto in_each = [operation, f](const Batch& batch) {
    const std::size_t rank = std::max(batch.rank(0), batch.rank(1));
    return compare(operation, batch.spread(0, rank), batch.spread(1, rank), f);
  };
  auto of_one = [operation, f](const Array& a, const Array& b) {
    return compare(operation, Variable(a), Variable(b), f).value();
  };
  NoGrad as_constant;
  return record(op(operation).mapped(in_each), of_one, constant(a), constant(b));
}

// An integer and another number compare as they are: neither is rounded to the type of the other.
template <class F>
Variable compare(const char* operation, const Variable& a, const Variable& b, F f) {
  detail::Calling calling(operation);
  if (any_mapped(a, b)) return compare_in_each(operation, a, b, f);
  std::array operands{&a, &b};
  DType dtype = common_dtype(operation, operands);
  auto exact = [](const Variable& x, DType in) { return x.impl()->weak && x.impl()->scalar.exact(in); };
  if (is_integer(a) != is_integer(b) && kind_of(a) != DType::boolean && kind_of(b) != DType::boolean) {
    const Variable &integer = is_integer(a) ? a : b, &number = is_integer(a) ? b : a;
    if (exact(number, DType::int64)) {
      dtype = DType::int64;
    } else if (!exact(integer, dtype)) {
      Operand x(operation, a, is_integer(a) ? DType::int64 : DType::float64);
      Operand y(operation, b, is_integer(a) ? DType::float64 : DType::int64);
      auto row = [f](const auto* x, std::ptrdiff_t x_step, const auto* y, std::ptrdiff_t y_step, std::size_t n, bool* out) {
        for (std::size_t i = 0; i < n; ++i, x += x_step, y += y_step) out[i] = f(order(*x, *y), 0.0);
      };
      if (is_integer(a)) return map_to_bool<std::int64_t, double>(operation, x.array(), y.array(), row);
      return map_to_bool<double, std::int64_t>(operation, x.array(), y.array(), row);
    }
  }
  return visit(dtype, [&]<class T>(T) {
    auto row = kernels::with_target([]<kernels::Target target>() { return &kernels::compare_row_on<target, F, T>; });
    return map_to_bool<T, T>(operation, Operand(operation, a, dtype).array(), Operand(operation, b, dtype).array(), row);
  });
}

void require_bool(const char* operation, const Variable& x) {
  if (!x.defined() || x.dtype() != DType::boolean)
    throw DTypeError(std::string(operation) + ": got " + (x.defined() ? to_string(x.dtype()) : "undefined") +
                     ", needs bool");
}

}  // namespace

Variable equal(const Variable& a, const Variable& b) { return compare("equal", a, b, std::equal_to<>()); }
Variable not_equal(const Variable& a, const Variable& b) { return compare("not_equal", a, b, std::not_equal_to<>()); }
Variable less(const Variable& a, const Variable& b) { return compare("less", a, b, std::less<>()); }
Variable less_equal(const Variable& a, const Variable& b) { return compare("less_equal", a, b, std::less_equal<>()); }
Variable greater(const Variable& a, const Variable& b) { return compare("greater", a, b, std::greater<>()); }
Variable greater_equal(const Variable& a, const Variable& b) {
  return compare("greater_equal", a, b, std::greater_equal<>());
}

Variable logical_not(const Variable& x) {
  require_bool("logical_not", x);
  return compare("logical_not", x, Variable(false), std::equal_to<>());
}

Variable logical_and(const Variable& a, const Variable& b) {
  require_bool("logical_and", a);
  require_bool("logical_and", b);
  return compare("logical_and", a, b, std::logical_and<>());
}

Variable logical_or(const Variable& a, const Variable& b) {
  require_bool("logical_or", a);
  require_bool("logical_or", b);
  return compare("logical_or", a, b, std::logical_or<>());
}

Variable logical_xor(const Variable& a, const Variable& b) {
  detail::Calling calling("logical_xor");
  require_bool("logical_xor", a);
  require_bool("logical_xor", b);
  return compare("logical_xor", a, b, std::not_equal_to<>());
}

void detail::require_tolerances(double rtol, double atol) {
  if (!(rtol >= 0) || !(atol >= 0))
    throw ValueError("isclose: rtol is " + Scalar(rtol).text() + " and atol " + Scalar(atol).text() +
                     ", needs 0 or more");
}

Variable isclose(const Variable& a, const Variable& b, double rtol, double atol, bool equal_nan) {
  detail::Calling calling("isclose");
  require_tolerances(rtol, atol);
  NoGrad guard;
  std::array operands{&a, &b};
  DType dtype = common_dtype("isclose", operands);
  Variable x = in_dtype("isclose", a, dtype).to(float64), y = in_dtype("isclose", b, dtype).to(float64);
  Variable same = equal(a, b), bound = abs(y);
  // An infinite bound would let everything pass.
  Variable close = same || ((bound < infinity) && abs(x - y) <= bound * rtol + atol);
  return equal_nan ? close || (isnan(x) && isnan(y)) : close;
}
bool allclose(const Variable& a, const Variable& b, double rtol, double atol, bool equal_nan) {
  detail::Calling calling("allclose");
  return all(isclose(a, b, rtol, atol, equal_nan)).item() != 0;
}

Variable signbit(const Variable& x) {
  detail::Calling calling("signbit");
  require_defined("signbit", x);
  return is_floating(x.dtype()) ? copysign(1, x) < 0 : x < 0;
}
Variable isnan(const Variable& x) {
  detail::Calling calling("isnan");
  return not_equal(x, x);
}
Variable isinf(const Variable& x) {
  detail::Calling calling("isinf");
  require_defined("isinf", x);
  if (!is_floating(x.dtype())) return not_equal(x, x);
  return abs(x) == infinity;
}
Variable isfinite(const Variable& x) {
  detail::Calling calling("isfinite");
  require_defined("isfinite", x);
  if (!is_floating(x.dtype())) return equal(x, x);
  return abs(x) < infinity;
}

}  // namespace xtape
