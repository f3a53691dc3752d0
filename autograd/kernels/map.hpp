// The elementwise kernel: one function of registers, over any number of broadcast operands.
#pragma once

#include <array>
#include <tuple>
#include <type_traits>

#include <autograd/kernels/loops.hpp>
#include <autograd/kernels/rows.hpp>

namespace xtape::kernels {

/// `out = f(in...)` with every operand broadcast to the shape of `out`. `f` takes and returns batches of T.
template <class T, class F, class... Inputs>
void map(const F& f, Array& out, const Inputs&... in) {
  constexpr std::size_t N = sizeof...(in);
  T* result = out.mutable_data<T>();
  const std::array<const T*, N> data{in.template data<T>()...};
  // One element alone: the loop would take more time than the function.
  if (out.size() == 1) return void(*result = std::apply([&](auto*... x) { return f(Batch<T>(*x)...); }, data).get(0));
  auto row = [&](const std::ptrdiff_t* offset, const std::ptrdiff_t* step, std::size_t n) {
    std::array<const T*, N> at;
    for (std::size_t k = 0; k < N; ++k) at[k] = data[k] + offset[k + 1];
    map_row<Batch<T>>(f, at, step + 1, n, StoreRow<Batch<T>>(result + offset[0]), std::make_index_sequence<N>());
  };
  for_each_row(std::array{static_cast<const Array*>(&out), &in...}, row);
}

namespace detail {

/// For what is not written.
struct StoreNowhere {
  template <class V>
  void operator()(const V&) {}
  template <class V>
  void rest(V, std::size_t) {}
  void close() {}
};

template <class V, class T>
auto store_unless_const(T* first) {
  if constexpr (std::is_const_v<T>) return StoreNowhere();
  else return StoreRow<V>(first);
}

}  // namespace detail

/// Calls `f` with a batch of every array, element after element, and writes back what it made of those that are not
/// const: `update([=](auto& p, auto& m, auto& g) { m = ...; p -= ...; }, parameter, moment, gradient)`. The arrays have
/// one shape and one floating-point dtype. Numbers in `f` are double, and rounded to that dtype where they meet a batch.
template <class F, class... Arrays>
void update(const F& f, Arrays&... arrays) {
  std::array all{static_cast<const Array*>(&arrays)...};
  visit_floating("update", all[0]->dtype(), [&]<class T>(T) {
    using V = Batch<T>;
    auto elements = [](auto& array) {
      if constexpr (std::is_const_v<std::remove_reference_t<decltype(array)>>) return array.template data<T>();
      else return array.template mutable_data<T>();
    };
    auto updated = [f](auto... x) {
      f(x...);
      return std::array{x...};
    };
    std::apply([&](auto*... data) {
      for_each_row(all, [&](const std::ptrdiff_t* offset, const std::ptrdiff_t* step, std::size_t n) {
        std::array<const T*, sizeof...(arrays)> in{data + *offset...};
        map_row<V>(updated, in, step, n, StoreEach(detail::store_unless_const<V>(data + *offset)...),
                   std::index_sequence_for<Arrays...>());
      });
    }, std::tuple{elements(arrays)...});
  });
}

}  // namespace xtape::kernels
