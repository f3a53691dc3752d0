// A number of C++ on its way into an array, or out of one.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <autograd/dtype.hpp>

namespace xtape {

/// A number that keeps its kind: an integer is never rounded to a double, a bool stays one.
class Scalar {
 public:
  template <class S>
    requires std::is_arithmetic_v<S>
  Scalar(S value) : number_(static_cast<kept_t<S>>(value)) {
    // Unsigned only where int64 ends: each number has one form.
    if constexpr (std::is_same_v<kept_t<S>, std::uint64_t>)
      if (std::in_range<std::int64_t>(value)) number_ = static_cast<std::int64_t>(value);
  }

  /// boolean, int64 or float64, as it was written.
  DType dtype() const;

  /// Whether T, an arithmetic type, has this very number.
  template <class T>
  bool exact() const {
    return std::visit([](auto v) { return has<T>(v); }, number_);
  }
  /// The same of the C++ type behind a dtype.
  bool exact(DType dtype) const;

  /// The number as a T, rounded where T is a floating-point type. @throws ValueError naming `operation` where another T
  /// does not have it: "full: 1e+30 does not fit int64".
  template <class T>
  T to(const char* operation) const {
    if constexpr (!std::is_floating_point_v<T>)
      if (!exact<T>()) does_not_fit(operation, type_name<T>());
    return std::visit([](auto v) { return static_cast<T>(v); }, number_);
  }
  /// The same, but only a floating-point number is rounded, never an integer.
  template <class T>
  T to_same(const char* operation) const {
    if (!is_floating(dtype()) && !exact<T>()) does_not_fit(operation, type_name<T>());
    return to<T>(operation);
  }
  /// Rounded to the nearest double.
  double as_double() const { return to<double>(""); }

  /// As short as it is exact: "3", "0.1", "1e+30", "true".
  std::string text() const;

  [[noreturn]] void does_not_fit(const char* operation, const std::string& type) const;

 private:
  template <class S>
  using kept_t = std::conditional_t<
      std::is_same_v<S, bool>, bool,
      std::conditional_t<std::is_floating_point_v<S>, double,
                         std::conditional_t<std::is_unsigned_v<S>, std::uint64_t, std::int64_t>>>;

  // 2 to the power of T's digits, the first number that an integral T no longer has.
  template <class T>
  static constexpr double end = 2.0 * static_cast<double>(std::uint64_t{1} << (std::numeric_limits<T>::digits - 1));

  template <class T, class V>
  static constexpr bool has(V v) {
    if constexpr (std::is_same_v<V, bool>) return true;
    else if constexpr (std::is_same_v<T, bool>) return v == 0 || v == 1;
    else if constexpr (std::is_integral_v<T> && std::is_integral_v<V>) return std::in_range<T>(v);
    else if constexpr (std::is_integral_v<T>)
      return v >= (std::is_signed_v<T> ? -end<T> : 0) && v < end<T> && static_cast<V>(static_cast<T>(v)) == v;
    else if constexpr (std::is_integral_v<V>)
      return static_cast<double>(static_cast<T>(v)) < end<V> && static_cast<V>(static_cast<T>(v)) == v;
    else return v != v || static_cast<V>(static_cast<T>(v)) == v;
  }

  template <class T>
  static std::string type_name() {
    if constexpr (std::is_same_v<T, bool>) return "bool";
    const char* kind = std::is_floating_point_v<T> ? "float" : std::is_unsigned_v<T> ? "uint" : "int";
    return kind + std::to_string(8 * sizeof(T));
  }

  std::variant<bool, std::int64_t, std::uint64_t, double> number_;
};

}  // namespace xtape
