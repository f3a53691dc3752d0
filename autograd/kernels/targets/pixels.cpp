#include <autograd/kernels/targets/pixels.hpp>

#include <algorithm>
#include <utility>

#include <autograd/kernels/targets/here.hpp>
#include <autograd/kernels/targets/registers.hpp>

namespace xtape::kernels {
namespace {

// The first numbers from an address on, as registers; what is beyond is not touched.
template <class T>
class UpToOne {
 public:
  explicit UpToOne(std::size_t count) : whole_(count == lanes<T>), first_(count) {}

  Register<T> load(const T* from) const { return whole_ ? Register<T>::load_unaligned(from) : first_.load(from); }
  void store(T* to, const Register<T>& x) const { whole_ ? x.store_unaligned(to) : first_.store(to, x); }

 private:
  bool whole_;
  First<T> first_;
};

template <class T>
class UpToTwo {
 public:
  explicit UpToTwo(std::size_t count)
      : more_(count > lanes<T>), low_(std::min(count, lanes<T>)), high_(more_ ? count - lanes<T> : 0) {}

  std::pair<Register<T>, Register<T>> load(const T* from) const {
    return {low_.load(from), more_ ? high_.load(from + lanes<T>) : Register<T>(T(0))};
  }
  void store(T* to, const Register<T>& low, const Register<T>& high) const {
    low_.store(to, low);
    if (more_) high_.store(to + lanes<T>, high);
  }

 private:
  bool more_;
  UpToOne<T> low_, high_;
};

// x0 x2 ... y0 y2 ...
template <class T, std::size_t... I>
Register<T> evens(const Register<T>& x, const Register<T>& y, std::index_sequence<I...>) {
  using R = typename Register<T>::register_type;
  R a = x, b = y;
  return static_cast<R>(__builtin_shufflevector(a, b, static_cast<int>(2 * I)...));
}

// Calls f(i, from, to) for each number of each row, whatever the stride.
template <class T, class F>
void for_each_number(const PixelRows& all, const T* from, T* to, F&& f) {
  for (std::size_t row = 0; row < all.rows; ++row, from += all.from_row, to += all.to_row)
    for (std::size_t i = 0; i < all.n; ++i) f(i, from, to);
}

// Calls f(i, count) for the registers of a row.
template <class T, class F>
void for_each_register(std::size_t n, F&& f) {
  for (std::size_t i = 0; i < n; i += lanes<T>) f(i, std::min(lanes<T>, n - i));
}

// take(to, from[i stride] and those that follow, how to store them) for the registers of all rows.
template <class T, class F>
void for_each_taken(const PixelRows& all, const T* from, std::size_t stride, T* to, F&& take) {
  for_each_register<T>(all.n, [&](std::size_t i, std::size_t count) {
    const UpToOne<T> some(count);
    const UpToTwo<T> both(2 * count - 1);
    const T* in = from + i * stride;
    T* out = to + i;
    for (std::size_t row = 0; row < all.rows; ++row, in += all.from_row, out += all.to_row) {
      if (stride == 1) {
        take(out, some.load(in), some);
        continue;
      }
      const auto [low, high] = both.load(in);
      take(out, evens(low, high, std::make_index_sequence<lanes<T>>()), some);
    }
  });
}

}  // namespace

template <Target target, class T>
void take_apart_on(const PixelRows& all, const T* from, std::size_t stride, T* to) {
  if (stride > 2) return for_each_number(all, from, to, [=](std::size_t i, const T* x, T* y) { y[i] = x[i * stride]; });
  for_each_taken(all, from, stride, to,
                 [](T* out, const Register<T>& x, const UpToOne<T>& some) { some.store(out, x); });
}

template <Target target, class T>
void add_taken_on(const PixelRows& all, const T* from, std::size_t stride, T* to) {
  if (stride > 2) return for_each_number(all, from, to, [=](std::size_t i, const T* x, T* y) { y[i] += x[i * stride]; });
  for_each_taken(all, from, stride, to, [](T* out, const Register<T>& x, const UpToOne<T>& some) {
    some.store(out, some.load(out) + x);
  });
}

template <Target target, class T>
void add_apart_on(const PixelRows& all, const T* from, T* to, std::size_t stride) {
  if (stride > 2) return for_each_number(all, from, to, [=](std::size_t i, const T* x, T* y) { y[i * stride] += x[i]; });
  if (stride == 1) return add_taken_on<target>(all, from, 1, to);
  for_each_register<T>(all.n, [&](std::size_t i, std::size_t count) {
    const UpToOne<T> some(count);
    const UpToTwo<T> both(2 * count - 1);
    const T* in = from + i;
    T* out = to + 2 * i;
    for (std::size_t row = 0; row < all.rows; ++row, in += all.from_row, out += all.to_row) {
      Register<T> low, high;
      interleave<T>(some.load(in), Register<T>(T(0)), low, high, std::make_index_sequence<lanes<T>>());
      const auto [old_low, old_high] = both.load(out);
      both.store(out, old_low + low, old_high + high);
    }
  });
}

template void take_apart_on<here>(const PixelRows&, const float*, std::size_t, float*);
template void add_taken_on<here>(const PixelRows&, const float*, std::size_t, float*);
template void add_apart_on<here>(const PixelRows&, const float*, float*, std::size_t);
template void take_apart_on<here>(const PixelRows&, const double*, std::size_t, double*);
template void add_taken_on<here>(const PixelRows&, const double*, std::size_t, double*);
template void add_apart_on<here>(const PixelRows&, const double*, double*, std::size_t);

}  // namespace xtape::kernels
