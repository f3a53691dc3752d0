// A number that behaves like double in C++ code that is written for any type of number, and whose operations are
// recorded: for functions of scalars, where a Variable would be an array for each number.
//
//     template <class T>
//     T rosenbrock(const std::vector<T>& x) { return pow(1 - x[0], 2) + 100 * pow(x[1] - x[0] * x[0], 2); }
//
//     std::vector<double> g = scalar::gradient(rosenbrock<Real>, std::vector{-1.2, 1.0});  // scalar/derivatives.hpp
//
// A Real that depends on no input of a gradient, jacobian or the like that is under way is a constant, and costs what a
// double costs. Each thread records for itself. Comparisons, conversions to integers and what is printed are those of
// the value. `auto` and `std::max` are as safe as with double: an operation returns a Real.
//
// What differs from double: a Real belongs to the thread, and to the innermost call of gradient or the like, in which
// it was made. Kept from an earlier call, it is a constant; but do not keep one from an inner call for the rest of the
// outer one, nor pass it to a thread that records. And a Real that was moved from has to be assigned before it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>
#include <utility>

#include <autograd/scalar/functions.hpp>
#include <autograd/scalar/tape.hpp>

namespace xtape::scalar {

template <class T>
class BasicReal;

namespace detail {

template <class T>
inline constexpr bool is_number<BasicReal<T>> = true;
struct Access;

}  // namespace detail

/// A recorded number, whose values and partial derivatives are of type T: double, a Dual, or a BasicReal for
/// derivatives of derivatives.
template <class T>
class BasicReal : public Arithmetic<BasicReal<T>> {
 public:
  using value_type = T;

  constexpr BasicReal() = default;
  /// A constant.
  template <class X>
    requires(!std::is_same_v<X, BasicReal> && detail::converts<X, T>)
  constexpr BasicReal(const X& x) : value_(static_cast<T>(x)) {}

  constexpr BasicReal(const BasicReal& x) : value_(x.value_), index_(x.index_) { x.keep(); }
  constexpr BasicReal(BasicReal&& x) noexcept
      : value_(std::move(x.value_)), index_(x.index_), fresh_(std::exchange(x.fresh_, false)) {}
  BasicReal& operator=(const BasicReal& x) {
    x.keep();
    value_ = x.value_, index_ = x.index_, fresh_ = false;
    return *this;
  }
  BasicReal& operator=(BasicReal&& x) noexcept {
    bool fresh = std::exchange(x.fresh_, false);
    value_ = std::move(x.value_), index_ = x.index_, fresh_ = fresh;
    return *this;
  }

  /// The number itself, without a derivative. A RecordedFunction does not know what is done with it.
  const T& value() const { return value_; }

  /// A rule of BasicReals and constants.
  template <const auto& rule, class... Xs>
  [[gnu::always_inline]] static inline BasicReal apply(Xs&&... xs);
  /// For functions that are written down: what was asked of x and y, and the answer, which is returned.
  template <class X, class Y>
  static bool compare(Relation relation, bool holds, const X& x, const Y& y);

 private:
  friend struct detail::Access;
  using Index = typename Tape<T>::Index;

  BasicReal(T value, Index index, bool fresh) : value_(std::move(value)), index_(index), fresh_(fresh) {}
  // There is another one with this index.
  constexpr void keep() const {
    if (fresh_) fresh_ = false;
  }

