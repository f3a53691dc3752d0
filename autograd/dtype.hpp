// What the elements of an array are.
#pragma once

#if __cplusplus < 202002L
#error "xtape needs C++20: compile with -std=c++20 or later"
#endif

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <type_traits>

namespace xtape {

/// What an array's elements are. Only the floating-point ones are differentiable.
enum class DType : std::uint8_t { float32, float64, int64, boolean };

inline constexpr DType float32 = DType::float32;
inline constexpr DType float64 = DType::float64;
inline constexpr DType int64 = DType::int64;
inline constexpr DType boolean = DType::boolean;

/// "float32", "float64", "int64" or "bool".
const char* to_string(DType dtype);
/// The same, printed.
std::ostream& operator<<(std::ostream& out, DType dtype);

/// The dtype of what is made without naming one: of lists and C++ scalars, `zeros`, the parameters of layers. It is float32
/// but within the scope of a DefaultDType.
DType default_dtype();

/// Sets the default dtype until the end of the scope: at the top of `main`, `DefaultDType precise(float64);` sets it for
/// the program. It holds for the thread that made it alone. Other threads have theirs, which begin with float32, but for
/// the workers of a DataLoader, which have that of the thread that iterates.
class DefaultDType {
 public:
  /// @throws DTypeError unless float32 or float64.
  explicit DefaultDType(DType dtype);
  ~DefaultDType();
  DefaultDType(const DefaultDType&) = delete;
  DefaultDType& operator=(const DefaultDType&) = delete;

 private:
  DType before_;
};

/// The size of one element in bytes.
constexpr std::size_t item_size(DType dtype) {
  return dtype == DType::float32 ? sizeof(float) : dtype == DType::boolean ? sizeof(bool) : 8;
}

constexpr bool is_floating(DType dtype) { return dtype == DType::float32 || dtype == DType::float64; }

/// The dtype that holds a C++ arithmetic type: every integer becomes int64.
template <class T>
  requires std::is_arithmetic_v<T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, bool>) return DType::boolean;
  else if constexpr (std::is_integral_v<T>) return DType::int64;
  else if constexpr (std::is_same_v<T, float>) return DType::float32;
  else return DType::float64;
}

/// The C++ type that stores a T: float, double, std::int64_t or bool.
template <class T>
using stored_t = std::conditional_t<std::is_same_v<T, bool> || std::is_same_v<T, float>, T,
                                    std::conditional_t<std::is_integral_v<T>, std::int64_t, double>>;

}  // namespace xtape
