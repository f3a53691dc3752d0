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
  // Whether the statement is known here alone: if this is a temporary, an operation on it adds to its statement. True of
  // every result, so that a compiler knows it as well.
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
using Held = std::conditional_t<std::is_class_v<T>, const T&, T>;
template <class T>
struct Named {
  Held<T> number;
  std::uint32_t index;
  static constexpr bool fresh = false, may_be_fresh = false, may_be_active = true;
};
template <class T>
struct Temporary {
  Held<T> number;
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
  else if constexpr (std::is_same_v<Slope, Zero>) return T(0.0);
  else return unwrapped(slope);
}

// See program.hpp.
struct Written {
  double value;
  std::uint32_t index;
};
std::uint32_t write_down(Program& program, std::size_t rule, std::initializer_list<Written> operands);
void write_down(Program& program, Relation relation, bool holds, const Written& a, const Written& b);

// Which operands a derivative can go to.
template <std::size_t K, const auto& rule>
inline constexpr bool counts = !std::is_same_v<std::tuple_element_t<K, decltype(rule.partials)>, fused::Constant>;
template <const auto& rule>
inline constexpr std::size_t counted = [] {
  return []<std::size_t... K>(std::index_sequence<K...>) {
    return (std::size_t{counts<K, rule>} + ...);
  }(std::make_index_sequence<std::tuple_size_v<decltype(rule.partials)>>());
}();
template <std::size_t K, const auto& rule>
inline constexpr bool passes = std::is_same_v<std::tuple_element_t<K, decltype(rule.partials)>, fused::Pass>;

// A statement for an operation: the partials by those of its operands that are not constant.
template <const auto& rule, class T, class... Xs>
std::uint32_t add_statement(Writer<T>& writer, const wrapped_t<T>& y, const Xs&... xs) {
  std::size_t count = 0;
  auto add = [&]<std::size_t K>(std::integral_constant<std::size_t, K>, std::uint32_t index) {
    if constexpr (counts<K, rule>)
      if (index != 0) writer.add_argument(as_number<T>(slope<K, rule>(y, wrapped(xs.number)...)), index), ++count;
  };
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    (add(std::integral_constant<std::size_t, K>(), xs.index), ...);
  }(std::index_sequence_for<Xs...>());
  return count == 0 ? 0 : writer.add_statement(count);
}

// What is done where it is not the usual: the block is full, some operands are constant, nothing is recorded at all, or
// it is written down.
template <const auto& rule, class T, class... Xs>
[[gnu::noinline]] std::uint32_t record_slowly(const wrapped_t<T> y, const Xs... xs) {
  Tape<T>* const tape = Tape<T>::active;
  if (!tape || ((xs.index == 0) && ...)) return 0;
  if constexpr (std::is_same_v<T, double>)
    if (Program* program = tape->program())
      return write_down(*program, Rules::index<rule>(), {{xs.number, xs.index}...});
  if constexpr (counted<rule> == 0) return 0;
  tape->make_room();
  return add_statement<rule>(tape->writer, y, xs...);
}

// What an operation adds to the tape, and the index of its statement: of one operand,
template <const auto& rule, class T, class X>
[[gnu::always_inline]] inline std::uint32_t record(Writer<T>& writer, const wrapped_t<T>& y, const X& x) {
  const auto slope_x = [&] { return as_number<T>(slope<0, rule>(y, wrapped(x.number))); };
  constexpr bool x_passes = passes<0, rule>;
  if constexpr (X::may_be_fresh)
    if (x.fresh && writer.is_last(x.index) && writer.count() <= Writer<T>::template most<x_passes>) {
      if constexpr (!x_passes) writer.scale(slope_x());
      return x.index;
    }
  if (x.index == 0) return 0;
  if (writer.is_full()) [[unlikely]] return record_slowly<rule, T>(y, x);
  writer.add_argument(slope_x(), x.index);
  return writer.add_statement(1);
}

