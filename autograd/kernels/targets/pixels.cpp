#include <autograd/kernels/targets/pixels.hpp>

#include <algorithm>
#include <utility>

#include <autograd/kernels/targets/here.hpp>
#include <autograd/kernels/targets/registers.hpp>

namespace xtape::kernels {
namespace {

// Two registers of the first numbers from an address on; what is beyond is not touched.
template <class T>
class FirstOfTwo {
 public:
  explicit FirstOfTwo(std::size_t count)
      : low_(std::min(count, lanes<T>)), high_(count - std::min(count, lanes<T>)), whole_(count >= lanes<T>),
        more_(count > lanes<T>) {}

  void load(const T* from, Register<T>& low, Register<T>& high) const {
    low = whole_ ? Register<T>::load_unaligned(from) : low_.load(from);
    high = more_ ? high_.load(from + lanes<T>) : Register<T>(T(0));
  }
  void store(T* to, const Register<T>& low, const Register<T>& high) const {
    whole_ ? low.store_unaligned(to) : low_.store(to, low);
    if (more_) high_.store(to + lanes<T>, high);
  }

 private:
  First<T> low_, high_;
  bool whole_, more_;
};

// x0 x2 ... y0 y2 ...
template <class T, std::size_t... I>
Register<T> evens(const Register<T>& x, const Register<T>& y, std::index_sequence<I...>) {
  using R = typename Register<T>::register_type;
  R a = x, b = y;
  return static_cast<R>(__builtin_shufflevector(a, b, static_cast<int>(2 * I)...));
}

// Calls f(i, count) for registers of n numbers.
template <class T, class F>
void for_each_register(std::size_t n, F&& f) {
  for (std::size_t i = 0; i < n; i += lanes<T>) f(i, std::min(lanes<T>, n - i));
}

template <class T>
void store_first(T* to, const Register<T>& x, std::size_t count) {
  if (count == lanes<T>) x.store_unaligned(to);
  else First<T>(count).store(to, x);
}
template <class T>
Register<T> load_first(const T* from, std::size_t count) {
  return count == lanes<T> ? Register<T>::load_unaligned(from) : First<T>(count).load(from);
}

// Calls f(i, from[i stride] and those that follow, count) for registers of n numbers, with a stride of 1 or 2.
template <class T, class F>
void for_each_taken(const T* from, std::size_t stride, std::size_t n, F&& f) {
  for_each_register<T>(n, [&](std::size_t i, std::size_t count) {
    if (stride == 1) return f(i, load_first(from + i, count), count);
    Register<T> low, high;
    FirstOfTwo<T>(2 * count - 1).load(from + 2 * i, low, high);
    f(i, evens(low, high, std::make_index_sequence<lanes<T>>()), count);
  });
}

}  // namespace

template <Target target, class T>
void take_apart_on(const T* from, std::size_t stride, std::size_t n, T* to) {
  if (stride > 2) {
    for (std::size_t i = 0; i < n; ++i) to[i] = from[i * stride];
    return;
  }
  for_each_taken(from, stride, n,
                 [to](std::size_t i, const Register<T>& x, std::size_t count) { store_first(to + i, x, count); });
}

template <Target target, class T>
void add_taken_on(const T* from, std::size_t stride, std::size_t n, T* to) {
  if (stride > 2) {
    for (std::size_t i = 0; i < n; ++i) to[i] += from[i * stride];
    return;
  }
  for_each_taken(from, stride, n, [to](std::size_t i, const Register<T>& x, std::size_t count) {
    store_first(to + i, x + load_first(to + i, count), count);
  });
}

template <Target target, class T>
void add_apart_on(const T* from, std::size_t n, T* to, std::size_t stride) {
  if (stride > 2) {
    for (std::size_t i = 0; i < n; ++i) to[i * stride] += from[i];
    return;
  }
  for_each_register<T>(n, [&](std::size_t i, std::size_t count) {
    const Register<T> x = load_first(from + i, count);
    if (stride == 1) return store_first(to + i, x + load_first(to + i, count), count);
    const FirstOfTwo<T> both(2 * count - 1);
    Register<T> low, high, to_low, to_high;
    interleave<T>(x, Register<T>(T(0)), low, high, std::make_index_sequence<lanes<T>>());
    both.load(to + 2 * i, to_low, to_high);
    both.store(to + 2 * i, to_low + low, to_high + high);
  });
}

template void take_apart_on<here>(const float*, std::size_t, std::size_t, float*);
template void add_taken_on<here>(const float*, std::size_t, std::size_t, float*);
template void add_apart_on<here>(const float*, std::size_t, float*, std::size_t);
template void take_apart_on<here>(const double*, std::size_t, std::size_t, double*);
template void add_taken_on<here>(const double*, std::size_t, std::size_t, double*);
template void add_apart_on<here>(const double*, std::size_t, double*, std::size_t);

}  // namespace xtape::kernels