  T value_{};
  Index index_ = 0;
  // Whether the statement is known here alone: if this is a temporary, an operation on it adds to its statement.
  mutable bool fresh_ = false;
};

/// A recorded double.
using Real = BasicReal<double>;

namespace detail {

struct Access {
  template <class T>
  static BasicReal<T> make(T value, std::uint32_t index, bool fresh) {
    return {std::move(value), index, fresh};
  }
  template <class T>
  static std::uint32_t index(const BasicReal<T>& x) {
    return x.index_;
  }
  template <class T>
  static bool fresh(const BasicReal<T>& x) {
    return x.fresh_;
  }
};

// Operands of an operation of BasicReal<T>: constants, those that others may know, and those that go after it.
template <class T>
struct Constant {
  T number;
  static constexpr std::uint32_t index = 0;
  static constexpr bool fresh = false, may_be_fresh = false, may_be_active = false;
};
template <class T>
struct Named {
  const T& number;
  std::uint32_t index;
  static constexpr bool fresh = false, may_be_fresh = false, may_be_active = true;
};
template <class T>
struct Temporary {
  const T& number;
  std::uint32_t index;
  bool fresh;
  static constexpr bool may_be_fresh = true, may_be_active = true;
};

template <class T, class X>
auto operand(X&& x) {
  if constexpr (!std::is_same_v<std::remove_cvref_t<X>, BasicReal<T>>) return Constant<T>{static_cast<T>(x)};
  else if constexpr (std::is_same_v<X, BasicReal<T>>) return Temporary<T>{x.value(), Access::index(x), Access::fresh(x)};
  else return Named<T>{x.value(), Access::index(x)};
}

template <class T, class Slope>
T as_number(const Slope& slope) {
  if constexpr (std::is_same_v<Slope, One>) return T(1.0);
  else return unwrapped(slope);
}

// What an operation of one operand adds to the tape.
template <const auto& rule, class T, class X>
[[gnu::always_inline]] inline std::uint32_t record(Tape<T>& tape, const wrapped_t<T>& y, const X& x) {
  const auto slope_x = [&] { return slope<0, rule>(y, wrapped(x.number)); };
  if constexpr (X::may_be_fresh)
    if (x.fresh && tape.is_last(x.index)) {
      if constexpr (!std::is_same_v<decltype(slope_x()), One>) tape.scale(as_number<T>(slope_x()));
      return x.index;
    }
  tape.need_room();
  tape.add_argument(as_number<T>(slope_x()), x.index);
  return tape.add_statement(1);
}

// The same of two. In a * b + c * d, the products are temporaries, which nobody else knows: their two statements are
// made one, of four arguments, whose partials are multiplied by those of the sum. So one statement stands for an
// expression, as if a compiler had seen all of it. (Partials that are multiplied here can overflow where steps of their
// own would not.)
template <const auto& rule, class T, class X, class Y>
[[gnu::always_inline]] inline std::uint32_t record(Tape<T>& tape, const wrapped_t<T>& r, const X& x, const Y& y) {
  const auto slope_x = [&] { return slope<0, rule>(r, wrapped(x.number), wrapped(y.number)); };
  const auto slope_y = [&] { return slope<1, rule>(r, wrapped(x.number), wrapped(y.number)); };
  constexpr bool x_counts = !std::is_same_v<decltype(slope_x()), Zero>;
  constexpr bool y_counts = !std::is_same_v<decltype(slope_y()), Zero>;
  auto add = [&]<class S>(const S& slope_of, std::uint32_t index) -> std::size_t {
    if (index == 0) return 0;
    tape.add_argument(as_number<T>(slope_of()), index);
    return 1;
  };
  constexpr std::false_type last;
  constexpr std::true_type before_last;
  auto scale = [&]<bool before, class S>(std::bool_constant<before>, const S& slope_of) {
    if constexpr (!std::is_same_v<decltype(slope_of()), One>) tape.template scale<before>(as_number<T>(slope_of()));
  };
  auto join = [&](const auto& slope_last, const auto& slope_before) {
    scale(last, slope_last);
    scale(before_last, slope_before);
    return tape.join();
  };
  // The other may be the very same object, as in x *= x.
  auto grows = [&](std::uint32_t index, std::uint32_t other) {
    return tape.is_last(index) && index != other && tape.can_grow();
  };
  tape.need_room();
  if constexpr (x_counts && y_counts) {
    if constexpr (X::may_be_fresh && Y::may_be_fresh)
      if (x.fresh && y.fresh) {
        if (tape.can_join(x.index, y.index)) return join(slope_y, slope_x);
        if (tape.can_join(y.index, x.index)) return join(slope_x, slope_y);
      }
    if constexpr (Y::may_be_fresh)
      if (y.fresh && grows(y.index, x.index)) {
        scale(last, slope_y);
        return X::may_be_active ? tape.grow(add(slope_x, x.index)) : y.index;
      }
    if constexpr (X::may_be_fresh)
      if (x.fresh && grows(x.index, y.index)) {
        scale(last, slope_x);
        return Y::may_be_active ? tape.grow(add(slope_y, y.index)) : x.index;
      }
  }
  std::size_t count = 0;
  if constexpr (x_counts) count += add(slope_x, x.index);
  if constexpr (y_counts) count += add(slope_y, y.index);
  if (!(x_counts && y_counts) && count == 0) return 0;
  return tape.add_statement(count);
}

template <const auto& rule, class T, class X, class Y, class Z>
std::uint32_t record(Tape<T>& tape, const wrapped_t<T>& r, const X& x, const Y& y, const Z& z) {
  std::size_t count = 0;
  auto add = [&]<std::size_t K>(std::integral_constant<std::size_t, K>, std::uint32_t index) {
    if (index == 0) return;
    tape.add_argument(as_number<T>(slope<K, rule>(r, wrapped(x.number), wrapped(y.number), wrapped(z.number))), index);
    ++count;
  };
  tape.need_room();
  add(std::integral_constant<std::size_t, 0>(), x.index);
  add(std::integral_constant<std::size_t, 1>(), y.index);
  add(std::integral_constant<std::size_t, 2>(), z.index);
  return tape.add_statement(count);
}

// See program.hpp.
struct Written {
  double value;
  std::uint32_t index;
};
std::uint32_t write_down(Program& program, std::size_t rule, std::initializer_list<Written> operands);
void write_down(Program& program, Relation relation, bool holds, const Written& a, const Written& b);

template <const auto& rule>
inline constexpr bool always_constant = [] {
  return std::apply(
      []<class... Ps>(const Ps&...) { return (std::is_same_v<Ps, fused::Constant> && ...); }, rule.partials);
}();

}  // namespace detail

template <class T>
template <const auto& rule, class... Xs>
BasicReal<T> BasicReal<T>::apply(Xs&&... xs) {
  auto compute = [](const auto&... operands) __attribute__((always_inline)) {
    const wrapped_t<T> y = call<rule>(wrapped(operands.number)...);
    auto constant = [&] { return BasicReal(T(unwrapped(y)), 0, false); };
    if ((operands.index | ...) == 0) return constant();
    Tape<T>* tape = Tape<T>::active;
    if (!tape) [[unlikely]] return constant();
    if constexpr (std::is_same_v<T, double>)
      if (Program* program = tape->program) [[unlikely]] {
        const Index line = detail::write_down(*program, Rules::index<rule>(), {{operands.number, operands.index}...});
        return BasicReal(y.value, line, false);
      }
    if constexpr (detail::always_constant<rule>) return constant();
    else return BasicReal(T(unwrapped(y)), detail::record<rule>(*tape, y, operands...), true);
  };
  return compute(detail::operand<T>(std::forward<Xs>(xs))...);
}

template <class T>
template <class X, class Y>
bool BasicReal<T>::compare(Relation relation, bool holds, const X& x, const Y& y) {
  if constexpr (std::is_same_v<T, double>)
    if (Tape<T>* tape = Tape<T>::active; tape && tape->program) [[unlikely]] {
      const auto a = detail::operand<T>(x);
      const auto b = detail::operand<T>(y);
      if (a.index || b.index)
        detail::write_down(*tape->program, relation, holds, {a.number, a.index}, {b.number, b.index});
    }
  return holds;
}

template <class T>
bool is_constant_zero(const BasicReal<T>& x) {
  return detail::Access::index(x) == 0 && is_constant_zero(x.value());
}

}  // namespace xtape::scalar

namespace xtape {

using scalar::BasicReal;
using scalar::Real;

}  // namespace xtape
