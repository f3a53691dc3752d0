#include <autograd/kernels/reduce.hpp>

#include <cmath>
#include <limits>

#include <autograd/kernels/layout.hpp>
#include <autograd/kernels/simd.hpp>

namespace xtape::kernels {
namespace {

struct Sum {
  template <class T>
  static constexpr T identity = 0;
  template <class V>
  static V combine(const V& a, const V& b) { return a + b; }
};

struct Max {
  template <class T>
  static constexpr T identity =
      std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  template <class T>
    requires std::is_arithmetic_v<T>
  static T combine(T a, T b) { return a > b || a != a ? a : b; }
  template <class T, class A>
  static xsimd::batch<T, A> combine(const xsimd::batch<T, A>& a, const xsimd::batch<T, A>& b) { return maximum(a, b); }
};

struct Min {
  template <class T>
  static constexpr T identity =
      std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  template <class T>
    requires std::is_arithmetic_v<T>
  static T combine(T a, T b) { return a < b || a != a ? a : b; }
  template <class T, class A>
  static xsimd::batch<T, A> combine(const xsimd::batch<T, A>& a, const xsimd::batch<T, A>& b) { return minimum(a, b); }
};

// One block of a row into one value: four running results of a vector each.
template <class R, class T>
T reduce_block(const T* x, std::size_t n) {
  using V = Batch<T>;
  constexpr std::size_t lanes = V::size;
  T result = R::template identity<T>;
  if (n >= 4 * lanes) {
    V part[4];
    for (std::size_t k = 0; k < 4; ++k) part[k] = V::load_unaligned(x + k * lanes);
    x += 4 * lanes, n -= 4 * lanes;
    for (; n >= 4 * lanes; n -= 4 * lanes, x += 4 * lanes)
      for (std::size_t k = 0; k < 4; ++k) part[k] = R::combine(part[k], V::load_unaligned(x + k * lanes));
    V all = R::combine(R::combine(part[0], part[1]), R::combine(part[2], part[3]));
    alignas(64) T values[lanes];
    all.store_unaligned(values);
    for (T value : values) result = R::combine(result, value);
  }
  for (; n > 0; --n, ++x) result = R::combine(result, *x);
  return result;
}

template <class R, class T>
T reduce_row(const T* x, std::size_t n) {
  constexpr std::size_t block = 1024;
  // Floating-point sums of blocks add up in double.
  using Total = std::conditional_t<std::is_floating_point_v<T>, double, T>;
  if (n <= block) return reduce_block<R>(x, n);
  Total total = R::template identity<Total>;
  for (; n > 0; x += std::min(n, block), n -= std::min(n, block))
    total = R::combine(total, static_cast<Total>(reduce_block<R>(x, std::min(n, block))));
  return static_cast<T>(total);
}

// out[i] = combine(out[i], x[i])
template <class R, class T>
void combine_rows(T* out, const T* x, std::size_t n) {
  using V = Batch<T>;
  constexpr std::size_t lanes = V::size;
  for (; n >= lanes; n -= lanes, out += lanes, x += lanes)
    R::combine(V::load_unaligned(out), V::load_unaligned(x)).store_unaligned(out);
  for (; n > 0; --n, ++out, ++x) *out = R::combine(*out, *x);
}

template <class R, class T>
Array reduce(const Array& x, const std::vector<bool>& mask) {
  Array result(keep_dims(x.shape(), mask), x.dtype());
  T* out = result.mutable_data<T>();
  std::fill_n(out, result.size(), R::template identity<T>);
  const T* in = x.data<T>();
  Loops<2> loops(x.shape(), {dense_strides(x.shape()), broadcast_strides(result.shape(), x.shape())});
  auto [n, step] = loops.inner();
  loops.for_each_row([&, n = n, kept = step[1] != 0](const auto& offset) {
    T* to = out + offset[1];
    if (kept) combine_rows<R>(to, in + offset[0], n);
    else *to = R::combine(*to, reduce_row<R>(in + offset[0], n));
  });
  return result;
}

template <class R>
Array reduce(const char* operation, const Array& x, const std::vector<bool>& mask) {
  if (x.dtype() == DType::int64) return reduce<R, std::int64_t>(x, mask);
  return visit_floating(operation, x.dtype(), [&]<class T>(T) { return reduce<R, T>(x, mask); });
}

template <class Better>
Array arg_best(const Array& x, std::size_t axis, Better better) {
  std::vector<bool> mask(x.rank(), false);
  mask[axis] = true;
  Array result(drop_dims(x.shape(), mask), DType::int64);
  auto* out = result.mutable_data<std::int64_t>();
  std::size_t n = x.shape()[axis], inner = 1;
  for (std::size_t i = axis + 1; i < x.rank(); ++i) inner *= x.shape()[i];
  visit(x.dtype(), [&]<class T>(T) {
    for (std::size_t k = 0; k < result.size(); ++k) {
      const T* first = x.data<T>() + k / inner * n * inner + k % inner;
      std::size_t best = 0;
      for (std::size_t i = 1; i < n; ++i)
        if (better(first[i * inner], first[best * inner])) best = i;
      out[k] = static_cast<std::int64_t>(best);
    }
  });
  return result;
}

}  // namespace

Shape keep_dims(const Shape& shape, const std::vector<bool>& mask) {
  Shape result = shape;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (mask[i]) result[i] = 1;
  return result;
}

Shape drop_dims(const Shape& shape, const std::vector<bool>& mask) {
  Shape result;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (!mask[i]) result.push_back(shape[i]);
  return result;
}

Array sum(const Array& x, const std::vector<bool>& mask) { return reduce<Sum>("sum", x, mask); }
Array max(const Array& x, const std::vector<bool>& mask) { return reduce<Max>("max", x, mask); }
Array min(const Array& x, const std::vector<bool>& mask) { return reduce<Min>("min", x, mask); }

std::vector<bool> broadcast_mask(const Shape& from, const Shape& to) {
  std::vector<bool> mask(from.size(), true);
  std::size_t lead = from.size() - to.size();
  for (std::size_t i = 0; i < to.size(); ++i) mask[lead + i] = to[i] == 1;
  return mask;
}

Array sum_to(const Array& x, const Shape& shape) { return sum(x, broadcast_mask(x.shape(), shape)).reshaped(shape); }

Array argmax(const Array& x, std::size_t axis) {
  return arg_best(x, axis, [](auto a, auto best) { return a > best || (a != a && best == best); });
}

Array argmin(const Array& x, std::size_t axis) {
  return arg_best(x, axis, [](auto a, auto best) { return a < best || (a != a && best == best); });
}

Array cumsum(const Array& x, std::size_t axis, bool backwards) {
  Array result(x.shape(), x.dtype());
  std::size_t n = x.shape()[axis], inner = 1;
  for (std::size_t i = axis + 1; i < x.rank(); ++i) inner *= x.shape()[i];
  visit(x.dtype(), [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = result.mutable_data<T>();
    for (std::size_t start = 0; start < x.size(); start += n * inner)
      for (std::size_t step = 0; step < n; ++step) {
        std::size_t row = start + (backwards ? n - 1 - step : step) * inner;
        std::size_t before = step == 0 ? row : backwards ? row + inner : row - inner;
        for (std::size_t k = 0; k < inner; ++k)
          out[row + k] = step == 0 ? in[row + k] : static_cast<T>(out[before + k] + in[row + k]);
      }
  });
  return result;
}

}  // namespace xtape::kernels
