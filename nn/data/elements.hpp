// The element types that files hold, and their conversion to those of a Variable.
#pragma once

#include <functional>
#include <string>

#include <autograd/array.hpp>

namespace xtape::nn {

/// The most axes that an array of a file may have: many more than any has, and few enough that no header of a file
/// takes much memory.
inline constexpr std::size_t most_axes = 1024;

/// How the elements lie in a file.
struct ElementType {
  enum class Kind : std::uint8_t { boolean, signed_integer, unsigned_integer, floating, brain_floating };
  Kind kind;
  std::uint8_t bytes;       ///< of one element
  bool big_endian = false;  ///< else little-endian
};

/// Reads so many bytes, all of them.
using ReadBytes = std::function<void(void* out, std::size_t bytes)>;

/// What the elements become: float64 for eight bytes, float32 for smaller floating-point numbers, int64 for integers.
DType dtype_of(const ElementType& type);

/// Fills an array of that dtype. What lies in the file as in memory is read without another copy.
/// @throws FileError beginning with `name` for a bool that is neither 0 nor 1, and an integer beyond int64; it counts
/// the elements from `first` on.
void read_elements(const std::string& name, const ElementType& type, Array& out, const ReadBytes& read,
                   std::size_t first = 0);

/// The elements as bytes.
const std::byte* bytes_of(const Array& array);
std::byte* bytes_of(Array& array);

}  // namespace xtape::nn
