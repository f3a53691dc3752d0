// The bytes that a fuzz target is given, as the numbers, shapes, arrays and texts that it hands to xtape.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <autograd/autograd.hpp>

namespace xtape::fuzz {

/// Reads bytes from the front; behind the last one there are zeros. So every text of bytes is an input.
class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte();
  bool flag() { return byte() % 2 == 1; }
  /// From `first` to `last`, both included.
  std::ptrdiff_t between(std::ptrdiff_t first, std::ptrdiff_t last) {
    return first + byte() % (last - first + 1);
  }
  std::size_t below(std::size_t n) { return byte() % n; }
  template <class T, std::size_t n>
  T pick(const T (&values)[n]) { return values[below(n)]; }

  /// An integer as a caller may get it wrong: most are small, some at the ends of a type's range.
  std::ptrdiff_t number();
  /// The same, where an unsigned number is asked for; -1 becomes the greatest of all.
  std::size_t count() { return static_cast<std::size_t>(number()); }
  /// A floating-point number: most are small, some are huge, tiny, infinite or NaN.
  double real();

  /// Up to `most_axes` axes, of extents from 0 to `longest`.
  Shape shape(std::size_t most_axes = 4, std::size_t longest = 4);
  std::vector<std::ptrdiff_t> numbers(std::size_t most);
  Axes axes() { return numbers(3); }
  /// `axis` may be none.
  std::optional<std::ptrdiff_t> maybe_number() { return flag() ? std::optional(number()) : std::nullopt; }

  DType dtype() { return pick({float32, float64, int64, boolean}); }
  DType floating() { return pick({float64, float32}); }
  /// Small integers, which any dtype has, and whose sums and products are exact.
  Variable integers(const Shape& shape, DType dtype);
  Variable integers(DType dtype) { return integers(shape(), dtype); }
  /// Numbers of any kind.
  Variable reals(const Shape& shape, DType dtype);
  /// int64, most of them positions along an axis of this extent.
  Variable positions(const Shape& shape, std::size_t extent);

  /// So many bytes, or as many as are left.
  std::string text(std::size_t most);
  std::string rest() { return text(bytes_.size()); }
  /// One of these words, now and then another text.
  std::string word(std::initializer_list<const char*> words);

 private:
  template <class T>
  Variable make(const Shape& shape, DType dtype, T next);

  std::span<const std::uint8_t> bytes_;
};

/// A finding: ends the run unless it holds.
inline void require(bool holds, const std::string& what) {
  if (!holds) throw std::logic_error("finding: " + what);
}

/// Calls f, which may do what it is asked or throw an Error, but nothing else. Whether it did.
template <class F>
bool allowed(F&& f) {
  try {
    f();
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Whether shapes, dtypes and all bits agree, where each NaN is as good as another.
bool same(const Variable& a, const Variable& b);
/// Element `i` in row-major order.
inline double at(const Variable& x, std::size_t i) { return x.value().at(i); }
/// The positions along each axis of element `i`.
std::vector<std::size_t> unravel(std::size_t i, const Shape& shape);
std::size_t ravel_position(const std::vector<std::size_t>& at, const Shape& shape);

/// Computes f(x) and, where x is floating-point, walks back with a gradient of small integers. The gradient has to have
/// the shape of x. That of a linear f, where x holds small integers, has to be its transposed map, with
/// <g, f(x)> = <f'(g), x>.
/// An Error is fine, from either.
void differentiate(Input& input, const Variable& x, const std::function<Variable(const Variable&)>& f,
                   bool linear = false);

}  // namespace xtape::fuzz
