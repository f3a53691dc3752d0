// A row of elements, register by register: what every kernel of functions of registers does inside the loops.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

#include <autograd/kernels/simd.hpp>

namespace xtape::kernels {

namespace detail {

// By value, so that the loop before keeps its own in registers.
template <class Store, class Y>
void close_row(Store store, Y y, std::size_t n) {
  store.rest(y, n);
  store.close();
}

}  // namespace detail

/// Calls `store(f(x...))` for the n elements of a row, n > 0, where each x is a register of the next elements of an
/// operand, or of its first again and again where its step is 0. What does not fill a register goes to
/// `store.rest(f(x...), count)`; the other lanes compute on a value that is there, and raise no exceptions of their own.
/// So no element depends on where it stands. Last comes `store.close()`.
// Named after its registers V: programs that are compiled for several processors, and linked into one, must not take one
// for another. There is one call of f, which is large once it is in place. It is taken by value: what stands in a
// reference would be read anew after each store.
template <class V, class T, class F, class Store, std::size_t... K>
void map_row(F f, std::array<const T*, sizeof...(K)> in, const std::ptrdiff_t* step, std::size_t n, Store store,
             std::index_sequence<K...>) {
  constexpr std::size_t lanes = V::size;
  alignas(64) T repeated[sizeof...(K) + 1][lanes];
  auto repeat = [&](std::size_t k, std::size_t count) {
    V(*in[k]).store_aligned(repeated[k]);
    if (count > 1) std::copy_n(in[k], count, repeated[k]);
    in[k] = repeated[k];
  };
  const std::array<std::size_t, sizeof...(K)> stride{(step[K] ? lanes : 0)...};
  ((stride[K] ? void() : repeat(K, 1)), ...);
  bool last = false;
  auto pad = [&] {
    last = true;
    ((stride[K] ? repeat(K, n) : void()), ...);
  };
  if (n < lanes) pad();
  while (true) {
    auto y = f(V::load_unaligned(in[K])...);
    if (last) [[unlikely]] return detail::close_row(store, y, n);
    store(y);
    n -= lanes;
    if (n == 0) return Store(store).close();
    ((in[K] += stride[K]), ...);
    if (n < lanes) [[unlikely]] pad();
  }
}

/// Writes a row from an address on.
template <class V>
class StoreRow {
 public:
  using T = typename V::value_type;
  explicit StoreRow(T* first) : at_(first) {}

  [[gnu::always_inline]] void operator()(const V& values) {
    values.store_unaligned(at_);
    at_ += V::size;
  }
  void rest(V values, std::size_t count) {
    if (count == 1) {
      *at_ = values.get(0);
      return;
    }
    alignas(64) T last[V::size];
    values.store_aligned(last);
    std::copy_n(last, count, at_);
  }
  void close() {}

 private:
  T* at_;
};

/// Several results of a row, each stored in its way.
template <class... Stores>
class StoreEach {
 public:
  explicit StoreEach(Stores... stores) : stores_(stores...) {}

  template <class V>
  [[gnu::always_inline]] void operator()(const std::array<V, sizeof...(Stores)>& values) {
    std::size_t k = 0;
    std::apply([&](auto&... store) { (store(values[k++]), ...); }, stores_);
  }
  template <class V>
  void rest(std::array<V, sizeof...(Stores)> values, std::size_t count) {
    std::size_t k = 0;
    std::apply([&](auto&... store) { (store.rest(values[k++], count), ...); }, stores_);
  }
  void close() {
    std::apply([](auto&... store) { (store.close(), ...); }, stores_);
  }

 private:
  std::tuple<Stores...> stores_;
};

}  // namespace xtape::kernels
