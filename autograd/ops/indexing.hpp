// Parts of an array, by position.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape {

/// The positions start, start + step, ... before stop. Open ends reach to the end of the axis; negative positions
/// count from it.
struct Range {
  std::optional<std::ptrdiff_t> start, stop;
  std::ptrdiff_t step = 1;
};

/// An open end of a range: `range(2, none)`.
inline constexpr std::nullopt_t none = std::nullopt;

/// The whole axis.
inline Range range() { return {}; }
/// `range(1, 5)`, `range(-3, none)`, `range(none, none, -1)`; Python's `start:stop:step`.
inline Range range(std::optional<std::ptrdiff_t> start, std::optional<std::ptrdiff_t> stop, std::ptrdiff_t step = 1) {
  return {start, stop, step};
}

/// A new axis of extent 1.
struct NewAxis {};
inline constexpr NewAxis newaxis{};
/// As many whole axes as are not named.
struct Ellipsis {};
inline constexpr Ellipsis ellipsis{};

/// One item between the brackets: a position, a range, a new axis, an ellipsis, a mask or an array of positions.
class Index {
 public:
  enum class Kind { position, range, new_axis, rest, array };

  template <std::integral I>
  Index(I position) : kind(Kind::position), range{static_cast<std::ptrdiff_t>(position), {}, 1} {}
  Index(Range positions) : kind(Kind::range), range(positions) {}
  Index(NewAxis) : kind(Kind::new_axis) {}
  Index(Ellipsis) : kind(Kind::rest) {}
  /// `all`, the name of the operation, stands for the whole axis: `x[{all, 0}]`.
  Index(Variable (*)(const Variable&, const Axes&, bool)) : kind(Kind::range) {}

  /// A mask of dtype bool that covers as many axes as it has, or an array of int64 positions. Several of them broadcast,
  /// and pick element by element.
  Index(const Variable& picked) : kind(Kind::array), array(picked) {}

  Kind kind;
  Range range;  // of a position: its start
  Variable array;
};

namespace detail {
struct Place;
}

/// What `x[...]` is: the elements of that part of x, as a Variable of their own. Assigned to at once, it writes to x:
/// `x[0] = y`, `x[{0, 1}] += 3.0`, `x[{all, range(0, n, 2)}] *= y`, `x[x < 0] = 0.0`, `x[0][1] = 2`. Every handle of x sees
/// that, and gradients flow back to what was written and to what was not written over. It takes time in proportion to
/// the part where no other array shares the elements of x. With a name, `auto row = x[0]`, it is a Variable like others,
/// and what is written to it does not reach x.
///
/// What is written has the dtype of x, or is a C++ scalar, and broadcasts to the part.
/// @throws as slice_assign; GraphError for a leaf that needs a gradient while operations are recorded. Then x is as it was.
class Part : public Variable {
 public:
  Part(const Part&) = default;
  Part(Part&&) noexcept = default;
  Part& operator=(const Part&) & = default;
  Part& operator=(Part&&) & noexcept = default;
  ~Part() = default;

  using Variable::operator=;
  using Variable::operator+=;
  using Variable::operator-=;
  using Variable::operator*=;
  using Variable::operator/=;
  void operator=(const Variable& value) &&;
  // NOLINTNEXTLINE(bugprone-unhandled-self-assignment): x[i] = x[i] is an assignment of Variables
  void operator=(const Part& value) && { std::move(*this) = static_cast<const Variable&>(value); }
  void operator+=(const Variable& other) &&;
  void operator-=(const Variable& other) &&;
  void operator*=(const Variable& other) &&;
  void operator/=(const Variable& other) &&;
  /// The same as `=`.
  void assign(const Variable& source) && { std::move(*this) = source; }
  void assign(const Variable& source) const& { Variable::assign(source); }

  /// A part of the part, which writes to x as well.
  Part operator[](const Index& index) &&;
  Part operator[](std::initializer_list<Index> indices) &&;
  using Variable::operator[];

  // What would be written to them would be lost.
  template <class T>
  T* mutable_data() && = delete;
  template <class T>
  T* mutable_array() && = delete;
  using Variable::mutable_data;
  using Variable::mutable_array;

 private:
  friend class Variable;
  Part(Variable value, Variable origin, std::shared_ptr<const detail::Place> place)
      : Variable(std::move(value)), origin_(std::move(origin)), place_(std::move(place)) {}
  static Part of(const Variable& whole, const Variable& origin, std::shared_ptr<const detail::Place> within,
                 const std::vector<Index>& indices);
  void write(const char* operation, const Variable& value);
  void update(const char* operation, const Variable& result);

  Variable origin_;
  std::shared_ptr<const detail::Place> place_;
};

/// The part that the indices name, axis by axis, as in NumPy: `slice(x, {0, range(1, 5), newaxis})`. The axes that arrays
/// pick from are replaced by those of the arrays, which come first where other axes stand between them. Single positions
/// are taken before, as in PyTorch; NumPy counts them as arrays.
/// @throws ValueError for a position out of range or a step of 0, ShapeError for too many indices.
Variable slice(const Variable& x, const std::vector<Index>& indices);
/// The transposed operation: zeros of `shape`, with g where `slice` would read.
Variable unslice(const Variable& g, const Dims& shape, const std::vector<Index>& indices);

/// x with that part replaced by `value`, which broadcasts to it; x itself stays.
/// @throws as slice, and ValueError where arrays name a place twice.
Variable slice_assign(const Variable& x, const std::vector<Index>& indices, const Variable& value);

}  // namespace xtape
