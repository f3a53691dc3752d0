#include <tests/fuzz/input.hpp>

#include <bit>
#include <cmath>
#include <cstring>

namespace xtape::fuzz {

std::uint8_t Input::byte() {
  if (bytes_.empty()) return 0;
  std::uint8_t first = bytes_[0];
  bytes_ = bytes_.subspan(1);
  return first;
}

std::ptrdiff_t Input::number() {
  constexpr std::ptrdiff_t most = std::numeric_limits<std::ptrdiff_t>::max(), least = -most - 1;
  // Too large for the elements of any array; what lies between is left out, as it only takes long.
  static constexpr std::ptrdiff_t ends[] = {most, least, least + 1, most / 2 + 1, std::ptrdiff_t{1} << 40,
                                            -(std::ptrdiff_t{1} << 40), 4294967295, 4294967296};
  std::uint8_t code = byte();
  if (code >= 248) return ends[code - 248];
  return code % 2 ? -(code / 2 % 8) - 1 : code / 2 % 10;
}

double Input::real() {
  using Limits = std::numeric_limits<double>;
  static constexpr double ends[] = {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::max(),
      -Limits::max(),
                                    Limits::min(), Limits::denorm_min(), -Limits::denorm_min(), -0.0, 1e-300, 1e30,
                                    9223372036854775808.0, -9223372036854775808.0, 4294967296.0, 0.1, -1e-5};
  std::uint8_t code = byte();
  if (code >= 240) return ends[code - 240];
  return (code - 80) / 8.0;
}

Shape Input::shape(std::size_t most_axes, std::size_t longest) {
  Shape shape(below(most_axes + 1));
  for (std::size_t& extent : shape) {
    std::uint8_t code = byte();
    extent = code % 16 == 15 ? 0 : 1 + code % longest;  // most arrays are not empty
  }
  return shape;
}

std::vector<std::ptrdiff_t> Input::numbers(std::size_t most) {
  std::vector<std::ptrdiff_t> numbers(below(most + 1));
  for (std::ptrdiff_t& n : numbers) n = number();
  return numbers;
}

template <class T>
Variable Input::make(const Shape& shape, DType dtype, T next) {
  Array array(shape, dtype);
  visit(dtype, [&]<class E>(E) {
    E* elements = array.mutable_data<E>();
    for (std::size_t i = 0; i < array.size(); ++i) elements[i] = next(E{});
  });
  return Variable(array);
}

Variable Input::integers(const Shape& shape, DType dtype) {
  std::uint8_t last = 0;  // where the bytes have ended, the numbers still differ
  return make(shape, dtype, [&]<class E>(E) {
    last = empty() ? static_cast<std::uint8_t>(last * 5 + 3) : byte();
    return static_cast<E>(static_cast<std::int8_t>(last) / 16);
  });
}

Variable Input::reals(const Shape& shape, DType dtype) {
  return make(shape, dtype, [&]<class E>(E) {
    if constexpr (std::is_floating_point_v<E>) return static_cast<E>(std::clamp(real(), -1e300, 1e300)) + E(real() * 0);
    else return static_cast<E>(number());
  });
}

Variable Input::positions(const Shape& shape, std::size_t extent) {
  return make(shape, int64, [&]<class E>(E) {
    std::uint8_t code = byte();
    return static_cast<E>(code >= 240 || extent == 0 ? number() : static_cast<std::ptrdiff_t>(code % extent));
  });
}

std::string Input::text(std::size_t most) {
  std::size_t size = std::min(most, bytes_.size());
  std::string text(reinterpret_cast<const char*>(bytes_.data()), size);
  bytes_ = bytes_.subspan(size);
  return text;
}

std::string Input::word(std::initializer_list<const char*> words) {
  std::size_t which = below(words.size() + 1);
  return which < words.size() ? words.begin()[which] : text(3);
}

bool same(const Variable& a, const Variable& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  return visit(a.dtype(), [&]<class T>(T) {
    const T *x = a.data<T>(), *y = b.data<T>();
    for (std::size_t i = 0; i < a.size(); ++i)
      if (std::memcmp(x + i, y + i, sizeof(T)) != 0 && (x[i] == x[i] || y[i] == y[i])) return false;
    return true;
  });
}

std::vector<std::size_t> unravel(std::size_t i, const Shape& shape) {
  std::vector<std::size_t> at(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0; i /= shape[axis]) at[axis] = i % shape[axis];
  return at;
}

std::size_t ravel_position(const std::vector<std::size_t>& at, const Shape& shape) {
  std::size_t i = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) i = i * shape[axis] + at[axis];
  return i;
}

void differentiate(Input& input, const Variable& x, const std::function<Variable(const Variable&)>& f, bool linear) {
  if (!is_floating(x.dtype())) return static_cast<void>(allowed([&] { f(x); }));
  Variable leaf = x.copy();
  leaf.requires_grad_();
  double forward = 0, backward = 0;
  bool done = allowed([&] {
    Variable y = f(leaf);
    if (!y.requires_grad()) {
      linear = false;
      return;
    }
    Variable g = input.integers(y.shape(), y.dtype());
    y.backward(g);
    for (std::size_t i = 0; i < y.size(); ++i) forward += at(g, i) * at(y, i);
  });
  if (!done || !leaf.grad().defined()) return;
  require(leaf.grad().shape() == x.shape() && leaf.grad().dtype() == x.dtype(), "a gradient of another shape");
  for (std::size_t i = 0; i < x.size(); ++i) backward += at(leaf.grad(), i) * at(x, i);
  if (linear)
    require(forward == backward, "<g, f(x)> = " + std::to_string(forward) + ", <f'(g), x> = " + std::to_string(backward));
}

}  // namespace xtape::fuzz