// and of two. In a * b + c * d, the products are temporaries, which nobody else knows: their two statements are made one,
// of four arguments, whose partials are multiplied by those of the sum. So one statement stands for an expression, as if
// a compiler had seen all of it. (Partials that are multiplied here can overflow where steps of their own would not.)
template <const auto& rule, class T, class X, class Y>
[[gnu::always_inline]] inline std::uint32_t record(Writer<T>& writer, const wrapped_t<T>& r, const X& x, const Y& y) {
  const auto slope_x = [&] { return as_number<T>(slope<0, rule>(r, wrapped(x.number), wrapped(y.number))); };
  const auto slope_y = [&] { return as_number<T>(slope<1, rule>(r, wrapped(x.number), wrapped(y.number))); };
  constexpr bool x_passes = passes<0, rule>, y_passes = passes<1, rule>;
  constexpr std::size_t most_of_x = Writer<T>::template most<x_passes>, most_of_y = Writer<T>::template most<y_passes>;
  if constexpr (counted<rule> == 2) {
    if constexpr (X::may_be_fresh && Y::may_be_fresh)
      if (x.fresh && y.fresh && writer.can_join(x.index, y.index) && writer.template count<true>() <= most_of_x) {
        if constexpr (!y_passes) writer.scale(slope_y());
        if constexpr (!x_passes) writer.template scale<true>(slope_x());
        return writer.join();
      }
    // The other may be the very same object, as in x *= x.
    if constexpr (Y::may_be_fresh)
      if (y.fresh && writer.is_last(y.index) && x.index != y.index && writer.count() <= most_of_y) {
        if constexpr (!y_passes) writer.scale(slope_y());
        if constexpr (X::may_be_active)
          if (x.index != 0) writer.grow(slope_x(), x.index);
        return y.index;
      }
    if constexpr (X::may_be_fresh)
      if (x.fresh && writer.is_last(x.index) && x.index != y.index && writer.count() <= most_of_x) {
        if constexpr (!x_passes) writer.scale(slope_x());
        if constexpr (Y::may_be_active)
          if (y.index != 0) writer.grow(slope_y(), y.index);
        return x.index;
      }
  }
  if ((x.index | y.index) == 0) return 0;
  if constexpr (counted<rule> == 2)
    if (!writer.is_full()) [[likely]] {
      if constexpr (!X::may_be_active) {
        writer.add_argument(slope_y(), y.index);
        return writer.add_statement(1);
      } else if constexpr (!Y::may_be_active) {
        writer.add_argument(slope_x(), x.index);
        return writer.add_statement(1);
      } else if (x.index != 0 && y.index != 0) {
        writer.add_argument(slope_x(), x.index);
        writer.add_argument(slope_y(), y.index);
        return writer.add_statement(2);
      }
    }
  return record_slowly<rule, T>(r, x, y);
}

}  // namespace detail

template <class T>
template <const auto& rule, class... Xs>
BasicReal<T> BasicReal<T>::apply(Xs&&... xs) {
  auto compute = [](const auto&... operands) __attribute__((always_inline)) {
    const wrapped_t<T> y = call<rule>(wrapped(operands.number)...);
    Index index = 0;
    if constexpr (detail::counted<rule> != 0 && sizeof...(Xs) <= 2) {
      index = detail::record<rule, T>(Tape<T>::writer, y, operands...);
    } else if (((operands.index != 0) || ...)) {
      if (detail::counted<rule> != 0 || Tape<T>::writer.is_full()) index = detail::record_slowly<rule, T>(y, operands...);
    }
    return BasicReal(T(unwrapped(y)), index, true);
  };
  return compute(detail::operand<T>(std::forward<Xs>(xs))...);
}

template <class T>
template <class X, class Y>
bool BasicReal<T>::compare(Relation relation, bool holds, const X& x, const Y& y) {
  if constexpr (std::is_same_v<T, double>)
    if (Tape<T>* tape = Tape<T>::active; tape && tape->program()) [[unlikely]] {
      const auto a = detail::operand<T>(x);
      const auto b = detail::operand<T>(y);
      if (a.index || b.index)
        detail::write_down(*tape->program(), relation, holds, {a.number, a.index}, {b.number, b.index});
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
